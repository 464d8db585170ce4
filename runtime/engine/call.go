package engine

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

// persist calls the server until it answers: while it is away the run waits
// instead of failing. ctx ends it.
func persist(ctx context.Context, fn func() error) error {
	again := backoff.Pauses{First: 50 * time.Millisecond, Limit: 3 * time.Second}
	for {
		err := fn()
		if core.CodeOf(err) != core.EUnavailable || ctx.Err() != nil {
			return err
		}
		if again.Wait(ctx) != nil {
			return err
		}
	}
}

func ask[T any](ctx context.Context, fn func() (T, error)) (v T, err error) {
	err = persist(ctx, func() (e error) { v, e = fn(); return e })
	return v, err
}
