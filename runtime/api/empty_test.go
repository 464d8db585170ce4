package api

import (
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
)

// TestEmptyIsNone sends "" for each optional text by which a record is found
// or told from another: two records without it stay two, and nothing is looked
// for under an empty name.
func TestEmptyIsNone(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.URL(t))
			flow := w.flow("f")
			w.post(201, "/work_pools/", object{"name": "p", "type": "process"})
			w.do(201, "POST", "/work_pools/p/queues", object{"name": "q"})
			d := w.post(201, "/deployments/", object{"name": "d", "flow_id": flow, "work_pool_name": "p", "work_queue_name": "q",
				"parameter_openapi_schema": object{}})
			id := d["id"].(string)
			run := w.run(flow, nil)["id"]
			pause := w.run(flow, nil)
			w.state(201, pause, "ACCEPT", "RUNNING", nil)
			differ := func(what string, make func() object, empty ...string) {
				t.Helper()
				a, b := make(), make()
				if a["id"] == b["id"] {
					t.Errorf("%s: the second record vanished into the first", what)
				}
				for _, key := range empty {
					if a[key] != nil {
						t.Errorf("%s: %s is %q, want null", what, key, a[key])
					}
				}
			}
			differ("flow run", func() object {
				return w.post(201, "/flow_runs/", object{"flow_id": flow,
					"idempotency_key": ""})
			}, "idempotency_key")
			differ("run in no pool", func() object {
				return w.post(201, "/flow_runs/", object{"flow_id": flow, "work_pool_name": "", "work_queue_name": ""})
			}, "work_pool_name", "work_queue_name")
			differ("run of a deployment", func() object {
				return w.post(201, "/deployments/"+id+"/create_flow_run", object{"idempotency_key": "", "work_queue_name": ""})
			}, "idempotency_key")
			differ("task run", func() object {
				return w.post(201, "/task_runs/", object{"flow_run_id": run, "task_key": "t", "dynamic_key": "", "cache_key": ""})
			}, "cache_key")
			differ("artifact", func() object { return w.post(201, "/artifacts/", object{"key": "", "data": "x"}) }, "key")
			if n := w.do(200, "POST", "/artifacts/latest/count", object{}); n != 0.0 {
				t.Errorf("%v collections of artifacts without a key", n)
			}
			differ("schedule", func() object {
				list := w.do(201, "POST", "/deployments/"+id+"/schedules", []object{{"schedule": object{"cron": "0 9 * * *"},
					"slug": ""}})
				return list.([]any)[0].(object)
			}, "slug")
			all := []object{{"schedule": object{"cron": "0 9 * * *"}, "slug": ""}, {"schedule": object{"cron": "0 8 * * *"},
				"slug": "", "replaces": ""}}
			w.do(204, "PATCH", "/deployments/"+id, object{"schedules": all, "work_pool_name": "", "work_queue_name": ""})
			d = w.post(200, "/deployments/", object{"name": "d", "flow_id": flow, "schedules": all, "work_pool_name": "",
				"work_queue_name": ""})
			equal(t, "place", []any{d["work_pool_name"], d["work_queue_name"], len(d["schedules"].([]any))}, []any{"p", "q", 2})

			// A state under an empty cache key is nobody's.
			var tasks []object
			for _, key := range []string{"1", "2"} {
				tasks = append(tasks, w.post(201, "/task_runs/", object{"flow_run_id": pause["id"], "task_key": "cached", "dynamic_key": key}))
			}
			for _, task := range tasks {
				for _, kind := range []string{"RUNNING", "COMPLETED"} {
					out := w.post(201, "/task_runs/"+task["id"].(string)+"/set_state", object{"state": object{"type": kind,
						"state_details": object{"cache_key": ""}}})
					equal(t, "answer", out["status"], "ACCEPT")
				}
			}
			// An empty pause key pauses more than once.
			for range 2 {
				w.state(201, pause, "ACCEPT", "PAUSED", object{"state_details": object{"pause_key": "",
					"pause_timeout": "2199-01-01T00:00:00Z"}})
				w.state(201, pause, "ACCEPT", "RUNNING", nil)
			}
		})
	}
}
