package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

const slotLease = 60 * time.Second

// Acquire takes n slots of a global limit, waiting while it is full, and keeps
// them until release is called; a process that dies gives them back by itself.
func Acquire(ctx context.Context, o core.SlotOrchestrator, limit string, n int) (release func(), err error) {
	g, err := takeSlots(ctx, o, limit, n, "concurrency")
	if err != nil {
		return nil, err
	}
	stop := make(chan struct{})
	wctx := context.WithoutCancel(ctx)
	go func() {
		t := time.NewTicker(slotLease / 3)
		defer t.Stop()
		for {
			select {
			case <-stop:
				return
			case <-t.C:
				_ = o.RenewSlots(wctx, g.LeaseID, slotLease.Seconds())
			}
		}
	}()
	var once sync.Once
	return func() {
		once.Do(func() {
			close(stop)
			end, cancel := context.WithTimeout(wctx, 10*time.Second)
			defer cancel()
			_ = persist(end, func() error { return o.ReleaseSlots(end, g.LeaseID) })
			released.announce()
		})
	}, nil
}

// RateLimit takes one slot of a limit that decays, and so waits for its turn.
func RateLimit(ctx context.Context, o core.SlotOrchestrator, limit string) error {
	_, err := takeSlots(ctx, o, limit, 1, "rate_limit")
	return err
}

func takeSlots(ctx context.Context, o core.SlotOrchestrator, limit string, n int, mode string) (*core.SlotGrant, error) {
	req := core.SlotRequest{Slots: int64(max(1, n)), Names: []string{limit}, Mode: mode, LeaseDuration: slotLease.Seconds()}
	if s := scopeOf(ctx); s != nil {
		req.Holder = core.ToJSON(map[string]any{"type": "flow_run", "id": s.run.rec.ID})
	}
	// A limit that stays full is asked for less and less: many may wait for it,
	// and the server's hint only knows how long slots are held on average.
	again := backoff.Pauses{First: 50 * time.Millisecond, Limit: time.Second}
	for {
		freed := released.next()
		g, err := ask(ctx, func() (*core.SlotGrant, error) { return o.AcquireSlots(ctx, req) })
		full, ok := errors.AsType[*core.Error](err)
		if !ok || full.Code != core.ELocked {
			return g, err
		}
		if mode == "rate_limit" { // there the hint is exact
			again.Reset()
		}
		hint := time.Duration(min(full.RetryAfter, 5) * float64(time.Second))
		t := time.NewTimer(max(hint, again.Next()))
		select {
		case <-t.C:
		case <-freed:
		case <-ctx.Done():
			t.Stop()
			return nil, context.Cause(ctx)
		}
		t.Stop()
	}
}

// released wakes those in this process who wait for slots when one in it gives
// some back: between its own tasks nobody waits for the server's hint.
var released announcement

type announcement struct {
	mu sync.Mutex
	ch chan struct{}
}

func (a *announcement) next() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ch == nil {
		a.ch = make(chan struct{})
	}
	return a.ch
}

func (a *announcement) announce() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ch != nil {
		close(a.ch)
		a.ch = nil
	}
}
