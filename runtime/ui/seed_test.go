package ui_test

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// seed fills the house with two days of work, a running run with a failed
// task and artifacts, a paused one, a failed one and a late one.
func (h *house) seed() (running, paused, big, failed *core.FlowRun) {
	h.t.Helper()
	r := rand.New(rand.NewPCG(7, 11))
	now := core.Now()
	for i := range 96 { // half hours
		began := now.Add(-time.Duration(96-i) * 15 * time.Minute)
		h.at(began)
		d, params := h.heartbeat, ""
		switch {
		case i%3 == 0:
			d, params = h.adder, `{"a":40,"b":2}`
		case i%7 == 0:
			d = h.etl
		}
		run := h.create(d, params)
		h.at(began.Add(time.Duration(40+r.IntN(200)) * time.Millisecond))
		ctx := h.act(run.ID)
		took := time.Duration(2 * math.Exp(r.NormFloat64()) * float64(time.Second))
		if d == h.etl {
			took *= 40
		}
		h.task(ctx, run.ID, "step", 0, h.now(), took/2, core.Completed)
		h.at(h.now().Add(took))
		switch {
		case i%31 == 30:
			h.set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("load-0: dial tcp 10.4.9.3:5432: connection refused (3 attempts)")})
		case i%43 == 42:
			h.set(ctx, run.ID, core.StateCreate{Type: core.Crashed, Message: core.Ptr("process killed by signal: killed (out of memory?)")})
		default:
			h.complete(ctx, run.ID, "42")
		}
	}
	failed = h.failedETL(now.Add(-50 * time.Minute))
	running = h.runningETL(now.Add(-95 * time.Second))
	h.at(now.Add(-42 * time.Minute))
	paused = h.create(h.approval, "")
	ctx := h.act(paused.ID)
	at := h.now()
	load := h.task(ctx, paused.ID, "load_ticket", 0, at, 2100*time.Millisecond, core.Completed)
	hist := h.task(ctx, paused.ID, "customer_history", 0, at.Add(2200*time.Millisecond), 18*time.Second, core.Completed, load)
	risk := h.task(ctx, paused.ID, "risk_score", 0, at.Add(21*time.Second), 23*time.Second, core.Completed, hist)
	h.task(ctx, paused.ID, "draft_reply", 0, at.Add(45*time.Second), 27*time.Second, core.Completed, risk, load)
	h.at(at.Add(72 * time.Second))
	h.log(paused.ID, 20, "flow", "Pausing: waiting for RefundDecision, times out in 24 h")
	h.pause(ctx, paused.ID)
	h.at(now.Add(-5 * time.Minute))
	big = h.create(h.etl, `{"source":"clicks","parallel":64}`)
	ctx = h.act(big.ID)
	list := h.task(ctx, big.ID, "list_partitions", 0, h.now(), 3*time.Second, core.Completed)
	ends := make([]core.Time, 16)
	for i := range 300 {
		w := i % 16
		start := max(h.now().Add(3*time.Second), ends[w])
		end := core.Completed
		if i%97 == 96 {
			end = core.Failed
		}
		took := time.Duration(4+r.IntN(9)) * time.Second
		h.task(ctx, big.ID, "backfill_partition", i, start, took, end, list)
		ends[w] = start.Add(took)
	}
	h.at(now.Add(-9 * time.Minute))
	late := h.create(h.heartbeat, "")
	h.at(now)
	h.must(h.svc.SetFlowRunState(h.t.Context(), late.ID, core.StateCreate{Type: core.Scheduled, Name: core.NameLate, Details: core.StateDetails{ScheduledTime: now.Add(-9 * time.Minute)}}, true))
	for i := range 8 {
		run, err := h.svc.CreateDeploymentFlowRun(h.t.Context(), h.heartbeat.ID, core.DeploymentFlowRunCreate{State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: now.Add(time.Duration(i*15+7) * time.Minute)}}})
		h.must(run, err)
	}
	h.check(h.svc.Heartbeat(h.t.Context(), "default", core.WorkerHeartbeat{Name: "worker laptop", HeartbeatIntervalSeconds: core.Ptr(int64(10))}))
	h.must(h.svc.CreateWorkPool(h.t.Context(), core.WorkPoolCreate{Name: "gpu", Type: "process", Description: core.Ptr("GPU host for embeddings"), ConcurrencyLimit: core.Ptr(int64(2))}))
	h.must(h.svc.Poll(h.t.Context(), core.PollRequest{Pool: "default", Holder: h.holder, Worker: "worker laptop"}))
	h.at(0)
	return running, paused, big, failed
}

func (h *house) failedETL(at core.Time) *core.FlowRun {
	h.at(at)
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	ex := h.task(ctx, run.ID, "extract", 0, at, 9*time.Second, core.Completed)
	h.task(ctx, run.ID, "load", 0, at.Add(9*time.Second), 4*time.Second, core.Failed, ex)
	h.at(at.Add(14 * time.Second))
	h.log(run.ID, 40, "load-0", "dial tcp 10.4.9.3:5432: connection refused")
	h.set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("load-0: dial tcp 10.4.9.3:5432: connection refused (3 attempts)")})
	return run
}

func (h *house) runningETL(at core.Time) *core.FlowRun {
	h.at(at)
	run := h.create(h.etl, `{"source":"orders","parallel":6}`)
	ctx := h.act(run.ID)
	h.log(run.ID, 20, "worker", "worker laptop took this run from pool default")
	h.log(run.ID, 20, "flow", "Beginning flow run %s for flow etl", run.Name)
	cfg := h.task(ctx, run.ID, "load_config", 0, at, 900*time.Millisecond, core.Completed)
	list := h.task(ctx, run.ID, "list_partitions", 0, at.Add(time.Second), 3*time.Second, core.Completed, cfg)
	var parts []core.UUID
	for i := range 24 {
		t := at.Add(4*time.Second + time.Duration(i/6)*8*time.Second)
		parts = append(parts, h.task(ctx, run.ID, "extract", i, t, time.Duration(5+i%4)*time.Second, core.Completed, list))
		h.at(t)
		h.log(run.ID, 20, "extract", "GET /orders?partition=%d  200  %d rows", i, 640+i*37%311)
	}
	clean := h.task(ctx, run.ID, "clean", 0, at.Add(38*time.Second), 11*time.Second, core.Completed, parts...)
	h.task(ctx, run.ID, "geo_lookup", 0, at.Add(49*time.Second), 3*time.Second, core.Failed, clean)
	join := h.task(ctx, run.ID, "join_customers", 0, at.Add(50*time.Second), 19*time.Second, core.Completed, clean)
	h.task(ctx, run.ID, "load_warehouse", 0, at.Add(70*time.Second), 0, core.Running, join)
	for i := range 12 {
		h.at(at.Add(70*time.Second + time.Duration(i)*1700*time.Millisecond))
		level := int64(20)
		if i == 4 {
			level = 30
		}
		h.log(run.ID, level, "load_warehouse", "processed batch %d: %d customers", i+1, 1800+i*173%400)
	}
	for _, a := range []core.ArtifactCreate{
		{Key: core.Ptr("orders-summary"), Type: core.Ptr("markdown"), Data: core.ToJSON("# Orders of the last window\n\n**18,204** orders from 24 partitions, 3 regions.\n\n- 212 without a country\n- [dashboard](https://bi.example.test/orders)")},
		{Key: core.Ptr("row-counts"), Type: core.Ptr("table"), Data: core.ToJSON(`[{"region":"eu","orders":9120,"refunds":31},{"region":"us","orders":7004,"refunds":58},{"region":"apac","orders":2080,"refunds":4}]`)},
		{Key: core.Ptr("load"), Type: core.Ptr("progress"), Data: core.JSON(`62.5`)},
	} {
		a.FlowRunID = run.ID
		h.must(h.svc.CreateArtifact(ctx, a))
	}
	return run
}
