package orchestrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// task records a task run of a run.
func (h *house) task(run *core.FlowRun, name string, state core.StateType, tags ...string) core.UUID {
	h.t.Helper()
	s := core.StateCreate{Type: state}.State(core.Now())
	t := &core.TaskRun{ID: core.NewID(), Created: core.Now(), Updated: core.Now(), Name: name, FlowRunID: run.ID, TaskKey: name, DynamicKey: "0", Tags: tags,
		State: s, StateID: s.ID, StateType: s.Type, StateName: s.Name, StateTimestamp: s.Timestamp}
	if err := h.RecordTaskRuns(h.ctx, []*core.TaskRunReport{{TaskRun: t, States: []*core.State{s}}}); err != nil {
		h.t.Fatal(err)
	}
	return t.ID
}

func (h *house) started(d *core.Deployment) *core.FlowRun {
	h.t.Helper()
	run := h.run(d)
	h.set(run.ID, core.Pending, core.Accept)
	h.set(run.ID, core.Running, core.Accept)
	return run
}

func holder(kind string, id core.UUID) core.JSON {
	return core.ToJSON(map[string]any{"type": kind, "id": id})
}

// Each reason why a run does not run is told, with the runs that hold it up.
func TestWhy(t *testing.T) { bothEngines(t, whyOfEach) }

func whyOfEach(t *testing.T, h *house) {
	d := h.deployed()
	pool := must(h.store.WorkPoolByName(h.ctx, "p"))(t)
	queue := pool.DefaultQueueID
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	one := core.Some(int64(1))
	none := core.Opt[int64]{Set: true, Null: true}
	end := func(r *core.FlowRun) { h.set(r.ID, core.Completed, core.Accept) }
	for _, c := range []struct {
		code, says string
		make       func() (run *core.FlowRun, heldBy []*core.FlowRun)
	}{
		{"no_worker", "No worker is polling the work pool p.", func() (*core.FlowRun, []*core.FlowRun) { return h.run(d), nil }},
		{"worker_busy", "(1 online)", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.Heartbeat(h.ctx, "p", core.WorkerHeartbeat{Name: "w"}))
			return h.run(d), nil
		}},
		{"pool_paused", "The work pool p is paused.", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkPool(h.ctx, "p", core.WorkPoolUpdate{IsPaused: core.Some(true)}))
			return h.run(d), nil
		}},
		{"queue_paused", "The work queue default of pool p is paused.", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkPool(h.ctx, "p", core.WorkPoolUpdate{IsPaused: core.Some(false)}))
			ok(h.UpdateWorkQueue(h.ctx, queue, core.WorkQueueUpdate{IsPaused: core.Some(true)}))
			return h.run(d), nil
		}},
		{"pool_limit", "The work pool p runs 1 of at most 1 runs (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkQueue(h.ctx, queue, core.WorkQueueUpdate{IsPaused: core.Some(false)}))
			ok(h.UpdateWorkPool(h.ctx, "p", core.WorkPoolUpdate{ConcurrencyLimit: one}))
			a := h.started(d)
			return h.run(d), []*core.FlowRun{a}
		}},
		{"queue_limit", "The work queue default runs 1 of at most 1 runs (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkPool(h.ctx, "p", core.WorkPoolUpdate{ConcurrencyLimit: none}))
			ok(h.UpdateWorkQueue(h.ctx, queue, core.WorkQueueUpdate{ConcurrencyLimit: one}))
			return h.run(d), must(h.store.FlowRuns(h.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Running}}}}}, core.Page{}))(t)
		}},
		{"deployment_limit", "The deployment f/few runs 1 of at most 1 runs (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			ok(h.UpdateWorkQueue(h.ctx, queue, core.WorkQueueUpdate{ConcurrencyLimit: none}))
			few := h.deployed(func(c *core.DeploymentCreate) { c.Name, c.ConcurrencyLimit = "few", one })
			a := h.started(few)
			return h.run(few), []*core.FlowRun{a}
		}},
		{"scheduled", "The run is scheduled for 2031-", func() (*core.FlowRun, []*core.FlowRun) {
			return must(h.CreateDeploymentFlowRun(h.ctx, d.ID, core.DeploymentFlowRunCreate{State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.TimeFrom(time.Date(2031, 1, 2, 0, 0, 0, 0, time.UTC))}}}))(t), nil
		}},
		{"waiting_for_input", "The run waits for somebody's input: RefundDecision.", func() (*core.FlowRun, []*core.FlowRun) {
			r := h.started(d)
			ok(h.CreateFlowRunInput(h.ctx, r.ID, "s", `{"title":"RefundDecision","type":"object"}`, ""))
			must(h.SetFlowRunState(h.ctx, r.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("1"), RunInputKeyset: map[string]string{"schema": "s", "response": "r"}}}, false))(t)
			return r, nil
		}},
		{"tag_limit", "Its task load waits for a slot of the limit of the tag db: 1 of 1 are taken (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			must(h.SetTagLimit(h.ctx, core.TagLimitCreate{Tag: "db", Limit: 1}))(t)
			a, b := h.started(d), h.started(d)
			must(h.TakeTagSlots(h.ctx, []string{"db"}, h.task(a, "load", core.Running, "db")))(t)
			h.task(b, "load", core.Running, "db")
			return b, []*core.FlowRun{a}
		}},
		{"running", "The run is running since ", func() (*core.FlowRun, []*core.FlowRun) { // it holds the slot itself
			c := h.started(d)
			must(h.SetTagLimit(h.ctx, core.TagLimitCreate{Tag: "own", Limit: 1}))(t)
			must(h.TakeTagSlots(h.ctx, []string{"own"}, h.task(c, "mine", core.Running, "own")))(t)
			return c, nil
		}},
		{"global_limit", "The run waits for a slot of the limit warehouse: 1 of 1 are taken (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			h.limit("warehouse", 1)
			a, b := h.started(d), h.started(d)
			must(h.AcquireSlots(h.ctx, core.SlotRequest{Slots: 1, Names: []string{"warehouse"}, Holder: holder("flow_run", a.ID)}))(t)
			if _, err := h.AcquireSlots(h.ctx, core.SlotRequest{Slots: 1, Names: []string{"warehouse"}, Holder: holder("flow_run", b.ID)}); core.CodeOf(err) != core.ELocked {
				t.Fatal(err)
			}
			return b, []*core.FlowRun{a}
		}},
		{"global_limit", "Its task load waits for a slot of the limit lake: 2 of 3 are taken (held by ", func() (*core.FlowRun, []*core.FlowRun) {
			h.limit("lake", 3)
			a, b := h.started(d), h.started(d)
			must(h.AcquireSlots(h.ctx, core.SlotRequest{Slots: 2, Names: []string{"lake"}, Holder: holder("task_run", h.task(a, "x", core.Running))}))(t)
			if _, err := h.AcquireSlots(h.ctx, core.SlotRequest{Slots: 2, Names: []string{"lake"}, Holder: holder("task_run", h.task(b, "load", core.Running))}); core.CodeOf(err) != core.ELocked {
				t.Fatal(err)
			}
			return b, []*core.FlowRun{a}
		}},
		{"running", "The run is running since ", func() (*core.FlowRun, []*core.FlowRun) { // it got what it waited for
			h.limit("freed", 1)
			a, b := h.started(d), h.started(d)
			g := must(h.AcquireSlots(h.ctx, core.SlotRequest{Slots: 1, Names: []string{"freed"}, Holder: holder("flow_run", a.ID)}))(t)
			ask := core.SlotRequest{Slots: 1, Names: []string{"freed"}, Holder: holder("flow_run", b.ID)}
			if _, err := h.AcquireSlots(h.ctx, ask); core.CodeOf(err) != core.ELocked {
				t.Fatal(err)
			}
			ok(h.ReleaseSlots(h.ctx, g.LeaseID))
			must(h.AcquireSlots(h.ctx, ask))(t)
			return b, nil
		}},
		{"parent", " is a part of ", func() (*core.FlowRun, []*core.FlowRun) {
			a := h.started(d)
			part := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: h.task(a, "sub", core.Running)}))(t)
			return part, []*core.FlowRun{a}
		}},
		{"parent", "has ended as Completed and will not start it.", func() (*core.FlowRun, []*core.FlowRun) {
			a := h.started(d)
			part := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: h.task(a, "sub", core.Running)}))(t)
			end(a)
			return part, []*core.FlowRun{a}
		}},
		{"no_deployment", "belongs to no deployment", func() (*core.FlowRun, []*core.FlowRun) {
			return must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: d.FlowID, State: &core.StateCreate{Type: core.Scheduled}}))(t), nil
		}},
		{"finished", "The run has ended as Completed.", func() (*core.FlowRun, []*core.FlowRun) {
			a := h.started(d)
			end(a)
			return a, nil
		}},
	} {
		run, heldBy := c.make()
		w := must(h.Why(h.ctx, run.ID))(t)
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
	bothEngines(t, func(t *testing.T, h *house) {
		flow := must(h.CreateFlow(h.ctx, core.FlowCreate{Name: "f"}))(t)
		for kind, c := range map[string]struct{ says, hint string }{
			"process":         {},
			"":                {}, // prefect-agent
			"docker":          {"A Prefect worker of type docker must execute its runs.", "prefect worker start --pool 'pool docker' --type docker"},
			"kubernetes":      {"A Prefect worker of type kubernetes", "prefect worker start --pool 'pool kubernetes' --type kubernetes"},
			"ecs:push":        {"Only Prefect Cloud executes runs of type ecs:push.", ""},
			"prefect:managed": {"Only Prefect Cloud executes runs of type prefect:managed.", ""},
		} {
			pool := must(h.CreateWorkPool(h.ctx, core.WorkPoolCreate{Name: strings.TrimSpace("pool " + kind), Type: kind}))(t)
			d := must(h.CreateDeployment(h.ctx, core.DeploymentCreate{Name: "in " + pool.Name, FlowID: flow.ID, WorkPoolName: core.Some(pool.Name), EnforceParameterSchema: core.Some(false)}))(t)
			run := h.run(d)
			res, err := h.Poll(h.ctx, core.PollRequest{Pool: pool.Name, Holder: core.NewID(), Worker: "w", Free: 1})
			if c.says == "" {
				if err != nil || len(res.Claims) != 1 {
					t.Errorf("type %q: %+v, %v", kind, res, err)
				}
				continue
			}
			if core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "of type "+kind) || !strings.Contains(err.Error(), c.hint) {
				t.Errorf("type %q: %v", kind, err)
			}
			if got := must(h.FlowRun(h.ctx, run.ID))(t); got.StateType != core.Scheduled {
				t.Errorf("type %q: the run is %s", kind, got.StateName)
			}
			w := must(h.Why(h.ctx, run.ID))(t)
			if w.Code != "no_worker" || !strings.Contains(w.Message, c.says) || w.Hint != c.hint {
				t.Errorf("type %q: %+v", kind, w)
			}
			if got := must(h.store.Deployment(h.ctx, d.ID))(t); got.Status != core.NotReady {
				t.Errorf("type %q: a refused poll made the deployment %s", kind, got.Status)
			}
		}
	})
}
