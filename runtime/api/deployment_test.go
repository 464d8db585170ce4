package api

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const schemaOfN = `{"title":"Parameters","type":"object","properties":{"n":{"type":"integer","position":0}},"required":["n"]}`

func TestDeployment(t *testing.T) {
	w := memory(t)
	flow := w.flow("deployed")
	shaped(t, "work_pool", w.post(201, "/work_pools/", object{"name": "pool", "type": "process"}))
	body := func(more object) object {
		o := object{"name": "d", "flow_id": flow, "work_pool_name": "pool", "tags": []string{"d"}, "parameters": object{},
			"parameter_openapi_schema": core.JSON(schemaOfN), "schedules": []object{{"schedule": object{"interval": 3600}, "active": true, "slug": "hourly"}}}
		maps.Copy(o, more)
		return o
	}
	d := w.post(201, "/deployments/", body(nil))
	shaped(t, "deployment", d)
	shaped(t, "deployment_schedule", at(d, "schedules", 0))
	id := "/deployments/" + d["id"].(string)
	again := w.post(200, "/deployments/", body(object{"description": "new"}))
	equal(t, "upsert", []any{again["id"] == d["id"], again["description"]}, "[true new]")
	shaped(t, "deployment", w.get("/deployments/name/deployed/d"))
	shaped(t, "deployment", w.get(id))
	w.do(404, "GET", "/deployments/name/deployed/none", nil)
	w.do(404, "POST", "/deployments/", body(object{"work_pool_name": "none"}))
	w.do(409, "POST", "/deployments/", body(object{"flow_id": core.NewID().String()}))

	w.do(409, "POST", id+"/create_flow_run", object{})
	w.do(409, "POST", id+"/create_flow_run", object{"parameters": object{"n": "x"}})
	w.do(404, "POST", "/deployments/"+core.NewID().String()+"/create_flow_run", object{})
	run := w.post(201, id+"/create_flow_run", object{"parameters": object{"n": 1}, "tags": []string{"r"}, "idempotency_key": "k"})
	shaped(t, "flow_run", run)
	equal(t, "run", []any{run["state_type"], run["tags"], run["work_pool_name"], run["work_queue_name"]}, "[SCHEDULED [d r] pool default]")
	equal(t, "default priority", run["priority"], nil) // Prefect has no such key
	first := w.post(201, id+"/create_flow_run", object{"parameters": object{"n": 1}, "priority": 5})
	equal(t, "priority", w.get("/flow_runs/" + first["id"].(string))["priority"], 5.0)
	w.do(422, "POST", id+"/create_flow_run", object{"parameters": object{"n": 1}, "priority": "high"})
	queue := "/work_queues/" + first["work_queue_id"].(string) + "/get_runs"
	soon := core.Now().Add(time.Minute).String()
	for _, priority := range []int{5, -1, 0} { // older polls honor it, too
		w.do(204, "PATCH", "/flow_runs/"+first["id"].(string), object{"priority": priority})
		want := []any{run["id"], first["id"]}
		if priority == 5 {
			want = []any{first["id"], run["id"]}
		}
		for path, poll := range map[string]object{
			queue:                                  {"scheduled_before": soon},
			"/deployments/get_scheduled_flow_runs": {"deployment_ids": []any{d["id"]}, "scheduled_before": soon},
		} {
			equal(t, fmt.Sprint(path, " by priority ", priority), names(w.list(path, poll), "id"), want)
		}
		var due []any
		for _, r := range w.list("/work_pools/pool/get_scheduled_flow_runs", object{"scheduled_before": soon}) {
			due = append(due, r["flow_run"].(object)["id"])
		}
		equal(t, fmt.Sprint("pool by priority ", priority), due, want)
	}
	w.do(422, "PATCH", "/flow_runs/"+first["id"].(string), object{"priority": "high"})
	w.do(204, "PATCH", "/flow_runs/"+first["id"].(string), object{"priority": nil})
	w.do(204, "DELETE", "/flow_runs/"+first["id"].(string), nil)
	equal(t, "same key", w.post(200, id+"/create_flow_run", object{"parameters": object{"n": 1}, "idempotency_key": "k"})["id"], run["id"])
	createdInBulk(t, w, id)
	due := w.list("/deployments/get_scheduled_flow_runs", object{"deployment_ids": []any{d["id"]}, "scheduled_before": core.Now().Add(time.Minute).String()})
	equal(t, "due", names(due, "id"), []any{run["id"]})

	w.do(204, "PATCH", id, object{"paused": true})
	equal(t, "paused", w.get(id)["paused"], true)
	equal(t, "resumed", w.do(200, "POST", id+"/resume_deployment", nil), nil)
	equal(t, "resumed", w.get(id)["paused"], false)
	equal(t, "paused", w.do(200, "POST", id+"/pause_deployment", nil), nil)
	w.do(200, "POST", id+"/schedule", object{"min_runs": 3})
	auto := object{"flow_runs": object{"state": object{"name": object{"any_": []string{"Scheduled"}}}}, "deployments": object{"name": object{"any_": []string{"d"}}}}
	if n := w.do(200, "POST", "/flow_runs/count", auto).(float64); n < 3 {
		t.Errorf("%v scheduled runs", n)
	}
	equal(t, "listed", names(w.list("/deployments/filter", object{"deployments": object{"tags": object{"all_": []string{"d"}}}}), "name"), "[d]")
	equal(t, "count", w.do(200, "POST", "/deployments/count", object{"flows": object{"name": object{"any_": []string{"no"}}}}), 0)
	equal(t, "page", w.post(200, "/deployments/paginate", object{})["count"], 1)
	w.do(204, "DELETE", id, nil)
	w.do(404, "GET", id, nil)
}

func TestSchedules(t *testing.T) {
	w := memory(t)
	d := w.post(201, "/deployments/", object{"name": "d", "flow_id": w.flow("s"), "parameter_openapi_schema": object{}})
	path := "/deployments/" + d["id"].(string) + "/schedules"
	equal(t, "none", len(w.list(path, nil)), 0)
	created := w.do(201, "POST", path, []object{{"schedule": object{"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}, "slug": "work"}}).([]any)
	shaped(t, "deployment_schedule", created[0])
	one := path + "/" + at(created, 0, "id").(string)
	w.do(409, "POST", path, []object{{"schedule": object{"interval": 60}, "slug": "work"}})
	w.do(422, "POST", path, []object{{"schedule": object{"cron": "H * * * *"}}})
	w.do(204, "PATCH", one, object{"active": false})
	rows := w.list(path, nil)
	equal(t, "patched", []any{len(rows), rows[0]["active"], at(rows[0], "schedule", "cron")}, "[1 false 0 9 * * 1-5]")
	w.do(204, "DELETE", one, nil)
	w.do(404, "DELETE", one, nil)
	w.do(404, "GET", "/deployments/"+core.NewID().String()+"/schedules", nil)
}

// TestPool is what a Prefect worker does, then what ours does.
func TestPool(t *testing.T) {
	w := memory(t)
	w.post(201, "/work_pools/", object{"name": "pool", "type": "process"})
	w.do(409, "POST", "/work_pools/", object{"name": "pool"})
	w.do(403, "POST", "/work_pools/", object{"name": "prefect-x"})
	w.do(404, "GET", "/work_pools/none", nil)
	equal(t, "new pool", w.get("/work_pools/pool")["status"], "NOT_READY")
	queue := w.post(201, "/work_pools/pool/queues", object{"name": "fast"})
	shaped(t, "work_queue", queue)
	shaped(t, "work_queue", w.get("/work_pools/pool/queues/fast"))
	shaped(t, "work_queue", w.get("/work_queues/"+queue["id"].(string)))
	w.do(409, "POST", "/work_pools/pool/queues", object{"name": "fast"})
	w.do(204, "PATCH", "/work_pools/pool/queues/fast", object{"priority": 1})
	equal(t, "by priority", names(w.list("/work_pools/pool/queues/filter", object{}), "name"), "[fast default]")
	d := w.post(201, "/deployments/", object{"name": "d", "flow_id": w.flow("p"), "parameter_openapi_schema": object{},
		"work_pool_name": "pool", "work_queue_name": "fast"})

	w.do(204, "POST", "/work_pools/pool/workers/heartbeat", object{"name": "w1", "heartbeat_interval_seconds": 30})
	workers := w.list("/work_pools/pool/workers/filter", "")
	shaped(t, "worker", workers[0])
	equal(t, "worker", []any{workers[0]["name"], workers[0]["status"], w.get("/work_pools/pool")["status"]}, "[w1 ONLINE READY]")

	run := w.post(201, "/deployments/"+d["id"].(string)+"/create_flow_run", object{})
	// A blank and an offset, as the peer's clients write it.
	before := strings.Replace(strings.TrimSuffix(core.Now().Add(10*time.Second).String(), "Z"), "T", " ", 1) + "+00:00"
	polled := w.list("/work_pools/pool/get_scheduled_flow_runs", object{"work_queue_names": []string{"fast"}, "scheduled_before": before})
	equal(t, "polled", len(polled), 1)
	shaped(t, "worker_poll", polled[0])
	equal(t, "polled", at(polled[0], "flow_run", "id"), run["id"])
	equal(t, "other queue", len(w.list("/work_pools/pool/get_scheduled_flow_runs", object{"work_queue_names": []string{"default"}})), 0)
	equal(t, "queue's runs", names(w.list("/work_queues/"+queue["id"].(string)+"/get_runs", object{"scheduled_before": before}), "id"), []any{run["id"]})
	equal(t, "queue's status", w.get("/work_queues/" + queue["id"].(string) + "/status")["late_runs_count"], 0)

	holder := core.NewID().String()
	claim := w.post(200, "/work_pools/pool/poll", object{"holder": holder, "worker": "w2", "free": 2, "wait": 20})
	equal(t, "claim", []any{at(claim, "claims", 0, "flow_run", "id"), at(claim, "claims", 0, "flow_run", "state_type"), len(claim["claims"].([]any))}, []any{run["id"], "PENDING", 1})
	equal(t, "held", w.post(200, "/work_pools/-/leases/renew", object{"holder": holder})["held"], []any{run["id"]})
	path := "/flow_runs/" + run["id"].(string)
	status, h, _ := stamped(w, path+"/set_state", core.NewID().String())
	equal(t, "another's token", []any{status, h.Get(LeaseHeader)}, []any{409, core.ELeaseLost})
	status, _, b := stamped(w, path+"/set_state", at(claim, "claims", 0, "token").(string))
	equal(t, "our token: "+string(b), status, 201)
	told := make(chan object, 1)
	go func() {
		told <- w.post(200, "/work_pools/pool/poll", object{"holder": holder, "free": 0, "wait": 20})
	}()
	w.post(201, path+"/cancel", nil)
	equal(t, "cancellation", (<-told)["cancel"], []any{run["id"]})
	equal(t, "told once", w.post(200, "/work_pools/pool/poll", object{"holder": holder, "free": 0, "wait": 0, "known": []any{run["id"]}})["cancel"], "[]")
	w.do(404, "POST", "/work_pools/none/poll", object{"holder": holder})

	w.do(204, "DELETE", "/work_pools/pool/workers/w1", nil)
	w.do(204, "PATCH", "/work_pools/pool", object{"is_paused": true})
	equal(t, "paused", w.get("/work_pools/pool")["status"], "PAUSED")
	equal(t, "pools", names(w.list("/work_pools/filter", ""), "name"), "[pool]")
	w.do(204, "DELETE", "/work_pools/pool", nil)
	w.do(404, "GET", "/work_pools/pool", nil)
}

func statusesOf(results []any) (out []any) {
	for _, r := range results {
		out = append(out, at(r, "status"))
	}
	return out
}

// createdInBulk creates runs as Prefect 3.8 does, and all or none.
func createdInBulk(t *testing.T, w *fixture, id string) {
	t.Helper()
	bulk := id + "/create_flow_run/bulk"
	good, bad := object{"parameters": object{"n": 1}, "idempotency_key": "bulk"}, object{"parameters": object{"n": "x"}}
	results := w.post(200, bulk, []any{good, bad, good})["results"].([]any)
	equal(t, "statuses", statusesOf(results), "[CREATED FAILED CREATED]")
	equal(t, "the same key", at(results[0], "flow_run_id"), at(results[2], "flow_run_id"))
	equal(t, "error of a created run", at(results[0], "error"), nil)
	first := at(results[0], "flow_run_id").(string)
	w.do(204, "DELETE", "/flow_runs/"+first, nil)
	w.do(409, "POST", bulk+"?all_or_none=true", []any{good, bad})
	w.do(404, "POST", "/deployments/"+core.NewID().String()+"/create_flow_run/bulk", []any{})
	equal(t, "none", len(w.post(200, bulk, []any{})["results"].([]any)), 0)
	many := make([]any, 101)
	for i := range many {
		many[i] = object{"parameters": object{"n": 1}, "idempotency_key": "k", "state": object{"type": "SCHEDULED"}}
	}
	w.do(400, "POST", bulk, many)
	results = w.post(200, bulk+"?all_or_none=true", many)["results"].([]any)
	equal(t, "of one key", len(results), 101)
	w.do(422, "POST", bulk, []any{object{"state": object{"type": "NONE"}}})
}
