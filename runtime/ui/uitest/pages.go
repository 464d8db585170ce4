package uitest

import (
	"maps"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Twice is a run that failed, and two days later was retried and completed:
// extract ran once, load twice, publish in the second attempt alone.
func (h *Fixture) Twice() *core.FlowRun {
	h.T.Helper()
	now := core.Now()
	at := now.Add(-49 * time.Hour)
	h.At(at)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	h.Task(ctx, run.ID, "extract", 0, at, 9*time.Second, core.Completed)
	load := h.Task(ctx, run.ID, "load", 0, at.Add(10*time.Second), 4*time.Second, core.Failed)
	h.At(at.Add(15 * time.Second))
	h.Set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("load-0: connection refused")})
	at = now.Add(-time.Hour)
	h.At(at)
	h.Must(h.Service.RetryFlowRun(h.T.Context(), run.ID, false))
	ctx = h.Act(run.ID)
	if n := h.Run(run.ID).RunCount; n != 2 {
		h.T.Fatal("attempt", n)
	}
	r, err := h.Store.TaskRun(h.T.Context(), load)
	h.Check(err)
	began, ended := core.StateCreate{Type: core.Running}.State(at.Add(time.Second)), core.StateCreate{Type: core.Completed}.State(at.Add(7*time.Second))
	r.State, r.StateID, r.StateType, r.StateName, r.StateTimestamp = ended, ended.ID, ended.Type, ended.Name, ended.Timestamp
	r.EndTime, r.FlowRunRunCount, r.Updated = ended.Timestamp, 2, ended.Timestamp
	h.Check(h.Service.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: r, States: []*core.State{began, ended}}}))
	id := h.Task(ctx, run.ID, "publish", 0, at.Add(8*time.Second), 2*time.Second, core.Completed)
	p, err := h.Store.TaskRun(h.T.Context(), id)
	h.Check(err)
	p.FlowRunRunCount = 2
	h.At(at.Add(11 * time.Second))
	h.Complete(ctx, run.ID, "1")
	h.At(0)
	return run
}

func (h *Fixture) Pages(running, paused, big, failed *core.FlowRun) map[string]string {
	run := func(r *core.FlowRun) string { return "/flow-runs/" + r.ID.String() }
	ts, err := h.Store.TaskRunsOf(h.T.Context(), running.ID, core.UUID{}, 10)
	h.Check(err)
	h.Check(h.Service.UpdateWorkPool(h.T.Context(), "default", core.WorkPoolUpdate{BaseJobTemplate: core.Some(core.ProcessTemplate)}))
	all := h.ThingsPages(running)
	maps.Copy(all, map[string]string{
		"dashboard": "/dashboard", "runs": "/runs", "run-live": run(running), "run-approval": run(paused), "run-group": run(big) + "?open=%2Fbackfill_partition",
		"run-attempts": run(h.Twice()) + "?attempt=2", "run-lanes": run(running) + "?view=lanes", "run-failed": run(failed), "task-run": "/task-runs/" + ts[0].ID.String(), "flows": "/flows", "flow": "/flows/" + h.ETL.FlowID.String(),
		"deployments": "/deployments", "deployment": "/deployments/" + h.ETL.ID.String(), "custom-run": "/deployments/" + h.Adder.ID.String() + "/run",
		"work-pools": "/work-pools", "schedule": "/deployments/" + h.ETL.ID.String() + "/schedules/" + h.ETL.Schedules[0].ID.String(), "schedule-new": "/deployments/" + h.Adder.ID.String() + "/schedules/new",
		"automations": "/automations", "automation": h.AutomationPath(), "automation-new": "/automations/new", "automation-edit": h.AutomationPath() + "/edit",
		"events": "/events", "event": "/events/" + h.AnEvent("prefect.flow-run.").ID.String(),
		"work-pool": "/work-pools/default", "pool-edit": "/work-pools/default/edit", "pool-edit-json": "/work-pools/default/edit?input=json",
		"queue": "/work-pools/default/queues/" + h.DefaultQueue().ID.String(), "queue-new": "/work-pools/default/queues/new",
		"runs-filtered": "/runs?state=completed&state=running&sort=oldest&tag=quick-start&range=all", "runs-bulk": "/runs/bulk?do=delete&all=1&query=range%3D24h", "run-state": run(failed) + "/state",
		"deployment-edit": "/deployments/" + h.Adder.ID.String() + "/edit", "deployment-duplicate": "/deployments/" + h.ETL.ID.String() + "/duplicate", "deployment-remove": "/deployments/" + h.ETL.ID.String() + "/remove",
		"pool-new": "/work-pools?create=1", "not-found": "/nowhere", "find": "/palette?q=e",
	})
	return all
}

// ThingsPages fills what runs stand on, and names the pages of it.
func (h *Fixture) ThingsPages(run *core.FlowRun) map[string]string {
	h.T.Helper()
	v := h.Variable("order_limits", `{"eu": 500, "us": 1200, "currencies": ["EUR", "USD"], "strict": true}`, "orders", "prod")
	h.Variable("model_name", `"claims-triage-2026-11"`, "prod")
	h.Variable("retry_minutes", `15`)
	s := h.Secret("shop-api-token", "tok-918273645")
	h.Secret("warehouse-password", "hunter2-hunter2")
	hook := h.BlockOf("webhook", "alerts", `{"url":"https://hooks.example.test/T0/B1/xyz","headers":{"Authorization":"Bearer abcdef"},"verify":true}`)
	h.BlockOf("local-file-system", "lake", `{"basepath":"/srv/lake"}`)
	rows := func(n string) core.JSON {
		return core.ToJSON(`[{"region":"eu","orders":9120,"refunds":31},{"region":"us","orders":` + n + `,"refunds":58},{"region":"apac","orders":2080,"refunds":4}]`)
	}
	before := h.Artifact("row-counts", "table", rows("6650"), run.ID)
	h.Artifact("row-counts", "table", rows("6700"), core.UUID{})
	table := h.Artifact("row-counts", "table", rows("7004"), run.ID)
	text := h.Artifact("orders-summary", "markdown", core.ToJSON("### Orders\n\n**17,980** orders from 24 partitions.\n\n- 190 without a country"), run.ID)
	newer := h.Artifact("orders-summary", "markdown", core.ToJSON("### Orders\n\n**18,204** orders from 24 partitions.\n\n- 212 without a country\n- [dashboard](https://bi.example.test/orders)"), run.ID)
	db := h.Limit("warehouse-connections", 3, 0)
	h.Limit("geocoder", 50, 2.5)
	h.Hold("warehouse-connections", "flow_run", run.ID)
	ts, err := h.Store.TaskRunsOf(h.T.Context(), run.ID, core.UUID{}, 10)
	h.Check(err)
	h.Hold("warehouse-connections", "task_run", ts[0].ID)
	h.Hold("warehouse-connections", "", core.UUID{})
	h.Must(h.Service.IncrementSlots(h.T.Context(), core.SlotRequest{Slots: 20, Names: []string{"geocoder"}}))
	h.Must(h.Service.SetTagLimit(h.T.Context(), core.TagLimitCreate{Tag: "gpu", Limit: 2}))
	h.Must(h.Service.TakeTagSlots(h.T.Context(), []string{"gpu"}, ts[1].ID))
	return map[string]string{
		"variables": "/variables", "variable": "/variables/" + v.ID.String(), "variable-new": "/variables/new",
		"secret": "/secrets/" + s.ID.String(), "secret-new": "/secrets/new",
		"blocks": "/blocks", "block": "/blocks/" + hook.ID.String(), "block-edit": "/blocks/" + hook.ID.String() + "?edit=1", "block-types": "/blocks/new", "block-new": "/blocks/new?type=webhook",
		"artifacts": "/artifacts", "artifacts-all": "/artifacts?view=all", "artifact": "/artifacts/" + table.ID.String(),
		"artifact-rows": "/artifacts/" + table.ID.String() + "?with=" + before.ID.String(), "artifact-lines": "/artifacts/" + newer.ID.String() + "?with=" + text.ID.String(),
		"concurrency": "/concurrency", "limit": "/concurrency/" + db.ID.String(), "limit-new": "/concurrency/new",
		"settings": "/settings",
	}
}
