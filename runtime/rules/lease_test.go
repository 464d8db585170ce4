package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestLoss(t *testing.T) {
	inProcess := func(r *core.FlowRun) { r.EmpiricalPolicy.RetryType = core.Ptr("in_process") }
	fresh := func(r *core.FlowRun) { r.EmpiricalPolicy.Resuming = false }
	tired := func(r *core.FlowRun) { r.Recoveries = core.MaxRecoveries }
	for _, c := range []struct {
		name        string
		run         *core.FlowRun
		unfit       bool
		want        string
		resuming    bool
		retry       string
		recoveries  int64
		mustContain string
	}{
		{name: "running", run: runIn(core.Running, deployed, fresh), want: "Resuming", resuming: true, recoveries: 1},
		{name: "running after a retry in process", run: runIn(core.Running, deployed, fresh, inProcess), want: "Resuming", resuming: true, retry: "reschedule", recoveries: 1},
		{name: "pending", run: runIn(core.Pending, deployed, fresh), want: "Resuming", recoveries: 1},
		{name: "awaiting retry in process", run: runIn(core.Scheduled, deployed, fresh, named(core.NameAwaitingRetry), inProcess), want: "AwaitingRetry", retry: "reschedule", recoveries: 1},
		{name: "paused in process", run: runIn(core.Paused, deployed, fresh), want: "Suspended"},
		{name: "cancelling", run: runIn(core.Cancelling, deployed, fresh), want: "Cancelled"},
		{name: "too often", run: runIn(core.Running, deployed, fresh, tired), want: "Crashed", recoveries: core.MaxRecoveries, mustContain: "as often as is allowed"},
		{name: "no deployment", run: runIn(core.Running, fresh), want: "Crashed", mustContain: "without a deployment"},
		{name: "not worth another try", run: runIn(core.Running, deployed, fresh), unfit: true, want: "Crashed", mustContain: "gone"},
		{name: "finished", run: runIn(core.Completed, deployed, fresh)},
		{name: "suspended", run: runIn(core.Paused, deployed, suspended, fresh)},
		{name: "only scheduled", run: runIn(core.Scheduled, deployed, fresh)},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, n := DecideLoss(c.run, "gone", !c.unfit, noon)
			if c.want == "" {
				if d.State != nil || d.Status != core.Abort {
					t.Fatalf("nothing to lose, yet %+v", d)
				}
				return
			}
			if d.State == nil || d.State.Name != c.want || n != c.recoveries || d.Policy.Resuming != c.resuming || core.Deref(d.Policy.RetryType) != c.retry {
				t.Fatalf("got %+v, %d recoveries, %+v", d.State, n, d.Policy)
			}
			if !strings.Contains(core.Deref(d.State.Message), c.mustContain) {
				t.Errorf("message %q", *d.State.Message)
			}
			if c.want == "Suspended" && !d.State.Details.PauseReschedule {
				t.Error("a suspended run resumes by being rescheduled")
			}
			if HoldsLease(d.State, d.Policy) {
				t.Error("what was lost must not need a lease")
			}
		})
	}
}

func TestTaskRules(t *testing.T) {
	in := func(typ core.StateType, with ...func(*core.TaskRun)) *core.TaskRun {
		r := &core.TaskRun{ID: core.NewID(), FlowRunID: core.NewID(), State: NewState(typ, "", "", noon.Add(-time.Minute))}
		r.StateID, r.StateType, r.StateTimestamp = r.State.ID, typ, r.State.Timestamp
		for _, f := range with {
			f(r)
		}
		return r
	}
	flowIn := func(typ core.StateType) func(*Facts) {
		return func(f *Facts) { f.FlowRun = runIn(typ, ranTimes(3)) }
	}
	again := func(n int64, policy core.TaskRunPolicy) func(*core.TaskRun) {
		return func(r *core.TaskRun) { r.RunCount, r.EmpiricalPolicy = n, policy }
	}
	two := int64(2)
	list := core.TaskRunPolicy{Retries: &two, RetryDelay: core.JSON(`[1, 5]`)}
	for _, c := range []struct {
		name    string
		run     *core.TaskRun
		to      core.StateCreate
		facts   func(*Facts)
		status  core.ResponseStatus
		written string
		delay   time.Duration
	}{
		{name: "runs", run: in(core.Pending), to: core.StateCreate{Type: core.Running}, facts: flowIn(core.Running), status: core.Accept, written: "Running"},
		{name: "flow pending", run: in(core.Pending), to: core.StateCreate{Type: core.Running}, facts: flowIn(core.Pending), status: core.Abort},
		{name: "flow paused", run: in(core.Pending), to: core.StateCreate{Type: core.Running}, facts: flowIn(core.Paused), status: core.Reject, written: "NotReady"},
		{name: "cached", run: in(core.Pending), to: core.StateCreate{Type: core.Running}, facts: func(f *Facts) { f.Cached = NewState(core.Completed, "", "", noon) }, status: core.Reject, written: "Cached"},
		{name: "finished to crashed", run: in(core.Failed), to: core.StateCreate{Type: core.Crashed}, status: core.Abort},
		{name: "completed with a result", run: in(core.Completed, func(r *core.TaskRun) { r.State.Data = core.JSON(`{"type":"x"}`) }), to: core.StateCreate{Type: core.Running}, facts: flowIn(core.Running), status: core.Reject},
		{name: "retry", run: in(core.Running, again(1, list)), to: core.StateCreate{Type: core.Failed}, status: core.Reject, written: "AwaitingRetry", delay: time.Second},
		{name: "second retry", run: in(core.Running, again(2, list)), to: core.StateCreate{Type: core.Failed}, status: core.Reject, written: "AwaitingRetry", delay: 5 * time.Second},
		{name: "exhausted", run: in(core.Running, again(3, list)), to: core.StateCreate{Type: core.Failed}, status: core.Accept, written: "Failed"},
		{name: "not retriable", run: in(core.Running, again(1, list)), to: core.StateCreate{Type: core.Failed, Details: core.StateDetails{Retriable: core.Ptr(false)}}, status: core.Accept, written: "Failed"},
		{name: "retrying", run: in(core.Scheduled, again(1, list), func(r *core.TaskRun) { r.State.Name = core.NameAwaitingRetry }), to: core.StateCreate{Type: core.Running}, facts: flowIn(core.Running), status: core.Accept, written: "Retrying"},
		{name: "rerunning", run: in(core.Pending, again(1, list)), to: core.StateCreate{Type: core.Running}, facts: flowIn(core.Running), status: core.Accept, written: "Rerunning"},
		{name: "too early", run: in(core.Scheduled, func(r *core.TaskRun) { r.State.Details.ScheduledTime = noon.Add(time.Minute) }), to: core.StateCreate{Type: core.Running}, facts: flowIn(core.Running), status: core.Wait},
		{name: "deferred claim race", run: in(core.Pending, func(r *core.TaskRun) { r.State.Details.Deferred = true }), to: core.StateCreate{Type: core.Pending}, status: core.Abort},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Facts{Now: noon}
			if c.facts != nil {
				c.facts(&f)
			}
			d := DecideTask(c.run, c.to.State(noon), f)
			written := ""
			if d.State != nil {
				written = d.State.Name
			}
			if d.Status != c.status || written != c.written {
				t.Fatalf("got %s, %q written; want %s, %q (%s)", d.Status, written, c.status, c.written, d.Reason)
			}
			if c.delay != 0 && d.State.Details.ScheduledTime != noon.Add(c.delay) {
				t.Errorf("due %v, want %v", d.State.Details.ScheduledTime.Sub(noon), c.delay)
			}
			if written == "Running" && c.run.FlowRunRunCount != 3 {
				t.Error("the flow's run count is copied")
			}
		})
	}
}
