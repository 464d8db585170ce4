package api

import (
	"context"
	_ "embed"

	"github.com/flowlite/flowlite/runtime/core"
)

//go:embed worker_metadata.json
var workerMetadata []byte

func (a *API) collections() group {
	return group{"/collections", []op{
		get("/views/{view}", func(_ context.Context, in *struct {
			View string `path:"view"`
		}) (core.JSON, error) {
			if in.View == "aggregate-worker-metadata" {
				return core.JSON(workerMetadata), nil
			}
			return nil, core.Errorf(core.ENotFound, "View %s not found in registry", in.View)
		}),
	}}
}
