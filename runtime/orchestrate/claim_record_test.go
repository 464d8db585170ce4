package orchestrate_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// A worker hands the claim's run to the process of the flow, which does not read
// it again: a claim holds what reading the run gives, at every attempt.
func TestClaimHoldsTheRunAsItIsRead(t *testing.T) { localtest.OnEngines(t, claimHoldsTheRun) }

func claimHoldsTheRun(t *testing.T, h *localtest.Fixture) {
	d := h.Deployed(func(c *core.DeploymentCreate) { c.Tags = core.Some(core.Tags{"a", "b"}) })
	run := localtest.Must(h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"n":12345678901234567890}`)}))(t)
	claimed := func(when string) core.Claim {
		t.Helper()
		claims := poll(h, core.NewID(), 1, 0).Claims
		if len(claims) != 1 || claims[0].FlowRun.ID != run.ID {
			t.Fatalf("%s: claimed %v", when, claims)
		}
		text := func(r core.FlowRun) string {
			r.EstimatedStartTimeDelta = 0 // grows from one look to the next
			return string(core.ToJSON(r))
		}
		if got, want := text(*claims[0].FlowRun), text(*localtest.Must(h.FlowRun(h.Ctx, run.ID))(t)); got != want {
			t.Errorf("%s: the claim holds\n%s\nand the run is\n%s", when, got, want)
		}
		return claims[0]
	}
	c := claimed("new run")
	h.Ctx = core.WithRunToken(h.Ctx, c.Token)
	h.Set(run.ID, core.Running, core.Accept)
	localtest.Must(h.ReportCrash(h.Ctx, run.ID, "killed", true))(t)
	h.Ctx = t.Context()
	c = claimed("recovered run")
	h.Ctx = core.WithRunToken(h.Ctx, c.Token)
	h.Set(run.ID, core.Running, core.Accept)
	h.Set(run.ID, core.Failed, core.Accept)
	h.Ctx = t.Context()
	localtest.Must(h.RetryFlowRun(h.Ctx, run.ID, false))(t)
	claimed("run that was retried by hand")
}
