package orchestrate_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// TestProposalsShareATransaction: what is wrong with one proposal is not the others'
// concern, and what needs a transaction of its own is left alone.
func TestProposalsShareATransaction(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := h.Deployed()
		good, lost, other := h.Started(d), h.Started(d), h.Started(d)
		task := localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: good.ID, TaskKey: "t", DynamicKey: "0"}))(t)
		child := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID, ParentTaskRunID: task.ID}))(t)
		token := localtest.Must(h.LeaseRun(h.Ctx, good.ID, core.NewID()))(t).Token
		_ = localtest.Must(h.LeaseRun(h.Ctx, lost.ID, core.NewID()))(t)
		runs := []core.UUID{good.ID, lost.ID, core.NewID(), child.ID, other.ID, other.ID}
		tokens := []core.UUID{token, core.NewID(), {}, {}, {}, {}}
		got, err := h.ProposeTogether(h.Ctx, core.Completed, runs, tokens)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []struct {
			code  core.Code
			alone bool
		}{{}, {core.ELeaseLost, false}, {core.ENotFound, false}, {"", true}, {}, {"", true}} {
			p := got[i]
			accepted := p.Result != nil && p.Result.Status == core.Accept
			if p.Alone != want.alone || want.code != "" && core.CodeOf(p.Err) != want.code || accepted != (want.code == "" && !want.alone) {
				t.Errorf("proposal %d: %+v", i, p)
			}
		}
		h.Is(good.ID, "Completed")
		h.Is(lost.ID, "Running")
		h.Is(child.ID, "Pending")
		h.Is(other.ID, "Completed")
		if _, err := h.Store.Lease(h.Ctx, good.ID); !core.IsNotFound(err) {
			t.Errorf("the lease of a run that has ended: %v", err)
		}
		if _, err := h.Store.Lease(h.Ctx, lost.ID); err != nil {
			t.Error(err)
		}
		if n := len(localtest.Must(h.Store.FlowRunStates(h.Ctx, good.ID))(t)); n != 4 {
			t.Errorf("%d states", n)
		}
		if n := len(h.Stored("prefect.flow-run.Completed")); n != 2 {
			t.Errorf("%d events of the ends of two runs", n)
		}
	})
}
