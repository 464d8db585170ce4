package orchestrate

import (
	"context"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// How long an event of a task run may wait for company, and how many wait at
// most: beyond that the reporter writes them itself.
const (
	persistEvery = 100 * time.Millisecond
	persistBatch = 500
	persistMax   = 20_000
)

// persister writes the events of task runs in batches behind the commit of the
// task runs themselves: a durable step must not pay for its event twice. What
// waits here is lost with the process; the task runs and states are not.
type persister struct {
	insert func(ctx context.Context, events []*core.Event) error

	mu      sync.Mutex
	waiting []*core.Event
	running bool
	wake    chan struct{}
	quit    chan struct{}
	done    chan struct{}
}

func (p *persister) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		return
	}
	p.running = true
	p.wake, p.quit, p.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go p.loop(p.quit, p.done)
}

func (p *persister) stop(ctx context.Context) error {
	p.mu.Lock()
	if !p.running {
		p.mu.Unlock()
		return nil
	}
	p.running = false
	close(p.quit)
	done := p.done
	p.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// add takes events for later; false means that nobody would write them, or
// that too many wait, and the caller must.
func (p *persister) add(events []*core.Event) bool {
	if len(events) == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || len(p.waiting)+len(events) > persistMax {
		return false
	}
	p.waiting = append(p.waiting, events...)
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return true
}

func (p *persister) loop(quit, done chan struct{}) {
	defer close(done)
	timer := time.NewTimer(persistEvery)
	timer.Stop()
	for {
		select {
		case <-p.wake:
		case <-quit:
			p.flush()
			return
		}
		timer.Reset(persistEvery)
		select {
		case <-timer.C:
		case <-quit:
		}
		p.flush()
	}
}

// flush writes what waits. A batch that the database refuses is tried event by
// event by insert's owner; what cannot be written is dropped there.
func (p *persister) flush() {
	p.mu.Lock()
	events := p.waiting
	p.waiting = nil
	p.mu.Unlock()
	for len(events) > 0 {
		n := min(len(events), persistBatch)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		_ = p.insert(ctx, events[:n])
		cancel()
		events = events[n:]
	}
}
