package worker

import (
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// A machine without Python returns the first run of a Python deployment to the
// pool, takes no other one of it, and executes what it can.
func TestReturnsWhatTheMachineCannotStart(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("VIRTUAL_ENV", "")
	f := newFake()
	w := startWorker(t, f, func(c *Config) { c.Limit, c.Flows = 1, []string{"mine"} })
	first := f.submit("first", nil, "flow.py:main")
	f.eventually(t, "the run is returned", func() bool {
		return f.runs[first].StateType == core.Scheduled && strings.Contains(f.crashes[first], "no Python interpreter in PATH")
	})
	unlock := f.lock()
	for _, want := range []string{"Worker " + w.Name(), "waits for another worker"} {
		if !strings.Contains(f.crashes[first], want) {
			t.Errorf("message %q, want %q", f.crashes[first], want)
		}
	}
	deployment := f.runs[first].DeploymentID
	unlock()
	f.eventually(t, "the reason is logged with the run", f.logged("no Python interpreter"))
	second := core.NewID()
	func() {
		defer f.lock()()
		r := &core.FlowRun{ID: second, Name: "second", DeploymentID: deployment, StateType: core.Scheduled}
		f.runs[second] = r
		f.queue = append(f.queue, core.Claim{FlowRun: r, Token: core.NewID(),
			Deployment: &core.Deployment{ID: deployment, Entrypoint: core.Ptr("flow.py:main")}})
	}()
	other := f.submit("other", command("true"), "")
	f.eventually(t, "another deployment's run completes", f.is(other, core.Completed))
	defer f.lock()()
	if !f.is(second, core.Scheduled)() || f.crashes[second] != "" {
		t.Error("the worker took another run of the deployment:", f.crashes[second])
	}
	last := f.polls[len(f.polls)-1]
	if !slices.Equal(last.Flows, []string{"mine"}) || !slices.Equal(last.Except, []core.UUID{deployment}) {
		t.Errorf("the worker polls as %+v", last.Capability)
	}
}
