package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// isPrefect says whether a Prefect client of any version asks.
func isPrefect(r *http.Request) bool {
	agent := r.Header["User-Agent"]
	return len(agent) > 0 && strings.HasPrefix(agent[0], "prefect/")
}

// unwrapResult gives a Prefect client the results of Go flows as it knows them: a
// state's data that is no record of Prefect's is the result itself.
func (a *API) unwrapResult(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case *core.FlowRun:
		return a.unwrapFlowRun(ctx, v, true)
	case []*core.FlowRun:
		return eachOr(v, func(r *core.FlowRun) (*core.FlowRun, error) { return a.unwrapFlowRun(ctx, r, false) })
	}
	return v, nil
}

// maxUnwrapped bounds a stored result that is put into a state, in bytes.
const maxUnwrapped = 32 << 20

// unwrapFlowRun reads what was too large for the state only if it is asked for.
func (a *API) unwrapFlowRun(ctx context.Context, r *core.FlowRun, large bool) (*core.FlowRun, error) {
	if r == nil || r.State == nil || len(r.State.Data) == 0 || r.State.Type != core.Completed {
		return r, nil
	}
	var d struct {
		Type  string    `json:"type"`
		Value core.JSON `json:"value"`
		Key   string    `json:"key"`
	}
	if json.Unmarshal(r.State.Data, &d) != nil || d.Type != "flowlite" {
		return r, nil //nolint:nilerr // whatever else it is, it is not ours
	}
	value := d.Value
	if d.Key != "" {
		if !large {
			return r, nil
		}
		b, size, err := a.Runs.ResultUpTo(ctx, d.Key, maxUnwrapped)
		if core.IsNotFound(err) || size > maxUnwrapped {
			return r, nil // the client gets the key: it can tell what is missing, or ask for /results/KEY
		}
		if err != nil {
			return nil, err
		}
		value = b
	}
	run, state := *r, *r.State // others may hold the record
	state.Data = value
	run.State = &state
	return &run, nil
}
