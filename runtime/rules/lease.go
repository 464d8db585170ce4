package rules

import (
	"github.com/flowlite/flowlite/runtime/core"
)

// HoldsLease says whether a run in this state is somebody's to execute: a
// lease outlives no transition to a state that is not.
func HoldsLease(s *core.State, p core.FlowRunPolicy) bool {
	switch s.Type {
	case core.Pending, core.Running, core.Cancelling:
		return true
	case core.Paused:
		return !s.Details.PauseReschedule
	case core.Scheduled:
		return s.Name == core.NameAwaitingRetry && core.Deref(p.RetryType) == "in_process"
	}
	return false
}

// DecideLoss says what becomes of a run whose process is gone: it resumes
// elsewhere where it can, else it ends. A nil state with ABORT means there was
// nothing to lose. recoveries is the run's new count.
func DecideLoss(run *core.FlowRun, text string, recoverable bool, now core.Time) (d Decision, recoveries int64) {
	d = Decision{Status: core.Accept, Policy: run.EmpiricalPolicy}
	recoveries = run.Recoveries
	if run.State == nil || !HoldsLease(run.State, run.EmpiricalPolicy) {
		d.Status, d.Reason = core.Abort, "Nothing executes this run."
		if run.StateType.Final() {
			d.Reason = "Run is already in terminal state " + string(run.StateType) + "."
		}
		return d, recoveries
	}
	if run.StateType == core.Cancelling {
		d.State = NewState(core.Cancelled, "", "Cancelled: "+text, now)
		return d, recoveries
	}
	crashed := func(why string) (Decision, int64) {
		d.State = NewState(core.Crashed, "", why, now)
		return d, recoveries
	}
	switch {
	case !recoverable:
		return crashed(text)
	case run.DeploymentID.IsZero():
		return crashed(text + "; a run without a deployment cannot resume elsewhere")
	case run.StateType == core.Paused:
		d.State = pausedAgain(run.State, text, now)
		return d, recoveries
	case recoveries >= core.MaxRecoveries:
		return crashed(text + "; it was resumed as often as is allowed")
	}
	recoveries++
	if core.Deref(d.Policy.RetryType) == "in_process" {
		d.Policy.RetryType = core.Ptr("reschedule")
	}
	if run.StateType == core.Scheduled {
		d.State = ScheduledAt(run.State.Details.ScheduledTime, core.NameAwaitingRetry, text, now)
		d.State.Data = run.State.Data
		return d, recoveries
	}
	// A run that was lost before it ran begins as it would have begun.
	d.Policy.Resuming = d.Policy.Resuming || run.StateType == core.Running
	d.State = ScheduledAt(now, core.NameResuming, text, now)
	return d, recoveries
}

// DecideUndoLoss says what becomes of a run with undos whose process is gone
// while it was being cancelled: another process goes on with them. Whoever
// cancels the run again ends it without.
func DecideUndoLoss(run *core.FlowRun, text string, now core.Time) Decision {
	d := Decision{Status: core.Accept, Policy: run.EmpiricalPolicy}
	if id := run.State.Details.TransitionID; !id.IsZero() {
		d.Policy.CancelID = &id
	}
	d.State = wake(&d.Policy, run.State, text+". "+WokenToCancel, now)
	return d
}

// pausedAgain is a pause whose process is gone: it resumes by being rescheduled.
func pausedAgain(s *core.State, text string, now core.Time) *core.State {
	p := NewState(core.Paused, core.NameSuspended, text, now)
	p.Details = s.Details
	p.Details.PauseReschedule = true
	p.Details.TransitionID = core.UUID{}
	return p
}
