package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// suspendAfter is how long a flow that waits for a message keeps its process.
const suspendAfter = 10 * time.Second

// hold keeps the run's process from being suspended until stop is called: what
// goes on in it would be interrupted.
func (r *run) hold() (stop func()) {
	r.root.held.Add(1)
	return func() { r.root.held.Add(-1) }
}

// holdFor is hold for the run around ctx, if there is one.
func holdFor(ctx context.Context) (stop func()) {
	if s := scopeOf(ctx); s != nil {
		return s.run.hold()
	}
	return func() {}
}

// waits notes a call that waits for messages, until stop is called.
func (r *run) waits(w *waiting) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.awaiting = append(r.awaiting, w)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.awaiting = slices.DeleteFunc(r.awaiting, func(x *waiting) bool { return x == w })
	}
}

// suspendable reports whether a server can continue the run in another process.
func (r *run) suspendable() bool {
	_, ok := r.e.clock.(realClock)
	return ok && !r.rec.DeploymentID.IsZero() && r.root == r
}

// suspendForMessage frees the process of a deployed run of which nothing goes on
// but calls that wait for messages. The run is due again with a message to one of
// their topics, or with the first of their timers.
func (r *run) suspendForMessage() error {
	if r.held.Load() > 0 {
		return nil
	}
	c := core.StateCreate{Type: core.Scheduled, Name: core.NameAwaitingMessage}
	c.Details.Wakes = true
	r.mu.Lock()
	for _, w := range r.awaiting {
		if slices.ContainsFunc(w.cases, func(c Case) bool { return c.Future != nil }) {
			r.mu.Unlock()
			return nil
		}
		c.Details.Topics = append(c.Details.Topics, w.topics...)
		if until := w.until(); c.Details.ScheduledTime == 0 || until < c.Details.ScheduledTime {
			c.Details.ScheduledTime = until
		}
	}
	r.mu.Unlock()
	slices.Sort(c.Details.Topics)
	c.Details.Topics = slices.Compact(c.Details.Topics)
	if n := len(c.Details.Topics); n == 0 || n > core.MaxMessageTopics {
		return nil
	}
	c.Message = core.Ptr("Waits for a message to " + strings.Join(c.Details.Topics, " or "))
	p := r.rec.EmpiricalPolicy
	p.Resuming = true
	if err := r.setPolicy(p); err != nil {
		return err
	}
	res, err := r.propose(r.wctx, c, false)
	if err != nil {
		return err
	}
	if res.State == nil || res.State.Type != core.Scheduled {
		return nil // it is being cancelled; its watch ends the flow
	}
	r.suspend(ErrSuspended)
	return fmt.Errorf("receive: %w", ErrSuspended)
}
