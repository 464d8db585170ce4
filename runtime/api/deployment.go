package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) deployments() group {
	return group{"/deployments", []op{
		post("/", a.createDeployment, need("name", "flow_id")),
		update("Deployment", a.Runs.UpdateDeployment),
		get("/name/{flow}/{name}", a.deploymentByName).runs(),
		read("Deployment", a.deployment).runs(),
		remove("Deployment", a.Runs.DeleteDeployment),
		filter[entities]("/filter", core.DeploymentSorts, a.deploymentList).runs(),
		paginate[entities](core.DeploymentSorts, a.deploymentList, a.store.CountDeployments).runs(),
		count[entities]("/count", a.store.CountDeployments).runs(),
		post("/get_scheduled_flow_runs", a.deploymentRuns, need("deployment_ids")),
		post("/{id}/schedule", a.scheduleDeployment, optional),
		post("/{id}/pause_deployment", func(ctx context.Context, in *byID) (any, error) {
			return nil, named("Deployment", a.Runs.PauseDeployment(ctx, in.ID))
		}),
		post("/{id}/resume_deployment", func(ctx context.Context, in *byID) (any, error) {
			return nil, named("Deployment", a.Runs.ResumeDeployment(ctx, in.ID))
		}),
		post("/{id}/create_flow_run", a.createDeploymentFlowRun).runs(),
		get("/{id}/work_queue_check", a.workQueueCheck).runs(),
	}}
}

func (a *API) deployment(ctx context.Context, id core.UUID) (*core.Deployment, error) {
	d, err := a.store.Deployment(ctx, id)
	if err != nil {
		return nil, err
	}
	return d, a.countSlots(ctx, d)
}

func (a *API) deploymentList(ctx context.Context, fs core.Filters, p core.Page) ([]*core.Deployment, error) {
	list, err := a.store.Deployments(ctx, fs, p)
	if err != nil {
		return nil, err
	}
	return list, a.countSlots(ctx, list...)
}

// countSlots tells how many slots of the deployments' limits are occupied.
func (a *API) countSlots(ctx context.Context, list ...*core.Deployment) (err error) {
	for _, d := range list {
		if d.GlobalConcurrencyLimit == nil {
			continue
		}
		l := *d.GlobalConcurrencyLimit
		if l.ActiveSlots, err = a.Limits.ActiveSlots(ctx, &l); err != nil {
			return err
		}
		d.GlobalConcurrencyLimit = &l
	}
	return nil
}

func (a *API) createDeployment(ctx context.Context, in *withBody[core.DeploymentCreate]) (*core.Deployment, error) {
	d, err := a.Runs.CreateDeployment(ctx, in.Body)
	if err == nil {
		created(ctx, d.Created)
	}
	return d, err
}

func (a *API) deploymentByName(ctx context.Context, in *struct {
	Flow string `path:"flow"`
	Name string `path:"name"`
}) (*core.Deployment, error) {
	d, err := a.store.DeploymentByName(ctx, in.Flow, in.Name)
	if err != nil {
		return nil, named("Deployment", err)
	}
	return d, a.countSlots(ctx, d)
}

// deploymentRuns is the poll of serve() and of Prefect's runner.
func (a *API) deploymentRuns(ctx context.Context, in *withBody[struct {
	IDs    []core.UUID `json:"deployment_ids"`
	Before core.Time   `json:"scheduled_before"`
	Limit  *whole      `json:"limit"`
}]) ([]*core.FlowRun, error) {
	page, none, err := pageQuery{Limit: in.Body.Limit}.page(nil)
	if err != nil || none {
		return []*core.FlowRun{}, err
	}
	return rows(a.Runs.DeploymentRuns(ctx, in.Body.IDs, in.Body.Before, page.Limit))
}

func (a *API) scheduleDeployment(ctx context.Context, in *change[struct {
	Start   core.Time     `json:"start_time"`
	End     core.Time     `json:"end_time"`
	MinTime *core.Seconds `json:"min_time"`
	MinRuns *whole        `json:"min_runs"`
	MaxRuns *whole        `json:"max_runs"`
}]) (any, error) {
	b := &in.Body
	r := core.ScheduleRange{Start: b.Start, End: b.End, MinTime: core.Deref(b.MinTime),
		MinRuns: int(core.Deref(b.MinRuns)), MaxRuns: int(core.Deref(b.MaxRuns))}
	err := a.Runs.ScheduleDeployment(ctx, in.ID, r)
	if core.IsNotFound(err) { // the peer schedules nothing and is content
		err = nil
	}
	return nil, err
}

func (a *API) createDeploymentFlowRun(ctx context.Context, in *change[core.DeploymentFlowRunCreate]) (*core.FlowRun, error) {
	if err := checkState(in.Body.State, "state"); err != nil {
		return nil, err
	}
	if err := a.owns(ctx, taskReach, in.Body.ParentTaskRunID); err != nil {
		return nil, err
	}
	r, err := a.Runs.CreateDeploymentFlowRun(ctx, in.ID, in.Body)
	if err != nil {
		return nil, err // it names what was not found: the deployment, or a work queue
	}
	created(ctx, r.Created)
	return r, nil
}

func (a *API) workQueueCheck(ctx context.Context, in *byID) ([]*core.WorkQueue, error) {
	d, err := a.store.Deployment(ctx, in.ID)
	if err != nil {
		return nil, named("Deployment", err)
	}
	if d.WorkQueueID.IsZero() {
		return []*core.WorkQueue{}, nil
	}
	q, err := a.store.WorkQueue(ctx, d.WorkQueueID)
	return []*core.WorkQueue{q}, err
}
