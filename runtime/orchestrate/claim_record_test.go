package orchestrate_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// A worker hands the claim's run to the process of the flow, which does not read
// it again: a claim holds what reading the run gives, at every attempt.
func TestClaimHoldsTheRunAsItIsRead(t *testing.T) { bothEngines(t, claimHoldsTheRun) }

func claimHoldsTheRun(t *testing.T, h *house) {
	d := h.deployed(func(c *core.DeploymentCreate) { c.Tags = core.Some(core.Tags{"a", "b"}) })
	run := must(h.CreateDeploymentFlowRun(h.ctx, d.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"n":12345678901234567890}`)}))(t)
	claimed := func(when string) core.Claim {
		t.Helper()
		claims := h.poll(core.NewID(), 1, 0).Claims
		if len(claims) != 1 || claims[0].FlowRun.ID != run.ID {
			t.Fatalf("%s: claimed %v", when, claims)
		}
		text := func(r core.FlowRun) string {
			r.EstimatedStartTimeDelta = 0 // grows from one look to the next
			return string(core.ToJSON(r))
		}
		if got, want := text(*claims[0].FlowRun), text(*must(h.FlowRun(h.ctx, run.ID))(t)); got != want {
			t.Errorf("%s: the claim holds\n%s\nand the run is\n%s", when, got, want)
		}
		return claims[0]
	}
	c := claimed("new run")
	h.ctx = core.WithRunToken(h.ctx, c.Token)
	h.set(run.ID, core.Running, core.Accept)
	must(h.ReportCrash(h.ctx, run.ID, "killed", true))(t)
	h.ctx = t.Context()
	c = claimed("recovered run")
	h.ctx = core.WithRunToken(h.ctx, c.Token)
	h.set(run.ID, core.Running, core.Accept)
	h.set(run.ID, core.Failed, core.Accept)
	h.ctx = t.Context()
	must(h.RetryFlowRun(h.ctx, run.ID, false))(t)
	claimed("run that was retried by hand")
}
