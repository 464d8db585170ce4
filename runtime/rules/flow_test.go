package rules

import (
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const noon = core.Time(1_795_000_000_000_000)

var (
	deployed   = func(r *core.FlowRun) { r.DeploymentID = core.NewID() }
	subflow    = func(r *core.FlowRun) { r.ParentTaskRunID = core.NewID() }
	withPID    = func(r *core.FlowRun) { r.InfrastructurePID = core.Ptr("123") }
	named      = func(n string) func(*core.FlowRun) { return func(r *core.FlowRun) { r.StateName, r.State.Name = n, n } }
	suspended  = func(r *core.FlowRun) { r.State.Details.PauseReschedule = true }
	woken      = func(r *core.FlowRun) { r.State.Details.Wakes = true }
	withResult = func(r *core.FlowRun) { r.State.Data = core.JSON(`{"type":"flowlite","value":1}`) }
	unkept     = func(r *core.FlowRun) { r.State.Data = core.JSON(`{"type":"unpersisted"}`) }
	ranTimes   = func(n int64) func(*core.FlowRun) { return func(r *core.FlowRun) { r.RunCount = n } }
	retries    = func(n int64) func(*core.FlowRun) {
		return func(r *core.FlowRun) { r.EmpiricalPolicy.Retries, r.EmpiricalPolicy.RetryDelay = &n, core.Ptr(7.0) }
	}
	dueAt = func(t core.Time) func(*core.FlowRun) {
		return func(r *core.FlowRun) { r.State.Details.ScheduledTime = t }
	}
)

func runIn(t core.StateType, with ...func(*core.FlowRun)) *core.FlowRun {
	r := &core.FlowRun{ID: core.NewID(), EmpiricalPolicy: core.FlowRunPolicy{PauseKeys: []string{"used"}, Resuming: true}}
	if t != "" {
		r.State = NewState(t, "", "", noon.Add(-time.Minute))
		r.StateID, r.StateType, r.StateName, r.StateTimestamp = r.State.ID, t, r.State.Name, r.State.Timestamp
	}
	for _, f := range with {
		f(r)
	}
	return r
}

func limitOf(limit, taken int64, strategy string) func(*Facts) {
	return func(f *Facts) {
		f.Deployment = &core.Deployment{GlobalConcurrencyLimit: &core.GlobalConcurrencyLimit{Active: true, Limit: limit}}
		if strategy != "" {
			f.Deployment.ConcurrencyOptions = &core.ConcurrencyOptions{CollisionStrategy: strategy}
		}
		f.Occupied = taken
	}
}

func TestFlowRules(t *testing.T) {
	transition := core.NewID()
	key := func(k string, reschedule bool) core.StateCreate {
		return core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: &k, PauseReschedule: reschedule}}
	}
	free := limitOf(2, 1, "")
	for _, c := range []struct {
		name    string
		run     *core.FlowRun
		to      core.StateCreate
		facts   func(*Facts)
		force   bool
		status  core.ResponseStatus
		written string // name of the state written; "" if none
		reason  string
		then    func(core.FlowRunPolicy) bool
	}{
		{name: "1 same transition", run: runIn(core.Running, func(r *core.FlowRun) { r.State.Details.TransitionID = transition }),
			to: core.StateCreate{Type: core.Completed, Details: core.StateDetails{TransitionID: transition}}, status: core.Reject, reason: "This run has already made this state transition."},
		{name: "1 another transition", run: runIn(core.Running, func(r *core.FlowRun) { r.State.Details.TransitionID = transition }),
			to: core.StateCreate{Type: core.Completed, Details: core.StateDetails{TransitionID: core.NewID()}}, status: core.Accept, written: "Completed"},
		{name: "2 finished to cancelling", run: runIn(core.Completed), to: core.StateCreate{Type: core.Cancelling}, status: core.Abort, reason: "Run is already in terminal state COMPLETED."},
		{name: "2 finished to paused", run: runIn(core.Failed), to: core.StateCreate{Type: core.Paused}, status: core.Abort, reason: "Run is already in terminal state FAILED."},
		{name: "2 finished to crashed", run: runIn(core.Cancelled), to: core.StateCreate{Type: core.Crashed}, status: core.Abort, reason: "Run is already in terminal state CANCELLED."},
		{name: "2 result kept", run: runIn(core.Completed, withResult, deployed), to: core.StateCreate{Type: core.Scheduled}, status: core.Reject, reason: "Run is already COMPLETED."},
		{name: "2 result not kept", run: runIn(core.Completed, unkept, deployed), to: core.StateCreate{Type: core.Scheduled}, status: core.Accept, written: "Scheduled"},
		{name: "2 no deployment", run: runIn(core.Failed), to: core.StateCreate{Type: core.Scheduled}, status: core.Abort, reason: "Cannot reschedule a run without an associated deployment."},
		{name: "2 rescheduled", run: runIn(core.Failed, deployed), to: core.StateCreate{Type: core.Scheduled}, status: core.Accept, written: "Scheduled",
			then: func(p core.FlowRunPolicy) bool {
				return core.Deref(p.RetryType) == "reschedule" && !p.Resuming && len(p.PauseKeys) == 0
			}},
		{name: "2 run again", run: runIn(core.Failed), to: core.StateCreate{Type: core.Running}, status: core.Accept, written: "Running",
			then: func(p core.FlowRunPolicy) bool { return p.RetryType == nil && !p.Resuming }},
		{name: "2 final to final", run: runIn(core.Failed), to: core.StateCreate{Type: core.Completed}, status: core.Accept, written: "Completed"},
		{name: "3 cancelling to running", run: runIn(core.Cancelling), to: core.StateCreate{Type: core.Running}, status: core.Reject, reason: "Cannot transition flows that are cancelling to a state other than Cancelled."},
		{name: "3 cancelling to crashed", run: runIn(core.Cancelling), to: core.StateCreate{Type: core.Crashed}, status: core.Reject, reason: "Cannot transition flows that are cancelling to a state other than Cancelled."},
		{name: "3 cancelled to completed", run: runIn(core.Cancelled), to: core.StateCreate{Type: core.Completed}, status: core.Reject, reason: "Cannot transition flows that are cancelling to a state other than Cancelled."},
		{name: "3 cancelling to cancelled", run: runIn(core.Cancelling), to: core.StateCreate{Type: core.Cancelled}, status: core.Accept, written: "Cancelled"},
		{name: "4 nothing started", run: runIn(core.Scheduled), to: core.StateCreate{Type: core.Cancelling}, status: core.Reject, written: "Cancelled", reason: "Scheduled flow run has no infrastructure to terminate."},
		{name: "4 has a process", run: runIn(core.Scheduled, withPID), to: core.StateCreate{Type: core.Cancelling}, status: core.Accept, written: "Cancelling"},
		{name: "4 resuming", run: runIn(core.Scheduled, withPID, named("Resuming")), to: core.StateCreate{Type: core.Cancelling}, status: core.Reject, written: "Cancelled", reason: "Scheduled flow run has no infrastructure to terminate."},
		{name: "4 suspended", run: runIn(core.Paused, suspended), to: core.StateCreate{Type: core.Cancelling}, status: core.Reject, written: "Cancelled", reason: "Suspended flow run has no infrastructure to terminate."},
		{name: "4 suspended, and woken", run: runIn(core.Paused, suspended, deployed, woken), to: core.StateCreate{Type: core.Cancelling}, status: core.Reject, written: "Resuming", reason: "The flow run is woken to clean up before it is cancelled.",
			then: func(p core.FlowRunPolicy) bool { return p.CancelAt != nil && p.Resuming }},
		{name: "4 sleeping, and woken", run: runIn(core.Scheduled, withPID, deployed, woken), to: core.StateCreate{Type: core.Cancelling}, status: core.Reject, written: "Resuming", reason: "The flow run is woken to clean up before it is cancelled."},
		{name: "4 woken once", run: runIn(core.Scheduled, deployed, woken, func(r *core.FlowRun) { r.EmpiricalPolicy.CancelAt = core.Ptr("") }), to: core.StateCreate{Type: core.Cancelling}, status: core.Reject, written: "Cancelled", reason: "Scheduled flow run has no infrastructure to terminate."},
		{name: "4 forced too", run: runIn(core.Scheduled), to: core.StateCreate{Type: core.Cancelling}, force: true, status: core.Reject, written: "Cancelled", reason: "Scheduled flow run has no infrastructure to terminate."},
		{name: "5 pending twice", run: runIn(core.Pending), to: core.StateCreate{Type: core.Pending}, status: core.Abort, reason: "This run is in a PENDING state and cannot transition to a PENDING state."},
		{name: "5 pending to submitting", run: runIn(core.Pending), to: core.StateCreate{Type: core.Pending, Name: "Submitting"}, status: core.Accept, written: "Submitting"},
		{name: "5 submitting twice", run: runIn(core.Pending, named("Submitting")), to: core.StateCreate{Type: core.Pending, Name: "Submitting"}, status: core.Abort, reason: "This run is in a PENDING state and cannot transition to a PENDING state."},
		{name: "5 submitting to pending", run: runIn(core.Pending, named("Submitting")), to: core.StateCreate{Type: core.Pending}, status: core.Abort, reason: "This run is in a PENDING state and cannot transition to a PENDING state."},
		{name: "5 running to pending", run: runIn(core.Running), to: core.StateCreate{Type: core.Pending}, status: core.Abort, reason: "This run is in a RUNNING state and cannot transition to a PENDING state."},
		{name: "6 deployment gone", run: runIn(core.Scheduled, deployed), to: core.StateCreate{Type: core.Pending}, status: core.Abort, reason: "The deployment of this run no longer exists."},
		{name: "6 room", run: runIn(core.Scheduled, deployed), to: core.StateCreate{Type: core.Pending}, facts: free, status: core.Accept, written: "Pending"},
		{name: "6 full", run: runIn(core.Scheduled, deployed), to: core.StateCreate{Type: core.Pending}, facts: limitOf(2, 2, "ENQUEUE"), status: core.Reject, written: "AwaitingConcurrencySlot", reason: "Deployment concurrency limit reached."},
		{name: "6 full, cancel", run: runIn(core.Scheduled, deployed), to: core.StateCreate{Type: core.Pending}, facts: limitOf(1, 1, "CANCEL_NEW"), status: core.Reject, written: "Cancelled", reason: "Deployment concurrency limit reached."},
		{name: "6 limit zero", run: runIn(core.Scheduled, deployed), to: core.StateCreate{Type: core.Pending}, facts: limitOf(0, 0, ""), status: core.Abort, reason: "The deployment's concurrency limit is 0, so none of its runs can start."},
		{name: "6 not when forced", run: runIn(core.Scheduled, deployed), to: core.StateCreate{Type: core.Pending}, facts: limitOf(1, 1, ""), force: true, status: core.Accept, written: "Pending"},
		{name: "7 late", run: runIn(core.Scheduled), to: core.StateCreate{Type: core.Scheduled, Name: "Late"}, status: core.Accept, written: "Late"},
		{name: "7 late but running", run: runIn(core.Running), to: core.StateCreate{Type: core.Scheduled, Name: "Late"}, status: core.Reject, reason: "Only a scheduled run can be late."},
		{name: "8 no state", run: runIn(""), to: key("k", false), status: core.Abort, reason: "Cannot pause flows with no state."},
		{name: "8 not running", run: runIn(core.Pending), to: key("k", false), status: core.Reject, reason: "Cannot pause flows that are not currently running."},
		{name: "8 used key", run: runIn(core.Running), to: key("used", false), status: core.Reject, reason: "This pause has already fired."},
		{name: "8 used suspend", run: runIn(core.Running), to: key("used", true), status: core.Reject, reason: "This suspend has already fired."},
		{name: "8 suspend of sub-flow", run: runIn(core.Running, subflow, deployed), to: key("k", true), status: core.Abort, reason: "Cannot suspend subflows."},
		{name: "8 suspend without deployment", run: runIn(core.Running), to: key("k", true), status: core.Abort, reason: "Cannot suspend flows without a deployment."},
		{name: "8 pause", run: runIn(core.Running), to: key("k", false), status: core.Accept, written: "Paused",
			then: func(p core.FlowRunPolicy) bool { return slices.Equal(p.PauseKeys, []string{"used", "k"}) }},
		{name: "9 paused to pending", run: runIn(core.Paused), to: core.StateCreate{Type: core.Pending}, status: core.Reject, reason: "This run cannot transition to the PENDING state from the PAUSED state."},
		{name: "9 paused to cancelling", run: runIn(core.Paused), to: core.StateCreate{Type: core.Cancelling}, status: core.Reject, reason: "This run cannot transition to the CANCELLING state from the PAUSED state."},
		{name: "9 suspended without deployment", run: runIn(core.Paused, suspended), to: core.StateCreate{Type: core.Scheduled}, status: core.Reject, reason: "Cannot reschedule a paused flow run without a deployment."},
		{name: "9 too late", run: runIn(core.Paused, func(r *core.FlowRun) { r.State.Details.PauseTimeout = noon - 1 }), to: core.StateCreate{Type: core.Running}, status: core.Reject, written: "Failed", reason: "The flow run pause has timed out and can no longer resume."},
		{name: "9 too late, and woken", run: runIn(core.Paused, func(r *core.FlowRun) { r.State.Details.PauseTimeout, r.State.Details.Wakes = noon-1, true }), to: core.StateCreate{Type: core.Running}, status: core.Accept, written: "Running"},
		{name: "9 resumed", run: runIn(core.Paused), to: core.StateCreate{Type: core.Running}, status: core.Accept, written: "Running"},
		{name: "11 too early", run: runIn(core.Scheduled, dueAt(noon.Add(100*time.Second))), to: core.StateCreate{Type: core.Running}, status: core.Wait, reason: "Scheduled time is in the future"},
		{name: "11 pending too early", run: runIn(core.Pending, dueAt(noon.Add(2*time.Second))), to: core.StateCreate{Type: core.Running}, status: core.Wait, reason: "Scheduled time is in the future"},
		{name: "11 almost", run: runIn(core.Pending, dueAt(noon.Add(400*time.Millisecond))), to: core.StateCreate{Type: core.Running}, status: core.Accept, written: "Running"},
		{name: "12 another attempt", run: runIn(core.Running, retries(1), ranTimes(1)), to: core.StateCreate{Type: core.Failed, Message: core.Ptr("boom")}, status: core.Reject, written: "AwaitingRetry", reason: "Retrying",
			then: func(p core.FlowRunPolicy) bool { return core.Deref(p.RetryType) == "in_process" && !p.Resuming }},
		{name: "12 timed out", run: runIn(core.Running, retries(2), ranTimes(2)), to: core.StateCreate{Type: core.Failed, Name: "TimedOut"}, status: core.Reject, written: "AwaitingRetry", reason: "Retrying"},
		{name: "12 exhausted", run: runIn(core.Running, retries(1), ranTimes(2)), to: core.StateCreate{Type: core.Failed}, status: core.Accept, written: "Failed",
			then: func(p core.FlowRunPolicy) bool { return p.RetryType == nil }},
		{name: "12 forced", run: runIn(core.Running, retries(1), ranTimes(1)), to: core.StateCreate{Type: core.Failed}, force: true, status: core.Accept, written: "Failed"},
		{name: "forced crash and cancel of a cancelling run", run: runIn(core.Cancelling), to: core.StateCreate{Type: core.Crashed}, force: true, status: core.Accept, written: "Crashed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Facts{Now: noon}
			if c.facts != nil {
				c.facts(&f)
			}
			rules := Flow
			if c.force {
				rules = ForcedFlow
			}
			before := c.run.EmpiricalPolicy
			d := DecideFlow(c.run, c.to.State(noon), f, rules)
			written := ""
			if d.State != nil {
				written = d.State.Name
			}
			if d.Status != c.status || written != c.written || d.Reason != c.reason {
				t.Fatalf("got %s, %q written, %q; want %s, %q, %q", d.Status, written, d.Reason, c.status, c.written, c.reason)
			}
			if c.then != nil && !c.then(d.Policy) {
				t.Errorf("policy %+v", d.Policy)
			}
			if d.State == nil && !slices.Equal(d.Policy.PauseKeys, before.PauseKeys) {
				t.Error("nothing was written, yet the policy changed")
			}
			if !slices.Equal(c.run.EmpiricalPolicy.PauseKeys, []string{"used"}) {
				t.Error("the rules changed the run")
			}
			r := d.Result(c.run.State)
			if r.Written != (c.written != "") || r.Details.Type == "" || (c.status == core.Accept) != (r.Details.Reason == nil) {
				t.Errorf("result %+v", r)
			}
		})
	}
}

func TestFlowRuleDetails(t *testing.T) {
	run := runIn(core.Running, retries(1), ranTimes(1))
	d := DecideFlow(run, core.StateCreate{Type: core.Failed, Message: core.Ptr("boom"), Data: core.JSON(`1`)}.State(noon), Facts{Now: noon}, Flow)
	if d.State.Details.ScheduledTime != noon.Add(7*time.Second) || *d.State.Message != "boom" || string(d.State.Data) != "1" {
		t.Errorf("a retry keeps message and data, and waits its delay: %+v", d.State)
	}
	d = DecideFlow(runIn(core.Scheduled, dueAt(noon.Add(100*time.Second))), core.StateCreate{Type: core.Running}.State(noon), Facts{Now: noon}, Flow)
	if d.delay != 100 {
		t.Errorf("waits %d s, want 100", d.delay)
	}
	p := core.StateCreate{Type: core.Pending}.State(noon)
	DecideFlow(runIn(core.Scheduled, dueAt(noon-1)), p, Facts{Now: noon}, Flow)
	if p.Details.ScheduledTime != noon-1 {
		t.Error("10: the scheduled time is copied")
	}
}

func TestBookkeeping(t *testing.T) {
	run := &core.FlowRun{ID: core.NewID()}
	enter := func(typ core.StateType, at core.Time) {
		ApplyFlowState(run, NewState(typ, "", "", at), run.EmpiricalPolicy)
	}
	enter(core.Scheduled, noon)
	if run.ExpectedStartTime != noon || run.NextScheduledStartTime != noon {
		t.Errorf("scheduled: %+v", run)
	}
	enter(core.Pending, noon)
	if run.StateTimestamp != noon+1 || run.NextScheduledStartTime != 0 {
		t.Errorf("the same microsecond must move on: %v", run.StateTimestamp-noon)
	}
	enter(core.Running, noon.Add(time.Second))
	enter(core.Running, noon.Add(2*time.Second))
	enter(core.Completed, noon.Add(4*time.Second))
	if run.RunCount != 2 || run.TotalRunTime != 3 || run.StartTime != noon.Add(time.Second) || run.EndTime != noon.Add(4*time.Second) {
		t.Errorf("completed: %+v", run)
	}
	enter(core.Failed, noon.Add(5*time.Second))
	if run.EndTime != noon.Add(4*time.Second) {
		t.Error("final to final keeps the end time")
	}
	enter(core.Scheduled, noon.Add(6*time.Second))
	if run.EndTime != 0 {
		t.Error("a run that begins again has no end time")
	}
	enter(core.Running, noon.Add(7*time.Second))
	enter(core.Paused, noon.Add(8*time.Second))
	enter(core.Scheduled, noon.Add(9*time.Second))
	if !run.EmpiricalPolicy.Resuming {
		t.Error("a resumed run is resuming")
	}
	n := run.RunCount
	enter(core.Pending, noon.Add(10*time.Second))
	enter(core.Running, noon.Add(11*time.Second))
	if run.RunCount != n || run.EmpiricalPolicy.Resuming {
		t.Error("resuming is not another attempt, and ends by running")
	}
}
