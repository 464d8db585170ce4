package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// flowRunStatuses are what flows tell of themselves under keys; Prefect has no word for them.
func (a *API) flowRunStatuses() group {
	return group{"/flow_runs/{id}/status", []op{
		get("", a.readStatuses).runs(),
		get("/{key}", a.readStatus).runs(),
		done("POST", "/{key}", a.setStatus, need("value")).ownRun(),
	}}
}

func (a *API) readStatuses(ctx context.Context, in *byID) ([]*core.FlowRunStatus, error) {
	if _, err := a.store.FlowRun(ctx, in.ID); err != nil {
		return nil, named("Flow run", err)
	}
	return a.store.FlowRunStatuses(ctx, in.ID)
}

func (a *API) readStatus(ctx context.Context, in *struct {
	ID  core.UUID `path:"id"`
	Key string    `path:"key"`
}) (*core.FlowRunStatus, error) {
	return a.Runs.FlowRunStatus(ctx, in.ID, in.Key)
}

func (a *API) setStatus(ctx context.Context, in *struct {
	ID   core.UUID `path:"id"`
	Key  string    `path:"key"`
	Body core.StatusSet
}) error {
	return named("Flow run", a.Runs.SetStatus(ctx, in.ID, in.Key, in.Body))
}
