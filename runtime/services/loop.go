package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Sweep does one round of a loop's work and returns how much it did.
type Sweep func(ctx context.Context) (int, error)

// loop is a ticker around runOnce.
type loop struct {
	name     string
	every    time.Duration
	sweep    Sweep
	liveness core.Liveness
	holder   core.UUID
	log      *slog.Logger
	wake     <-chan core.Message // nil: the ticker alone
	handover <-chan core.Message // another server gave the lease up; nil: never
	bus      core.Bus            // hears that we gave it up; may be nil

	mu       sync.Mutex
	progress core.LoopProgress
	failing  bool
}

// jitter spreads the loops of many servers, by up to a tenth of the interval.
const jitter = 10

// settle is how long a wake-up waits for others to come with it.
const settle = 250 * time.Millisecond

func (l *loop) run(ctx context.Context) {
	defer l.giveUp(context.WithoutCancel(ctx))
	l.runOnce(ctx)
	timer := time.NewTimer(l.pause())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case m, open := <-l.handover:
			if !open {
				l.handover = nil
			}
			if !open || m.Missed || !l.state().Elsewhere {
				continue
			}
		case _, open := <-l.wake:
			if !open {
				l.wake = nil
				continue
			}
			timer.Reset(settle)
			if !l.settled(ctx, timer.C) {
				return
			}
		}
		l.runOnce(ctx)
		timer.Reset(l.pause())
	}
}

// settled swallows the wake-ups that come until done, as one deploy makes
// many; false means that the loop ends.
func (l *loop) settled(ctx context.Context, done <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-done:
			return true
		case _, open := <-l.wake:
			if !open {
				l.wake = nil
			}
		}
	}
}

// giveUp returns the lease, and lets other servers know, so that they go on at once.
func (l *loop) giveUp(ctx context.Context) {
	if !l.state().Elsewhere {
		l.release(ctx)
	}
}

func (l *loop) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := l.liveness.Release(ctx, l.lease(), l.holder); err == nil && l.bus != nil {
		l.bus.Publish(core.Message{Topic: core.TopicLoop, Key: l.name})
	}
}

func (l *loop) pause() time.Duration {
	return l.every - time.Duration(rand.Int64N(int64(l.every)/jitter+1))
}

func (l *loop) lease() string { return "loop:" + l.name }

// runOnce sweeps once, if the lease is ours, and notes how it went. Errors are
// logged when they begin and when they end, not each time.
func (l *loop) runOnce(ctx context.Context) int {
	held, err := l.liveness.Hold(ctx, l.lease(), l.holder, l.ttl())
	n := 0
	if err == nil && held {
		if n, err = l.kept(ctx); err != nil && ctx.Err() == nil {
			l.release(ctx) // another server may have what this one lacks
		}
	}
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) || errors.Is(err, context.Canceled) {
		return n // stopping is no failure
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress.Elsewhere = err == nil && !held
	switch {
	case err != nil:
		if !l.failing {
			l.log.Error("loop fails; it goes on trying", "loop", l.name, "error", err)
		}
		l.failing, l.progress.LastError = true, err.Error()
	default:
		if l.failing {
			l.log.Info("loop works again", "loop", l.name)
		}
		l.failing, l.progress.LastError, l.progress.LastSuccess = false, "", core.Now()
	}
	return n
}

// ttl outlives the pause between two sweeps, and not by much: it is how long
// the work of a server that died is left undone.
func (l *loop) ttl() time.Duration { return l.every + min(2*l.every, margin) }

const margin = 15 * time.Second

// kept sweeps, and renews the lease for as long as that takes.
func (l *loop) kept(ctx context.Context) (int, error) {
	sweep, done := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	defer renewing.Wait()
	defer done(nil)
	renewing.Go(func() {
		tick := time.NewTicker(l.ttl() / 3)
		defer tick.Stop()
		for {
			select {
			case <-sweep.Done():
				return
			case <-tick.C:
				if held, err := l.liveness.Hold(sweep, l.lease(), l.holder, l.ttl()); err == nil && !held {
					done(errLeaseLost)
				}
			}
		}
	})
	n, err := l.guarded(sweep)
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(sweep), errLeaseLost) {
		return n, nil
	}
	return n, err
}

var errLeaseLost = errors.New("another server has the loop")

// guarded turns a panic into an error: one broken loop must not end the server.
func (l *loop) guarded(ctx context.Context) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return l.sweep(ctx)
}

func (l *loop) state() core.LoopProgress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.progress
}
