package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
)

// Call runs a task and returns when its outcome is durable. Outside of a run
// nothing is recorded.
func Call(ctx context.Context, t *Task, in any) (core.JSON, error) {
	s := scopeOf(ctx)
	if s == nil {
		return unrecorded(ctx, t, in)
	}
	c, err := s.run.identify(t, in)
	if err != nil {
		return nil, err
	}
	return c.outcome(ctx)
}

func unrecorded(ctx context.Context, t *Task, in any) (core.JSON, error) {
	for n := 1; ; n++ {
		v, err := guard(ctx, abandonNever, func(ctx context.Context) (core.JSON, error) { return t.Fn(ctx, in) })
		if err == nil {
			return v, nil
		}
		d, again := t.Options.Retry.delay(err, n)
		if !again || (realClock{}).Sleep(ctx, d) != nil {
			return nil, err
		}
	}
}

func (c *taskCall) outcome(ctx context.Context) (v core.JSON, err error) {
	if c.twin == nil {
		return c.run(ctx)
	}
	if !c.first {
		select {
		case <-c.twin.done:
			return c.twin.value, c.twin.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	defer func() {
		c.twin.value, c.twin.err = v, err
		close(c.twin.done)
	}()
	return c.run(ctx)
}

// state moves the row to a new state. Its timestamps ascend strictly: a state
// is known by them.
func (c *taskCall) state(p core.StateCreate) *core.State {
	row := c.row
	now := max(c.r.e.clock.Now(), row.StateTimestamp+1)
	if row.State != nil {
		now = max(now, row.State.Timestamp+1)
	}
	p.Details.FlowRunID, p.Details.TaskRunID = row.FlowRunID, row.ID
	p.Message = c.r.e.hideMessage(p.Message)
	row.FlowRunRunCount = c.r.rec.RunCount
	s := p.State(now)
	if row.State != nil && row.StateType == core.Running {
		row.TotalRunTime += now.Sub(row.State.Timestamp).Seconds()
	}
	row.NextScheduledStartTime = s.Details.ScheduledTime
	if s.Type == core.Running {
		row.RunCount++
		if row.StartTime == 0 {
			row.StartTime = now
		}
	}
	row.EndTime = 0
	if s.Type.Final() {
		row.EndTime = now
	}
	row.State, row.StateID, row.StateType, row.StateName, row.StateTimestamp, row.Updated = s, s.ID, s.Type, s.Name, now, now
	return s
}

// save makes the states durable; a run that is no longer ours ends here.
func (c *taskCall) save(states ...*core.State) error {
	err := c.r.report.now(c.row, states...)
	if core.CodeOf(err) == core.ELeaseLost {
		c.r.root.suspend(ErrLeaseLost)
		return ErrLeaseLost
	}
	return err
}

func (c *taskCall) run(ctx context.Context) (core.JSON, error) {
	if err := left(ctx); err != nil {
		return nil, err
	}
	if err := c.settleIdentity(ctx); err != nil {
		return nil, err
	}
	if c.prior != nil {
		return c.replay()
	}
	if err := c.r.endWoken(); err != nil {
		return nil, err
	}
	for _, f := range c.t.Options.After {
		_, _ = f.Get(ctx)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if n := c.t.Options.Concurrency; n > 0 {
		release, err := c.r.root.slot(ctx, c.t.Name, n)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	key, err := c.cacheKey()
	if err != nil {
		return nil, err
	}
	if key != "" {
		if v, ok, err := c.cached(key); ok || err != nil {
			return v, err
		}
	}
	return c.attempts(ctx, key)
}

func (c *taskCall) replay() (core.JSON, error) {
	if replayed := c.r.e.calls.Replayed; replayed != nil {
		replayed(c.row)
	}
	if c.prior.Type != core.Completed {
		return nil, ErrorOf(c.prior)
	}
	return Unpack(c.r.wctx, c.r.e.o, c.prior.Data)
}

func (c *taskCall) cacheKey() (key string, err error) {
	if c.t.Options.CacheKey == nil {
		return "", nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p}
		}
	}()
	if key = c.t.Options.CacheKey(c.in); key != "" {
		key = c.t.Name + ":" + key
	}
	return key, nil
}

// cached takes the outcome of another call, of any run, with the same key.
func (c *taskCall) cached(key string) (core.JSON, bool, error) {
	wctx, o := c.r.wctx, c.r.e.o
	s, err := ask(wctx, func() (*core.State, error) { return o.CachedState(wctx, key) })
	if core.IsNotFound(err) || err == nil && s == nil {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	v, err := Unpack(wctx, o, s.Data)
	if err != nil {
		return nil, false, nil //nolint:nilerr // its result is gone, so it is made anew
	}
	done := c.state(core.StateCreate{Type: core.Completed, Name: core.NameCached, Data: s.Data})
	return v, true, c.save(done)
}

// attempts calls the task until it succeeds or no retry is left.
func (c *taskCall) attempts(ctx context.Context, cacheKey string) (core.JSON, error) {
	defer c.r.hold()()
	c.r.root.tasks.Add(1)
	defer c.r.root.tasks.Add(-1)
	ctx = withScope(ctx, &scope{run: c.r, task: c.row, cur: c})
	states := []*core.State{c.state(core.StateCreate{Type: core.Pending})}
	name := ""
	for {
		c.r.report.later(c.row, append(states, c.state(core.StateCreate{Type: core.Running, Name: name}))...)
		v, err, cause := c.once(ctx)
		if err == nil {
			return v, c.complete(v, cacheKey)
		}
		if gone := left(ctx); gone != nil {
			return nil, gone
		}
		if context.Cause(ctx) != nil && cause != ErrTimedOut { //nolint:errorlint // our own cause
			return nil, errors.Join(c.end(ctx, err), c.saveErr(core.Cancelled, "", ErrCancelled.Error()))
		}
		if errors.Is(cause, ErrTimedOut) {
			err = fmt.Errorf("task run exceeded timeout of %s: %w", c.t.Options.Timeout, ErrTimedOut)
		}
		c.logFailure(ctx, err)
		d, again := c.t.Options.Retry.delay(err, int(c.row.RunCount))
		if !again {
			stateName := ""
			if errors.Is(err, ErrTimedOut) {
				stateName = core.NameTimedOut
			}
			if serr := c.saveErr(core.Failed, stateName, text(err)); serr != nil {
				return nil, serr
			}
			return nil, err
		}
		wait := core.StateCreate{Type: core.Scheduled, Name: core.NameAwaitingRetry, Message: core.Ptr(text(err))}
		wait.Details.ScheduledTime = c.r.e.clock.Now().Add(d)
		c.r.report.later(c.row, c.state(wait))
		if err := c.r.e.clock.Sleep(ctx, d); err != nil {
			if gone := left(ctx); gone != nil {
				return nil, gone
			}
			return nil, errors.Join(c.end(ctx, err), c.saveErr(core.Cancelled, "", ErrCancelled.Error()))
		}
		states, name = nil, "Retrying"
	}
}

// end is the error of a call that was stopped by its flow's end.
func (c *taskCall) end(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

func (c *taskCall) saveErr(t core.StateType, name, message string) error {
	return c.save(c.state(core.StateCreate{Type: t, Name: name, Message: &message}))
}

func (c *taskCall) once(ctx context.Context) (v core.JSON, err, cause error) {
	d := c.t.Options.Timeout
	abandon := abandonNever
	if d > 0 {
		abandon = abandonAlways
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, d, ErrTimedOut)
		defer stop()
	}
	v, err = guard(ctx, abandon, func(ctx context.Context) (core.JSON, error) {
		if execute := c.r.e.calls.Execute; execute != nil {
			return execute(ctx, c.t, c.row, c.in)
		}
		return c.t.Fn(ctx, c.in)
	})
	return v, err, context.Cause(ctx)
}

func (c *taskCall) complete(v core.JSON, cacheKey string) error {
	s, err := c.completed(v, cacheKey)
	if err != nil {
		return err
	}
	return c.save(s)
}

func (c *taskCall) completed(v core.JSON, cacheKey string) (*core.State, error) {
	key := fmt.Sprintf("%s/%s-%d.json", c.row.FlowRunID, safeName(c.t.Name), c.n)
	data, err := pack(c.r.wctx, c.r.e.o, key, v)
	if err != nil {
		return nil, err
	}
	p := core.StateCreate{Type: core.Completed, Data: data}
	if cacheKey != "" {
		p.Details.CacheKey = &cacheKey
		if c.t.Options.CacheFor > 0 {
			p.Details.CacheExpiration = c.r.e.clock.Now().Add(c.t.Options.CacheFor)
		}
		c.row.CacheKey, c.row.CacheExpiration = &cacheKey, p.Details.CacheExpiration
	}
	return c.state(p), nil
}

func (c *taskCall) logFailure(ctx context.Context, err error) {
	what := fmt.Sprintf("task run %s, attempt %d", c.row.Name, c.row.RunCount)
	if p, ok := errors.AsType[*PanicError](err); ok {
		c.r.e.record(ctx, what, p)
		return
	}
	c.r.e.record(ctx, what, err)
}

// Future is the outcome to come of a submitted task or sub-flow.
type Future struct {
	done  chan struct{}
	id    core.UUID
	value core.JSON
	err   error
}

// Done is closed when the outcome is there.
func (f *Future) Done() <-chan struct{} { return f.done }

// TaskRunID is zero for a call outside of a run.
func (f *Future) TaskRunID() core.UUID { return f.id }

// Get waits for the outcome or for ctx's end.
func (f *Future) Get(ctx context.Context) (core.JSON, error) {
	select {
	case <-f.done:
		return f.value, f.err
	default:
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Submit starts a task and returns at once.
func Submit(ctx context.Context, t *Task, in any) *Future {
	f := &Future{done: make(chan struct{})}
	s := scopeOf(ctx)
	call := func() (core.JSON, error) { return unrecorded(ctx, t, in) }
	if s != nil {
		c, err := s.run.identify(t, in)
		if err != nil {
			f.err = err
			close(f.done)
			return f
		}
		if c.row != nil {
			f.id = c.row.ID
		}
		call = func() (core.JSON, error) { return c.outcome(ctx) }
	}
	go func() {
		defer close(f.done)
		f.err = errExited
		f.value, f.err = call()
	}()
	return f
}

// Go runs fn as a future of its own, for sub-flows.
func Go(fn func() (core.JSON, error)) *Future {
	f := &Future{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.err = errExited
		f.value, f.err = fn()
	}()
	return f
}

// slot holds one of n places of a task within its run.
func (r *run) slot(ctx context.Context, task string, n int) (release func(), err error) {
	r.mu.Lock()
	if r.places == nil {
		r.places = map[string]chan struct{}{}
	}
	ch := r.places[task]
	if ch == nil {
		ch = make(chan struct{}, n)
		r.places[task] = ch
	}
	r.mu.Unlock()
	select {
	case ch <- struct{}{}:
		return func() { <-ch }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
