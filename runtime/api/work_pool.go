package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) workPools() group {
	return group{"/work_pools", []op{
		create(a.Runs.CreateWorkPool, need("name")),
		get("/{name}", a.workPool).runs(),
		done("PATCH", "/{name}", func(ctx context.Context, in *poolChange[core.WorkPoolUpdate]) error {
			return a.noPool(in.Name, a.Runs.UpdateWorkPool(ctx, in.Name, in.Body))
		}),
		done("DELETE", "/{name}", func(ctx context.Context, in *byName) error {
			return a.noPool(in.Name, a.Runs.DeleteWorkPool(ctx, in.Name))
		}),
		filter[workPoolQuery]("/filter", nil, a.store.WorkPools).runs(),
		count[workPoolQuery]("/count", a.store.CountWorkPools).runs(),
		post("/{name}/get_scheduled_flow_runs", a.poolRuns, optional),
	}}
}

type poolChange[B any] struct {
	Name string `path:"name"`
	Body B
}

type workPoolQuery struct {
	WorkPools *core.WorkPoolFilter `json:"work_pools"`
	pageQuery
}

func (q workPoolQuery) filter() *core.WorkPoolFilter { return q.WorkPools }

func (a *API) noPool(name string, err error) error {
	if err != nil && core.IsNotFound(err) {
		return core.NotFound("Work pool \"" + name + "\"")
	}
	return err
}

func (a *API) workPool(ctx context.Context, in *byName) (*core.WorkPool, error) {
	p, err := a.store.WorkPoolByName(ctx, in.Name)
	return p, a.noPool(in.Name, err)
}

// poolRuns is the poll of a Prefect worker.
func (a *API) poolRuns(ctx context.Context, in *poolChange[struct {
	Queues []string  `json:"work_queue_names"`
	Before core.Time `json:"scheduled_before"`
	After  core.Time `json:"scheduled_after"`
	Limit  *whole    `json:"limit"`
}]) ([]polledRun, error) {
	page, none, err := pageQuery{Limit: in.Body.Limit}.page(nil)
	if err != nil || none {
		return []polledRun{}, err
	}
	runs, err := a.Runs.PoolRuns(ctx, in.Name, in.Body.Queues, core.TimeFilter{After: in.Body.After, Before: in.Body.Before}, page.Limit)
	out := make([]polledRun, len(runs))
	for i, r := range runs {
		out[i] = polledRun{r.WorkPoolID, r.WorkQueueID, poollessRun{FlowRun: r.FlowRun}}
	}
	return out, err
}

type polledRun struct {
	WorkPoolID  core.UUID   `json:"work_pool_id"`
	WorkQueueID core.UUID   `json:"work_queue_id"`
	FlowRun     poollessRun `json:"flow_run"`
}

// poollessRun is a run as a worker's poll answers it: its pool stands beside it.
type poollessRun struct {
	*core.FlowRun
	PoolID   *struct{} `json:"work_pool_id,omitempty"`
	PoolName *struct{} `json:"work_pool_name,omitempty"`
}
