package flowlite

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/schema"
)

// Flow is a durable function: its tasks' outcomes are remembered.
type Flow[P, R any] struct {
	f           engine.Flow
	deployments []Deployment
}

// AnyFlow is a Flow of whatever types.
type AnyFlow interface {
	Name() string
	// Erased is the flow as the engine sees it.
	Erased() *engine.Flow
	// Declared are the deployments of Deploys.
	Declared() []Deployment
}

// NewFlow makes a flow. P, a struct, gives the parameters and their schema.
func NewFlow[P, R any](name string, fn func(ctx context.Context, params P) (R, error), opts ...FlowOption) *Flow[P, R] {
	if name == "" {
		panic("flowlite.NewFlow: a flow needs a name")
	}
	s, err := schema.Of(reflect.TypeFor[P]())
	if err != nil {
		panic(fmt.Sprintf("flowlite.NewFlow(%q): the parameters %s: %v", name, reflect.TypeFor[P](), err))
	}
	var set flowSettings
	for _, o := range opts {
		o.applyFlow(&set)
	}
	return &Flow[P, R]{deployments: set.deployments, f: engine.Flow{Name: name, Schema: s, Options: set.FlowOptions,
		Fn: func(ctx context.Context, params core.JSON) (core.JSON, error) {
			var p P
			if err := json.Unmarshal(params.OrObject(), &p); err != nil {
				return nil, Permanent(fmt.Errorf("the parameters are no %T: %w", p, err))
			}
			return encoded(fn(ctx, p))
		}}}
}

func (f *Flow[P, R]) Name() string           { return f.f.Name }
func (f *Flow[P, R]) Erased() *engine.Flow   { return &f.f }
func (f *Flow[P, R]) Declared() []Deployment { return f.deployments }

// Run runs the flow and returns its result: inside a run as a sub-flow, else
// as a run of its own in this process.
func (f *Flow[P, R]) Run(ctx context.Context, params P) (R, error) {
	return decoded[R](f.run(ctx, params))
}

func (f *Flow[P, R]) run(ctx context.Context, params P) (core.JSON, error) {
	b, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("flow %s: the parameters cannot be encoded as JSON: %w", f.f.Name, err)
	}
	if engine.EngineOf(ctx) != nil {
		return engine.RunFlow(ctx, &f.f, b)
	}
	e, err := current(ctx, f.f.Name)
	if err != nil {
		return nil, err
	}
	out, err := e.Run(ctx, &f.f, b)
	if err != nil {
		return nil, err
	}
	return out.Result, out.Err
}

// Submit starts Run and returns at once.
func (f *Flow[P, R]) Submit(ctx context.Context, params P) *Future[R] {
	return &Future[R]{engine.Go(func() (core.JSON, error) { return f.run(ctx, params) })}
}

// checked is the flow for parameters that came from outside: defaults fill
// what is missing, and what does not fit the schema fails the run at once.
func checked(f *engine.Flow) *engine.Flow {
	c := *f
	c.Fn = func(ctx context.Context, params core.JSON) (core.JSON, error) {
		params = schema.Defaults(f.Schema, params.OrObject())
		if bad := schema.Validate(f.Schema, params, true); len(bad) > 0 {
			var lines []string
			for _, e := range bad {
				lines = append(lines, e.Msg)
			}
			return nil, Permanent(fmt.Errorf("the parameters do not fit flow %s: %s", f.Name, strings.Join(lines, "; ")))
		}
		return f.Fn(ctx, params)
	}
	return &c
}
