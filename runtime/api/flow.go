package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) flows() group {
	return group{"/flows", []op{
		post("/", a.createFlow, need("name")).runs(),
		update("Flow", a.Runs.UpdateFlow),
		get("/name/{name}", func(ctx context.Context, in *byName) (*core.Flow, error) {
			f, err := a.store.FlowByName(ctx, in.Name)
			return f, named("Flow", err)
		}).runs(),
		read("Flow", a.store.Flow).runs(),
		remove("Flow", a.Runs.DeleteFlow),
		count[entities]("/count", a.store.CountFlows).runs(),
		filter[entities]("/filter", core.FlowSorts, a.store.Flows).runs(),
		paginate[entities](core.FlowSorts, a.store.Flows, a.store.CountFlows).runs(),
	}}
}

func (a *API) createFlow(ctx context.Context, in *withBody[core.FlowCreate]) (*core.Flow, error) {
	f, err := a.Runs.CreateFlow(ctx, in.Body)
	if err == nil {
		created(ctx, f.Created)
	}
	return f, err
}

// statusOf is the status of an orchestration answer: 201 if a state was written.
func statusOf(ctx context.Context, r *core.OrchestrationResult, err error) (*core.OrchestrationResult, error) {
	if err == nil && r.Written {
		setStatus(ctx, http.StatusCreated)
	}
	return r, err
}
