package orchestrate_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/seal"
)

// house is a service on a database in memory, with a clock that can be moved.
type house struct {
	*local.Service
	store core.Store
	bus   core.Bus

	sealer core.Sealer
	ahead  atomic.Int64 // microseconds
	t      testing.TB
	ctx    context.Context
}

func open(t testing.TB, url string) *house {
	t.Helper()
	ctx := t.Context()
	store, err := db.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{store: store, bus: bus.NewMemory(), sealer: seal.Ephemeral(), t: t, ctx: ctx}
	loopback, err := notify.ParsePrivate([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	h.Service = local.New(local.Config{
		Private: loopback,
		Store:   store, Bus: h.bus, Sealer: h.sealer, Log: slog.New(slog.DiscardHandler), URL: "https://flows.example.com", Results: orchestrate.DirResults(t.TempDir()),
		Now: func() core.Time { return core.Now() + core.Time(h.ahead.Load()) },
	})
	_ = h.Start(ctx)
	t.Cleanup(func() {
		_ = h.Stop(context.Background())
		_ = h.bus.Close()
		_ = store.Close()
	})
	return h
}

func (h *house) later(d time.Duration) { h.ahead.Add(d.Microseconds()) }

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *house) flow() *core.Flow {
	return must(h.CreateFlow(h.ctx, core.FlowCreate{Name: "f"}))(h.t)
}

func (h *house) set(run core.UUID, t core.StateType, want core.ResponseStatus) *core.OrchestrationResult {
	h.t.Helper()
	r := must(h.SetFlowRunState(h.ctx, run, core.StateCreate{Type: t}, false))(h.t)
	if r.Status != want {
		h.t.Fatalf("%s: %s %v, want %s", t, r.Status, core.Deref(r.Details.Reason), want)
	}
	return r
}

// deployed makes a pool "p" and a deployment in it.
func (h *house) deployed(with ...func(*core.DeploymentCreate)) *core.Deployment {
	h.t.Helper()
	if _, err := h.store.WorkPoolByName(h.ctx, "p"); core.IsNotFound(err) {
		must(h.CreateWorkPool(h.ctx, core.WorkPoolCreate{Name: "p", Type: "process"}))(h.t)
	}
	c := core.DeploymentCreate{Name: "d", FlowID: h.flow().ID, WorkPoolName: core.Some("p"),
		ParameterOpenAPISchema: core.Some(core.JSON(`{"type":"object","properties":{"x":{"type":"integer"}},"required":[]}`))}
	for _, f := range with {
		f(&c)
	}
	return must(h.CreateDeployment(h.ctx, c))(h.t)
}

func (h *house) poll(holder core.UUID, free int, wait core.Seconds) *core.PollResponse {
	h.t.Helper()
	return must(h.Poll(h.ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: free, Wait: wait}))(h.t)
}

func (h *house) run(d *core.Deployment) *core.FlowRun {
	h.t.Helper()
	return must(h.CreateDeploymentFlowRun(h.ctx, d.ID, core.DeploymentFlowRunCreate{}))(h.t)
}

func (h *house) is(id core.UUID, name string) *core.FlowRun {
	h.t.Helper()
	r := must(h.store.FlowRun(h.ctx, id))(h.t)
	if r.StateName != name {
		h.t.Fatalf("run is %s, want %s", r.StateName, name)
	}
	return r
}

func TestRunByHand(t *testing.T) {
	h := open(t, "sqlite::memory:")
	sub := h.bus.Subscribe(core.TopicEvent, "", 16)
	run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID, Tags: core.Tags{"a"}}))(t)
	if run.Name == "" || run.StateType != core.Pending || run.ExpectedStartTime == 0 {
		t.Errorf("made: %+v", run)
	}
	h.set(run.ID, core.Pending, core.Abort)
	if r := h.set(run.ID, core.Running, core.Accept); !r.Written || r.State.Details.FlowRunID != run.ID {
		t.Errorf("running: %+v", r)
	}
	h.set(run.ID, core.Completed, core.Accept)
	done := h.is(run.ID, "Completed")
	if done.RunCount != 1 || done.StartTime == 0 || done.EndTime == 0 || done.TotalRunTime <= 0 {
		t.Errorf("completed: %+v", done)
	}
	if states := must(h.store.FlowRunStates(h.ctx, run.ID))(t); len(states) != 3 {
		t.Errorf("%d states, want 3", len(states))
	}
	for _, name := range []string{"Pending", "Running", "Completed"} {
		e := (<-sub.C()).Event
		if e.Event != "prefect.flow-run."+name || e.ResourceID() != "prefect.flow-run."+run.ID.String() {
			t.Errorf("event %s of %s", e.Event, e.ResourceID())
		}
	}
	if _, err := h.SetFlowRunState(h.ctx, core.NewID(), core.StateCreate{Type: core.Running}, false); !core.IsNotFound(err) {
		t.Errorf("unknown run: %v", err)
	}
	if _, err := h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: core.NewID()}); core.CodeOf(err) != core.EConflict {
		t.Errorf("unknown flow: %v", err)
	}
}

func TestIdempotencyKey(t *testing.T) {
	h := open(t, "sqlite::memory:")
	c := core.FlowRunCreate{FlowID: h.flow().ID, IdempotencyKey: core.Ptr("k")}
	a, b := must(h.CreateFlowRun(h.ctx, c))(t), must(h.CreateFlowRun(h.ctx, c))(t)
	if a.ID != b.ID || a.Name != b.Name {
		t.Error("one key made two runs")
	}
}

func TestParameters(t *testing.T) {
	h := open(t, "sqlite::memory:")
	d := h.deployed(func(c *core.DeploymentCreate) { c.Parameters = core.Some(core.JSON(`{"x":1}`)) })
	create := func(p string) (*core.FlowRun, error) {
		return h.CreateDeploymentFlowRun(h.ctx, d.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(p)})
	}
	if r := must(create(`{"x":{"__prefect_kind":"json","value":"7"}}`))(t); string(r.Parameters) != `{"x":7}` {
		t.Errorf("hydrated: %s", r.Parameters)
	}
	jinja := `{"x":{"__prefect_kind":"json","value":{"__prefect_kind":"jinja","template":"{{ 3 + 4 }}"}}}`
	if r := must(create(jinja))(t); string(r.Parameters) != `{"x":7}` {
		t.Errorf("a template within JSON: %s", r.Parameters)
	}
	if _, err := create(`{"x":"no"}`); core.CodeOf(err) != core.EConflict {
		t.Errorf("wrong type: %v", err)
	} else {
		if !strings.Contains(err.Error(), "field 'x'") {
			t.Error(err)
		}
	}
	for _, bad := range []string{`{"x":{"__prefect_kind":"json","value":"{"}}`, `{"x":{"__prefect_kind":"workspace_variable","variable_name":"no"}}`, `{"x":{"__prefect_kind":"jinja","template":"{{ 1"}}`, `{"x":{"__prefect_kind":"jinja"}}`} {
		if _, err := create(bad); core.CodeOf(err) != core.EBadRequest {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := h.CreateDeploymentFlowRun(h.ctx, d.ID, core.DeploymentFlowRunCreate{WorkQueueName: core.Ptr("no")}); !core.IsNotFound(err) {
		t.Errorf("unknown queue: %v", err)
	}
}

func TestPollIsWoken(t *testing.T) {
	h := open(t, "sqlite::memory:")
	d := h.deployed()
	holder := core.NewID()
	h.poll(holder, 1, 0)
	type answer struct {
		r  *core.PollResponse
		at time.Time
	}
	answers := make(chan answer, 1)
	go func() {
		r, _ := h.Poll(h.ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: 1, Wait: 20})
		answers <- answer{r, time.Now()}
	}()
	run := h.run(d)
	began := time.Now()
	got := <-answers
	if len(got.r.Claims) != 1 || got.r.Claims[0].FlowRun.ID != run.ID {
		t.Fatalf("claims: %+v", got.r.Claims)
	}
	c := got.r.Claims[0]
	if c.Token.IsZero() || c.Flow == nil || c.Deployment == nil || c.WorkPool == nil || c.FlowRun.StateType != core.Pending {
		t.Errorf("claim: %+v", c)
	}
	t.Log("woken after", got.at.Sub(began))

	ctx := core.WithRunToken(h.ctx, core.NewID())
	if _, err := h.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Running}, false); core.CodeOf(err) != core.ELeaseLost {
		t.Errorf("a foreign token: %v", err)
	}
	ctx = core.WithRunToken(h.ctx, c.Token)
	if _, err := h.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Running}, false); err != nil {
		t.Error(err)
	}
	must(h.CancelFlowRun(h.ctx, run.ID))(t)
	if r := h.poll(holder, 0, 5); len(r.Cancel) != 1 || r.Cancel[0] != run.ID {
		t.Errorf("cancel: %+v", r)
	}
	h.set(run.ID, core.Cancelled, core.Accept)
	if _, err := h.store.Lease(h.ctx, run.ID); !core.IsNotFound(err) {
		t.Error("a finished run keeps its lease")
	}
	if _, err := h.Poll(h.ctx, core.PollRequest{Pool: "no"}); !core.IsNotFound(err) {
		t.Errorf("unknown pool: %v", err)
	}
}

func TestDeploymentLimitIsDerived(t *testing.T) {
	h := open(t, "sqlite::memory:")
	d := h.deployed(func(c *core.DeploymentCreate) { c.ConcurrencyLimit = core.Some(int64(1)) })
	a, b := h.run(d), h.run(d)
	holder := core.NewID()
	if r := h.poll(holder, 5, 0); len(r.Claims) != 1 || r.Claims[0].FlowRun.ID != a.ID {
		t.Fatalf("claims: %+v", r.Claims)
	}
	w := must(h.Why(h.ctx, b.ID))(t)
	if w.Code != "deployment_limit" || len(w.HeldBy) != 1 || w.HeldBy[0] != a.ID {
		t.Errorf("why: %+v", w)
	}
	if r := h.set(b.ID, core.Pending, core.Reject); r.State.Name != core.NameAwaitingConcurrencySlot {
		t.Errorf("full: %+v", r.State)
	}
	c := h.run(d)
	h.set(a.ID, core.Running, core.Accept)
	h.set(a.ID, core.Completed, core.Accept)
	if r := h.poll(holder, 5, 0); len(r.Claims) != 1 || r.Claims[0].FlowRun.ID != c.ID {
		t.Errorf("a freed slot is taken by the next that is due: %+v", r.Claims)
	}
}

func TestLostRunResumes(t *testing.T) {
	h := open(t, "sqlite::memory:")
	d := h.deployed()
	run := h.run(d)
	token := h.poll(core.NewID(), 1, 0).Claims[0].Token
	h.set(run.ID, core.Running, core.Accept)
	if n := must(h.ExpireLeases(h.ctx))(t); n != 0 {
		t.Errorf("%d live leases expired", n)
	}
	h.later(11 * time.Second)
	if n := must(h.ExpireLeases(h.ctx))(t); n != 1 {
		t.Errorf("%d leases expired, want 1", n)
	}
	r := h.is(run.ID, core.NameResuming)
	if !r.EmpiricalPolicy.Resuming {
		t.Error("not resuming")
	}
	ctx := core.WithRunToken(h.ctx, token)
	if _, err := h.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Completed}, false); core.CodeOf(err) != core.ELeaseLost {
		t.Errorf("the late holder wrote: %v", err)
	}
	if got := h.poll(core.NewID(), 1, 0); len(got.Claims) != 1 {
		t.Error("nobody can take the run again")
	}
	h.set(run.ID, core.Running, core.Accept)
	if r := h.is(run.ID, "Running"); r.RunCount != 1 {
		t.Errorf("run count %d, want 1", r.RunCount)
	}
	for range core.MaxRecoveries {
		h.later(11 * time.Second)
		must(h.ExpireLeases(h.ctx))(t)
		if len(h.poll(core.NewID(), 1, 0).Claims) == 1 {
			h.set(run.ID, core.Running, core.Accept)
		}
	}
	h.is(run.ID, "Crashed")
	must(h.RetryFlowRun(h.ctx, run.ID, false))(t)
	if len(h.poll(core.NewID(), 1, 0).Claims) != 1 {
		t.Error("a crashed run can be retried")
	}
}

func TestRecorder(t *testing.T) {
	h := open(t, "sqlite::memory:")
	run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	now := core.Now()
	report := func(flowRun core.UUID, key string) *core.TaskRunReport {
		task := &core.TaskRun{ID: core.NewID(), Name: key, FlowRunID: flowRun, TaskKey: "t", DynamicKey: key, RunCount: 1, StartTime: now}
		return &core.TaskRunReport{TaskRun: task, States: []*core.State{
			core.StateCreate{Type: core.Running}.State(now),
			core.StateCreate{Type: core.Completed, Details: core.StateDetails{CacheKey: core.Ptr("cache-" + key)}, Data: core.JSON(`1`)}.State(now),
		}}
	}
	a, stray := report(run.ID, "a"), report(core.NewID(), "b")
	if err := h.RecordTaskRuns(h.ctx, []*core.TaskRunReport{stray, a}); err != nil {
		t.Fatal(err)
	}
	got := must(h.store.TaskRun(h.ctx, a.TaskRun.ID))(t)
	if got.StateType != core.Completed || got.State.Timestamp != now+1 {
		t.Errorf("recorded: %+v", got)
	}
	if s := must(h.CachedState(h.ctx, "cache-a"))(t); s.ID != got.StateID {
		t.Error("cache entry of another state")
	}
	if err := h.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	f := &core.EventFilter{Event: &core.EventName{Prefix: []string{"prefect.task-run."}}}
	if n := must(h.store.CountEvents(h.ctx, f))(t); n != 1 {
		t.Errorf("%d events persisted, want 1", n)
	}
}

func TestEventsOfAClient(t *testing.T) {
	h := open(t, "sqlite::memory:")
	run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	id := core.NewID()
	event := func(typ core.StateType, at core.Time) *core.Event {
		return &core.Event{ID: core.NewID(), Occurred: at, Event: "prefect.task-run." + typ.Name(),
			Resource: map[string]string{"prefect.resource.id": "prefect.task-run." + id.String(), "prefect.orchestration": "client"},
			Related:  []map[string]string{{"prefect.resource.id": "prefect.flow-run." + run.ID.String(), "prefect.resource.role": "flow-run"}},
			Payload:  core.JSON(`{"task_run":{"name":"t-0","task_key":"t","dynamic_key":"0","run_count":1,"tags":["x"]},"validated_state":{"type":"` + string(typ) + `","name":"` + typ.Name() + `","state_details":{}}}`)}
	}
	now := core.Now()
	late, early := event(core.Completed, now+10), event(core.Running, now)
	for _, e := range []*core.Event{late, early, late} {
		if err := h.EmitEvents(h.ctx, []*core.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	got := must(h.store.TaskRun(h.ctx, id))(t)
	if got.StateType != core.Completed || got.StateID != late.ID || len(got.Tags) != 1 {
		t.Errorf("recorded: %+v", got)
	}
	if states := must(h.store.TaskRunStates(h.ctx, id))(t); len(states) != 2 {
		t.Errorf("%d states, want 2", len(states))
	}
}

func TestPauseAndResumeWithInput(t *testing.T) {
	h := open(t, "sqlite::memory:")
	run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	if r := must(h.ResumeFlowRun(h.ctx, run.ID, nil))(t); r.Status != core.Abort || r.State != nil {
		t.Errorf("not paused: %+v", r)
	}
	h.set(run.ID, core.Running, core.Accept)
	keys := map[string]string{"schema": "paused-1-schema", "response": "paused-1-response"}
	must(h.SetFlowRunState(h.ctx, run.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("1"), RunInputKeyset: keys}}, false))(t)
	if err := h.CreateFlowRunInput(h.ctx, run.ID, "paused-1-schema", `{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}`, ""); err != nil {
		t.Fatal(err)
	}
	if w := must(h.Why(h.ctx, run.ID))(t); w.Code != "waiting_for_input" {
		t.Errorf("why: %+v", w)
	}
	if r := must(h.ResumeFlowRun(h.ctx, run.ID, core.JSON(`{"x":"no"}`)))(t); r.Status != core.Reject || r.Details.Type != "abort_details" {
		t.Errorf("bad input: %+v", r)
	}
	if r := must(h.ResumeFlowRun(h.ctx, run.ID, core.JSON(`{"x":1}`)))(t); r.Status != core.Accept || r.State.Type != core.Running {
		t.Errorf("resumed: %+v", r)
	}
	if v := must(h.FlowRunInput(h.ctx, run.ID, "paused-1-response"))(t); v != `{"x":1}` {
		t.Errorf("stored: %s", v)
	}
}

func TestSweeps(t *testing.T) {
	h := open(t, "sqlite::memory:")
	d := h.deployed()
	run := h.run(d)
	h.later(20 * time.Second)
	if n := must(h.MarkLate(h.ctx))(t); n != 1 {
		t.Errorf("%d late, want 1", n)
	}
	if r := h.is(run.ID, "Late"); r.NextScheduledStartTime != run.NextScheduledStartTime {
		t.Error("late changed the time it is due")
	}
	paused := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	h.set(paused.ID, core.Running, core.Accept)
	until := core.Now() + core.Time(h.ahead.Load()) + 1e6
	must(h.SetFlowRunState(h.ctx, paused.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseTimeout: until}}, false))(t)
	must(h.ExpirePauses(h.ctx))(t)
	h.is(paused.ID, "Paused")
	h.later(2 * time.Second)
	must(h.ExpirePauses(h.ctx))(t)
	h.is(paused.ID, "Failed")

	parent := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	h.set(parent.ID, core.Running, core.Accept)
	task := must(h.CreateTaskRun(h.ctx, core.TaskRunCreate{FlowRunID: parent.ID, TaskKey: "sub", DynamicKey: "0"}))(t)
	child := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID, ParentTaskRunID: task.ID}))(t)
	h.set(child.ID, core.Running, core.Accept)
	if p := must(h.store.TaskRun(h.ctx, task.ID))(t); p.StateType != core.Running || p.State.Details.ChildFlowRunID != child.ID {
		t.Errorf("placeholder: %+v", p)
	}
	h.set(parent.ID, core.Cancelling, core.Accept)
	h.set(parent.ID, core.Cancelled, core.Accept)
	must(h.CleanCancelled(h.ctx))(t)
	h.is(child.ID, "Cancelled")
	if p := must(h.store.TaskRun(h.ctx, task.ID))(t); p.StateType != core.Cancelled {
		t.Errorf("placeholder: %+v", p)
	}
	if n := must(h.CleanCancelled(h.ctx))(t); n != 0 {
		t.Errorf("%d cleaned again", n)
	}
}

func TestLogs(t *testing.T) {
	h := open(t, "sqlite::memory:")
	run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	sub := h.bus.Subscribe(core.TopicLog, run.ID.String(), 4)
	huge := make([]byte, 2<<20)
	for i := range huge {
		huge[i] = 'x'
	}
	err := h.WriteLogs(h.ctx, []core.LogCreate{
		{Name: "l", Level: 20, Message: "a\xffb\x00", FlowRunID: run.ID}, {Name: "l", Level: 20, Message: string(huge), FlowRunID: run.ID}})
	if err != nil {
		t.Fatal(err)
	}
	logs := (<-sub.C()).Logs
	if len(logs) != 2 || logs[0].Message != "a\uFFFDb\uFFFD" || len(logs[1].Message) > 1<<20+64 || logs[0].Seq == 0 {
		t.Errorf("%d logs, the first %q", len(logs), logs[0].Message)
	}
}

// A paused run can be cancelled: its process is told where there is one.
func TestCancelOfAPausedRun(t *testing.T) {
	h := open(t, "sqlite::memory:")
	pause := func(id core.UUID) {
		t.Helper()
		must(h.SetFlowRunState(h.ctx, id, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("k"), PauseTimeout: core.Now().Add(time.Hour)}}, false))(t)
		h.is(id, "Paused")
	}
	alone := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	h.set(alone.ID, core.Running, core.Accept)
	pause(alone.ID)
	must(h.CancelFlowRun(h.ctx, alone.ID))(t)
	h.is(alone.ID, "Cancelled")

	held := h.run(h.deployed())
	holder := core.NewID()
	if got := h.poll(holder, 1, 0); len(got.Claims) != 1 {
		t.Fatalf("%+v", got)
	}
	h.set(held.ID, core.Running, core.Accept)
	pause(held.ID)
	must(h.CancelFlowRun(h.ctx, held.ID))(t)
	h.is(held.ID, "Cancelling")
}

// blindStore cannot list leases for a while.
type blindStore struct {
	core.Store
	away atomic.Bool
}

func (s *blindStore) ExpiredLeases(ctx context.Context, now core.Time, limit int) ([]*core.Lease, error) {
	if s.away.Load() {
		return nil, core.Errorf(core.EUnavailable, "the database cannot answer: unexpected EOF")
	}
	return s.Store.ExpiredLeases(ctx, now, limit)
}

// Leases that ran out while the database was away are not held against their
// holders; those that had run out before are.
func TestOutageIsNobodysFault(t *testing.T) {
	h := open(t, "sqlite::memory:")
	d := h.deployed()
	hold := func() core.UUID {
		r := must(h.CreateDeploymentFlowRun(h.ctx, d.ID, core.DeploymentFlowRunCreate{}))(t)
		h.set(r.ID, core.Pending, core.Accept)
		must(h.LeaseRun(h.ctx, r.ID, core.NewID()))(t)
		return r.ID
	}
	blind := &blindStore{Store: h.store}
	now := func() core.Time { return core.Now() + core.Time(h.ahead.Load()) }
	other := local.New(local.Config{Store: blind, Bus: h.bus, Sealer: h.sealer, Log: slog.New(slog.DiscardHandler), Now: now, LeaseGrace: core.LeaseSeconds.Duration()})
	expired := func(want int) {
		t.Helper()
		if n := must(other.ExpireLeases(h.ctx))(t); n != want {
			t.Fatalf("%d leases expired, want %d", n, want)
		}
	}
	hold()
	h.later(core.LeaseSeconds.Duration() - time.Second)
	expired(0)
	h.later(2 * time.Second) // the grace of the beginning is over, and the lease, too
	hold()
	expired(1)

	blind.away.Store(true)
	if _, err := other.ExpireLeases(h.ctx); err == nil {
		t.Fatal("the store should be away")
	}
	h.later(core.LeaseSeconds.Duration() + time.Second)
	blind.away.Store(false)
	expired(0)
	h.later(core.LeaseSeconds.Duration() - time.Second)
	expired(0)
	h.later(2 * time.Second)
	expired(1)
}
