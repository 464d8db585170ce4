package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) flowRunStates() group {
	return group{"/flow_run_states", []op{
		read("Flow run state", a.store.FlowRunState).runs(),
		get("/", func(ctx context.Context, in *struct {
			ID core.UUID `query:"flow_run_id"`
		}) ([]*core.State, error) {
			if in.ID.IsZero() {
				return nil, missingQuery("flow_run_id")
			}
			return rows(a.store.FlowRunStates(ctx, in.ID))
		}).runs(),
	}}
}

func (a *API) taskRunStates() group {
	return group{"/task_run_states", []op{
		read("Task run state", a.store.TaskRunState).runs(),
		get("/", func(ctx context.Context, in *struct {
			ID core.UUID `query:"task_run_id"`
		}) ([]*core.State, error) {
			if in.ID.IsZero() {
				return nil, missingQuery("task_run_id")
			}
			return rows(a.store.TaskRunStates(ctx, in.ID))
		}).runs(),
	}}
}

func missingQuery(name string) error {
	return &core.Error{Code: core.EInvalid, Message: "Field required", Fields: []core.FieldError{
		{Type: "missing", Loc: []any{"query", name}, Msg: "Field required"}}}
}
