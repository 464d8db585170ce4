package orchestrate_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// TestRunsRecordedTogether: flow runs that record at once get what is theirs,
// also beside one that lost its lease and one that nobody knows.
func TestRunsRecordedTogether(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			h := localtest.Open(t, e.URL(t))
			flow := h.Flow()
			var wg sync.WaitGroup
			const flows, steps = 20, 5
			for i := range flows {
				run, lease, err := h.StartFlowRun(h.Ctx, core.FlowRunCreate{FlowID: flow.ID}, core.NewID())
				if err != nil {
					t.Fatal(err)
				}
				id, token := run.ID, lease.Token
				switch i {
				case 0:
					token = core.NewID()
				case 1:
					id, token = core.NewID(), core.UUID{}
				}
				wg.Go(func() {
					for n := range steps {
						now := core.Now()
						task := &core.TaskRun{ID: core.NewID(), Name: "t", FlowRunID: id, TaskKey: "t", DynamicKey: strconv.Itoa(n), RunCount: 1, StartTime: now}
						err := h.RecordTaskRuns(core.WithRunToken(h.Ctx, token), []*core.TaskRunReport{{TaskRun: task, States: []*core.State{core.StateCreate{Type: core.Completed}.State(now)}}})
						if lost := core.CodeOf(err) == core.ELeaseLost; lost != (i == 0) || err != nil && !lost {
							t.Errorf("flow %d: %v", i, err)
						}
					}
				})
			}
			wg.Wait()
			if n := localtest.Must(h.Store.CountTaskRuns(h.Ctx, core.Filters{}))(t); n != (flows-2)*steps {
				t.Errorf("%d task runs, want %d", n, (flows-2)*steps)
			}
		})
	}
}

// TestStartFlowRun: one commit leaves what three requests leave.
func TestStartFlowRun(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			h := localtest.Open(t, e.URL(t))
			sub := h.Bus.Subscribe(core.TopicEvent, "", 16)
			flow, holder := h.Flow(), core.NewID()
			run, lease, err := h.StartFlowRun(h.Ctx, core.FlowRunCreate{FlowID: flow.ID}, holder)
			if err != nil {
				t.Fatal(err)
			}
			got := h.Is(run.ID, "Running")
			if got.RunCount != 1 || got.StartTime == 0 || got.StateID != run.StateID || got.ExpectedStartTime == 0 {
				t.Errorf("started: %+v", got)
			}
			states := localtest.Must(h.Store.FlowRunStates(h.Ctx, run.ID))(t)
			if len(states) != 2 || states[0].Type != core.Pending || states[1].Timestamp <= states[0].Timestamp {
				t.Errorf("states: %+v", states)
			}
			pending, running := (<-sub.C()).Event, (<-sub.C()).Event
			if pending.Event != "prefect.flow-run.Pending" || running.Event != "prefect.flow-run.Running" || running.Follows != pending.ID {
				t.Errorf("events %s, %s", pending.Event, running.Event)
			}
			if held := localtest.Must(h.Store.Lease(h.Ctx, run.ID))(t); held.Holder != holder || held.Token != lease.Token {
				t.Errorf("lease: %+v", held)
			}
			h.Later(11 * time.Second)
			localtest.Must(h.ExpireLeases(h.Ctx))(t)
			if got := h.Is(run.ID, "Crashed"); got.RunCount != 1 {
				t.Errorf("lost: %+v", got)
			}
			d := h.Deployed()
			if run, _, err = h.StartFlowRun(h.Ctx, core.FlowRunCreate{FlowID: flow.ID, DeploymentID: d.ID}, core.UUID{}); err != nil || run.StateType != core.Pending {
				t.Errorf("a deployment's run is %s (%v): its limit was not asked", run.StateType, err)
			}
		})
	}
}
