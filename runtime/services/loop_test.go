package services

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// leases is a Liveness whose answer the test sets.
type leases struct {
	mu       sync.Mutex
	refuse   bool
	released int
}

func (l *leases) Hold(context.Context, string, core.UUID, time.Duration) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.refuse, nil
}

func (l *leases) Release(context.Context, string, core.UUID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released++
	return nil
}

var _ core.Liveness = (*leases)(nil)

func newLoop(sweep Sweep, out *bytes.Buffer) (*loop, *leases) {
	held := &leases{}
	return &loop{
		name: "test", every: time.Millisecond, sweep: sweep, liveness: held, holder: core.NewID(),
		log: slog.New(slog.NewTextHandler(out, nil)), progress: core.LoopProgress{Name: "test"},
	}, held
}

func TestRunOnce(t *testing.T) {
	var out bytes.Buffer
	var fail error
	l, held := newLoop(func(context.Context) (int, error) {
		if fail != nil && fail.Error() == "panic" {
			panic("lost my mind")
		}
		return 3, fail
	}, &out)
	if n := l.runOnce(t.Context()); n != 3 || l.state().LastSuccess == 0 {
		t.Fatalf("%d %+v", n, l.state())
	}
	fail = errors.New("disk full")
	for range 3 {
		l.runOnce(t.Context())
	}
	fail = errors.New("panic")
	l.runOnce(t.Context())
	if got := l.state().LastError; !strings.Contains(got, "lost my mind") {
		t.Errorf("a panic is an error: %q", got)
	}
	if held.released != 4 {
		t.Errorf("each failure lets another server try; the lease was given back %d times", held.released)
	}
	if n := strings.Count(out.String(), "loop fails"); n != 1 {
		t.Errorf("a streak of failures is logged once, not %d times:\n%s", n, out.String())
	}
	fail = nil
	l.runOnce(t.Context())
	if l.state().LastError != "" || !strings.Contains(out.String(), "works again") {
		t.Errorf("%+v\n%s", l.state(), out.String())
	}
	held.refuse = true
	if n := l.runOnce(t.Context()); n != 0 || !l.state().Elsewhere {
		t.Errorf("without the lease nothing is done: %d %+v", n, l.state())
	}
}

func TestRunTicksWakesAndStops(t *testing.T) {
	var out bytes.Buffer
	swept := make(chan struct{})
	l, held := newLoop(func(ctx context.Context) (int, error) {
		select {
		case swept <- struct{}{}:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		return 0, nil
	}, &out)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); l.run(ctx) }()
	for range 3 {
		<-swept
	}
	cancel()
	<-done
	if held.released != 1 {
		t.Error("a stopped loop gives its lease back")
	}
	wake := make(chan core.Message, 1)
	l.every, l.wake = time.Hour, wake
	ctx, cancel = context.WithCancel(t.Context())
	done = make(chan struct{})
	go func() { defer close(done); l.run(ctx) }()
	<-swept
	wake <- core.Message{}
	<-swept
	cancel()
	<-done
	if out.Len() > 0 {
		t.Errorf("stopping is no failure: %s", out.String())
	}
}
