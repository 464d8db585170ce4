package api

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestTagLimits(t *testing.T) {
	w := memory(t)
	const at0 = "/concurrency_limits/"
	made := w.post(200, at0, object{"tag": "slow", "concurrency_limit": 1})
	shaped(t, "concurrency_limit", made)
	again := w.post(200, at0, object{"tag": "slow", "concurrency_limit": 2})
	equal(t, "upsert", []any{again["id"] == made["id"], again["concurrency_limit"]}, "[true 2]")
	w.post(200, at0, object{"tag": "slow", "concurrency_limit": 1})
	w.post(200, at0, object{"tag": "never", "concurrency_limit": 0})
	w.post(200, at0, object{"tag": "below", "concurrency_limit": -1})
	w.do(422, "POST", at0, object{"tag": "x"})

	a, b := core.NewID().String(), core.NewID().String()
	increment := func(run string, tags ...string) (int, string, []byte) {
		status, h, body := w.send("POST", at0+"increment", object{"names": tags, "task_run_id": run})
		return status, h.Get("Retry-After"), body
	}
	for _, c := range []struct {
		run, body, retry string
		tags             []string
		status           int
	}{
		{run: a, tags: []string{"no-limit"}, status: 200, body: `[]`},
		{run: a, tags: []string{"slow", "no-limit"}, status: 200},
		{run: a, tags: []string{"slow"}, status: 200}, // its answer was lost: it holds the slot already
		{run: b, tags: []string{"slow"}, status: 423, retry: "30.0", body: `{"detail":"Concurrency limit for the slow tag has been reached"}`},
		{run: b, tags: []string{"below"}, status: 423, retry: "30.0", body: `{"detail":"Concurrency limit for the below tag has been reached"}`},
		{run: b, tags: []string{"never"}, status: 423, body: `{"detail":"The concurrency limit on tag \"never\" is 0 and will deadlock if the task tries to run again."}`},
	} {
		status, retry, body := increment(c.run, c.tags...)
		if status != c.status || retry != c.retry || c.body != "" && string(body) != c.body {
			t.Errorf("increment %v: %d %q %s", c.tags, status, retry, body)
		}
	}
	equal(t, "held", w.get(at0 + "tag/slow")["active_slots"], "["+a+"]")
	equal(t, "by id", w.get(at0 + made["id"].(string))["tag"], "slow")
	equal(t, "listed", names(w.list(at0+"filter", ""), "tag"), "[below never slow]")
	equal(t, "v2 lists none", len(w.list("/v2/concurrency_limits/filter", "")), 0)

	// A client that takes leases counts with those that do not.
	status, _, _ := w.send("POST", "/v2/concurrency_limits/increment-with-lease", object{"slots": 1, "names": []string{"tag:slow"}})
	equal(t, "lease while full", status, 423)
	freed := w.do(200, "POST", at0+"decrement", object{"names": []string{"slow", "no-limit"}, "task_run_id": a, "occupancy_seconds": 0.5})
	equal(t, "freed", []any{at(freed, 0, "name"), at(freed, 0, "limit")}, "[slow 1]")
	lease := w.post(200, "/v2/concurrency_limits/increment-with-lease", object{"slots": 1, "names": []string{"tag:slow"}, "holder": object{"type": "task_run", "id": b}})
	equal(t, "held by lease", w.get(at0 + "tag/slow")["active_slots"], "["+b+"]")
	w.do(204, "POST", "/v2/concurrency_limits/decrement-with-lease", object{"lease_id": lease["lease_id"], "occupancy_seconds": 1.5})

	w.do(200, "POST", at0+"tag/slow/reset", object{"slot_override": []string{a}})
	equal(t, "overridden", w.get(at0 + "tag/slow")["active_slots"], "["+a+"]")
	w.do(200, "POST", at0+"tag/slow/reset", object{"slot_override": nil})
	equal(t, "reset", w.get(at0 + "tag/slow")["active_slots"], "[]")

	w.do(200, "DELETE", at0+"tag/slow", nil)
	w.do(404, "DELETE", at0+"tag/slow", nil)
	w.do(404, "POST", at0+"tag/slow/reset", object{})
	w.do(404, "GET", at0+"tag/slow", nil)
	w.do(200, "DELETE", at0+w.get(at0 + "tag/never")["id"].(string), nil)
	w.do(404, "GET", at0+"not-a-uuid", nil)
	other := w.post(201, "/v2/concurrency_limits/", object{"name": "db", "limit": 1})
	w.do(404, "GET", at0+other["id"].(string), nil)
	w.do(404, "DELETE", at0+other["id"].(string), nil)
}

// Who may renew the slot of a deployment is told of its lease.
func TestDeploymentLeaseIsTold(t *testing.T) {
	w := memory(t)
	w.post(201, "/work_pools/", object{"name": "p", "type": "process"})
	d := w.post(201, "/deployments/", object{"name": "d", "flow_id": w.flow("f"), "work_pool_name": "p", "parameter_openapi_schema": object{}, "concurrency_limit": 2})
	path := "/deployments/" + d["id"].(string)
	for i, c := range []struct {
		agent  string
		leased bool
	}{{"prefect/3.4.9 (API 0.8.4)", false}, {"prefect/3.8.8 (API 0.8.4)", true}} {
		w.agent = c.agent
		run := w.post(201, path+"/create_flow_run", object{})
		w.do(201, "POST", "/flow_runs/"+run["id"].(string)+"/set_state", object{"state": object{"type": "PENDING"}})
		equal(t, "active", at(w.get(path), "global_concurrency_limit", "active_slots"), i+1)
		equal(t, "listed", at(w.do(200, "POST", "/deployments/filter", object{}), 0, "global_concurrency_limit", "active_slots"), i+1)
		lease, leased := at(w.get("/flow_runs/"+run["id"].(string)), "state", "state_details", "deployment_concurrency_lease_id").(string)
		if leased != c.leased {
			t.Errorf("%s: lease %q", c.agent, lease)
		}
		if leased {
			w.do(204, "POST", "/v2/concurrency_limits/leases/"+lease+"/renew", object{"lease_duration": 300})
		}
	}
}
