package flowlite

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Step is a task written where it is called. Its identity within the run is
// its name and the how-manieth call of that name.
func Step[Out any](ctx context.Context, name string, fn func(ctx context.Context) (Out, error), opts ...TaskOption) (Out, error) {
	t := &engine.Task{Name: name, NoInput: true, Fn: func(ctx context.Context, _ any) (core.JSON, error) {
		return encoded(fn(ctx))
	}}
	for _, o := range opts {
		o.applyTask(&t.Options)
	}
	return decoded[Out](engine.Call(ctx, t, nil))
}
