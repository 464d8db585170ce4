package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) taskRuns() group {
	return group{"/task_runs", []op{
		post("/", a.createTaskRun, need("task_key", "dynamic_key")).runs(),
		update("Task run", a.Runs.UpdateTaskRun).ownTaskRun(),
		read("Task", a.store.TaskRun).runs(),
		remove("Task", a.Runs.DeleteTaskRun),
		count[entities]("/count", a.store.CountTaskRuns).runs(),
		history(a.store.TaskRunHistory).runs(),
		filter[entities]("/filter", core.TaskRunSorts, a.store.TaskRuns).runs(),
		paginate[entities](core.TaskRunSorts, a.store.TaskRuns, a.store.CountTaskRuns).runs(),
		post("/{id}/set_state", a.setTaskRunState, need("state"), model("Task run")).ownTaskRun(),
	}}
}

func (a *API) createTaskRun(ctx context.Context, in *withBody[core.TaskRunCreate]) (*core.TaskRun, error) {
	if err := checkTaskRun(&in.Body); err != nil {
		return nil, err
	}
	if err := a.Runs.OwnFlowRun(ctx, in.Body.FlowRunID); err != nil {
		return nil, err
	}
	r, err := a.Runs.CreateTaskRun(ctx, in.Body)
	if err == nil {
		created(ctx, r.Created)
	}
	return r, err
}

func (a *API) setTaskRunState(ctx context.Context, in *stateChange) (*core.OrchestrationResult, error) {
	if err := checkState(&in.Body.State, "state"); err != nil {
		return nil, err
	}
	r, err := a.Runs.SetTaskRunState(ctx, in.ID, in.Body.State, in.Body.Force)
	return statusOf(ctx, r, err)
}
