package orchestrate

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	lateAfter    = 15 * time.Second
	cancelledFor = 24 * time.Hour
)

// MarkLate names runs Late that are still Scheduled well after their time.
func (s *Service) MarkLate(ctx context.Context) (int, error) {
	return s.sweep(ctx, func() ([]core.UUID, error) {
		return s.store.LateFlowRuns(ctx, s.now().Add(-lateAfter), sweepBatch)
	}, func(tx core.Tx, out *commit.Outbox, id core.UUID) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil || run.StateType != core.Scheduled || run.StateName != core.Scheduled.Name() {
			return err
		}
		now := s.now()
		late := rules.ScheduledAt(run.State.Details.ScheduledTime, core.NameLate, core.Deref(run.State.Message), now)
		late.Details = run.State.Details
		late.Details.TransitionID = core.UUID{}
		d := rules.DecideFlow(run, late, rules.Facts{Now: now}, rules.Late)
		if d.State == nil {
			return nil
		}
		due := run.NextScheduledStartTime
		if late.Details.ScheduledTime == 0 {
			late.Details.ScheduledTime = due
		}
		late.Details.Wakes = run.State.Details.Wakes
		return s.enterFlow(ctx, tx, out, run, &d, core.Scheduled)
	})
}

// ExpirePauses ends the pauses of runs that were not resumed in time. The runs
// of flowlite's own engine go on and see it; others fail, as with Prefect.
func (s *Service) ExpirePauses(ctx context.Context) (int, error) {
	return s.sweep(ctx, func() ([]core.UUID, error) {
		return s.store.PausedPast(ctx, s.now(), sweepBatch)
	}, func(tx core.Tx, out *commit.Outbox, id core.UUID) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil || run.StateType != core.Paused {
			return err
		}
		if run.State.Details.Wakes {
			return s.wakeUnanswered(ctx, tx, out, run)
		}
		d := rules.Decision{Status: core.Accept, Policy: run.EmpiricalPolicy, State: rules.NewState(core.Failed, "", rules.NeverResumed, s.now())}
		if err := s.enterFlow(ctx, tx, out, run, &d, core.Failed); err != nil {
			return err
		}
		return s.closeWithin(ctx, tx, out, run, core.Failed)
	})
}

// wakeUnanswered lets the flow go on and see that nobody answered.
func (s *Service) wakeUnanswered(ctx context.Context, tx proposalTx, out *commit.Outbox, run *core.FlowRun) error {
	key := core.UnansweredKey(core.Deref(run.State.Details.PauseKey))
	c := core.StateCreate{Type: core.Running, Details: core.StateDetails{PauseKey: &key, Wakes: true}}
	if run.State.Details.PauseReschedule {
		c.Type, c.Name = core.Scheduled, core.NameResuming
	}
	_, err := s.proposeFlowState(ctx, tx, out, run, c, false)
	return err
}

// CleanCancelled ends what is still live within cancelled runs: tasks and
// in-process sub-flows at once, deployed sub-flows by asking their workers.
func (s *Service) CleanCancelled(ctx context.Context) (int, error) {
	return s.sweep(ctx, func() ([]core.UUID, error) {
		return s.store.CancelledSince(ctx, s.now().Add(-cancelledFor), sweepBatch)
	}, func(tx core.Tx, out *commit.Outbox, id core.UUID) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil || run.StateType != core.Cancelled {
			return err
		}
		children, err := tx.FlowRunChildren(ctx, id)
		if err != nil {
			return err
		}
		for _, child := range children {
			if child.DeploymentID.IsZero() || child.StateType.Final() || child.StateType == core.Cancelling {
				continue
			}
			if child, err = tx.LockFlowRun(ctx, child.ID); err != nil {
				return err
			}
			if child.EmpiricalPolicy.CancelAt != nil {
				continue // it is being cancelled; to ask again ends it without its clean-up
			}
			c := core.StateCreate{Type: core.Cancelling, Message: core.Ptr("The run that it was part of was cancelled.")}
			if _, err := s.proposeFlowState(ctx, tx, out, child, c, true); err != nil {
				return err
			}
		}
		return s.closeWithin(ctx, tx, out, run, core.Cancelled)
	})
}

// sweep does what a list names, each in its own transaction, so that one
// stubborn row does not hold up the others; what fails is met again next time.
func (s *Service) sweep(
	ctx context.Context,
	list func() ([]core.UUID, error),
	one func(core.Tx, *commit.Outbox, core.UUID) error,
) (n int, first error) {
	ids, err := list()
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error { return one(tx, out, id) })
		switch {
		case err == nil:
			n++
		case core.IsNotFound(err):
		case first == nil:
			first = err
		}
	}
	return n, first
}
