package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Outcome is how an execution ended. The state is final, or PAUSED or SCHEDULED
// where the run continues later or elsewhere. Err is what the flow returned.
type Outcome struct {
	FlowRun *core.FlowRun
	State   *core.State
	Result  core.JSON
	Err     error
}

// execute walks the run from where it stands to its end.
func (e *Engine) execute(ctx context.Context, f *Flow, rec *core.FlowRun, parent *run) (*Outcome, error) {
	return newRun(ctx, e, f, rec, parent).execute(ctx)
}

func (r *run) execute(ctx context.Context) (*Outcome, error) {
	if err := r.adoptPolicy(); err != nil {
		return nil, err
	}
	for {
		out, again, err := r.attempt(ctx)
		if err != nil {
			return r.crashed(err)
		}
		if !again {
			return out, nil
		}
	}
}

// crashed says that the run cannot go on, where the engine still can: what
// stopped it is no failure of the flow's code. A process that dies cannot.
func (r *run) crashed(err error) (*Outcome, error) {
	if errors.Is(err, ErrLeaseLost) || core.CodeOf(err) == core.ELeaseLost || core.IsNotFound(err) {
		return nil, err
	}
	res, perr := r.propose(r.wctx, core.StateCreate{Type: core.Crashed, Message: core.Ptr(text(err))}, false)
	if perr != nil || res.State == nil || res.State.Type != core.Crashed {
		return nil, err
	}
	r.hooks(res.State)
	return &Outcome{FlowRun: r.rec, State: res.State, Err: err}, nil
}

// attempt enters RUNNING, calls the flow and proposes what came of it; again
// says that the server wants another attempt in this process.
func (r *run) attempt(ctx context.Context) (out *Outcome, again bool, err error) {
	if r.entered {
		r.entered = false
		r.forget()
		return r.work(ctx)
	}
	p := r.rec.EmpiricalPolicy
	r.mu.Lock()
	r.cancelAt = p.CancelAt
	r.mu.Unlock()
	r.replayFrom = 0
	if p.Resuming || r.rec.StateType == core.Running || r.rec.StateType == core.Paused {
		r.replayFrom = max(1, r.rec.RunCount)
	}
	s, err := r.enter(ctx)
	if err != nil || s.Type != core.Running {
		return r.stopped(s, err)
	}
	if err := r.begin(r.wctx); err != nil {
		return nil, false, err
	}
	if r.rec.RunCount++; p.Resuming {
		r.rec.RunCount = max(1, r.rec.RunCount-1)
	}
	r.rec.EmpiricalPolicy.Resuming = false
	if p.Resuming {
		r.readLogged(r.wctx)
	}
	if r.rec.StartTime == 0 {
		r.rec.StartTime = s.Timestamp
	}
	r.readEnding()
	return r.work(ctx)
}

// work calls the flow of a run that is RUNNING and proposes what came of it.
func (r *run) work(ctx context.Context) (out *Outcome, again bool, err error) {
	result, ferr, cause := r.call(ctx)
	r.report.flushStarts()
	if r.root == r {
		flush, cancel := context.WithTimeout(r.wctx, 30*time.Second)
		_ = r.e.logs.flush(flush)
		cancel()
	}
	if leaves(cause) {
		return r.leave(cause)
	}
	if errors.Is(ferr, errExited) {
		return nil, false, ferr
	}
	if r.ended != nil {
		ferr = nil // that the calls had no outcome is not how the flow ended
	}
	s, err := r.finish(ctx, result, ferr, cause)
	if leaves(err) && !errors.Is(err, errAborted) {
		return r.leave(err)
	}
	if err != nil {
		return nil, false, err
	}
	if s.Type == core.Scheduled {
		// An end of ctx is told by the next attempt, which does not begin then.
		_ = r.e.clock.Sleep(ctx, s.Details.ScheduledTime.Sub(r.e.clock.Now()))
		return nil, true, nil
	}
	if s.Type != core.Completed && ferr == nil {
		ferr = ErrorOf(s)
	}
	if s.Type == core.Completed {
		ferr = nil
	}
	r.hooks(s)
	return &Outcome{FlowRun: r.rec, State: s, Result: result, Err: ferr}, false, nil
}

// leave ends the execution of a run that is continued elsewhere or later.
func (r *run) leave(cause error) (*Outcome, bool, error) {
	if now, err := r.e.o.FlowRun(r.wctx, r.rec.ID); err == nil {
		r.rec = now
	}
	out := &Outcome{FlowRun: r.rec, State: r.rec.State, Err: cause}
	if errors.Is(cause, ErrLeaseLost) {
		return out, false, cause
	}
	return out, false, nil
}

func (r *run) stopped(s *core.State, err error) (*Outcome, bool, error) {
	if leaves(err) && !errors.Is(err, ErrLeaseLost) {
		return &Outcome{FlowRun: r.rec, State: r.rec.State, Err: err}, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	out := &Outcome{FlowRun: r.rec, State: s}
	if r.stoppedHere {
		r.hooks(s)
	}
	if s.Type == core.Completed {
		out.Result, out.Err = Unpack(r.wctx, r.e.o, s.Data)
	} else {
		out.Err = ErrorOf(s)
	}
	return out, false, nil
}

// propose offers a state and adopts the one that holds now.
func (r *run) propose(ctx context.Context, c core.StateCreate, force bool) (*core.OrchestrationResult, error) {
	c.Details.TransitionID = core.NewID()
	c.Message = r.e.hideMessage(c.Message)
	res, err := ask(ctx, func() (*core.OrchestrationResult, error) { return r.e.o.SetFlowRunState(ctx, r.rec.ID, c, force) })
	if core.CodeOf(err) == core.ELeaseLost {
		// Who ended the run took the lease with it; that end is the run's.
		now, rerr := r.e.o.FlowRun(ctx, r.rec.ID)
		if rerr != nil || !now.StateType.Final() || now.State == nil {
			return nil, err
		}
		res, err = &core.OrchestrationResult{Status: core.Reject, State: now.State}, nil
	}
	if err != nil {
		return nil, err
	}
	if res.State != nil {
		r.mu.Lock()
		r.rec.State, r.rec.StateID, r.rec.StateType, r.rec.StateName = res.State, res.State.ID, res.State.Type, res.State.Name
		r.stateID = res.State.ID
		r.mu.Unlock()
	}
	return res, nil
}

// enter proposes RUNNING until the run is running, over, or not ours.
func (r *run) enter(ctx context.Context) (*core.State, error) {
	for {
		if cause := context.Cause(ctx); cause != nil {
			return r.cancelled(cause)
		}
		res, err := r.propose(r.wctx, core.StateCreate{Type: core.Running, Details: core.StateDetails{Wakes: true}}, false)
		if err != nil {
			return nil, err
		}
		var wait time.Duration
		switch {
		case res.Status == core.Abort:
			return nil, fmt.Errorf("%w: %s", errAborted, core.Deref(res.Details.Reason))
		case res.Status == core.Wait:
			wait = time.Duration(core.Deref(res.Details.DelaySeconds)) * time.Second
		case res.Status == core.Accept && res.State.Type == core.Running, res.State.Type.Final():
			return res.State, nil
		case res.State.Type == core.Scheduled:
			wait = max(100*time.Millisecond, res.State.Details.ScheduledTime.Sub(r.e.clock.Now()))
		case res.State.Type == core.Cancelling:
			return r.cancelled(ErrCancelled)
		default:
			if _, err := r.e.o.WaitFlowRun(r.wctx, r.rec.ID, res.State.ID, 30); err != nil {
				return nil, err
			}
		}
		if err := r.e.clock.Sleep(ctx, wait); err != nil {
			return r.cancelled(err)
		}
	}
}

func (r *run) cancelled(cause error) (*core.State, error) {
	if leaves(cause) {
		return nil, cause
	}
	res, err := r.propose(r.wctx, core.StateCreate{Type: core.Cancelled, Message: core.Ptr(ErrCancelled.Error())}, false)
	if err != nil {
		return nil, err
	}
	if res.State == nil {
		return nil, fmt.Errorf("%w: %s", errAborted, core.Deref(res.Details.Reason))
	}
	r.stoppedHere = res.Status == core.Accept
	return res.State, nil
}

// call runs the flow's code. cause is why its context ended, if it did.
func (r *run) call(ctx context.Context) (result core.JSON, err, cause error) {
	ctx, cancel := context.WithCancelCause(withScope(ctx, &scope{run: r}))
	defer cancel(nil)
	r.suspend, r.ctx = cancel, ctx
	if r.root == r {
		defer r.watch(ctx, cancel)()
	}
	if d := r.flow.Options.Timeout; d > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, d, ErrTimedOut)
		defer stop()
	}
	abandon := abandonNever
	switch {
	case r.flow.Options.Timeout > 0:
		abandon = abandonAlways
	case r.root == r:
		abandon = abandonLost
	}
	result, err = guard(ctx, abandon, func(ctx context.Context) (core.JSON, error) {
		return r.flow.Fn(ctx, r.rec.Parameters)
	})
	if p, ok := errors.AsType[*PanicError](err); ok {
		r.e.record(ctx, "the flow panicked", p)
	}
	return result, err, context.Cause(ctx)
}

// finish proposes the final state that the flow's outcome amounts to, once the
// flow's undos have run if it needs them.
func (r *run) finish(ctx context.Context, result core.JSON, err, cause error) (*core.State, error) {
	c := core.StateCreate{Type: core.Completed}
	last := true
	switch {
	case r.ended != nil:
		c = r.ended.state
	case err == nil && !(r.rec.EmpiricalPolicy.CancelAt != nil && errors.Is(cause, ErrCancelled)):
		data, perr := pack(r.wctx, r.e.o, r.rec.ID.String()+"/"+safeName(r.flow.Name)+".json", result)
		if perr != nil {
			return nil, perr
		}
		c.Data = data
	case errors.Is(cause, ErrCancelled) || errors.Is(cause, context.Canceled):
		c.Type, c.Message = core.Cancelled, core.Ptr(ErrCancelled.Error())
	default:
		c.Type, c.Message = core.Failed, core.Ptr(text(err))
		if errors.Is(cause, ErrTimedOut) {
			c.Name = core.NameTimedOut
		}
		if c.Name != "" && r.flow.Options.Timeout > 0 {
			c.Message = core.Ptr(fmt.Sprintf("Flow run exceeded timeout of %s", r.flow.Options.Timeout))
		}
		var uerr error
		if last, uerr = r.prepareRetry(err); uerr != nil {
			return nil, uerr
		}
	}
	force := c.Type == core.Failed && last && r.rec.RunCount <= core.Deref(r.rec.EmpiricalPolicy.Retries)
	var perr error
	if c.Type != core.Completed && last {
		if c, perr = r.compensate(ctx, c); perr != nil {
			return nil, perr
		}
	}
	res, perr := r.propose(r.wctx, c, force)
	if perr != nil {
		return nil, perr
	}
	if res.State == nil {
		return nil, fmt.Errorf("%w: %s", errAborted, core.Deref(res.Details.Reason))
	}
	if res.State.Type == core.Cancelling {
		// The flow had ended by itself when it was told to stop.
		if c.Type == core.Completed {
			c = core.StateCreate{Type: core.Cancelled, Message: core.Ptr(ErrCancelled.Error())}
			if c, perr = r.compensate(ctx, c); perr != nil {
				return nil, perr
			}
		}
		c.Type, c.Data = core.Cancelled, nil
		if res, perr = r.propose(r.wctx, c, false); perr != nil {
			return nil, perr
		}
	}
	if res.State.Type == core.Scheduled {
		r.mu.Lock()
		r.rec.EmpiricalPolicy.RetryType, r.rec.EmpiricalPolicy.PauseKeys = core.Ptr("in_process"), nil // as the server does
		r.mu.Unlock()
		r.e.warn(withScope(ctx, &scope{run: r}), fmt.Sprintf("attempt %d failed: %s; another one follows", r.rec.RunCount, text(err)))
	}
	return res.State, nil
}

func policyOf(r Retry, p core.FlowRunPolicy) *core.FlowRunPolicy {
	p.Retries = core.Ptr(int64(r.Max))
	d, _ := Retry{Max: r.Max, Delays: r.Delays, Base: r.Base, Cap: r.Cap}.delay(nil, 1)
	p.SetDelay(d.Seconds())
	return &p
}

// adoptPolicy writes the flow's own retries on a run that was made without.
func (r *run) adoptPolicy() error {
	if r.flow.Options.Retry.Max == 0 || r.rec.EmpiricalPolicy.Retries != nil {
		return nil
	}
	return r.setPolicy(*policyOf(r.flow.Options.Retry, r.rec.EmpiricalPolicy))
}

func (r *run) setPolicy(p core.FlowRunPolicy) error {
	r.rec.EmpiricalPolicy = p
	return persist(r.wctx, func() error {
		return r.e.o.UpdateFlowRun(r.wctx, r.rec.ID, core.FlowRunUpdate{EmpiricalPolicy: core.Some(p)})
	})
}

// prepareRetry gives the server the delay of the next attempt; last says that
// there is none, however many are left.
func (r *run) prepareRetry(err error) (last bool, _ error) {
	p := r.rec.EmpiricalPolicy
	left := core.Deref(p.Retries)
	if left == 0 || r.rec.RunCount > left {
		return true, nil
	}
	policy := r.flow.Options.Retry
	policy.Max = int(left)
	d, ok := policy.delay(err, int(r.rec.RunCount))
	if !ok {
		return true, nil
	}
	if len(policy.Delays) == 0 && policy.Base == 0 && !errors.As(err, new(retryAfter)) || p.Delay() == d.Seconds() {
		return false, nil
	}
	p.SetDelay(d.Seconds())
	return false, r.setPolicy(p)
}

func (r *run) hooks(s *core.State) {
	var hooks []Hook
	switch s.Type {
	case core.Completed:
		hooks = r.flow.Options.Hooks.Completed
	case core.Failed:
		hooks = r.flow.Options.Hooks.Failed
	case core.Cancelled:
		hooks = r.flow.Options.Hooks.Cancelled
	case core.Crashed:
		hooks = r.flow.Options.Hooks.Crashed
	}
	if len(hooks) == 0 {
		return
	}
	ctx := withScope(r.wctx, &scope{run: r})
	for _, h := range hooks {
		_, err := safely(ctx, func(ctx context.Context) (core.JSON, error) {
			h(ctx, r.rec, s)
			return nil, nil
		})
		if err != nil {
			r.e.record(ctx, "a hook panicked", err)
		}
	}
	_ = r.e.logs.flush(r.wctx)
}

// text is the error's message, which a panic inside Error must not prevent.
func text(err error) (s string) {
	defer func() {
		if p := recover(); p != nil {
			s = fmt.Sprintf("%T", err)
		}
	}()
	return err.Error()
}
