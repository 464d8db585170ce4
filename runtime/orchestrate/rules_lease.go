package orchestrate

import (
	"github.com/flowlite/flowlite/runtime/core"
)

// holdsLease says whether a run in this state is somebody's to execute: a
// lease outlives no transition to a state that is not.
func holdsLease(s *core.State, p core.FlowRunPolicy) bool {
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

// decideLoss says what becomes of a run whose process is gone: it resumes
// elsewhere where it can, else it ends. A nil state with ABORT means there was
// nothing to lose. recoveries is the run's new count.
func decideLoss(run *core.FlowRun, text string, recoverable bool, now core.Time) (d decision, recoveries int64) {
	d = decision{status: core.Accept, policy: run.EmpiricalPolicy}
	recoveries = run.Recoveries
	if run.State == nil || !holdsLease(run.State, run.EmpiricalPolicy) {
		d.status, d.reason = core.Abort, "Nothing executes this run."
		if run.StateType.Final() {
			d.reason = "Run is already in terminal state " + string(run.StateType) + "."
		}
		return d, recoveries
	}
	if run.StateType == core.Cancelling {
		d.state = stateOf(core.Cancelled, "", "Cancelled: "+text, now)
		return d, recoveries
	}
	crashed := func(why string) (decision, int64) {
		d.state = stateOf(core.Crashed, "", why, now)
		return d, recoveries
	}
	switch {
	case !recoverable:
		return crashed(text)
	case run.DeploymentID.IsZero():
		return crashed(text + "; a run without a deployment cannot resume elsewhere")
	case run.StateType == core.Paused:
		d.state = pausedAgain(run.State, text, now)
		return d, recoveries
	case recoveries >= core.MaxRecoveries:
		return crashed(text + "; it was resumed as often as is allowed")
	}
	recoveries++
	if core.Deref(d.policy.RetryType) == "in_process" {
		d.policy.RetryType = core.Ptr("reschedule")
	}
	if run.StateType == core.Scheduled {
		d.state = scheduledAt(run.State.Details.ScheduledTime, core.NameAwaitingRetry, text, now)
		d.state.Data = run.State.Data
		return d, recoveries
	}
	// A run that was lost before it ran begins as it would have begun.
	d.policy.Resuming = d.policy.Resuming || run.StateType == core.Running
	d.state = scheduledAt(now, core.NameResuming, text, now)
	return d, recoveries
}

// pausedAgain is a pause whose process is gone: it resumes by being rescheduled.
func pausedAgain(s *core.State, text string, now core.Time) *core.State {
	p := stateOf(core.Paused, core.NameSuspended, text, now)
	p.Details = s.Details
	p.Details.PauseReschedule = true
	p.Details.TransitionID = core.UUID{}
	return p
}
