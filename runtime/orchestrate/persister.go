package orchestrate

import (
	"context"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// How long a report's events wait for company, or for a database that is
// unavailable, how many reports make a batch, and how many may wait: beyond that
// the reporter writes its own.
const (
	persistEvery = 100 * time.Millisecond
	persistAgain = time.Second
	persistBatch = 250
	persistMax   = 10_000
)

// persister writes the events of task runs in batches behind the commit of the
// task runs themselves: a durable step must not pay for its events too. What
// waits here is lost with the process; task runs and states are not.
type persister struct {
	write func(ctx context.Context, reports []*core.TaskRunReport) error

	mu      sync.Mutex
	waiting []*core.TaskRunReport
	running bool
	wake    chan struct{}
	quit    chan struct{}
	helpers sync.WaitGroup // the loop, and work started by background
}

// start is false if it runs already.
func (p *persister) start() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		return false
	}
	p.running = true
	p.wake, p.quit = make(chan struct{}, 1), make(chan struct{})
	p.helpers.Add(1)
	go p.loop(p.wake, p.quit)
	return true
}

func (p *persister) stop(ctx context.Context) error {
	p.mu.Lock()
	if p.running {
		p.running = false
		close(p.quit)
	}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		p.helpers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// add takes reports whose events are written later; false means that nobody
// would write them, or that too many wait, and the caller must.
func (p *persister) add(reports []*core.TaskRunReport) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || len(p.waiting)+len(reports) > persistMax {
		return false
	}
	p.waiting = append(p.waiting, reports...)
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return true
}

// background runs fn, which must end soon after quit closes, unless stopped.
func (p *persister) background(fn func(quit <-chan struct{})) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running {
		return
	}
	quit := p.quit
	p.helpers.Go(func() {
		fn(quit)
	})
}

func (p *persister) loop(wake, quit chan struct{}) {
	defer p.helpers.Done()
	for pause := persistEvery; ; {
		select {
		case <-wake:
		case <-quit:
			p.flush()
			return
		}
		select {
		case <-time.After(pause):
		case <-quit:
		}
		pause = persistEvery
		if !p.flush() {
			pause = persistAgain
		}
	}
}

// flush writes what waits. While the database is unavailable the rest waits for
// the next time (false). A batch that the database refuses is dropped, and
// write has logged it.
func (p *persister) flush() bool {
	p.mu.Lock()
	reports := p.waiting
	p.waiting = nil
	p.mu.Unlock()
	for len(reports) > 0 {
		n := min(len(reports), persistBatch)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		err := p.write(ctx, reports[:n])
		cancel()
		if core.CodeOf(err) == core.EUnavailable {
			p.mu.Lock()
			p.waiting = append(reports, p.waiting...)
			p.mu.Unlock()
			select {
			case p.wake <- struct{}{}:
			default:
			}
			return false
		}
		reports = reports[n:]
	}
	return true
}
