package rules

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// SlotRetry is how long a run waits before it asks for a deployment slot again.
const SlotRetry = 30 * time.Second

// flowChange is a proposal for a flow run.
type flowChange struct {
	*change
	run *core.FlowRun
}

// FlowRules are asked one after the other until one decides.
type FlowRules []func(*flowChange) bool

// Flow has all rules of a flow run in the order in which they are asked. Numbers
// are those of the contract's table; 13 (the event) and 14 (the slot) follow from
// what is written.
var Flow = FlowRules{
	sameTransition,       // 1
	leaveTerminal,        // 2
	leaveCancelling,      // 3
	nothingToTerminate,   // 4
	claimRace,            // 5
	deploymentSlot,       // 6
	lateOnlyIfScheduled,  // 7
	pause,                // 8
	resume,               // 9
	copyScheduledTime,    // 10
	waitForScheduledTime, // 11
	retryInProcess,       // 12
}

// ForcedFlow are asked for forced proposals and first states.
var ForcedFlow = FlowRules{nothingToTerminate}

// Late mark a run late.
var Late = FlowRules{lateOnlyIfScheduled}

// Repeated recognizes a request that was sent again.
var Repeated = FlowRules{sameTransition}

// DecideFlow decides on a proposed state of a flow run. It changes nothing but
// what it returns and the proposal's own scheduled time.
func DecideFlow(run *core.FlowRun, proposed *core.State, f Facts, rules FlowRules) Decision {
	c := &flowChange{change: newChange(run.State, proposed, f), run: run}
	c.Policy = run.EmpiricalPolicy
	kept := c.Policy
	for _, rule := range rules {
		if rule(c) {
			break
		}
	}
	if c.State == nil {
		c.Policy, c.Reset = kept, false
	}
	return c.Decision
}

func sameTransition(c *flowChange) bool {
	if c.current == nil || c.proposed.Details.TransitionID.IsZero() ||
		c.current.Details.TransitionID != c.proposed.Details.TransitionID {
		return false
	}
	return c.keep("This run has already made this state transition.")
}

func leaveTerminal(c *flowChange) bool {
	switch {
	case !c.from.Final():
		return false
	case c.to == core.Cancelling || c.to == core.Paused || c.to == core.Crashed:
		return c.abort(fmt.Sprintf("Run is already in terminal state %s.", c.from))
	case c.to.Final():
		return false
	case c.from == core.Completed && hasResult(c.current):
		return c.keep("Run is already COMPLETED.")
	case c.to == core.Scheduled && c.run.DeploymentID.IsZero():
		return c.abort("Cannot reschedule a run without an associated deployment.")
	}
	c.Policy.Resuming, c.Policy.PauseKeys, c.Policy.RetryType, c.Policy.CancelAt, c.Policy.CancelID = false, nil, nil, nil, nil
	if c.to == core.Scheduled {
		c.Policy.RetryType = core.Ptr("reschedule")
	}
	c.Reset = true
	return false
}

func leaveCancelling(c *flowChange) bool {
	if c.from != core.Cancelling && c.from != core.Cancelled || c.to == core.Cancelled {
		return false
	}
	return c.keep("Cannot transition flows that are cancelling to a state other than Cancelled.")
}

func nothingToTerminate(c *flowChange) bool {
	if c.to != core.Cancelling {
		return false
	}
	switch {
	case c.Policy.CancelID != nil && !c.proposed.Details.TransitionID.IsZero() && *c.Policy.CancelID == c.proposed.Details.TransitionID:
		return c.keep("This run has already made this state transition.")
	case c.current != nil && c.current.Details.Wakes && c.Policy.CancelAt == nil && !c.run.DeploymentID.IsZero() &&
		(c.from == core.Scheduled || c.from == core.Paused && c.current.Details.PauseReschedule):
		if id := c.proposed.Details.TransitionID; !id.IsZero() {
			c.Policy.CancelID = &id
		}
		return c.instead(wake(&c.Policy, c.current, WokenToCancel, c.facts.Now), "The flow run is woken to clean up before it is cancelled.")
	case c.from == core.Scheduled && (c.run.InfrastructurePID == nil || c.current.Name == core.NameResuming):
		return c.instead(cancelledInstead(c), "Scheduled flow run has no infrastructure to terminate.")
	case c.from == core.Paused && c.current.Details.PauseReschedule:
		return c.instead(cancelledInstead(c), "Suspended flow run has no infrastructure to terminate.")
	}
	return false
}

// WokenToCancel is the message of a run that is scheduled only to end.
const WokenToCancel = "Cancelled; scheduled once more for its clean-up. Cancel again to end it without."

// wake schedules a run once more, to end.
func wake(p *core.FlowRunPolicy, current *core.State, text string, now core.Time) *core.State {
	p.CancelAt, p.Resuming = core.Ptr(core.Deref(current.Details.PauseKey)), true
	return ScheduledAt(now, core.NameResuming, text, now)
}

func cancelledInstead(c *flowChange) *core.State {
	s := NewState(core.Cancelled, "", "", c.facts.Now)
	s.Message = c.proposed.Message
	return s
}

func claimRace(c *flowChange) bool {
	if c.to != core.Pending {
		return false
	}
	if n := c.proposed.Name; c.from == core.Pending && n != c.current.Name && n != core.Pending.Name() {
		// A newer runner names the steps of its start, Submitting first, and
		// starts nothing that it is not granted. A second claimer says Pending.
		c.proposed.Details.ScheduledTime = c.current.Details.ScheduledTime
		return false
	}
	switch c.from {
	case core.Pending, core.Running, core.Cancelling, core.Cancelled:
		return c.abort(fmt.Sprintf("This run is in a %s state and cannot transition to a PENDING state.", c.from))
	}
	return false
}

// NeedsSlot says whether the transition asks rule 6, which needs the deployment.
func NeedsSlot(run *core.FlowRun, to core.StateType) bool {
	return to == core.Pending && !run.DeploymentID.IsZero() && !Occupies(run.StateType) && run.StateType != core.Cancelled
}

func deploymentSlot(c *flowChange) bool {
	if !NeedsSlot(c.run, c.to) {
		return false
	}
	d := c.facts.Deployment
	if d == nil {
		return c.abort("The deployment of this run no longer exists.")
	}
	limit := d.GlobalConcurrencyLimit
	if limit == nil || !limit.Active || c.facts.Occupied < limit.Limit {
		return false
	}
	const full = "Deployment concurrency limit reached."
	switch {
	case limit.Limit <= 0:
		return c.abort("The deployment's concurrency limit is 0, so none of its runs can start.")
	case d.ConcurrencyOptions != nil && d.ConcurrencyOptions.CollisionStrategy == "CANCEL_NEW":
		return c.instead(NewState(core.Cancelled, "", full, c.facts.Now), full)
	}
	return c.instead(ScheduledAt(c.facts.Now.Add(SlotRetry), core.NameAwaitingConcurrencySlot, "", c.facts.Now), full)
}

func lateOnlyIfScheduled(c *flowChange) bool {
	if c.to != core.Scheduled || c.proposed.Name != core.NameLate || c.from == core.Scheduled {
		return false
	}
	return c.keep("Only a scheduled run can be late.")
}

func pause(c *flowChange) bool {
	if c.to != core.Paused {
		return false
	}
	d := &c.proposed.Details
	switch {
	case c.current == nil:
		return c.abort("Cannot pause flows with no state.")
	case c.from != core.Running:
		return c.keep("Cannot pause flows that are not currently running.")
	case d.PauseKey != nil && slices.Contains(c.Policy.PauseKeys, *d.PauseKey):
		if d.PauseReschedule {
			return c.keep("This suspend has already fired.")
		}
		return c.keep("This pause has already fired.")
	case d.PauseReschedule && !c.run.ParentTaskRunID.IsZero():
		return c.abort("Cannot suspend subflows.")
	case d.PauseReschedule && c.run.DeploymentID.IsZero():
		return c.abort("Cannot suspend flows without a deployment.")
	}
	d.Wakes = d.Wakes || c.current.Details.Wakes // a person who suspends a run does not know whose it is
	if d.PauseKey != nil {
		c.Policy.PauseKeys = append(slices.Clone(c.Policy.PauseKeys), *d.PauseKey)
	}
	return false
}

const NeverResumed = "The flow was paused and never resumed."

func resume(c *flowChange) bool {
	if c.from != core.Paused {
		return false
	}
	d := &c.current.Details
	switch {
	case c.to != core.Running && c.to != core.Scheduled && !c.to.Final():
		return c.keep(fmt.Sprintf("This run cannot transition to the %s state from the %s state.", c.to, c.from))
	case d.PauseReschedule && c.run.DeploymentID.IsZero():
		return c.keep("Cannot reschedule a paused flow run without a deployment.")
	case d.PauseTimeout == 0 || !d.PauseTimeout.Before(c.facts.Now):
	case d.Wakes:
		key := core.UnansweredKey(core.Deref(d.PauseKey))
		if core.Deref(c.proposed.Details.PauseKey) == key { // else somebody answers late
			c.Policy.PauseKeys = append(slices.Clone(c.Policy.PauseKeys), key)
		}
	default:
		return c.instead(NewState(core.Failed, "", NeverResumed, c.facts.Now),
			"The flow run pause has timed out and can no longer resume.")
	}
	return false
}

func copyScheduledTime(c *flowChange) bool { return copyTime(c.change) }

func copyTime(c *change) bool {
	if c.from == core.Scheduled && c.to == core.Pending && c.proposed.Details.ScheduledTime == 0 {
		c.proposed.Details.ScheduledTime = c.current.Details.ScheduledTime
	}
	return false
}

func waitForScheduledTime(c *flowChange) bool { return waitForTime(c.change) }

func waitForTime(c *change) bool {
	if c.to != core.Running || c.from != core.Scheduled && c.from != core.Pending {
		return false
	}
	due := c.current.Details.ScheduledTime
	if due == 0 {
		return false
	}
	if delay := int64(math.RoundToEven(due.Sub(c.facts.Now).Seconds())); delay > 0 {
		return c.wait(delay, "Scheduled time is in the future")
	}
	return false
}

func retryInProcess(c *flowChange) bool {
	if c.from != core.Running || c.to != core.Failed {
		return false
	}
	retries, delay := flowRetries(c.Policy)
	if c.run.RunCount > retries {
		c.Policy.RetryType = nil
		return false
	}
	c.Policy.Resuming, c.Policy.PauseKeys, c.Policy.RetryType = false, nil, core.Ptr("in_process")
	s := ScheduledAt(c.facts.Now.Add(delay.Duration()), core.NameAwaitingRetry, "", c.facts.Now)
	s.Message, s.Data = c.proposed.Message, c.proposed.Data
	return c.instead(s, "Retrying")
}

// flowRetries reads the policy: the old names count where the new ones are unset.
func flowRetries(p core.FlowRunPolicy) (retries int64, delay core.Seconds) {
	retries = p.MaxRetries
	if p.Retries != nil {
		retries = *p.Retries
	}
	return retries, core.Seconds(p.Delay())
}

// DecideRetry decides on a retry that a person asks for: unlike an engine, a
// person may retry cancelled runs and runs with a result.
func DecideRetry(run *core.FlowRun, fresh bool, now core.Time) Decision {
	d := Decision{Status: core.Abort, Policy: run.EmpiricalPolicy}
	switch {
	case !run.StateType.Final():
		d.Reason = "Only a finished run can be retried; cancel this one first."
		return d
	case run.DeploymentID.IsZero():
		d.Reason = "Cannot reschedule a run without an associated deployment."
		return d
	}
	text := "Retry requested"
	if fresh {
		text = "Fresh start requested"
	}
	d.Status, d.Reset = core.Accept, true
	d.Policy.Resuming, d.Policy.PauseKeys, d.Policy.RetryType = false, nil, core.Ptr("reschedule")
	d.Policy.CancelAt, d.Policy.CancelID = nil, nil
	d.State = ScheduledAt(now, core.NameAwaitingRetry, text, now)
	return d
}
