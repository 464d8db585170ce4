package engine

import (
	"context"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// startDelay is how long a task's start may wait for its end to travel with.
const startDelay = 50 * time.Millisecond

// reporter writes task runs. Callers that finish at once share a commit: the
// first becomes the writer, and whoever comes while it writes is its next batch.
type reporter struct {
	o   core.TaskRunOrchestrator
	ctx context.Context // carries the fencing token; its end gives up

	mu      sync.Mutex
	waiting []*core.TaskRunReport
	done    chan struct{} // of the batch that is waiting
	result  *error
	writing bool
	starts  map[core.UUID]*core.TaskRunReport
	timer   *time.Timer
}

func newReporter(ctx context.Context, o core.TaskRunOrchestrator) *reporter {
	return &reporter{o: o, ctx: ctx, starts: map[core.UUID]*core.TaskRunReport{}}
}

// later remembers states that nobody waits for.
func (r *reporter) later(t *core.TaskRun, states ...*core.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.starts[t.ID]; old != nil {
		states = append(old.States, states...)
	}
	c := *t
	r.starts[t.ID] = &core.TaskRunReport{TaskRun: &c, States: states}
	if r.timer == nil {
		r.timer = time.AfterFunc(startDelay, r.flushStarts)
	}
}

func (r *reporter) flushStarts() {
	r.mu.Lock()
	r.timer = nil
	batch := make([]*core.TaskRunReport, 0, len(r.starts))
	for _, s := range r.starts {
		batch = append(batch, s)
	}
	clear(r.starts)
	r.mu.Unlock()
	if len(batch) > 0 {
		_ = r.record(batch...)
	}
}

// now returns once the states, and those remembered before them, are durable.
func (r *reporter) now(t *core.TaskRun, states ...*core.State) error {
	r.mu.Lock()
	if old := r.starts[t.ID]; old != nil {
		states = append(old.States, states...)
		delete(r.starts, t.ID)
	}
	r.mu.Unlock()
	c := *t
	return r.record(&core.TaskRunReport{TaskRun: &c, States: states})
}

func (r *reporter) record(reports ...*core.TaskRunReport) error {
	r.mu.Lock()
	r.waiting = append(r.waiting, reports...)
	if r.done == nil {
		r.done, r.result = make(chan struct{}), new(error)
	}
	done, result := r.done, r.result
	if r.writing {
		r.mu.Unlock()
		<-done
		return *result
	}
	r.writing = true
	for first := true; len(r.waiting) > 0; first = false {
		if !first {
			// Whoever waits writes its own batch, so that this caller goes on.
			go r.drain()
			r.mu.Unlock()
			return *result
		}
		r.writeBatch()
	}
	r.writing = false
	r.mu.Unlock()
	return *result
}

func (r *reporter) drain() {
	r.mu.Lock()
	for len(r.waiting) > 0 {
		r.writeBatch()
	}
	r.writing = false
	r.mu.Unlock()
}

// writeBatch is called with mu held and returns with it held.
func (r *reporter) writeBatch() {
	batch, done, result := r.waiting, r.done, r.result
	r.waiting, r.done, r.result = nil, nil, nil
	r.mu.Unlock()
	*result = persist(r.ctx, func() error { return r.o.RecordTaskRuns(r.ctx, batch) })
	close(done)
	r.mu.Lock()
}
