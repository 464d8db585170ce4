package api

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// TestTextLimits: a text as long as its limit allows is stored and found on both
// engines, and one that is a byte longer is refused by both in the same words.
// The texts cannot be compressed, as PostgreSQL does before it measures.
func TestTextLimits(t *testing.T) {
	text := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[rand.IntN(36)]
		}
		return string(b)
	}
	var answers []map[string]string
	for _, e := range dbtest.Engines(t) {
		w := newWorld(t, e.URL(t))
		flow := w.flow("f")
		run := w.run(flow, nil)["id"].(string)
		w.post(201, "/work_pools/", object{"name": "p", "type": "process"})
		kind := w.post(201, "/block_types/", object{"name": "T", "slug": "t"})["id"].(string)
		form := w.post(201, "/block_schemas/", object{"block_type_id": kind, "fields": object{"title": "T", "type": "object", "properties": object{"a": object{"title": "A", "type": "string"}}}})["id"].(string)
		said := map[string]string{}
		answers = append(answers, said)
		write := func(name string, l *core.Limit, method, path string, body func(s string) any) {
			t.Helper()
			if status, _, b := w.send(method, path, body(text(l.Bytes))); status >= 300 {
				t.Errorf("%s: %s at its limit: %d %.200s", e.Name, name, status, b)
			}
			status, _, b := w.send(method, path, body(text(l.Bytes+1)))
			var answer validationBody
			if err := json.Unmarshal(b, &answer); status != 422 || err != nil || len(answer.Detail) == 0 {
				t.Errorf("%s: %s beyond its limit: %d %.200s", e.Name, name, status, b)
				return
			}
			said[name] = fmt.Sprint(answer.Detail[0].Type, answer.Detail[0].Loc, answer.Detail[0].Msg)
		}
		write("flow", core.MaxFlowName, "POST", "/flows/", func(s string) any { return object{"name": s} })
		write("flow run", core.MaxFlowRunName, "POST", "/flow_runs/", func(s string) any {
			return object{"flow_id": flow, "name": s, "state": object{"type": "PENDING", "name": text(core.MaxStateName.Bytes)}}
		})
		write("renamed flow run", core.MaxFlowRunName, "PATCH", "/flow_runs/"+run, func(s string) any { return object{"name": s} })
		write("key", core.MaxFlowRunKey, "POST", "/flow_runs/", func(s string) any { return object{"flow_id": flow, "idempotency_key": s} })
		write("tag", core.MaxFlowRunTag, "POST", "/flow_runs/", func(s string) any { return object{"flow_id": flow, "tags": []string{s}} })
		write("state", core.MaxStateName, "POST", "/flow_runs/"+run+"/set_state", func(s string) any { return object{"state": object{"type": "PENDING", "name": s}, "force": true} })
		write("input", core.MaxFlowRunInputKey, "POST", "/flow_runs/"+run+"/input", func(s string) any { return object{"key": s, "value": "1"} })
		write("task key", core.MaxTaskKey, "POST", "/task_runs/", func(s string) any {
			return object{"flow_run_id": run, "task_key": s, "dynamic_key": text(core.MaxTaskDynamicKey.Bytes), "state": object{"type": "SCHEDULED", "state_details": object{"deferred": true}}}
		})
		write("dynamic key", core.MaxTaskDynamicKey, "POST", "/task_runs/", func(s string) any { return object{"flow_run_id": run, "task_key": "k", "dynamic_key": s} })
		task := w.post(201, "/task_runs/", object{"flow_run_id": run, "task_key": "c", "dynamic_key": "0"})["id"].(string)
		write("cache key", core.MaxTaskCacheKey, "POST", "/task_runs/"+task+"/set_state", func(s string) any {
			return object{"force": true, "state": object{"type": "COMPLETED", "state_details": object{"cache_key": s}}}
		})
		write("deployment", core.MaxDeploymentName, "POST", "/deployments/", func(s string) any { return object{"flow_id": flow, "name": s} })
		write("deployment's tag", core.MaxDeploymentTag, "POST", "/deployments/", func(s string) any {
			return object{"flow_id": flow, "name": "tagged", "enforce_parameter_schema": false, "tags": []string{s}, "work_pool_name": "p", "schedules": []object{{"active": true, "schedule": object{"interval": 3600}}}}
		})
		write("slug", core.MaxScheduleSlug, "POST", "/deployments/", func(s string) any {
			return object{"flow_id": flow, "name": "slug", "schedules": []object{{"slug": s, "active": false, "schedule": object{"interval": 3600}}}}
		})
		write("pool", core.MaxWorkPoolName, "POST", "/work_pools/", func(s string) any { return object{"name": s, "type": "process"} })
		write("queue", core.MaxWorkQueueName, "POST", "/work_pools/p/queues", func(s string) any { return object{"name": s} })
		write("worker", core.MaxWorkerName, "POST", "/work_pools/p/workers/heartbeat", func(s string) any { return object{"name": s} })
		write("limit", core.MaxConcurrencyLimitName, "POST", "/v2/concurrency_limits/", func(s string) any { return object{"name": s, "limit": 1} })
		w.agent = "flowlite" // of the callers of the API, only our own engine names the call
		write("artifact's call", core.MaxArtifactCall, "POST", "/artifacts/", func(s string) any { return object{"flow_run_id": run, "call": s, "type": "markdown", "data": "x"} })
		w.agent = ""
		write("artifact", core.MaxArtifactKey, "POST", "/artifacts/", func(s string) any { return object{"key": s, "type": "markdown", "data": "x"} })
		write("block type", core.MaxBlockTypeName, "POST", "/block_types/", func(s string) any { return object{"name": s, "slug": text(9)} })
		write("block type's slug", core.MaxBlockTypeSlug, "POST", "/block_types/", func(s string) any { return object{"name": text(9), "slug": s} })
		write("block", core.MaxBlockDocumentName, "POST", "/block_documents/", func(s string) any {
			return object{"name": s, "data": object{"a": "b"}, "block_type_id": kind, "block_schema_id": form}
		})
		write("version", core.MaxBlockSchemaVersion, "POST", "/block_schemas/", func(s string) any {
			return object{"block_type_id": kind, "version": s, "fields": object{"title": "T", "type": "object", "properties": object{"b": object{"title": "B", "type": "string"}}}}
		})
		write("saved search", core.MaxSavedSearchName, "PUT", "/saved_searches/", func(s string) any { return object{"name": s, "filters": []object{}} })
		of := func(event, resource string) any {
			return []object{{"id": core.NewID(), "occurred": "2026-11-23T08:06:40Z", "event": event, "resource": object{"prefect.resource.id": resource}, "payload": object{}}}
		}
		write("event", core.MaxEventName, "POST", "/events", func(s string) any { return of(s, "x") })
		write("resource", core.MaxEventResourceID, "POST", "/events", func(s string) any { return of("x", s) })
		// A deployment whose tags passed makes runs, which have them and its own.
		d := w.get("/deployments/name/f/tagged")
		made := w.post(201, "/deployments/"+d["id"].(string)+"/create_flow_run", object{"tags": []string{text(core.MaxFlowRunTag.Bytes)}})
		equal(t, "tags", len(made["tags"].([]any)), 2)
		w.do(200, "POST", "/deployments/"+d["id"].(string)+"/schedule", object{})
		if runs := w.list("/flow_runs/filter", object{"flow_runs": object{"tags": object{"all_": []string{"auto-scheduled"}}}}); len(runs) == 0 || !slices.Contains(runs[0]["tags"].([]any), d["tags"].([]any)[0]) {
			t.Errorf("%s: %d scheduled runs", e.Name, len(runs))
		}
	}
	for name, first := range answers[0] {
		for _, other := range answers[1:] {
			equal(t, name, other[name], first)
		}
	}
}
