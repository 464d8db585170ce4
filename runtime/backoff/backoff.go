// Package backoff spaces the attempts of a call that fails for a while: each
// pause is about twice as long as the one before, up to a limit.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses are the pauses between the attempts of one call. Each is random, from
// half of its nominal length to one and a half, so that many callers of one
// server do not come back in the same instant.
type Pauses struct {
	First, Limit time.Duration // nominal
	next         time.Duration
}

// Next returns how long to wait before the next attempt.
func (p *Pauses) Next() time.Duration {
	d := max(p.next, p.First)
	p.next = min(2*d, max(p.Limit, p.First))
	return d/2 + rand.N(max(d, 1))
}

// Reset begins anew, after an attempt that succeeded.
func (p *Pauses) Reset() { p.next = 0 }

// Wait waits for the next pause, or returns the cause of ctx's end.
func (p *Pauses) Wait(ctx context.Context) error { return Sleep(ctx, p.Next()) }

// Sleep waits for d, or returns the cause of ctx's end.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
