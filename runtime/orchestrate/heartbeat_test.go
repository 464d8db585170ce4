package orchestrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// A run whose Prefect client had heartbeats and has fallen silent ends; one that
// shows any other sign of life, has a lease or never had heartbeats goes on.
func TestSilentClientsRunsEnd(t *testing.T) { localtest.OnEngines(t, silentRuns) }

func silentRuns(t *testing.T, h *localtest.Fixture) {
	running := func() *core.FlowRun {
		r := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
		h.Set(r.ID, core.Running, core.Accept)
		return r
	}
	at := h.Now
	beat := func(runs ...*core.FlowRun) {
		for _, r := range runs {
			h.Emit(&core.Event{Event: "prefect.flow-run.heartbeat",
				Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + r.ID.String()}})
		}
	}
	dead, alive, mute, logs, works, leased, once := running(), running(), running(), running(), running(), running(), running()
	part := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: dead.FlowID, ParentTaskRunID: task(h, dead, "sub", core.Running)}))(t)
	h.Set(part.ID, core.Running, core.Accept)
	localtest.Must(h.LeaseRun(h.Ctx, leased.ID, core.NewID()))(t)
	beat(once)
	look := func(want int) {
		t.Helper()
		if n := localtest.Must(h.CrashSilentRuns(h.Ctx))(t); n != want {
			t.Fatal(n, "runs ended, want", want)
		}
	}
	pass := func(d time.Duration, each func()) { // as the service that looks every few seconds does
		t.Helper()
		for left := d; left > 0; left -= 30 * time.Second {
			h.Later(30 * time.Second)
			if each != nil {
				each()
			}
			look(0)
		}
	}
	look(0)
	for range 3 {
		beat(dead, alive, logs, works, leased)
		pass(30*time.Second, nil)
	}
	pass(30*time.Second, func() { beat(alive) }) // dead is silent for 60 s
	h.Later(25 * time.Second)
	beat(alive)
	line := core.LogCreate{Name: "n", Level: 20, Message: "still here", Timestamp: at(), FlowRunID: logs.ID}
	if err := h.WriteLogs(h.Ctx, []core.LogCreate{line}); err != nil {
		t.Fatal(err)
	}
	s := core.StateCreate{Type: core.Running}.State(at())
	task := &core.TaskRun{ID: core.NewID(), Created: at(), Updated: at(), Name: "t", FlowRunID: works.ID, TaskKey: "t", DynamicKey: "0",
		State: s, StateID: s.ID, StateType: s.Type, StateName: s.Name, StateTimestamp: s.Timestamp}
	if err := h.RecordTaskRuns(h.Ctx, []*core.TaskRunReport{{TaskRun: task, States: []*core.State{s}}}); err != nil {
		t.Fatal(err)
	}
	h.Later(10 * time.Second)
	look(1)
	if r := h.Is(dead.ID, "Crashed"); !strings.Contains(core.Deref(r.State.Message), "no heartbeat for 1m3") {
		t.Error(core.Deref(r.State.Message))
	}
	h.Is(part.ID, "Crashed")
	for _, r := range []*core.FlowRun{alive, mute, logs, works, leased, once} {
		h.Is(r.ID, "Running")
	}

	// A process that was only unheard has the last word.
	h.Set(dead.ID, core.Completed, core.Accept)

	// A server that was away for long, and then hears of nobody, waits as long
	// as a client may.
	h.Later(time.Hour)
	look(0)
	for range 2 {
		h.Later(30 * time.Second)
		beat(alive)
		look(0)
	}
	h.Later(35 * time.Second)
	look(2) // logs and works
	h.Is(once.ID, "Running")
	for range 7 { // the default interval holds until a second heartbeat
		h.Later(59 * time.Second)
		beat(alive)
		look(0)
	}
	h.Later(59 * time.Second)
	look(1)
	h.Is(once.ID, "Crashed")
	h.Is(mute.ID, "Running")
	h.Is(alive.ID, "Running")
}

// Heartbeats that a client could not send arrive together; the interval is that
// of when they were made.
func TestDelayedHeartbeatsKeepTheirInterval(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	r := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	h.Set(r.ID, core.Running, core.Accept)
	localtest.Must(h.CrashSilentRuns(h.Ctx))(t)
	h.Later(15 * time.Minute)
	now := h.Now()
	for i := range 5 {
		h.Emit(&core.Event{Event: "prefect.flow-run.heartbeat", Occurred: now.Add(-time.Duration(5-i) * 3 * time.Minute),
			Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + r.ID.String()}})
	}
	for range 11 {
		if n := localtest.Must(h.CrashSilentRuns(h.Ctx))(t); n != 0 {
			t.Fatal("the run ended within three intervals")
		}
		h.Later(50 * time.Second)
	}
	if n := localtest.Must(h.CrashSilentRuns(h.Ctx))(t); n != 1 {
		t.Fatal(n, "runs ended, want 1")
	}
}
