package engine

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// abandonAfter is how long code whose time is over may take to notice it.
const abandonAfter = 200 * time.Millisecond

// errExited is the outcome of code that ended its goroutine.
var errExited = errors.New("the code ended its goroutine without returning (runtime.Goexit)")

// abandoning says whether code that does not heed its context's end is left
// behind; it is asked for the cause.
type abandoning func(cause error) bool

var (
	abandonNever  abandoning
	abandonAlways abandoning = func(error) bool { return true }
	// abandonLost leaves code whose run is another's now, or will be: the two
	// must not share the world for longer than need be.
	abandonLost abandoning = func(cause error) bool {
		return errors.Is(cause, ErrLeaseLost) || errors.Is(cause, ErrStopped) || errors.Is(cause, errAborted)
	}
)

// guard calls fn, with a panic as an error.
func guard(ctx context.Context, abandon abandoning, fn func(context.Context) (core.JSON, error)) (core.JSON, error) {
	if abandon == nil {
		return safely(ctx, fn)
	}
	type outcome struct {
		v   core.JSON
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: errExited}
		defer func() { done <- o }()
		o.v, o.err = safely(ctx, fn)
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
	}
	if !abandon(context.Cause(ctx)) {
		o := <-done
		return o.v, o.err
	}
	grace := abandonAfter
	if s := scopeOf(ctx); s != nil && s.cleanup.Load() && !leaves(context.Cause(ctx)) {
		grace += CleanupLimit
	}
	select {
	case o := <-done:
		return o.v, o.err
	case <-time.After(grace):
		return nil, context.Cause(ctx)
	}
}

func safely(ctx context.Context, fn func(context.Context) (core.JSON, error)) (v core.JSON, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}
