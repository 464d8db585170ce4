package api

import (
	"context"
	"net/http"
	"regexp"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) flowRunInputs() group {
	return group{"/flow_runs/{id}/input", []op{
		route("POST", "", http.StatusCreated, a.createInput, need("key", "value")).runs(),
		post("/filter", a.filterInputs, need("prefix")).runs(),
		get("/{key}", a.readInput).runs(),
		done("DELETE", "/{key}", func(ctx context.Context, in *inputKey) error {
			return named("Flow run input", a.Runs.DeleteFlowRunInput(ctx, in.ID, in.Key))
		}).ownRun(),
	}}
}

type inputKey struct {
	ID  core.UUID `path:"id"`
	Key string    `path:"key"`
}

var inputKeys = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

func (a *API) createInput(ctx context.Context, in *change[struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Sender string `json:"sender"`
}]) (any, error) {
	b := &in.Body
	if !inputKeys.MatchString(b.Key) {
		return nil, invalid("value_error", "Input key must only contain letters, digits, dots, dashes and underscores", b.Key, "key")
	}
	return nil, named("Flow run", a.Runs.CreateFlowRunInput(ctx, in.ID, b.Key, b.Value, b.Sender))
}

func (a *API) filterInputs(ctx context.Context, in *change[struct {
	Prefix  string   `json:"prefix"`
	Limit   *whole   `json:"limit"`
	Exclude []string `json:"exclude_keys"`
}]) ([]*core.FlowRunInput, error) {
	limit := 1
	if in.Body.Limit != nil {
		limit = int(*in.Body.Limit)
	}
	if limit <= 0 {
		return []*core.FlowRunInput{}, nil
	}
	return rows(a.store.FlowRunInputs(ctx, in.ID, in.Body.Prefix, in.Body.Exclude, min(limit, core.MaxLimit)))
}

// readInput is the one answer that is text and not JSON.
func (a *API) readInput(ctx context.Context, in *inputKey) (plainText, error) {
	v, err := a.store.FlowRunInput(ctx, in.ID, in.Key)
	if err != nil {
		return "", named("Flow run input", err)
	}
	return plainText(v.Value), nil
}
