package orchestrate_test

import (
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

func hasAuth(h *localtest.Fixture, run, lease core.UUID, want bool, when string) {
	h.T.Helper()
	if got := localtest.Must(h.HasRunAuth(h.Ctx, run, lease))(h.T); got != want {
		h.T.Errorf("%s: the run has its credentials: %v, want %v", when, got, want)
	}
}

func TestRunAuthEndsWithTheLease(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := h.Deployed()
		h.Run(d)
		first := poll(h, core.NewID(), 1, 0).Claims[0]
		id := first.FlowRun.ID
		hasAuth(h, id, first.Token, true, "claimed")
		hasAuth(h, id, core.NewID(), false, "another lease")
		hasAuth(h, core.NewID(), first.Token, false, "another run")
		ctx := core.WithRunToken(h.Ctx, first.Token)
		localtest.Must(h.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Running}, false))(t)
		h.Later(time.Hour)
		hasAuth(h, id, first.Token, true, "running for an hour")
		localtest.Must(h.ReportCrash(ctx, id, "lost", true))(t)
		hasAuth(h, id, first.Token, true, "just lost: the last logs are on their way")
		second := poll(h, core.NewID(), 1, 0).Claims[0]
		hasAuth(h, id, first.Token, false, "claimed by another worker")
		hasAuth(h, id, second.Token, true, "claimed again")
		ctx = core.WithRunToken(h.Ctx, second.Token)
		localtest.Must(h.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Running}, false))(t)
		localtest.Must(h.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Completed}, false))(t)
		h.Later(59 * time.Second)
		hasAuth(h, id, second.Token, true, "a minute after the end")
		h.Later(2 * time.Second)
		hasAuth(h, id, second.Token, false, "later")
	})
}

func TestRunsOwnWhatTheyStart(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := h.Deployed()
		root, other := h.Run(d), h.Run(d)
		ctx := core.WithCallingRun(h.Ctx, root.ID)
		task := func(run core.UUID) *core.TaskRun {
			return localtest.Must(h.CreateTaskRun(ctx, core.TaskRunCreate{FlowRunID: run, TaskKey: "t", DynamicKey: core.NewID().String()}))(t)
		}
		parent := task(root.ID)
		subflow := localtest.Must(h.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: parent.ID}))(t)
		below := localtest.Must(h.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: d.FlowID, ParentTaskRunID: task(subflow.ID).ID}))(t)
		deployed := localtest.Must(h.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{}))(t)
		alone := localtest.Must(h.CreateFlowRun(core.WithCallingRun(h.Ctx, below.ID), core.FlowRunCreate{FlowID: d.FlowID}))(t)
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
		if err := h.OwnFlowRun(core.WithCallingRun(h.Ctx, subflow.ID), root.ID); core.CodeOf(err) != core.EForbidden {
			t.Errorf("the run above: %v", err)
		}
		if err := h.OwnFlowRun(h.Ctx, other.ID); err != nil {
			t.Errorf("with credentials of the server: %v", err)
		}

		// Events are the other way to set the states of task runs.
		foreign := localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: other.ID, TaskKey: "t", DynamicKey: "1"}))(t)
		background := localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{TaskKey: "background", DynamicKey: "1"}))(t)
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
			before, _ := h.Store.TaskRun(h.Ctx, c.task)
			if err := h.EmitEvents(ctx, []*core.Event{taskEvent(c.task, c.run)}); (core.CodeOf(err) == core.EForbidden) != (c.want == "") {
				t.Errorf("%s: %v", c.what, err)
			}
			after, err := h.Store.TaskRun(h.Ctx, c.task)
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
