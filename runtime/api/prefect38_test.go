package api

import (
	"net/http"
	"testing"
)

// TestNewerClients: what 3.4.9 does not know is sent to newer clients only,
// and everything else is the same.
func TestNewerClients(t *testing.T) {
	w := memory(t)
	pool := w.post(201, "/work_pools/", object{"name": "p", "type": "process", "concurrency_limit": 3})
	w.post(201, "/work_pools/", object{"name": "open", "type": "process"})
	flow := w.flow("f")
	d := w.post(201, "/deployments/", object{"name": "d", "flow_id": flow, "work_pool_name": "p", "parameter_openapi_schema": object{}})
	run := w.post(201, "/deployments/"+d["id"].(string)+"/create_flow_run", object{})
	w.state(201, run, "ACCEPT", "PENDING", nil)
	for _, c := range []struct {
		method, path string
		body         any
		at           []any // of the object that grows
		key          string
		want         any
	}{
		{"GET", "/flow_runs/" + run["id"].(string), nil, []any{"state", "state_details"}, "deployment_concurrency_lease_id", nil},
		{"POST", "/flow_runs/filter", object{}, []any{0, "state", "state_details"}, "deployment_concurrency_lease_id", nil},
		{"POST", "/flow_runs/paginate", object{}, []any{"results", 0, "state", "state_details"}, "deployment_concurrency_lease_id", nil},
		{"GET", "/flow_run_states/?flow_run_id=" + run["id"].(string), nil, []any{0, "state_details"}, "deployment_concurrency_lease_id", nil},
		{"POST", "/flow_runs/" + run["id"].(string) + "/set_state", object{"state": object{"type": "PENDING"}}, []any{"state", "state_details"}, "deployment_concurrency_lease_id", nil},
		{"GET", "/deployments/" + d["id"].(string), nil, nil, "work_queue_id", pool["default_queue_id"]},
		{"POST", "/deployments/filter", object{}, []any{0}, "work_queue_id", pool["default_queue_id"]},
		{"GET", "/work_pools/p", nil, nil, "active_slots", 1},
		{"GET", "/work_pools/open", nil, nil, "active_slots", nil},
		{"POST", "/work_pools/filter", object{"work_pools": object{"name": object{"any_": []string{"p"}}}}, []any{0}, "active_slots", 1},
		{"GET", "/work_pools/p/queues/default", nil, nil, "active_slots", nil},
	} {
		w.agent = "prefect/3.4.9 (API 0.8.4)"
		older := w.do(200, c.method, c.path, c.body)
		w.agent = "prefect/3.8.8 (API 0.8.4)"
		newer := w.do(200, c.method, c.path, c.body)
		if _, has := at(older, c.at...).(object)[c.key]; has {
			t.Errorf("%s: %s is sent to 3.4.9", c.path, c.key)
		}
		o, _ := at(newer, c.at...).(object)
		got, has := o[c.key]
		if !has {
			t.Errorf("%s: %s is not sent to 3.8.8", c.path, c.key)
		}
		equal(t, c.path+" "+c.key, got, c.want)
		delete(o, c.key)
		for _, v := range []any{older, newer} { // what changes with the clock
			if r, ok := v.(object); ok {
				delete(r, "estimated_start_time_delta")
			}
		}
		if _, one := newer.(object); one && c.method == "GET" {
			equal(t, c.path, newer, older)
		}
	}
	equal(t, "storage", w.get("/admin/storage"), object{"default_result_storage_block_id": nil})
}

func TestIsPrefect38(t *testing.T) {
	for agent, want := range map[string]bool{
		"": false, "prefect/3.4.9 (API 0.8.4)": false, "prefect/3.8.8 (API 0.8.4)": true, "prefect/3.10.0 (API 0.8.4)": true,
		"prefect/4.0.0": true, "prefect/2.20.1": false, "prefect/": false, "prefect/x.y": false, "curl/8": false,
	} {
		if got := isPrefect38(&http.Request{Header: http.Header{"User-Agent": {agent}}}); got != want {
			t.Errorf("%q: %v", agent, got)
		}
	}
}
