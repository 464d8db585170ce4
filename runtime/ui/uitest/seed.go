package uitest

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Seed fills the fixture with two days of work, a running run with a failed
// task and artifacts, a paused one, a failed one and a late one.
func (h *Fixture) Seed() (running, paused, big, failed *core.FlowRun) {
	h.T.Helper()
	r := rand.New(rand.NewPCG(7, 11))
	now := core.Now()
	for i := range 96 { // half hours
		began := now.Add(-time.Duration(96-i) * 15 * time.Minute)
		h.At(began)
		d, params := h.Heartbeat, ""
		switch {
		case i%3 == 0:
			d, params = h.Adder, `{"a":40,"b":2}`
		case i%7 == 0:
			d = h.ETL
		}
		run := h.Create(d, params)
		h.At(began.Add(time.Duration(40+r.IntN(200)) * time.Millisecond))
		ctx := h.Act(run.ID)
		took := time.Duration(2 * math.Exp(r.NormFloat64()) * float64(time.Second))
		if d == h.ETL {
			took *= 40
		}
		h.Task(ctx, run.ID, "step", 0, h.Now(), took/2, core.Completed)
		h.At(h.Now().Add(took))
		switch {
		case i%31 == 30:
			h.Set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("load-0: dial tcp 10.4.9.3:5432: connection refused (3 attempts)")})
		case i%43 == 42:
			h.Set(ctx, run.ID, core.StateCreate{Type: core.Crashed, Message: core.Ptr("process killed by signal: killed (out of memory?)")})
		default:
			h.Complete(ctx, run.ID, "42")
		}
	}
	failed = h.failedETL(now.Add(-50 * time.Minute))
	running = h.runningETL(now.Add(-95 * time.Second))
	h.At(now.Add(-42 * time.Minute))
	paused = h.Create(h.Approval, "")
	ctx := h.Act(paused.ID)
	at := h.Now()
	load := h.Task(ctx, paused.ID, "load_ticket", 0, at, 2100*time.Millisecond, core.Completed)
	hist := h.Task(ctx, paused.ID, "customer_history", 0, at.Add(2200*time.Millisecond), 18*time.Second, core.Completed, load)
	risk := h.Task(ctx, paused.ID, "risk_score", 0, at.Add(21*time.Second), 23*time.Second, core.Completed, hist)
	h.Task(ctx, paused.ID, "draft_reply", 0, at.Add(45*time.Second), 27*time.Second, core.Completed, risk, load)
	h.At(at.Add(72 * time.Second))
	h.Log(paused.ID, 20, "flow", "Pausing: waiting for RefundDecision, times out in 24 h")
	h.Pause(ctx, paused.ID)
	h.At(now.Add(-5 * time.Minute))
	big = h.Create(h.ETL, `{"source":"clicks","parallel":64}`)
	ctx = h.Act(big.ID)
	list := h.Task(ctx, big.ID, "list_partitions", 0, h.Now(), 3*time.Second, core.Completed)
	ends := make([]core.Time, 16)
	for i := range 300 {
		w := i % 16
		start := max(h.Now().Add(3*time.Second), ends[w])
		end := core.Completed
		if i%97 == 96 {
			end = core.Failed
		}
		took := time.Duration(4+r.IntN(9)) * time.Second
		h.Task(ctx, big.ID, "backfill_partition", i, start, took, end, list)
		ends[w] = start.Add(took)
	}
	h.At(now.Add(-9 * time.Minute))
	late := h.Create(h.Heartbeat, "")
	h.At(now)
	h.Must(h.Service.SetFlowRunState(h.T.Context(), late.ID, core.StateCreate{Type: core.Scheduled, Name: core.NameLate, Details: core.StateDetails{ScheduledTime: now.Add(-9 * time.Minute)}}, true))
	for i := range 8 {
		run, err := h.Service.CreateDeploymentFlowRun(h.T.Context(), h.Heartbeat.ID, core.DeploymentFlowRunCreate{State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: now.Add(time.Duration(i*15+7) * time.Minute)}}})
		h.Must(run, err)
	}
	h.Check(h.Service.Heartbeat(h.T.Context(), "default", core.WorkerHeartbeat{Name: "worker laptop", HeartbeatIntervalSeconds: core.Ptr(int64(10))}))
	h.Must(h.Service.CreateWorkPool(h.T.Context(), core.WorkPoolCreate{Name: "gpu", Type: "process", Description: core.Ptr("GPU host for embeddings"), ConcurrencyLimit: core.Ptr(int64(2))}))
	h.Must(h.Service.Poll(h.T.Context(), core.PollRequest{Pool: "default", Holder: h.holder, Worker: "worker laptop"}))
	h.At(0)
	return running, paused, big, failed
}

func (h *Fixture) failedETL(at core.Time) *core.FlowRun {
	h.At(at)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	ex := h.Task(ctx, run.ID, "extract", 0, at, 9*time.Second, core.Completed)
	h.Task(ctx, run.ID, "load", 0, at.Add(9*time.Second), 4*time.Second, core.Failed, ex)
	h.At(at.Add(14 * time.Second))
	h.Log(run.ID, 40, "load-0", "dial tcp 10.4.9.3:5432: connection refused")
	h.Set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("load-0: dial tcp 10.4.9.3:5432: connection refused (3 attempts)")})
	return run
}

func (h *Fixture) runningETL(at core.Time) *core.FlowRun {
	h.At(at)
	run := h.Create(h.ETL, `{"source":"orders","parallel":6}`)
	ctx := h.Act(run.ID)
	h.Log(run.ID, 20, "worker", "worker laptop took this run from pool default")
	h.Log(run.ID, 20, "flow", "Beginning flow run %s for flow etl", run.Name)
	cfg := h.Task(ctx, run.ID, "load_config", 0, at, 900*time.Millisecond, core.Completed)
	list := h.Task(ctx, run.ID, "list_partitions", 0, at.Add(time.Second), 3*time.Second, core.Completed, cfg)
	var parts []core.UUID
	for i := range 24 {
		t := at.Add(4*time.Second + time.Duration(i/6)*8*time.Second)
		parts = append(parts, h.Task(ctx, run.ID, "extract", i, t, time.Duration(5+i%4)*time.Second, core.Completed, list))
		h.At(t)
		h.Log(run.ID, 20, "extract", "GET /orders?partition=%d  200  %d rows", i, 640+i*37%311)
	}
	clean := h.Task(ctx, run.ID, "clean", 0, at.Add(38*time.Second), 11*time.Second, core.Completed, parts...)
	h.Task(ctx, run.ID, "geo_lookup", 0, at.Add(49*time.Second), 3*time.Second, core.Failed, clean)
	join := h.Task(ctx, run.ID, "join_customers", 0, at.Add(50*time.Second), 19*time.Second, core.Completed, clean)
	h.Task(ctx, run.ID, "load_warehouse", 0, at.Add(70*time.Second), 0, core.Running, join)
	for i := range 12 {
		h.At(at.Add(70*time.Second + time.Duration(i)*1700*time.Millisecond))
		level := int64(20)
		if i == 4 {
			level = 30
		}
		h.Log(run.ID, level, "load_warehouse", "processed batch %d: %d customers", i+1, 1800+i*173%400)
	}
	for _, a := range []core.ArtifactCreate{
		{Key: core.Ptr("orders-summary"), Type: core.Ptr("markdown"), Data: core.ToJSON("# Orders of the last window\n\n**18,204** orders from 24 partitions, 3 regions.\n\n- 212 without a country\n- [dashboard](https://bi.example.test/orders)")},
		{Key: core.Ptr("row-counts"), Type: core.Ptr("table"), Data: core.ToJSON(`[{"region":"eu","orders":9120,"refunds":31},{"region":"us","orders":7004,"refunds":58},{"region":"apac","orders":2080,"refunds":4}]`)},
		{Key: core.Ptr("load"), Type: core.Ptr("progress"), Data: core.JSON(`62.5`)},
	} {
		a.FlowRunID = run.ID
		h.Must(h.Service.CreateArtifact(ctx, a))
	}
	return run
}
