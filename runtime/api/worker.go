package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) workers() group {
	return group{"/work_pools/{name}/workers", []op{
		done("POST", "/heartbeat", func(ctx context.Context, in *poolChange[core.WorkerHeartbeat]) error {
			return a.Runs.Heartbeat(ctx, in.Name, in.Body)
		}, need("name")),
		post("/filter", a.filterWorkers, strict).runs(),
		done("DELETE", "/{worker}", func(ctx context.Context, in *struct {
			Name   string `path:"name"`
			Worker string `path:"worker"`
		}) error {
			return named("Worker", a.Runs.DeleteWorker(ctx, in.Name, in.Worker))
		}),
	}}
}

type workerQuery struct {
	Workers *core.WorkerFilter `json:"workers"`
	pageQuery
}

func (a *API) filterWorkers(ctx context.Context, in *poolChange[workerQuery]) ([]*core.Worker, error) {
	page, none, err := in.Body.page(nil)
	if err != nil || none {
		return []*core.Worker{}, err
	}
	pool, err := a.workPool(ctx, &byName{in.Name})
	if err != nil {
		return nil, err
	}
	return rows(a.store.Workers(ctx, pool.ID, in.Body.Workers, page))
}
