package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// results are ours: what is too large for a state, by key, and cached states.
func (a *API) results() group {
	return group{"", []op{
		plain("PUT", "/results/{key...}", http.StatusNoContent, a.putResult).runs(),
		plain("GET", "/results/{key...}", http.StatusOK, a.getResult).runs(),
		get("/task_run_cache", func(ctx context.Context, in *struct {
			Key string `query:"key"`
		}) (*core.State, error) {
			if in.Key == "" {
				return nil, missingQuery("key")
			}
			s, err := a.Runs.CachedState(ctx, in.Key)
			return s, named("Cached state", err)
		}).runs(),
	}}
}

const maxResult = core.MaxResult

func (a *API) putResult(w http.ResponseWriter, r *http.Request) {
	o := &op{most: maxResult}
	err := errTooLarge
	if r.ContentLength <= maxResult {
		err = a.Runs.PutResultFrom(r.Context(), r.PathValue("key"), http.MaxBytesReader(w, r.Body, maxResult))
	}
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		err = errTooLarge
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		err = invalid("value_error", "The body could not be read: "+err.Error(), nil)
	}
	if err != nil {
		a.fail(w, r, o, nil, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) getResult(w http.ResponseWriter, r *http.Request) {
	data, size, err := a.Runs.OpenResult(r.Context(), r.PathValue("key"))
	if err != nil {
		a.fail(w, r, &op{}, nil, named("Result", err))
		return
	}
	defer func() { _ = data.Close() }()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.Copy(w, data)
}
