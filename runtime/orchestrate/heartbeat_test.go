package orchestrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// A run whose Prefect client had heartbeats and has fallen silent ends; one that
// shows any other sign of life, has a lease or never had heartbeats goes on.
func TestSilentClientsRunsEnd(t *testing.T) { bothEngines(t, silentRuns) }

func silentRuns(t *testing.T, h *house) {
	running := func() *core.FlowRun {
		r := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
		h.set(r.ID, core.Running, core.Accept)
		return r
	}
	at := func() core.Time { return core.Now() + core.Time(h.ahead.Load()) }
	beat := func(runs ...*core.FlowRun) {
		for _, r := range runs {
			h.emit(&core.Event{Event: "prefect.flow-run.heartbeat",
				Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + r.ID.String()}})
		}
	}
	dead, alive, mute, logs, works, leased, once := running(), running(), running(), running(), running(), running(), running()
	part := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: dead.FlowID, ParentTaskRunID: h.task(dead, "sub", core.Running)}))(t)
	h.set(part.ID, core.Running, core.Accept)
	must(h.LeaseRun(h.ctx, leased.ID, core.NewID()))(t)
	beat(once)
	look := func(want int) {
		t.Helper()
		if n := must(h.CrashSilentRuns(h.ctx))(t); n != want {
			t.Fatal(n, "runs ended, want", want)
		}
	}
	pass := func(d time.Duration, each func()) { // as the service that looks every few seconds does
		t.Helper()
		for left := d; left > 0; left -= 30 * time.Second {
			h.later(30 * time.Second)
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
	h.later(25 * time.Second)
	beat(alive)
	line := core.LogCreate{Name: "n", Level: 20, Message: "still here", Timestamp: at(), FlowRunID: logs.ID}
	if err := h.WriteLogs(h.ctx, []core.LogCreate{line}); err != nil {
		t.Fatal(err)
	}
	s := core.StateCreate{Type: core.Running}.State(at())
	task := &core.TaskRun{ID: core.NewID(), Created: at(), Updated: at(), Name: "t", FlowRunID: works.ID, TaskKey: "t", DynamicKey: "0",
		State: s, StateID: s.ID, StateType: s.Type, StateName: s.Name, StateTimestamp: s.Timestamp}
	if err := h.RecordTaskRuns(h.ctx, []*core.TaskRunReport{{TaskRun: task, States: []*core.State{s}}}); err != nil {
		t.Fatal(err)
	}
	h.later(10 * time.Second)
	look(1)
	if r := h.is(dead.ID, "Crashed"); !strings.Contains(core.Deref(r.State.Message), "no heartbeat for 1m30s") {
		t.Error(core.Deref(r.State.Message))
	}
	h.is(part.ID, "Crashed")
	for _, r := range []*core.FlowRun{alive, mute, logs, works, leased, once} {
		h.is(r.ID, "Running")
	}

	// A process that was only unheard has the last word.
	h.set(dead.ID, core.Completed, core.Accept)

	// A server that was away for long, and then hears of nobody, waits as long
	// as a client may.
	h.later(time.Hour)
	look(0)
	for range 2 {
		h.later(30 * time.Second)
		beat(alive)
		look(0)
	}
	h.later(35 * time.Second)
	look(2) // logs and works
	h.is(once.ID, "Running")
	for range 7 { // the default interval holds until a second heartbeat
		h.later(59 * time.Second)
		beat(alive)
		look(0)
	}
	h.later(59 * time.Second)
	look(1)
	h.is(once.ID, "Crashed")
	h.is(mute.ID, "Running")
	h.is(alive.ID, "Running")
}

// Heartbeats that a client could not send arrive together; the interval is that
// of when they were made.
func TestDelayedHeartbeatsKeepTheirInterval(t *testing.T) {
	h := open(t, "sqlite::memory:")
	r := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	h.set(r.ID, core.Running, core.Accept)
	must(h.CrashSilentRuns(h.ctx))(t)
	h.later(15 * time.Minute)
	now := core.Now() + core.Time(h.ahead.Load())
	for i := range 5 {
		h.emit(&core.Event{Event: "prefect.flow-run.heartbeat", Occurred: now.Add(-time.Duration(5-i) * 3 * time.Minute),
			Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + r.ID.String()}})
	}
	for range 11 {
		if n := must(h.CrashSilentRuns(h.ctx))(t); n != 0 {
			t.Fatal("the run ended within three intervals")
		}
		h.later(50 * time.Second)
	}
	if n := must(h.CrashSilentRuns(h.ctx))(t); n != 1 {
		t.Fatal(n, "runs ended, want 1")
	}
}
