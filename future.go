package flowlite

import (
	"context"

	"github.com/flowlite/flowlite/runtime/engine"
)

// Future is the outcome to come of a Submit.
type Future[Out any] struct{ f *engine.Future }

// Get waits for the outcome, or for the end of ctx.
func (f *Future[Out]) Get(ctx context.Context) (Out, error) { return decoded[Out](f.f.Get(ctx)) }

// Done is closed when the outcome is there.
func (f *Future[Out]) Done() <-chan struct{} { return f.f.Done() }

func (f *Future[Out]) raw() *engine.Future { return f.f }
