package engine

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/flowlite/flowlite/runtime/core"
)

// onceOutcome is what is stored of a call of Once: also its error is an outcome.
type onceOutcome struct {
	Code    core.Code `json:"code,omitempty"`
	Message string    `json:"message,omitempty"`
}

// Once does fn once in the flow of the run around ctx, as a recorded call, and
// returns the same error code and text to each replay. In a task, which is one itself,
// and outside of runs, it calls fn.
func Once(ctx context.Context, name string, fn func(ctx context.Context) error) error {
	if s := scopeOf(ctx); s == nil || s.task != nil {
		return fn(ctx)
	}
	b, err := Call(ctx, &Task{Name: name, NoInput: true, Fn: func(ctx context.Context, _ any) (core.JSON, error) {
		err := persist(ctx, func() error { return fn(ctx) })
		e, ok := errors.AsType[*core.Error](err)
		if err != nil && (!ok || e.Code == core.EUnavailable || e.Code == core.ELeaseLost) {
			return nil, err
		}
		if err == nil {
			return core.ToJSON(onceOutcome{}), nil
		}
		return core.ToJSON(onceOutcome{e.Code, err.Error()}), nil
	}}, nil)
	if err != nil {
		return err
	}
	var o onceOutcome
	if err := json.Unmarshal(b, &o); err != nil || o.Code == "" {
		return err
	}
	return core.Errorf(o.Code, "%s", o.Message)
}
