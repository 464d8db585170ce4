package api

import (
	"context"
	"net/http"
)

// automations: there are none yet. Every deploy of a Prefect client asks to
// delete those of its deployment, which is done.
func (a *API) automations() group {
	return group{"/automations", []op{
		route("DELETE", "/owned-by/{resource}", http.StatusAccepted, func(context.Context, *struct{}) (any, error) { return nil, nil }),
		get("/related-to/{resource}", func(context.Context, *struct{}) ([]any, error) { return []any{}, nil }),
		post("/filter", func(context.Context, *struct{}) ([]any, error) { return []any{}, nil }, optional),
		post("/count", func(context.Context, *struct{}) (int, error) { return 0, nil }, optional),
	}}
}
