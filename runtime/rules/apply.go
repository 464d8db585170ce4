package rules

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// ApplyFlowState moves a run to a state: all that a transition changes on the
// run besides its policy's rules. It gives the state its ids and makes its
// timestamp later than the one before, since (run, timestamp) is unique.
func ApplyFlowState(run *core.FlowRun, s *core.State, policy core.FlowRunPolicy) {
	from := run.StateType
	if s.Timestamp <= run.StateTimestamp {
		s.Timestamp = run.StateTimestamp + 1
	}
	s.Details.FlowRunID, s.Details.TaskRunID = run.ID, run.ParentTaskRunID
	if from == core.Cancelling && s.Type == core.Cancelled {
		keepCanceller(run.State, s)
	}
	if run.StateID.IsZero() {
		run.ExpectedStartTime = s.Timestamp
		if s.Details.ScheduledTime != 0 {
			run.ExpectedStartTime = s.Details.ScheduledTime
		}
	}
	if from == core.Running {
		run.TotalRunTime += s.Timestamp.Sub(run.StateTimestamp).Seconds()
	}
	run.NextScheduledStartTime = 0
	switch {
	case s.Type == core.Running:
		if run.StartTime == 0 {
			run.StartTime = s.Timestamp
		}
		if !policy.Resuming && !resumedInProcess(run.State) {
			run.RunCount++
		}
	case s.Type == core.Scheduled:
		run.NextScheduledStartTime = s.Details.ScheduledTime
	case s.Type.Final():
		if run.StartTime != 0 && run.EndTime == 0 {
			run.EndTime = s.Timestamp
		}
	}
	if !s.Type.Final() {
		run.EndTime = 0
	}
	if s.Type == core.Running || s.Type.Final() {
		policy.Resuming = false
	}
	if from == core.Paused && (s.Type == core.Running || s.Type == core.Scheduled) {
		policy.Resuming = true
	}
	if policy.PauseKeys == nil {
		policy.PauseKeys = []string{} // never null in JSON
	}
	run.EmpiricalPolicy = policy
	run.State, run.StateID, run.StateType, run.StateName = s, s.ID, s.Type, s.Name
	run.StateTimestamp, run.Updated = s.Timestamp, s.Timestamp
}

// CancelledBy begins the message of a state in which a person cancelled a run; their
// name follows.
const CancelledBy = "Cancelled by "

// keepCanceller keeps who cancelled a run in the message of the state that it ends in.
func keepCanceller(asked, end *core.State) {
	if asked == nil || !strings.HasPrefix(core.Deref(asked.Message), CancelledBy) {
		return
	}
	text := *asked.Message
	if why := core.Deref(end.Message); why != "" {
		text += ": " + why
	}
	end.Message = &text
}

// resumedInProcess tells whether the state is a pause in which the process of a
// Go flow waits: the attempt goes on. Runs of Prefect clients count, as in Prefect.
func resumedInProcess(s *core.State) bool {
	return s != nil && s.Type == core.Paused && s.Details.Wakes
}

// ApplyTaskState is the same for a task run.
func ApplyTaskState(run *core.TaskRun, s *core.State) {
	from := run.StateType
	if s.Timestamp <= run.StateTimestamp {
		s.Timestamp = run.StateTimestamp + 1
	}
	s.Details.FlowRunID, s.Details.TaskRunID = run.FlowRunID, run.ID
	if run.StateID.IsZero() {
		run.ExpectedStartTime = s.Timestamp
		if s.Details.ScheduledTime != 0 {
			run.ExpectedStartTime = s.Details.ScheduledTime
		}
	}
	if from == core.Running {
		run.TotalRunTime += s.Timestamp.Sub(run.StateTimestamp).Seconds()
	}
	run.NextScheduledStartTime = 0
	switch {
	case s.Type == core.Running:
		if run.StartTime == 0 {
			run.StartTime = s.Timestamp
		}
		run.RunCount++
	case s.Type == core.Scheduled:
		run.NextScheduledStartTime = s.Details.ScheduledTime
	case s.Type.Final():
		if run.StartTime != 0 && run.EndTime == 0 {
			run.EndTime = s.Timestamp
		}
	}
	if !s.Type.Final() {
		run.EndTime = 0
	}
	run.State, run.StateID, run.StateType, run.StateName = s, s.ID, s.Type, s.Name
	run.StateTimestamp, run.Updated = s.Timestamp, s.Timestamp
}
