package orchestrate_test

import (
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (h *house) hasAuth(run, lease core.UUID, want bool, when string) {
	h.t.Helper()
	if got := must(h.HasRunAuth(h.ctx, run, lease))(h.t); got != want {
		h.t.Errorf("%s: the run has its credentials: %v, want %v", when, got, want)
	}
}

func TestRunAuthEndsWithTheLease(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		d := h.deployed()
		h.run(d)
		first := h.poll(core.NewID(), 1, 0).Claims[0]
		id := first.FlowRun.ID
		h.hasAuth(id, first.Token, true, "claimed")
		h.hasAuth(id, core.NewID(), false, "another lease")
		h.hasAuth(core.NewID(), first.Token, false, "another run")
		ctx := core.WithRunToken(h.ctx, first.Token)
		must(h.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Running}, false))(t)
		h.later(time.Hour)
		h.hasAuth(id, first.Token, true, "running for an hour")
		must(h.ReportCrash(ctx, id, "lost", true))(t)
		h.hasAuth(id, first.Token, true, "just lost: the last logs are on their way")
		second := h.poll(core.NewID(), 1, 0).Claims[0]
		h.hasAuth(id, first.Token, false, "claimed by another worker")
		h.hasAuth(id, second.Token, true, "claimed again")
		ctx = core.WithRunToken(h.ctx, second.Token)
		must(h.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Running}, false))(t)
		must(h.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Completed}, false))(t)
		h.later(59 * time.Second)
		h.hasAuth(id, second.Token, true, "a minute after the end")
		h.later(2 * time.Second)
		h.hasAuth(id, second.Token, false, "later")
	})
}

func TestRunsOwnWhatTheyStart(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		d := h.deployed()
		root, other := h.run(d), h.run(d)
		ctx := core.WithCallingRun(h.ctx, root.ID)
		task := func(run core.UUID) *core.TaskRun {
			return must(h.CreateTaskRun(ctx, core.TaskRunCreate{FlowRunID: run, TaskKey: "t", DynamicKey: core.NewID().String()}))(t)
		}
		parent := task(root.ID)
		subflow := must(h.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: parent.ID}))(t)
		below := must(h.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: task(subflow.ID).ID}))(t)
		deployed := must(h.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{}))(t)
		alone := must(h.CreateFlowRun(core.WithCallingRun(h.ctx, below.ID), core.FlowRunCreate{FlowID: d.FlowID}))(t)
		for what, id := range map[string]core.UUID{"itself": root.ID, "a subflow": subflow.ID, "below it": below.ID, "of a deployment": deployed.ID,
			"without a parent": alone.ID, "deleted": core.NewID(), "none": {}} {
			if err := h.OwnFlowRun(ctx, id); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if by := deployed.CreatedBy; by == nil || by.ID != root.ID || core.Deref(by.DisplayValue) != root.Name || subflow.CreatedBy != nil {
			t.Errorf("created by %+v and %+v", deployed.CreatedBy, subflow.CreatedBy)
		}
		if err := h.OwnFlowRun(ctx, other.ID); core.CodeOf(err) != core.EForbidden {
			t.Errorf("another run: %v", err)
		}
		if err := h.OwnFlowRun(core.WithCallingRun(h.ctx, subflow.ID), root.ID); core.CodeOf(err) != core.EForbidden {
			t.Errorf("the run above: %v", err)
		}
		if err := h.OwnFlowRun(h.ctx, other.ID); err != nil {
			t.Errorf("with credentials of the server: %v", err)
		}

		// Events are the other way to set the states of task runs.
		foreign := must(h.CreateTaskRun(h.ctx, core.TaskRunCreate{FlowRunID: other.ID, TaskKey: "t", DynamicKey: "1"}))(t)
		background := must(h.CreateTaskRun(h.ctx, core.TaskRunCreate{TaskKey: "background", DynamicKey: "1"}))(t)
		for _, c := range []struct {
			what      string
			task, run core.UUID
			want      core.StateType
		}{
			{"a task run of another run", foreign.ID, other.ID, ""},
			{"the same, called its own", foreign.ID, root.ID, ""},
			{"a task run of no flow run, called its own", background.ID, root.ID, ""},
			{"a new one of another run", core.NewID(), other.ID, ""},
			{"its own", parent.ID, root.ID, core.Completed},
			{"a new one of a subflow", core.NewID(), below.ID, core.Completed},
		} {
			before, _ := h.store.TaskRun(h.ctx, c.task)
			if err := h.EmitEvents(ctx, []*core.Event{taskEvent(c.task, c.run)}); (core.CodeOf(err) == core.EForbidden) != (c.want == "") {
				t.Errorf("%s: %v", c.what, err)
			}
			after, err := h.store.TaskRun(h.ctx, c.task)
			switch {
			case c.want != "":
				if err != nil || after.StateType != c.want {
					t.Errorf("%s: %+v, %v", c.what, after, err)
				}
			case before == nil:
				if !core.IsNotFound(err) {
					t.Errorf("%s was written", c.what)
				}
			case after.StateType != before.StateType || after.FlowRunID != before.FlowRunID:
				t.Errorf("%s is now %s of %s", c.what, after.StateType, after.FlowRunID)
			}
		}
	})
}

// taskEvent is how a client of Prefect reports that a task run has completed.
func taskEvent(task, run core.UUID) *core.Event {
	now := core.Now()
	return &core.Event{ID: core.NewID(), Occurred: now, Event: "prefect.task-run.Completed",
		Resource: map[string]string{"prefect.resource.id": "prefect.task-run." + task.String(), "prefect.orchestration": "client", "prefect.state-type": "COMPLETED",
			"prefect.state-name": "Completed", "prefect.state-timestamp": now.Time().Format(time.RFC3339Nano)},
		Related: []map[string]string{{"prefect.resource.id": "prefect.flow-run." + run.String(), "prefect.resource.role": "flow-run"}},
		Payload: core.ToJSON(map[string]any{
			"intended": map[string]any{"from": "RUNNING", "to": "COMPLETED"}, "initial_state": nil,
			"validated_state": map[string]any{"type": "COMPLETED", "name": "Completed", "message": nil, "state_details": map[string]any{}, "data": nil},
			"task_run":        map[string]any{"name": "t-0", "task_key": "t", "dynamic_key": "0", "flow_run_id": run, "tags": []string{}, "empirical_policy": map[string]any{}, "task_inputs": map[string]any{}},
		})}
}
