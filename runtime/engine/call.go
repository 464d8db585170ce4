package engine

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// persist calls the server until it answers: while it is away the run waits
// instead of failing. ctx ends it.
func persist(ctx context.Context, fn func() error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 3*time.Second) {
		err := fn()
		if core.CodeOf(err) != core.EUnavailable || ctx.Err() != nil {
			return err
		}
		if e := (realClock{}).Sleep(ctx, wait); e != nil {
			return err
		}
	}
}

func ask[T any](ctx context.Context, fn func() (T, error)) (v T, err error) {
	err = persist(ctx, func() (e error) { v, e = fn(); return e })
	return v, err
}
