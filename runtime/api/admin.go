package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) admin() group {
	return group{"/admin", []op{
		get("/version", func(context.Context, *struct{}) (string, error) { return PeerVersion, nil }),
		get("/settings", a.settings),
		post("/database/clear", a.refuseDatabase, optional),
		post("/database/drop", a.refuseDatabase, optional),
		post("/database/create", a.refuseDatabase, optional),
	}}
}

func (a *API) settings(context.Context, *struct{}) (any, error) {
	return map[string]any{
		"flowlite": map[string]any{"version": a.Version, "database": a.store.Engine()},
		"server":   map[string]any{"api": map[string]any{"auth_string": nil, "default_limit": core.MaxLimit}},
	}, nil
}

// refuseDatabase: what erases everything is done on the server's machine, not over the network.
func (a *API) refuseDatabase(context.Context, *struct{}) (any, error) {
	return nil, core.Errorf(core.EForbidden, "The database cannot be cleared over the API; stop flowlite and delete or restore the database itself")
}
