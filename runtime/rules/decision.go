package rules

import "github.com/flowlite/flowlite/runtime/core"

// Facts are what rules may need to know beyond the run itself. Only those that
// the asked transition needs are loaded.
type Facts struct {
	Now core.Time

	// Flow runs.
	Deployment *core.Deployment // nil: the run has none, or it is gone
	Occupied   int64            // slots taken of the deployment's limit

	// Task runs.
	FlowRun *core.FlowRun // that encloses the task run
	Full    *core.Error   // why the limits of its tags have no slot for it
	Cached  *core.State   // stored under the proposal's cache key
	Jitter  float64       // of the retry delay, in [0, 1)
}

// Decision is what became of a proposal.
type Decision struct {
	Status core.ResponseStatus
	Reason string
	delay  int64       // WAIT: seconds
	State  *core.State // to be written; nil keeps the current state
	Policy core.FlowRunPolicy
	Reset  bool // the run begins anew: forget what counted its earlier attempts
}

// Result answers the proposer; current is the state that holds if none was written.
func (d *Decision) Result(current *core.State) *core.OrchestrationResult {
	r := &core.OrchestrationResult{State: current, Status: d.Status, Written: d.State != nil}
	if d.State != nil {
		r.State = d.State
	}
	switch d.Status {
	case core.Accept:
		r.Details.Type = "accept_details"
		return r
	case core.Reject:
		r.Details.Type = "reject_details"
	case core.Wait:
		r.Details.Type, r.Details.DelaySeconds = "wait_details", &d.delay
	case core.Abort:
		r.Details.Type = "abort_details"
	}
	r.Details.Reason = &d.Reason
	return r
}

// change is one proposal on its way through the rules. A rule returns true
// when it has decided; then no later rule is asked.
type change struct {
	from, to core.StateType // from is "" before the first state
	current  *core.State
	proposed *core.State
	facts    Facts
	Decision
}

func newChange(current, proposed *core.State, f Facts) *change {
	c := &change{to: proposed.Type, current: current, proposed: proposed, facts: f}
	if current != nil {
		c.from = current.Type
	}
	c.Status, c.State = core.Accept, proposed
	return c
}

// keep rejects the proposal in favour of the current state.
func (c *change) keep(reason string) bool { return c.instead(nil, reason) }

// instead rejects the proposal and writes another state.
func (c *change) instead(s *core.State, reason string) bool {
	c.Status, c.State, c.Reason = core.Reject, s, reason
	return true
}

func (c *change) abort(reason string) bool {
	c.Status, c.State, c.Reason = core.Abort, nil, reason
	return true
}

func (c *change) wait(seconds int64, reason string) bool {
	c.Status, c.State, c.Reason, c.delay = core.Wait, nil, reason, seconds
	return true
}

// Occupies says whether a run of the type takes a slot of its deployment's limit.
func Occupies(t core.StateType) bool {
	return t == core.Pending || t == core.Running || t == core.Cancelling
}

// hasResult says whether a state carries a result that can be used again.
func hasResult(s *core.State) bool {
	return !s.Data.IsNull() && s.Data.Map()["type"] != "unpersisted"
}

// NewState makes a state of ours.
func NewState(t core.StateType, name, text string, now core.Time) *core.State {
	c := core.StateCreate{Type: t, Name: name}
	if text != "" {
		c.Message = &text
	}
	return c.State(now)
}

// ScheduledAt is a SCHEDULED state due at a time.
func ScheduledAt(due core.Time, name, text string, now core.Time) *core.State {
	s := NewState(core.Scheduled, name, text, now)
	s.Details.ScheduledTime = due
	return s
}
