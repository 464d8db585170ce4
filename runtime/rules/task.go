package rules

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// taskChange is a proposal for a task run that the server orchestrates.
type taskChange struct {
	*change
	run *core.TaskRun
}

var taskRules = []func(*taskChange) bool{
	fromCache,
	leaveTaskTerminal,
	enclosingFlowRuns,
	tagSlots,
	func(c *taskChange) bool { return copyTime(c.change) },
	func(c *taskChange) bool { return waitForTime(c.change) },
	retryTask,
	renameRetry,
	countFlowRuns,
}

// deferredTaskRules are for background tasks, which no flow encloses.
var deferredTaskRules = []func(*taskChange) bool{
	fromCache,
	leaveTaskTerminal,
	taskClaimRace,
	copyTaskParameters,
	func(c *taskChange) bool { return copyTime(c.change) },
	func(c *taskChange) bool { return waitForTime(c.change) },
	retryTask,
	renameRetry,
}

// DecideTask decides on a proposed state of a task run. It may change the
// proposal's name and details, and the run's counts, where it accepts.
func DecideTask(run *core.TaskRun, proposed *core.State, f Facts) Decision {
	c := &taskChange{change: newChange(run.State, proposed, f), run: run}
	rules := taskRules
	if proposed.Details.Deferred || run.State != nil && run.State.Details.Deferred {
		rules = deferredTaskRules
	}
	for _, rule := range rules {
		if rule(c) {
			break
		}
	}
	return c.Decision
}

func fromCache(c *taskChange) bool {
	if c.to != core.Running || c.facts.Cached == nil {
		return false
	}
	s := NewState(core.Completed, core.NameCached, "", c.facts.Now)
	s.Message, s.Data = c.facts.Cached.Message, c.facts.Cached.Data
	s.Details = c.facts.Cached.Details
	s.Details.CacheKey = c.proposed.Details.CacheKey
	return c.instead(s, "Retrieved state from cache")
}

func leaveTaskTerminal(c *taskChange) bool {
	switch {
	case !c.from.Final():
		return false
	case c.to == core.Cancelling || c.to == core.Crashed:
		return c.abort(fmt.Sprintf("Run is already in terminal state %s.", c.from))
	case c.to.Final():
		return false
	case c.from == core.Completed && hasResult(c.current):
		return c.keep("This run is already completed.")
	}
	c.Reset = true
	return false
}

func enclosingFlowRuns(c *taskChange) bool {
	if c.to != core.Running || c.run.FlowRunID.IsZero() {
		return false
	}
	f := c.facts.FlowRun
	switch {
	case f != nil && f.StateType == core.Running:
		return false
	case f != nil && f.StateType == core.Paused:
		s := NewState(core.Paused, core.NameNotReady, "", c.facts.Now)
		if f.State != nil {
			s.Details.PauseTimeout = f.State.Details.PauseTimeout
		}
		return c.instead(s, fmt.Sprintf("The flow is paused, new tasks can execute after resuming flow run: %s.", f.ID))
	}
	return c.abort("The enclosing flow must be running to begin task execution.")
}

// tagSlots: the slots themselves are taken when the state is written.
func tagSlots(c *taskChange) bool {
	if c.to != core.Running || c.facts.Full == nil {
		return false
	}
	if c.facts.Full.RetryAfter == 0 {
		return c.abort(c.facts.Full.Message)
	}
	return c.wait(int64(c.facts.Full.RetryAfter), c.facts.Full.Message)
}

func taskClaimRace(c *taskChange) bool {
	if c.to != core.Pending {
		return false
	}
	switch c.from {
	case core.Pending, core.Running, core.Cancelling, core.Cancelled:
		return c.abort(fmt.Sprintf("This run is in a %s state and cannot transition to a PENDING state.", c.from))
	}
	return false
}

func copyTaskParameters(c *taskChange) bool {
	if c.current != nil && c.proposed.Details.TaskParametersID.IsZero() {
		c.proposed.Details.TaskParametersID = c.current.Details.TaskParametersID
		c.proposed.Details.Deferred = c.proposed.Details.Deferred || c.current.Details.Deferred
	}
	return false
}

func retryTask(c *taskChange) bool {
	if c.from != core.Running || c.to != core.Failed {
		return false
	}
	p := c.run.EmpiricalPolicy
	retries := p.MaxRetries
	if p.Retries != nil {
		retries = *p.Retries
	}
	if r := c.proposed.Details.Retriable; c.run.RunCount > retries || r != nil && !*r {
		return false
	}
	delay := retryDelay(p, c.run.RunCount)
	if p.RetryJitterFactor != nil {
		delay *= 1 + *p.RetryJitterFactor*c.facts.Jitter
	}
	due := c.facts.Now.Add(time.Duration(delay * float64(time.Second)))
	s := ScheduledAt(due, core.NameAwaitingRetry, "", c.facts.Now)
	s.Message, s.Data = c.proposed.Message, c.proposed.Data
	s.Details.Deferred, s.Details.TaskParametersID = c.proposed.Details.Deferred, c.proposed.Details.TaskParametersID
	return c.instead(s, "Retrying")
}

// retryDelay is the wait after the n-th attempt: one number, or the n-th of a
// list, whose last number serves all later attempts.
func retryDelay(p core.TaskRunPolicy, attempt int64) float64 {
	if p.RetryDelay.IsNull() {
		return p.RetryDelaySeconds
	}
	var one float64
	if json.Unmarshal(p.RetryDelay, &one) == nil {
		return one
	}
	var list []float64
	if json.Unmarshal(p.RetryDelay, &list) != nil || len(list) == 0 {
		return 0
	}
	return list[min(max(int(attempt)-1, 0), len(list)-1)]
}

func renameRetry(c *taskChange) bool {
	if c.to != core.Running || c.run.RunCount == 0 || c.current == nil || c.Reset {
		return false
	}
	if c.current.Name == core.NameAwaitingRetry {
		c.proposed.Name = core.NameRetrying
	} else {
		c.proposed.Name = core.NameRerunning
	}
	return false
}

func countFlowRuns(c *taskChange) bool {
	if c.to == core.Running && c.facts.FlowRun != nil {
		c.run.FlowRunRunCount = c.facts.FlowRun.RunCount
	}
	return false
}
