package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

// run is one claim being executed.
type run struct {
	claim core.Claim
	ctx   context.Context // ends with the cause of stop
	stop  context.CancelCauseFunc

	mu       sync.Mutex
	done     bool
	lingered int
}

func (r *run) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}

func (r *run) lingers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lingered++
	return r.lingered
}

func (r *run) id() core.UUID { return r.claim.FlowRun.ID }

// launch takes a claim. While stopping it is handed back at once.
func (w *Worker) launch(c core.Claim) {
	if c.FlowRun == nil {
		return
	}
	ctx, stop := context.WithCancelCause(core.WithRunToken(w.runCtx, c.Token))
	r := &run{claim: c, ctx: ctx, stop: stop}
	w.mu.Lock()
	if old := w.runs[c.FlowRun.ID]; old != nil {
		old.stop(w.cfg.LostCause) // our own lease ran out while the server was away
	}
	w.runs[c.FlowRun.ID] = r
	stopping := w.stopping
	for i, id := range w.cancelsSeen { // a run that was cancelled once may be retried and cancelled again
		if id == c.FlowRun.ID {
			w.cancelsSeen = append(w.cancelsSeen[:i], w.cancelsSeen[i+1:]...)
			break
		}
	}
	w.mu.Unlock()
	if stopping {
		stop(ErrStopped)
	}
	w.running.Go(func() {
		defer func() {
			stop(nil)
			r.mu.Lock()
			r.done = true
			r.mu.Unlock()
			w.mu.Lock()
			if w.runs[r.id()] == r {
				delete(w.runs, r.id())
			}
			w.mu.Unlock()
			select {
			case w.freed <- struct{}{}:
			default:
			}
		}()
		w.execute(r)
	})
}

// execute runs the claim and answers for whatever the engine did not.
func (w *Worker) execute(r *run) {
	log := w.log.With("flow_run", r.claim.FlowRun.Name, "id", r.id())
	log.Info("run started")
	began := time.Now()
	out := w.perform(r)
	out.message = w.logs.hide(r.id(), out.message)
	w.logs.mask(r.id(), nil)
	cause := context.Cause(r.ctx)
	// What is said from here on must be said although the run's context is over.
	ctx := core.WithRunToken(context.WithoutCancel(r.ctx), r.claim.Token)
	switch {
	case errors.Is(cause, w.cfg.LostCause):
	case errors.Is(cause, w.cfg.CancelCause):
		msg := "the process ended"
		if out.killed {
			msg = fmt.Sprintf("the process did not end within %s and was killed", w.cfg.Grace)
		}
		w.acknowledge(ctx, r.id(), r.claim.Token, msg)
	case cause != nil && !out.finished:
		w.crash(ctx, r.id(), "the worker stopped before the run had finished", true)
	case out.lacks && !r.claim.FlowRun.DeploymentID.IsZero():
		w.returnRun(ctx, r, out.message)
	case out.message != "":
		if out.failed { // a plain command: its exit code is its outcome
			w.propose(ctx, r.id(), core.Failed, out.message)
			break
		}
		w.crash(ctx, r.id(), out.message, out.recoverable)
	case out.unmanaged:
		w.propose(ctx, r.id(), core.Completed, "")
	default:
		w.confirm(ctx, r)
	}
	log.Info("run left", "after", time.Since(began).Round(time.Millisecond), "outcome", out.text())
}

// outcome is how an attempt to execute ended.
type outcome struct {
	message     string // what went wrong; empty when nothing did
	recoverable bool
	finished    bool // it ended by itself
	killed      bool // by us, after the grace
	unmanaged   bool // a command that knows nothing of runs
	failed      bool // its message is a failure, not a crash
	lacks       bool // this machine lacks what the run needs
}

func (o outcome) text() string {
	if o.message != "" {
		return o.message
	}
	return "ok"
}

func (w *Worker) perform(r *run) outcome {
	if w.cfg.InProcess != nil {
		handled, err := w.inProcess(r)
		switch finished := r.ctx.Err() == nil; {
		case err != nil:
			return outcome{message: err.Error(), finished: finished}
		case handled:
			return outcome{finished: finished}
		}
	}
	if w.cfg.APIURL == "" {
		return w.refused(r, errNoAddress)
	}
	l, err := w.prepare(r)
	if err != nil {
		return w.refused(r, err)
	}
	return w.process(r, l)
}

func (w *Worker) inProcess(r *run) (handled bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			handled, err = true, fmt.Errorf("panic: %v", p)
		}
	}()
	return w.cfg.InProcess(r.ctx, r.claim)
}

// refused is a run that could not be started: the reason is its log too.
func (w *Worker) refused(r *run, err error) outcome {
	if r.ctx.Err() != nil {
		return outcome{}
	}
	text := err.Error()
	if e, ok := errors.AsType[*build.Error](err); ok {
		text = e.Output
	}
	w.logs.text(r.id(), 40, text)
	w.logs.flush(shipDeadline)
	return outcome{message: err.Error(), finished: true, lacks: lacks(err)}
}

// confirm makes sure that a process which ended well has said how the run stands.
func (w *Worker) confirm(ctx context.Context, r *run) {
	w.keepTrying(ctx, "read the run", func() error {
		fr, err := w.orch.FlowRun(ctx, r.id())
		if err != nil {
			return err
		}
		switch fr.StateType {
		case core.Cancelling:
			_, err = w.orch.SetFlowRunState(ctx, r.id(), core.StateCreate{Type: core.Cancelled}, true)
		case core.Pending, core.Running:
			_, err = w.orch.ReportCrash(ctx, r.id(), "the process ended without saying how the run ended", false)
		}
		return err
	})
}

// acknowledge makes a cancelled run CANCELLED unless its engine has done so.
func (w *Worker) acknowledge(ctx context.Context, id, token core.UUID, message string) {
	if !token.IsZero() {
		ctx = core.WithRunToken(ctx, token)
	}
	w.keepTrying(ctx, "acknowledge the cancellation", func() error {
		fr, err := w.orch.FlowRun(ctx, id)
		if err != nil || fr.StateType.Final() && fr.StateType != core.Crashed {
			return err
		}
		if fr.EmpiricalPolicy.CancelAt != nil && fr.StateType != core.Cancelling {
			return nil // it is woken to clean up
		}
		if fr.StateType == core.Cancelling && !token.IsZero() {
			// Undos of the flow may be left, with which another process goes on.
			_, err = w.orch.ReportCrash(ctx, id, message, true)
			return err
		}
		if fr.StateType == core.Crashed { // an engine that takes every signal for a crash; the lease ended with it
			ctx = core.WithRunToken(ctx, core.UUID{})
		}
		_, err = w.orch.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Cancelled, Message: &message}, true)
		return err
	})
}

func (w *Worker) crash(ctx context.Context, id core.UUID, message string, recoverable bool) {
	w.keepTrying(ctx, "report the crash", func() error {
		_, err := w.orch.ReportCrash(ctx, id, message, recoverable)
		return err
	})
}

func (w *Worker) propose(ctx context.Context, id core.UUID, t core.StateType, message string) {
	s := core.StateCreate{Type: t}
	if message != "" {
		s.Message = &message
	}
	w.keepTrying(ctx, "set the state", func() error {
		_, err := w.orch.SetFlowRunState(ctx, id, s, false)
		return err
	})
}

// keepTrying outlasts a server that is away: for a stopping worker a little,
// else as long as it takes. A lost lease ends it, for then others speak for the run.
func (w *Worker) keepTrying(ctx context.Context, what string, do func() error) {
	again := outage()
	for n := 0; ; n++ {
		err := do()
		if err == nil || core.CodeOf(err) == core.ELeaseLost || core.IsNotFound(err) {
			return
		}
		w.mu.Lock()
		stopping := w.stopping
		w.mu.Unlock()
		if !isTransient(err) || (stopping && n >= 5) || (n >= 20 && core.CodeOf(err) == core.EInternal) {
			w.log.Error("could not "+what, "error", err)
			return
		}
		if n == 0 {
			w.log.Warn("could not "+what+"; trying again", "error", err)
		}
		_ = again.Wait(ctx)
	}
}
