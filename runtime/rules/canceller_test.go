package rules

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// The last state of a run that a person cancelled says who it was, whether something
// executed the run or not. What another client says stays as it is.
func TestCancellerIsKept(t *testing.T) {
	for _, c := range []struct{ asked, end, want string }{
		{"Cancelled by ada", "", "Cancelled by ada"},
		{"Cancelled by ada", "the run was cancelled", "Cancelled by ada: the run was cancelled"},
		{"", "the run was cancelled", "the run was cancelled"},
		{"stop it", "", ""},
	} {
		run := &core.FlowRun{ID: core.NewID()}
		ApplyFlowState(run, NewState(core.Cancelling, "", c.asked, 1), core.FlowRunPolicy{})
		ApplyFlowState(run, NewState(core.Cancelled, "", c.end, 2), core.FlowRunPolicy{})
		if got := core.Deref(run.State.Message); got != c.want {
			t.Errorf("%q, then %q: %q, want %q", c.asked, c.end, got, c.want)
		}
	}
	waiting := &core.FlowRun{ID: core.NewID()}
	ApplyFlowState(waiting, ScheduledAt(1, "", "", 1), core.FlowRunPolicy{})
	d := DecideFlow(waiting, NewState(core.Cancelling, "", "Cancelled by ada", 2), Facts{Now: 2}, Flow)
	if d.State == nil || d.State.Type != core.Cancelled || core.Deref(d.State.Message) != "Cancelled by ada" {
		t.Errorf("a run that nothing executes: %+v", d.State)
	}
}
