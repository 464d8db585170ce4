package orchestrate

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
)

func newLease(run, holder core.UUID, worker string, now core.Time) *core.Lease {
	return &core.Lease{FlowRunID: run, Holder: holder, Worker: worker, Token: core.NewID(), Expires: now.Add(core.LeaseSeconds.Duration())}
}

// LeaseRun takes the lease of a run that nobody holds. ELeaseLost while another
// holds it, EConflict if the run has finished.
func (s *Service) LeaseRun(ctx context.Context, flowRunID, holder core.UUID) (*core.Lease, error) {
	var lease *core.Lease
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, flowRunID)
		if err != nil {
			return flowRunError(err, flowRunID)
		}
		if run.StateType.Final() {
			return core.Errorf(core.EConflict, "Flow run %s has finished; there is nothing to lease.", flowRunID)
		}
		now := s.now()
		old, err := tx.Lease(ctx, flowRunID)
		switch {
		case core.IsNotFound(err):
			lease = newLease(flowRunID, holder, "", now)
		case err != nil:
			return err
		case old.Holder == holder:
			lease = old
			lease.Expires = now.Add(core.LeaseSeconds.Duration())
		case old.Expires.After(now):
			return leaseLost(flowRunID)
		default:
			lease = newLease(flowRunID, holder, "", now)
		}
		return tx.PutLease(ctx, lease)
	})
	if err != nil {
		return nil, err
	}
	lease.Auth = s.runAuth(flowRunID, lease.Token)
	return lease, nil
}

func (s *Service) RenewLeases(ctx context.Context, holder core.UUID) (held []core.UUID, err error) {
	err = s.store.Write(ctx, func(tx core.Tx) (err error) {
		held, err = tx.RenewLeases(ctx, holder, s.now().Add(core.LeaseSeconds.Duration()))
		return err
	})
	return held, err
}

// ReportCrash says that the process of a run ended without a final state.
func (s *Service) ReportCrash(
	ctx context.Context,
	flowRunID core.UUID,
	message string,
	recoverable bool,
) (*core.OrchestrationResult, error) {
	message = *s.blocks.MaskMessage(ctx, &message)
	var result *core.OrchestrationResult
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, flowRunID)
		if err != nil {
			return flowRunError(err, flowRunID)
		}
		if run.State == nil || !rules.HoldsLease(run.State, run.EmpiricalPolicy) {
			d, _ := rules.DecideLoss(run, message, recoverable, s.now())
			result = d.Result(run.State)
			return nil
		}
		if err := s.checkToken(ctx, tx, run); err != nil {
			return err
		}
		result, err = s.loseRun(ctx, tx, out, run, core.CutText(core.CleanText(message), 10_000), recoverable)
		return err
	})
	return result, err
}

// loseRun does what decideLoss says to a locked run, gives its lease up, and
// closes what executed within it where it has ended.
func (s *Service) loseRun(
	ctx context.Context,
	tx stateTx,
	out *commit.Outbox,
	run *core.FlowRun,
	text string,
	recoverable bool,
) (*core.OrchestrationResult, error) {
	if recoverable && run.StateType == core.Running && !run.DeploymentID.IsZero() {
		switch d, err := tx.Deployment(ctx, run.DeploymentID); {
		case err != nil && !core.IsNotFound(err):
			return nil, err
		case err == nil && d.Python(): // its steps are not ours to know: it is not done again unasked
			recoverable = false
		}
	}
	d, recoveries := rules.DecideLoss(run, text, recoverable, s.now())
	undos, err := s.hasUndos(ctx, tx, run, recoverable)
	if err != nil {
		return nil, err
	}
	if undos {
		d = rules.DecideUndoLoss(run, text, s.now())
	}
	if err := tx.DeleteLease(ctx, run.ID); err != nil && !core.IsNotFound(err) {
		return nil, err
	}
	if d.State == nil {
		return d.Result(run.State), nil
	}
	run.Recoveries = recoveries
	if err := s.enterFlow(ctx, tx, out, run, &d, d.State.Type); err != nil {
		return nil, err
	}
	if run.StateType.Final() {
		if err := s.closeWithin(ctx, tx, out, run, run.StateType); err != nil {
			return nil, err
		}
	}
	return d.Result(run.State), nil
}

// hasUndos tells whether the run was being cancelled for the first time and its
// flow has registered undos, so that another process is to go on with them.
func (s *Service) hasUndos(ctx context.Context, tx stateTx, run *core.FlowRun, recoverable bool) (bool, error) {
	if !recoverable || run.StateType != core.Cancelling || run.DeploymentID.IsZero() || run.EmpiricalPolicy.CancelAt != nil {
		return false, nil
	}
	list, err := tx.TaskRuns(ctx, core.Filters{TaskRuns: &core.TaskRunFilter{
		FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}},
		Name:      &core.TextFilter{Like: core.Ptr(core.CompensateTask)},
	}}, core.Page{Limit: 1})
	return len(list) > 0, err
}

// closeWithin ends the live task runs of a run and its live sub-flows that
// executed in its process.
func (s *Service) closeWithin(ctx context.Context, tx stateTx, out *commit.Outbox, run *core.FlowRun, t core.StateType) error {
	children, err := tx.FlowRunChildren(ctx, run.ID)
	if err != nil {
		return err
	}
	for _, child := range children {
		if !child.DeploymentID.IsZero() || child.StateType.Final() {
			continue
		}
		if child, err = tx.LockFlowRun(ctx, child.ID); err != nil {
			return err
		}
		d := rules.Decision{Status: core.Accept, Policy: child.EmpiricalPolicy, State: rules.NewState(t, "", endedWithParent, s.now())}
		if err := s.enterFlow(ctx, tx, out, child, &d, t); err != nil {
			return err
		}
		if err := s.closeWithin(ctx, tx, out, child, t); err != nil {
			return err
		}
	}
	return s.closeTasks(ctx, tx, out, run.ID, t)
}

const endedWithParent = "Ended together with the run that it was part of."

var liveTypes = []core.StateType{core.Scheduled, core.Pending, core.Running, core.Paused, core.Cancelling}

// closeTasks ends a run's live task runs; placeholders follow their sub-flows.
func (s *Service) closeTasks(ctx context.Context, tx stateTx, out *commit.Outbox, id core.UUID, t core.StateType) error {
	no := false
	live := core.Filters{TaskRuns: &core.TaskRunFilter{
		FlowRunID:   &core.IDFilter{Any: []core.UUID{id}},
		State:       &core.StateFilter{Type: &core.StateTypeFilter{Any: liveTypes}},
		SubflowRuns: &core.ExistsFilter{Exists: &no},
	}}
	for {
		tasks, err := tx.TaskRuns(ctx, live, core.Page{Limit: core.MaxLimit})
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if task, err = tx.LockTaskRun(ctx, task.ID); err != nil {
				return err
			}
			if task.StateType.Final() {
				continue
			}
			before := task.State
			rules.ApplyTaskState(task, rules.NewState(t, "", endedWithParent, s.now()))
			if err := tx.SetTaskRunState(ctx, task); err != nil {
				return err
			}
			out.OwnEvent(taskRunEvent(task, taskRunPayload(task), before, task.State, nil))
		}
		if len(tasks) > 0 {
			out.Run(id)
		}
		if len(tasks) < core.MaxLimit {
			return nil
		}
	}
}

// sweepBatch is how many rows a sweep takes up at once.
const sweepBatch = 100

// ExpireLeases takes runs from holders that did not renew although they could.
func (s *Service) ExpireLeases(ctx context.Context) (int, error) {
	n := 0
	for {
		expired, err := s.store.ExpiredLeases(ctx, s.outage.expiryCutoff(s.now()), sweepBatch)
		if !s.store.Shared() {
			s.outage.observe(s.now(), err)
		}
		if err != nil {
			return n, err
		}
		for _, l := range expired {
			if err := s.expireLease(ctx, l); err != nil {
				return n, err
			}
			n++
		}
		if len(expired) < sweepBatch {
			return n, nil
		}
	}
}

func (s *Service) expireLease(ctx context.Context, l *core.Lease) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, l.FlowRunID)
		if core.IsNotFound(err) {
			err = tx.DeleteLease(ctx, l.FlowRunID)
			if core.IsNotFound(err) {
				return nil
			}
			return err
		}
		if err != nil {
			return err
		}
		// It may have been renewed, or given to another, since it was listed.
		now, err := tx.Lease(ctx, l.FlowRunID)
		if core.IsNotFound(err) || err == nil && (now.Token != l.Token || now.Expires.After(s.now())) {
			return nil
		}
		if err != nil {
			return err
		}
		who := "its process"
		if l.Worker != "" {
			who = "its worker " + l.Worker
		}
		text := who + " has not been heard of for " + core.LeaseSeconds.Duration().Round(time.Second).String()
		_, err = s.loseRun(ctx, tx, out, run, text, true)
		return err
	})
}
