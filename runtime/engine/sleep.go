package engine

import (
	"context"
	"errors"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// freeAfter is how long a sleep must be to be worth ending the process for.
const freeAfter = 10 * time.Minute

// Sleep waits; the moment of waking is durable, so that after a crash only the
// rest is slept. A long sleep of a deployed run frees its process.
func Sleep(ctx context.Context, d time.Duration) error {
	s := scopeOf(ctx)
	if s == nil || s.task != nil {
		return realClock{}.Sleep(ctx, d)
	}
	r := s.run
	c, err := r.identify(&Task{Name: "sleep", NoInput: true}, nil)
	if err != nil {
		return err
	}
	if c.prior != nil {
		_, err := c.replay()
		return err
	}
	if err := r.endWoken(); err != nil {
		return err
	}
	var wake core.Time
	if st := c.row.State; st != nil && st.Type == core.Scheduled {
		wake = st.Details.ScheduledTime
	} else {
		wake = r.e.clock.Now().Add(d)
		p := core.StateCreate{Type: core.Scheduled, Name: "Sleeping"}
		p.Details.ScheduledTime = wake
		if err := c.save(c.state(p)); err != nil {
			return err
		}
	}
	rest := wake.Sub(r.e.clock.Now())
	_, virtual := r.e.clock.(*VirtualClock)
	if rest > freeAfter && !r.rec.DeploymentID.IsZero() && r.rec.ParentTaskRunID.IsZero() && !virtual {
		return r.leaveUntil(wake)
	}
	defer r.hold()()
	if err := r.e.clock.Sleep(ctx, rest); err != nil {
		if gone := left(ctx); gone != nil {
			return gone
		}
		return errors.Join(err, c.saveErr(core.Cancelled, "", ErrCancelled.Error()))
	}
	return c.save(c.state(core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":null}`)}))
}

// leaveUntil schedules the run for the moment of waking and ends this process.
func (r *run) leaveUntil(wake core.Time) error {
	p := r.rec.EmpiricalPolicy
	p.Resuming = true
	if err := r.setPolicy(p); err != nil {
		return err
	}
	c := core.StateCreate{Type: core.Scheduled, Name: "Sleeping"}
	c.Details.ScheduledTime, c.Details.Wakes = wake, true
	if _, err := r.propose(r.wctx, c, false); err != nil {
		return err
	}
	r.root.suspend(ErrSuspended)
	return ErrSuspended
}
