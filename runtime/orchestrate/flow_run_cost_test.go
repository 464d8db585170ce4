package orchestrate_test

import (
	"sync"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// queuedRuns is the whole life of n runs of a deployment: 32 callers create them one by
// one, a worker claims them, and each goes on to Running and Completed.
func queuedRuns(tb testing.TB, h *localtest.Fixture, d *core.Deployment, n int) {
	var creates, runs sync.WaitGroup
	const callers = 32
	for c := range callers {
		creates.Go(func() {
			for i := c; i < n; i += callers {
				if _, err := h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{}); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	holder, ended := core.NewID(), 0
	for ended < n && !tb.Failed() {
		r, err := h.Poll(h.Ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: 100, Wait: 10})
		if err != nil {
			tb.Fatal(err)
		}
		ended += len(r.Claims)
		for _, c := range r.Claims {
			runs.Go(func() {
				ctx := core.WithRunToken(h.Ctx, c.Token)
				for _, t := range []core.StateType{core.Running, core.Completed} {
					res, err := h.SetFlowRunState(ctx, c.FlowRun.ID, core.StateCreate{Type: t}, false)
					if err != nil || res.Status != core.Accept {
						tb.Error(res, err)
					}
				}
			})
		}
	}
	creates.Wait()
	runs.Wait()
}

// BenchmarkQueuedRuns wants -benchtime=2000x.
func BenchmarkQueuedRuns(b *testing.B) {
	onDisk(b, func(b *testing.B, h *localtest.Fixture) {
		d := h.Deployed()
		before := h.Store.Stats()
		b.ResetTimer()
		queuedRuns(b, h, d, b.N)
		b.StopTimer()
		now := h.Store.Stats()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
		b.ReportMetric(float64(now.Statements-before.Statements)/float64(b.N), "statements/run")
		b.ReportMetric(float64(now.Commits-before.Commits)/float64(b.N), "commits/run")
	})
}

// TestCostOfAQueuedRun bounds what a run of many asks of the database. On PostgreSQL
// runs share statements and transactions, and on SQLite transactions.
func TestCostOfAQueuedRun(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		const n = 400
		d := h.Deployed()
		before := h.Store.Stats()
		queuedRuns(t, h, d, n)
		now := h.Store.Stats()
		statements := float64(now.Statements-before.Statements) / n
		commits := float64(now.Commits-before.Commits) / n
		t.Logf("%.1f statements and %.2f commits per run", statements, commits)
		most := 10.0
		if h.Store.Engine() == "sqlite" {
			most = 30
		}
		if statements > most || commits > 2 {
			t.Errorf("at most %.0f statements and 2 commits were expected", most)
		}
		ended := core.Filters{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Completed}}}}}
		if got := localtest.Must(h.Store.CountFlowRuns(h.Ctx, ended))(t); got != n {
			t.Errorf("%d runs have ended", got)
		}
	})
}
