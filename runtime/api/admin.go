package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) admin() group {
	return group{"/admin", []op{
		get("/version", func(context.Context, *struct{}) (string, error) { return PeerVersion, nil }),
		get("/settings", a.settings),
		get("/storage", a.storage),
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

// storage: results lie where their writer puts them unless it says otherwise;
// newer clients ask this before each run.
func (a *API) storage(context.Context, *struct{}) (*serverStorage, error) {
	return &serverStorage{}, nil
}

type serverStorage struct {
	BlockID core.UUID `json:"default_result_storage_block_id"`
}

// refuseDatabase: what erases everything is done on the server's machine, not over the network.
func (a *API) refuseDatabase(context.Context, *struct{}) (any, error) {
	return nil, core.Errorf(core.EForbidden, "The database cannot be cleared over the API; stop flowlite and delete or restore the database itself")
}
