package engine

import (
	"context"
	"time"
)

// CleanupLimit is how long a context of Cleanup lives after its parent. It is
// less than the 30 s after which a worker kills the process of a cancelled run.
const CleanupLimit = 25 * time.Second

// Cleanup returns a context with the values of ctx that lives on for
// CleanupLimit when ctx ends. It ends with ctx, at once, if the run continues
// elsewhere or later: at stop, suspend, and lost lease.
func Cleanup(ctx context.Context) context.Context {
	inner, end := context.WithCancelCause(context.WithoutCancel(ctx))
	c := &cleanup{Context: inner, end: end, watched: []context.Context{ctx}}
	if s := scopeOf(ctx); s != nil {
		s.cleanup.Store(true)
		if run := s.run.root.ctx; run != nil {
			c.watched = append(c.watched, run)
		}
	}
	context.AfterFunc(ctx, func() {
		if c.leave() {
			return
		}
		time.AfterFunc(CleanupLimit, func() { end(ErrTimedOut) })
	})
	for _, w := range c.watched[1:] {
		context.AfterFunc(w, func() { c.leave() })
	}
	return c
}

// cleanup looks at what it watches when it is asked, so that it is already done
// when a deferred call gets it.
type cleanup struct {
	context.Context
	end     context.CancelCauseFunc
	watched []context.Context
}

func (c *cleanup) leave() bool {
	for _, w := range c.watched {
		if cause := context.Cause(w); leaves(cause) {
			c.end(cause)
			return true
		}
	}
	return false
}

func (c *cleanup) Done() <-chan struct{} {
	c.leave()
	return c.Context.Done()
}

func (c *cleanup) Err() error {
	c.leave()
	return c.Context.Err()
}
