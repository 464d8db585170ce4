package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) workPools() group {
	return group{"/work_pools", []op{
		create(a.service.CreateWorkPool, need("name")),
		get("/{name}", a.workPool),
		done("PATCH", "/{name}", func(ctx context.Context, in *poolChange[core.WorkPoolUpdate]) error {
			return a.noPool(in.Name, a.service.UpdateWorkPool(ctx, in.Name, in.Body))
		}),
		done("DELETE", "/{name}", func(ctx context.Context, in *byName) error {
			return a.noPool(in.Name, a.service.DeleteWorkPool(ctx, in.Name))
		}),
		filter[workPoolQuery]("/filter", nil, a.store.WorkPools),
		count[workPoolQuery]("/count", a.store.CountWorkPools),
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
	Limit  *whole    `json:"limit"`
}]) ([]core.WorkerRun, error) {
	page, none, err := pageQuery{Limit: in.Body.Limit}.page(nil)
	if err != nil || none {
		return []core.WorkerRun{}, err
	}
	return rows(a.service.PoolRuns(ctx, in.Name, in.Body.Queues, in.Body.Before, page.Limit))
}
