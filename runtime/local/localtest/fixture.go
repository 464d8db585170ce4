// Package localtest opens the use cases of one process for tests, on every engine,
// with a clock that can be moved.
package localtest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/notify/shoutrrr"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/seal"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

// Fixture is the use cases on a store and a bus of their own.
type Fixture struct {
	*local.Service
	Store  core.Store
	Bus    core.Bus
	Sealer core.Sealer
	T      testing.TB
	Ctx    context.Context

	ahead atomic.Int64 // microseconds
}

// OnEngines runs fn on SQLite and, where the tests are given one, PostgreSQL.
func OnEngines(t *testing.T, fn func(t *testing.T, h *Fixture)) {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) { fn(t, Open(t, e.URL(t))) })
	}
}

// Peers opens two servers on one PostgreSQL database that cannot hear each other;
// false without PostgreSQL.
func Peers(t *testing.T) (a, b *Fixture, ok bool) {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			url := e.URL(t)
			return Open(t, url), Open(t, url), true
		}
	}
	t.Log("no Postgres to test with")
	return nil, nil, false
}

// Open returns a started Fixture on the database of url; it ends with the test.
func Open(t testing.TB, url string) *Fixture {
	t.Helper()
	ctx := t.Context()
	store, err := db.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	h := &Fixture{Store: store, Bus: bus.NewMemory(), Sealer: seal.Ephemeral(), T: t, Ctx: ctx}
	loopback, err := notify.ParsePrivate([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	h.Service = local.New(local.Config{
		Private: loopback, Templates: jinja.New(), Sender: shoutrrr.New(),
		Store: store, Bus: h.Bus, Sealer: h.Sealer, Log: slog.New(slog.DiscardHandler),
		URL: "https://flows.example.com", Results: orchestrate.DirResults(t.TempDir()), Now: h.Now,
	})
	_ = h.Start(ctx)
	t.Cleanup(func() {
		_ = h.Stop(context.Background())
		_ = h.Bus.Close()
		_ = store.Close()
	})
	return h
}

// Must returns v, or ends the test with err.
func Must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Later moves the clock.
func (h *Fixture) Later(d time.Duration) { h.ahead.Add(d.Microseconds()) }

// NextMinute moves the clock to the first second of a minute: a schedule of every minute owes
// nothing new for the 59 seconds that follow.
func (h *Fixture) NextMinute() {
	now := h.Now().Time()
	h.Later(now.Truncate(time.Minute).Add(time.Minute + time.Second).Sub(now))
}

// Now is the time of the clock.
func (h *Fixture) Now() core.Time { return core.Now() + core.Time(h.ahead.Load()) }

// Flow is the flow "f".
func (h *Fixture) Flow() *core.Flow {
	return Must(h.CreateFlow(h.Ctx, core.FlowCreate{Name: "f"}))(h.T)
}

// Set proposes a state, and wants the answer to be want.
func (h *Fixture) Set(run core.UUID, t core.StateType, want core.ResponseStatus) *core.OrchestrationResult {
	h.T.Helper()
	r := Must(h.SetFlowRunState(h.Ctx, run, core.StateCreate{Type: t}, false))(h.T)
	if r.Status != want {
		h.T.Fatalf("%s: %s %v, want %s", t, r.Status, core.Deref(r.Details.Reason), want)
	}
	return r
}

// Deployed makes a pool "p" and a deployment in it.
func (h *Fixture) Deployed(with ...func(*core.DeploymentCreate)) *core.Deployment {
	h.T.Helper()
	if _, err := h.Store.WorkPoolByName(h.Ctx, "p"); core.IsNotFound(err) {
		Must(h.CreateWorkPool(h.Ctx, core.WorkPoolCreate{Name: "p", Type: "process"}))(h.T)
	}
	c := core.DeploymentCreate{Name: "d", FlowID: h.Flow().ID, WorkPoolName: core.Some("p"),
		ParameterOpenAPISchema: core.Some(core.JSON(`{"type":"object","properties":{"x":{"type":"integer"}},"required":[]}`))}
	for _, f := range with {
		f(&c)
	}
	return Must(h.CreateDeployment(h.Ctx, c))(h.T)
}

// Run creates a run of d.
func (h *Fixture) Run(d *core.Deployment) *core.FlowRun {
	h.T.Helper()
	return Must(h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{}))(h.T)
}

// Started creates a run of d that is Running.
func (h *Fixture) Started(d *core.Deployment) *core.FlowRun {
	h.T.Helper()
	run := h.Run(d)
	h.Set(run.ID, core.Pending, core.Accept)
	h.Set(run.ID, core.Running, core.Accept)
	return run
}

// Is wants the run's state to have that name.
func (h *Fixture) Is(id core.UUID, name string) *core.FlowRun {
	h.T.Helper()
	r := Must(h.Store.FlowRun(h.Ctx, id))(h.T)
	if r.StateName != name {
		h.T.Fatalf("run is %s, want %s", r.StateName, name)
	}
	return r
}

// Background makes a background task run as .delay() does.
func (h *Fixture) Background(key string, due core.Time) *core.TaskRun {
	h.T.Helper()
	return Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{Name: key, TaskKey: key, DynamicKey: core.NewID().String(),
		State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{
			Deferred: true, ScheduledTime: due, TaskParametersID: core.NewID(),
		}}}))(h.T)
}
