package orchestrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// task records a task run of a run.
func task(h *localtest.Fixture, run *core.FlowRun, name string, state core.StateType, tags ...string) core.UUID {
	h.T.Helper()
	s := core.StateCreate{Type: state}.State(core.Now())
	t := &core.TaskRun{ID: core.NewID(), Created: core.Now(), Updated: core.Now(), Name: name, FlowRunID: run.ID, TaskKey: name, DynamicKey: "0", Tags: tags,
		State: s, StateID: s.ID, StateType: s.Type, StateName: s.Name, StateTimestamp: s.Timestamp}
	if err := h.RecordTaskRuns(h.Ctx, []*core.TaskRunReport{{TaskRun: t, States: []*core.State{s}}}); err != nil {
		h.T.Fatal(err)
	}
	return t.ID
}

// Each reason why a run does not run is told, with the runs that hold it up.
func TestWhy(t *testing.T) { localtest.OnEngines(t, whyOfEach) }

func whyOfEach(t *testing.T, h *localtest.Fixture) {
	d := h.Deployed()
	pool := localtest.Must(h.Store.WorkPoolByName(h.Ctx, "p"))(t)
	queue := pool.DefaultQueueID
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	one := core.Some(int64(1))
	none := core.Opt[int64]{Set: true, Null: true}
	end := func(r *core.FlowRun) { h.Set(r.ID, core.Completed, core.Accept) }
	for _, c := range []struct {
		code, says string
		make       func() (run *core.FlowRun, heldBy []*core.FlowRun)
	}{
		{"no_worker", "No worker is polling the work pool p.", func() (*core.FlowRun, []*core.FlowRun) { return h.Run(d), nil }},
		{"worker_busy", "(1 online)", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.Heartbeat(h.Ctx, "p", core.WorkerHeartbeat{Name: "w"}))
			return h.Run(d), nil
		}},
		{"pool_paused", "The work pool p is paused.", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkPool(h.Ctx, "p", core.WorkPoolUpdate{IsPaused: core.Some(true)}))
			return h.Run(d), nil
		}},
		{"queue_paused", "The work queue default of pool p is paused.", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkPool(h.Ctx, "p", core.WorkPoolUpdate{IsPaused: core.Some(false)}))
			ok(h.UpdateWorkQueue(h.Ctx, queue, core.WorkQueueUpdate{IsPaused: core.Some(true)}))
			return h.Run(d), nil
		}},
		{"pool_limit", "The work pool p runs 1 of at most 1 runs (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkQueue(h.Ctx, queue, core.WorkQueueUpdate{IsPaused: core.Some(false)}))
			ok(h.UpdateWorkPool(h.Ctx, "p", core.WorkPoolUpdate{ConcurrencyLimit: one}))
			a := h.Started(d)
			return h.Run(d), []*core.FlowRun{a}
		}},
		{"queue_limit", "The work queue default runs 1 of at most 1 runs (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkPool(h.Ctx, "p", core.WorkPoolUpdate{ConcurrencyLimit: none}))
			ok(h.UpdateWorkQueue(h.Ctx, queue, core.WorkQueueUpdate{ConcurrencyLimit: one}))
			return h.Run(d), localtest.Must(h.Store.FlowRuns(h.Ctx, core.Filters{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Running}}}}}, core.Page{}))(t)
		}},
		{"deployment_limit", "The deployment f/few runs 1 of at most 1 runs (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkQueue(h.Ctx, queue, core.WorkQueueUpdate{ConcurrencyLimit: none}))
			few := h.Deployed(func(c *core.DeploymentCreate) { c.Name, c.ConcurrencyLimit = "few", one })
			a := h.Started(few)
			return h.Run(few), []*core.FlowRun{a}
		}},
		{"scheduled", "The run is scheduled for 2031-", func() (*core.FlowRun, []*core.FlowRun) {
			return localtest.Must(h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.TimeFrom(time.Date(2031, 1, 2, 0, 0, 0, 0, time.UTC))}}}))(t), nil
		}},
		{"waiting_for_input", "The run waits for somebody's input: RefundDecision.", func() (*core.FlowRun, []*core.FlowRun) {
			r := h.Started(d)
			ok(h.CreateFlowRunInput(h.Ctx, r.ID, "s", `{"title":"RefundDecision","type":"object"}`, ""))
			localtest.Must(h.SetFlowRunState(h.Ctx, r.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("1"), RunInputKeyset: map[string]string{"schema": "s", "response": "r"}}}, false))(t)
			return r, nil
		}},
		{"tag_limit", "Its task load waits for a slot of the limit of the tag db: 1 of 1 are taken (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			localtest.Must(h.SetTagLimit(h.Ctx, core.TagLimitCreate{Tag: "db", Limit: 1}))(t)
			a, b := h.Started(d), h.Started(d)
			localtest.Must(h.TakeTagSlots(h.Ctx, []string{"db"}, task(h, a, "load", core.Running, "db")))(t)
			task(h, b, "load", core.Running, "db")
			return b, []*core.FlowRun{a}
		}},
		{"running", "The run is running since ", func() (*core.FlowRun, []*core.FlowRun) { // it holds the slot itself
			c := h.Started(d)
			localtest.Must(h.SetTagLimit(h.Ctx, core.TagLimitCreate{Tag: "own", Limit: 1}))(t)
			localtest.Must(h.TakeTagSlots(h.Ctx, []string{"own"}, task(h, c, "mine", core.Running, "own")))(t)
			return c, nil
		}},
		{"global_limit", "The run waits for a slot of the limit warehouse: 1 of 1 are taken (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			h.Limit("warehouse", 1)
			a, b := h.Started(d), h.Started(d)
			localtest.Must(h.AcquireSlots(h.Ctx, core.SlotRequest{Slots: 1, Names: []string{"warehouse"}, Holder: localtest.Holder("flow_run", a.ID)}))(t)
			if _, err := h.AcquireSlots(h.Ctx, core.SlotRequest{Slots: 1, Names: []string{"warehouse"}, Holder: localtest.Holder("flow_run", b.ID)}); core.CodeOf(err) != core.ELocked {
				t.Fatal(err)
			}
			return b, []*core.FlowRun{a}
		}},
		{"global_limit", "Its task load waits for a slot of the limit lake: 2 of 3 are taken (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			h.Limit("lake", 3)
			a, b := h.Started(d), h.Started(d)
			localtest.Must(h.AcquireSlots(h.Ctx, core.SlotRequest{Slots: 2, Names: []string{"lake"}, Holder: localtest.Holder("task_run", task(h, a, "x", core.Running))}))(t)
			if _, err := h.AcquireSlots(h.Ctx, core.SlotRequest{Slots: 2, Names: []string{"lake"}, Holder: localtest.Holder("task_run", task(h, b, "load", core.Running))}); core.CodeOf(err) != core.ELocked {
				t.Fatal(err)
			}
			return b, []*core.FlowRun{a}
		}},
		{"running", "The run is running since ", func() (*core.FlowRun, []*core.FlowRun) { // it got what it waited for
			h.Limit("freed", 1)
			a, b := h.Started(d), h.Started(d)
			g := localtest.Must(h.AcquireSlots(h.Ctx, core.SlotRequest{Slots: 1, Names: []string{"freed"}, Holder: localtest.Holder("flow_run", a.ID)}))(t)
			ask := core.SlotRequest{Slots: 1, Names: []string{"freed"}, Holder: localtest.Holder("flow_run", b.ID)}
			if _, err := h.AcquireSlots(h.Ctx, ask); core.CodeOf(err) != core.ELocked {
				t.Fatal(err)
			}
			ok(h.ReleaseSlots(h.Ctx, g.LeaseID))
			localtest.Must(h.AcquireSlots(h.Ctx, ask))(t)
			return b, nil
		}},
		{"parent", " is a part of ", func() (*core.FlowRun, []*core.FlowRun) {
			a := h.Started(d)
			part := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: task(h, a, "sub", core.Running)}))(t)
			return part, []*core.FlowRun{a}
		}},
		{"parent", "has ended as Completed and will not start it.", func() (*core.FlowRun, []*core.FlowRun) {
			a := h.Started(d)
			part := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: task(h, a, "sub", core.Running)}))(t)
			end(a)
			return part, []*core.FlowRun{a}
		}},
		{"no_deployment", "belongs to no deployment", func() (*core.FlowRun, []*core.FlowRun) {
			return localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: d.FlowID, State: &core.StateCreate{Type: core.Scheduled}}))(t), nil
		}},
		{"finished", "The run has ended as Completed.", func() (*core.FlowRun, []*core.FlowRun) {
			a := h.Started(d)
			end(a)
			return a, nil
		}},
	} {
		run, heldBy := c.make()
		w := localtest.Must(h.Why(h.Ctx, run.ID))(t)
		if w.Code != c.code || !strings.Contains(w.Message, c.says) {
			t.Errorf("%s %q, want %s %q", w.Code, w.Message, c.code, c.says)
		}
		if len(w.HeldBy) != len(heldBy) || len(w.Holders) != len(heldBy) {
			t.Errorf("%s: held by %v %v, want %d runs", c.code, w.HeldBy, w.Holders, len(heldBy))
			continue
		}
		for i, r := range heldBy {
			if w.HeldBy[i] != r.ID || w.Holders[i] != r.Name || !strings.Contains(w.Message, r.Name) {
				t.Errorf("%s: held by %v %v in %q, want %s", c.code, w.HeldBy[i], w.Holders[i], w.Message, r.Name)
			}
		}
	}
}

// Runs of pools whose type flowlite's own workers do not execute stay where
// they are, and why says which worker is missing.
func TestPoolsOfOtherTypes(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		flow := localtest.Must(h.CreateFlow(h.Ctx, core.FlowCreate{Name: "f"}))(t)
		for kind, c := range map[string]struct{ says, hint string }{
			"process":         {},
			"":                {}, // prefect-agent
			"docker":          {"A Prefect worker of type docker must execute its runs.", "prefect worker start --pool 'pool docker' --type docker"},
			"kubernetes":      {"A Prefect worker of type kubernetes", "prefect worker start --pool 'pool kubernetes' --type kubernetes"},
			"ecs:push":        {"Only Prefect Cloud executes runs of type ecs:push.", ""},
			"prefect:managed": {"Only Prefect Cloud executes runs of type prefect:managed.", ""},
		} {
			pool := localtest.Must(h.CreateWorkPool(h.Ctx, core.WorkPoolCreate{Name: strings.TrimSpace("pool " + kind), Type: kind}))(t)
			d := localtest.Must(h.CreateDeployment(h.Ctx, core.DeploymentCreate{Name: "in " + pool.Name, FlowID: flow.ID, WorkPoolName: core.Some(pool.Name), EnforceParameterSchema: core.Some(false)}))(t)
			run := h.Run(d)
			res, err := h.Poll(h.Ctx, core.PollRequest{Pool: pool.Name, Holder: core.NewID(), Worker: "w", Free: 1})
			if c.says == "" {
				if err != nil || len(res.Claims) != 1 {
					t.Errorf("type %q: %+v, %v", kind, res, err)
				}
				continue
			}
			if core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "of type "+kind) || !strings.Contains(err.Error(), c.hint) {
				t.Errorf("type %q: %v", kind, err)
			}
			if got := localtest.Must(h.FlowRun(h.Ctx, run.ID))(t); got.StateType != core.Scheduled {
				t.Errorf("type %q: the run is %s", kind, got.StateName)
			}
			w := localtest.Must(h.Why(h.Ctx, run.ID))(t)
			if w.Code != "no_worker" || !strings.Contains(w.Message, c.says) || w.Hint != c.hint {
				t.Errorf("type %q: %+v", kind, w)
			}
			if got := localtest.Must(h.Store.Deployment(h.Ctx, d.ID))(t); got.Status != core.NotReady {
				t.Errorf("type %q: a refused poll made the deployment %s", kind, got.Status)
			}
		}
	})
}
