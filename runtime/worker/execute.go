package worker

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// deployments is what an Orchestrator may know besides: the deployment of an id.
type deployments interface {
	DeploymentByID(ctx context.Context, id core.UUID) (*core.Deployment, error)
}

// Execute runs one flow run here, whatever pool it waits in, and returns when
// its process has ended and all has been said of it; the run's own outcome is
// no error. It is for a worker that was not started. EConflict if the run has
// ended or is not due, ELeaseLost while another has it.
func (w *Worker) Execute(ctx context.Context, id core.UUID) error {
	lease, err := w.orch.LeaseRun(ctx, id, w.holder)
	if err != nil {
		return err
	}
	c := core.Claim{Token: lease.Token}
	if c.FlowRun, err = w.pending(core.WithRunToken(ctx, lease.Token), id); err != nil {
		return err
	}
	if c.Flow, err = w.orch.Flow(ctx, c.FlowRun.FlowID); err != nil {
		return err
	}
	if d, ok := w.orch.(deployments); ok && !c.FlowRun.DeploymentID.IsZero() {
		if c.Deployment, err = d.DeploymentByID(ctx, c.FlowRun.DeploymentID); err != nil {
			return err
		}
	}
	if name := core.Deref(c.FlowRun.WorkPoolName); name != "" {
		if c.WorkPool, err = w.orch.WorkPoolByName(ctx, name); err != nil {
			return err
		}
	}
	return w.executeAll(ctx, c)
}

// pending makes the run PENDING, unless a worker that hands it on has done so.
func (w *Worker) pending(ctx context.Context, id core.UUID) (*core.FlowRun, error) {
	r, err := w.orch.FlowRun(ctx, id)
	if err != nil || r.StateType == core.Pending {
		return r, err
	}
	res, err := w.orch.SetFlowRunState(ctx, id, core.StateCreate{Type: core.Pending}, false)
	if err != nil {
		return nil, err
	}
	if res.Status != core.Accept {
		return nil, core.Errorf(core.EConflict, "%s is %s and cannot be executed now: %s", r.Name, r.StateName, core.Deref(res.Details.Reason))
	}
	return w.orch.FlowRun(ctx, id)
}

// watchCancel hears of a cancellation, of which a poll would tell.
func (w *Worker) watchCancel(ctx context.Context, r *core.FlowRun) {
	state, again := r.StateID, outage()
	for ctx.Err() == nil {
		next, err := w.orch.WaitFlowRun(ctx, r.ID, state, 10)
		switch {
		case err != nil:
			_ = again.Wait(ctx)
			continue
		case next.StateType == core.Cancelling:
			w.cancel(r.ID)
			return
		case next.StateType.Final():
			return
		}
		state = next.StateID
		again.Reset()
	}
}

// RunOnce takes the runs that are due now, executes them and returns how many
// there were. It is for a worker that was not started.
func (w *Worker) RunOnce(ctx context.Context) (int, error) {
	if err := w.join(ctx); err != nil {
		return 0, err
	}
	defer w.leave(ctx)
	free := noLimit
	if w.cfg.Limit > 0 {
		free = w.cfg.Limit
	}
	res, err := w.orch.Poll(ctx, core.PollRequest{Pool: w.cfg.Pool, Queues: w.cfg.Queues, Holder: w.holder, Worker: w.cfg.Name, Free: free,
		Capability: w.capability()})
	if err != nil || len(res.Claims) == 0 {
		return 0, err
	}
	return len(res.Claims), w.executeAll(ctx, res.Claims...)
}

// executeAll launches claims and returns when all has been said of them.
func (w *Worker) executeAll(ctx context.Context, claims ...core.Claim) error {
	runCtx, stopAll := context.WithCancelCause(context.WithoutCancel(ctx))
	w.mu.Lock()
	w.runCtx = runCtx
	w.mu.Unlock()
	w.open()
	w.loops.Go(func() { w.renewLoop(runCtx) })
	for _, c := range claims {
		w.loops.Go(func() { w.watchCancel(runCtx, c.FlowRun) })
		w.launch(c)
	}
	ended := make(chan struct{})
	go func() { w.running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		stopAll(ErrStopped)
		<-ended
	}
	stopAll(nil)
	w.loops.Wait()
	w.closeParts()
	return context.Cause(ctx)
}
