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
	definition
}

// definition and defined have no exported methods.
type (
	definition = engine.Definition
	defined    = engine.Defined
)

// AnyFlow is a Flow of any type.
type AnyFlow interface {
	Name() string
	defined
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
	f := engine.Flow{Name: name, Schema: s, Options: set.FlowOptions,
		Decode: stored(reflect.TypeFor[P]()), InputType: inputType(reflect.TypeFor[P]()),
		Fn: func(ctx context.Context, params core.JSON) (core.JSON, error) {
			var p P
			if err := json.Unmarshal(params.OrObject(), &p); err != nil {
				return nil, Permanent(fmt.Errorf("the parameters are no %T: %w", p, err))
			}
			return encoded(fn(ctx, p))
		},
		Check: func(params core.JSON) (core.JSON, error) { return complete(name, s, params) },
	}
	f.Declared = func(name string) ([]core.DeploymentCreate, error) { return declared(&f, set.deployments, name) }
	return &Flow[P, R]{engine.Define(f)}
}

// Name returns the name of the flow.
func (f *Flow[P, R]) Name() string { return f.flow().Name }

func (f *Flow[P, R]) flow() *engine.Flow { return engine.FlowOf(f) }

// Run runs the flow and returns its result: inside a run as a sub-flow, else
// as a run of its own in this process.
func (f *Flow[P, R]) Run(ctx context.Context, params P) (R, error) {
	return decoded[R](f.run(ctx, params))
}

func (f *Flow[P, R]) run(ctx context.Context, params P) (core.JSON, error) {
	b, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("flow %s: the parameters cannot be encoded as JSON: %w", f.Name(), err)
	}
	if engine.Within(ctx) {
		return engine.RunFlow(ctx, f.flow(), b)
	}
	e, err := current(ctx)
	if err != nil {
		return nil, err
	}
	out, err := e.Run(ctx, f.flow(), b)
	if err != nil {
		return nil, err
	}
	return out.Result, out.Err
}

// Submit starts Run and returns at once.
func (f *Flow[P, R]) Submit(ctx context.Context, params P) *Future[R] {
	return &Future[R]{engine.Go(func() (core.JSON, error) { return f.run(ctx, params) })}
}

// complete fills parameters that came from outside the program with the
// defaults of the schema, and says which of them do not fit it.
func complete(flow string, s, params core.JSON) (core.JSON, error) {
	params = schema.Defaults(s, params.OrObject())
	if bad := schema.Validate(s, params, true); len(bad) > 0 {
		var lines []string
		for _, e := range bad {
			lines = append(lines, e.Msg)
		}
		return nil, fmt.Errorf("the parameters do not fit flow %s: %s", flow, strings.Join(lines, "; "))
	}
	return params, nil
}
