package api

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// results are ours: what is too large for a state, by key, and cached states.
func (a *API) results() group {
	return group{"", []op{
		plain("PUT", "/results/{key...}", http.StatusNoContent, a.putResult),
		plain("GET", "/results/{key...}", http.StatusOK, a.getResult),
		get("/task_run_cache", func(ctx context.Context, in *struct {
			Key string `query:"key"`
		}) (*core.State, error) {
			if in.Key == "" {
				return nil, missingQuery("key")
			}
			s, err := a.service.CachedState(ctx, in.Key)
			return s, named("Cached state", err)
		}),
	}}
}

// maxResult bounds one result.
const maxResult = 256 << 20

func (a *API) putResult(w http.ResponseWriter, r *http.Request) {
	o := &op{most: maxResult}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResult))
	if err != nil {
		a.fail(w, r, o, nil, errTooLarge)
		return
	}
	if err := a.service.PutResult(r.Context(), r.PathValue("key"), data); err != nil {
		a.fail(w, r, o, nil, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) getResult(w http.ResponseWriter, r *http.Request) {
	data, err := a.service.Result(r.Context(), r.PathValue("key"))
	if err != nil {
		a.fail(w, r, &op{}, nil, named("Result", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}
