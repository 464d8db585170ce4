package api

import (
	"context"
	"net/http"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) admin() group {
	return group{"/admin", []op{
		get("/version", a.version).runs(),
		get("/settings", a.settings),
		get("/storage", a.storage).runs(),
		route("PUT", "/storage", http.StatusOK, a.setStorage, need("default_result_storage_block_id")),
		done("DELETE", "/storage", func(ctx context.Context, _ *struct{}) error {
			return a.Blocks.SetDefaultResultStorage(ctx, core.UUID{})
		}),
		post("/database/clear", a.refuseDatabase, optional),
		post("/database/drop", a.refuseDatabase, optional),
		post("/database/create", a.refuseDatabase, optional),
	}}
}

func (a *API) settings(context.Context, *struct{}) (any, error) {
	keep := a.Retention.Retention()
	return map[string]any{
		"flowlite": map[string]any{"version": a.Version, "database": a.store.Engine(), "retention": map[string]any{
			"runs_seconds": kept(keep.Runs), "events_seconds": kept(keep.Events), "logs_seconds": kept(keep.Logs),
		}},
		"server": map[string]any{"api": map[string]any{"auth_string": nil, "default_limit": core.MaxLimit}},
	}, nil
}

// kept is null for ever.
func kept(d time.Duration) any {
	if d < 0 {
		return nil
	}
	return d.Seconds()
}

// storage is where results lie unless their writer says otherwise; newer
// clients ask for it before each run.
func (a *API) storage(ctx context.Context, _ *struct{}) (*serverStorage, error) {
	id, err := a.Blocks.DefaultResultStorage(ctx)
	return &serverStorage{id}, err
}

func (a *API) setStorage(ctx context.Context, in *withBody[serverStorage]) (*serverStorage, error) {
	if in.Body.BlockID.IsZero() {
		return nil, invalid("uuid_type", "UUID input should be a string, bytes or UUID object", nil, "default_result_storage_block_id")
	}
	if err := a.Blocks.SetDefaultResultStorage(ctx, in.Body.BlockID); err != nil {
		return nil, err
	}
	return a.storage(ctx, nil)
}

type serverStorage struct {
	BlockID core.UUID `json:"default_result_storage_block_id"`
}

// refuseDatabase: what erases everything is done on the server's machine, not over the network.
func (a *API) refuseDatabase(context.Context, *struct{}) (any, error) {
	return nil, core.Errorf(
		core.EForbidden,
		"The database cannot be cleared over the API; stop flowlite and delete or restore the database itself",
	)
}
