package flowlite

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/schema"
)

// Ask is what a Pause tells the person who is asked.
type Ask struct {
	Description string        // Markdown, shown above the form
	Timeout     time.Duration // unanswered for so long, the flow sees ErrUnanswered; default an hour
	// OnTimeout is the answer if nobody gave one in time: a value of the type that
	// the pause returns, in place of ErrUnanswered.
	OnTimeout any
	Key       string // identity of the pause in its run; default its number
}

// Pause stops the flow until somebody resumes the run and fills in a T, whose
// form is made from its schema. The process stays.
func Pause[T any](ctx context.Context, a Ask) (T, error) { return pause[T](ctx, a, false) }

// Suspend is a Pause that frees the process: the run continues in another one,
// where finished tasks are replayed. Return its error at once.
func Suspend[T any](ctx context.Context, a Ask) (T, error) { return pause[T](ctx, a, true) }

func pause[T any](ctx context.Context, a Ask, suspend bool) (v T, err error) {
	q := engine.Ask{Key: a.Key, Description: a.Description, Timeout: a.Timeout, Suspend: suspend}
	if t := reflect.TypeFor[T](); t.Kind() == reflect.Struct && t.NumField() > 0 {
		if q.Schema, err = schema.Of(t); err != nil {
			return v, fmt.Errorf("pause for a %s: %w", t, err)
		}
	}
	b, err := engine.Pause(ctx, q)
	if errors.Is(err, engine.ErrUnanswered) && a.OnTimeout != nil {
		v, ok := a.OnTimeout.(T)
		if !ok {
			return v, fmt.Errorf("Ask.OnTimeout is a %T; the pause returns a %T", a.OnTimeout, v)
		}
		return v, nil
	}
	if err == nil && q.Schema != nil {
		b = schema.Defaults(q.Schema, b.OrObject())
	}
	return decoded[T](b, err)
}

// Cleanup returns a context for what a flow or task undoes when it ends:
//
//	defer undo(flowlite.Cleanup(ctx))
//
// The context has the values of ctx, so that undo can call tasks. It lives on for
// 25 s after ctx was cancelled or timed out. If the run continues elsewhere or
// later (the process stops, the run is suspended, or the lease is lost), the
// context is done at once, so that nothing is undone that the run still needs:
// undo returns if its context's Err is not nil.
func Cleanup(ctx context.Context) context.Context { return engine.Cleanup(ctx) }

// Compensate registers an undo of the flow, which runs if the run fails, is
// cancelled, or exceeds its time limit. Undos run after the last attempt, in the
// reverse order of their registration, each as a task: with retries (four, or
// those of opts), and not again once it completed, through crashes of the process.
// If one fails for good, the others still run, and the run's state is UndoFailed.
// A run that completes drops its undos. A stop, a suspend, and a lost lease run none.
//
// Register the undo before what it undoes, so that no crash comes between them;
// undo must accept that there is nothing to undo. A retry of a run that has been
// undone starts again from the beginning. Registrations that run concurrently
// need different names.
func Compensate(ctx context.Context, name string, undo func(context.Context) error, opts ...TaskOption) error {
	var o engine.TaskOptions
	for _, opt := range opts {
		opt.applyTask(&o)
	}
	return engine.Compensate(ctx, name, o, undo)
}

// Sleep waits durably: after a crash only the rest is slept. A long sleep of a
// deployed run frees its process; return its error at once.
func Sleep(ctx context.Context, d time.Duration) error { return engine.Sleep(ctx, d) }

// Acquire takes n slots of a global concurrency limit, waiting while it is
// full. A process that dies gives them back by itself.
func Acquire(ctx context.Context, limit string, n int) (release func(), err error) {
	o, err := orchestrator(ctx)
	if err != nil {
		return nil, err
	}
	return engine.Acquire(ctx, o, limit, n)
}

// RateLimit waits for its turn under a limit whose slots decay.
func RateLimit(ctx context.Context, limit string) error {
	o, err := orchestrator(ctx)
	if err != nil {
		return err
	}
	return engine.RateLimit(ctx, o, limit)
}
