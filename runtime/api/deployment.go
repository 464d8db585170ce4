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
		post("/{id}/create_flow_run/bulk", a.createDeploymentFlowRuns).runs(),
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

// manyOfPrefect is how many runs Prefect creates at once. A call that wants all or
// none may create core.MaxFlowRunsAtOnce.
const manyOfPrefect = 100

// createDeploymentFlowRuns creates runs as Prefect 3.8 does: what is wrong with one
// is told in its place, and the others are created. With all_or_none, which is ours,
// one transaction creates all of them, or the answer is the error of the first.
func (a *API) createDeploymentFlowRuns(ctx context.Context, in *struct {
	ID        core.UUID `path:"id"`
	AllOrNone bool      `query:"all_or_none"`
	Body      []core.DeploymentFlowRunCreate
}) (*core.FlowRunsCreated, error) {
	if !in.AllOrNone && len(in.Body) > manyOfPrefect {
		return nil, core.Errorf(core.EBadRequest, "Cannot create more than %d flow runs at once; pass all_or_none=true to create up to %d",
			manyOfPrefect, core.MaxFlowRunsAtOnce)
	}
	for i := range in.Body {
		if err := checkState(in.Body[i].State, i, "state"); err != nil {
			return nil, err
		}
		if err := a.owns(ctx, taskReach, in.Body[i].ParentTaskRunID); err != nil {
			return nil, err
		}
	}
	if _, err := a.store.Deployment(ctx, in.ID); err != nil {
		return nil, named("Deployment", err)
	}
	out := &core.FlowRunsCreated{Results: make([]core.FlowRunCreated, 0, len(in.Body))}
	if in.AllOrNone {
		runs, err := a.Runs.CreateDeploymentFlowRuns(ctx, in.ID, in.Body)
		for _, r := range runs {
			out.Results = append(out.Results, core.FlowRunCreated{FlowRunID: r.ID, Status: "CREATED", Name: r.Name})
		}
		return out, err
	}
	for _, c := range in.Body {
		r, err := a.Runs.CreateDeploymentFlowRun(ctx, in.ID, c)
		switch {
		case core.CodeOf(err) == core.EUnavailable || ctx.Err() != nil:
			return nil, err
		case err != nil:
			out.Results = append(out.Results, core.FlowRunCreated{Status: "FAILED", Error: core.Ptr(err.Error())})
		default:
			out.Results = append(out.Results, core.FlowRunCreated{FlowRunID: r.ID, Status: "CREATED"})
		}
	}
	return out, nil
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
