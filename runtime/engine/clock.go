package engine

import (
	"context"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

// Clock is the engine's time: tests put a virtual one in its place.
type Clock interface {
	Now() core.Time
	// Sleep returns early with the cause of ctx's end.
	Sleep(ctx context.Context, d time.Duration) error
}

type realClock struct{}

func (realClock) Now() core.Time { return core.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	return backoff.Sleep(ctx, d)
}

// VirtualClock moves by being slept on: a sleep of an hour returns at once and
// it is an hour later. Sleeps that overlap do not add up.
type VirtualClock struct {
	mu    sync.Mutex
	ahead time.Duration
	last  core.Time
}

var _ Clock = (*VirtualClock)(nil)

func (c *VirtualClock) Now() core.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(core.Now().Add(c.ahead), c.last+1)
	return c.last
}

func (c *VirtualClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := context.Cause(ctx); err != nil || d <= 0 {
		return err
	}
	target := core.Now().Add(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	if gap := c.last.Add(d).Sub(target); gap > 0 && c.last != 0 {
		target = target.Add(gap)
	}
	if lead := target.Sub(core.Now()); lead > c.ahead {
		c.ahead = lead
	}
	return nil
}
