package api

import (
	"net/url"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func memory(t *testing.T) *fixture { return newWorld(t, "sqlite::memory:") }

// TestRun is the life of a run, as a Prefect client leads it.
func TestRun(t *testing.T) {
	w := memory(t)
	flow := w.post(201, "/flows/", object{"name": "etl", "tags": []string{"a"}})
	shaped(t, "flow", flow)
	equal(t, "existing flow", w.post(200, "/flows/", object{"name": "etl", "tags": []string{"b"}})["tags"], "[a]")
	id := flow["id"].(string)
	shaped(t, "flow", w.get("/flows/"+id))
	shaped(t, "flow", w.get("/flows/name/etl"))

	run := w.run(id, object{"tags": []string{"x"}, "parameters": object{"n": 1}, "idempotency_key": "k"})
	shaped(t, "flow_run", run)
	equal(t, "first state", run["state_type"], "PENDING")
	again := w.post(200, "/flow_runs/", object{"flow_id": id, "idempotency_key": "k", "name": "other"})
	equal(t, "run of the same key", again["name"], run["name"])
	path := "/flow_runs/" + run["id"].(string)

	w.state(200, run, "ABORT", "PENDING", nil)
	transition := core.NewID().String()
	out := w.state(201, run, "ACCEPT", "RUNNING", object{"state_details": object{"transition_id": transition}})
	equal(t, "run of the state", at(out, "state", "state_details", "flow_run_id"), run["id"])
	w.state(200, run, "REJECT", "RUNNING", object{"state_details": object{"transition_id": transition}})
	w.do(204, "PATCH", path, object{"infrastructure_pid": "host:1"})
	w.do(204, "PATCH", path+"/labels", object{"team": "red"})
	w.do(404, "PATCH", "/flow_runs/"+core.NewID().String(), object{"name": "x"})
	w.state(201, run, "ACCEPT", "COMPLETED", object{"data": object{"type": "flowlite", "value": 3}, "message": "ok"})
	w.state(200, run, "ABORT", "CRASHED", nil)

	got := w.get(path)
	shaped(t, "flow_run", got)
	equal(t, "state", got["state_name"], "Completed")
	equal(t, "pid", got["infrastructure_pid"], "host:1")
	equal(t, "label", at(got, "labels", "team"), "red")
	equal(t, "label of the system", at(got, "labels", "prefect.flow.id"), id)
	equal(t, "data", at(got, "state", "data", "value"), 3)
	if got["start_time"] == nil || got["end_time"] == nil {
		t.Errorf("times: %v %v", got["start_time"], got["end_time"])
	}
	states := w.list("/flow_run_states/?flow_run_id="+run["id"].(string), nil)
	equal(t, "states", names(states, "type"), "[PENDING RUNNING COMPLETED]")
	for _, s := range states {
		shaped(t, "state", s)
		shaped(t, "state", w.get("/flow_run_states/"+s["id"].(string)))
	}
	// A reject that writes another state is 201.
	retry := w.run(id, object{"empirical_policy": object{"retries": 1, "retry_delay": 0}})
	w.state(201, retry, "ACCEPT", "RUNNING", nil)
	equal(t, "retry", at(w.state(201, retry, "REJECT", "FAILED", nil), "state", "name"), "AwaitingRetry")
	later := w.run(id, object{"state": object{"type": "SCHEDULED", "state_details": object{"scheduled_time": "2099-01-01T00:00:00Z"}}})
	w.state(200, later, "WAIT", "RUNNING", nil)

	w.do(204, "DELETE", path, nil)
	w.do(404, "GET", path, nil)
	w.do(404, "POST", path+"/set_state", object{"state": object{"type": "RUNNING"}})
	w.do(409, "POST", "/flow_runs/", object{"flow_id": core.NewID().String()})
}

// TestTaskEvents: task runs exist only as events, out of order and repeated.
func TestTaskEvents(t *testing.T) {
	w := memory(t)
	run := w.run(w.flow("tasks"), nil)
	w.state(201, run, "ACCEPT", "RUNNING", nil)
	task, began := core.NewID(), core.Now()
	event := func(kind, name string, after time.Duration) object {
		at := began.Add(after).String()
		return object{"id": core.NewID().String(), "occurred": at, "event": "prefect.task-run." + name,
			"resource": object{"prefect.resource.id": "prefect.task-run." + task.String(), "prefect.orchestration": "client"},
			"related":  []object{{"prefect.resource.id": "prefect.flow-run." + run["id"].(string), "prefect.resource.role": "flow-run"}},
			"payload": object{
				"validated_state": object{"type": kind, "name": name, "message": "", "data": nil, "state_details": object{}},
				"task_run": object{"id": task.String(), "name": "add-0", "flow_run_id": run["id"], "task_key": "add", "dynamic_key": "0",
					"tags": []string{"t"}, "task_inputs": object{"x": []any{}}, "run_count": 1, "start_time": at,
					"expected_start_time": began.String(), "empirical_policy": object{"retries": 2}}}}
	}
	pending, running, done := event("PENDING", "Pending", 0), event("RUNNING", "Running", time.Millisecond), event("COMPLETED", "Completed", 2*time.Millisecond)
	w.do(204, "POST", "/events", []object{pending, done})
	w.do(204, "POST", "/events", []object{running, done})
	got := w.get("/task_runs/" + task.String())
	shaped(t, "task_run", got)
	equal(t, "state", got["state_type"], "COMPLETED")
	equal(t, "tags", got["tags"], "[t]")
	equal(t, "states", names(w.list("/task_run_states/?task_run_id="+task.String(), nil), "type"), "[PENDING RUNNING COMPLETED]")
	for _, s := range w.list("/task_run_states/?task_run_id="+task.String(), nil) {
		shaped(t, "state", s)
	}
	rows := w.list("/task_runs/filter", object{"flow_runs": object{"id": object{"any_": []any{run["id"]}}}})
	equal(t, "filtered", names(rows, "name"), "[add-0]")
	equal(t, "ours", names(w.list("/flow_runs/"+run["id"].(string)+"/task_runs", nil), "id"), "["+task.String()+"]")
	equal(t, "count", w.do(200, "POST", "/task_runs/count", object{"task_runs": object{"state": object{"type": object{"any_": []string{"COMPLETED"}}}}}), 1)

	// The placeholder of a subflow comes over HTTP, by key and more than once.
	body := object{"flow_run_id": run["id"], "task_key": "sub", "dynamic_key": "0"}
	placeholder := w.post(201, "/task_runs/", body)
	shaped(t, "task_run", placeholder)
	equal(t, "placeholder", w.post(200, "/task_runs/", body)["id"], placeholder["id"])
	child := w.run(w.flow("child"), object{"parent_task_run_id": placeholder["id"]})
	w.state(201, child, "ACCEPT", "RUNNING", nil)
	w.state(201, child, "ACCEPT", "COMPLETED", nil)
	equal(t, "driven", w.get("/task_runs/" + placeholder["id"].(string))["state_type"], "COMPLETED")
	w.do(204, "DELETE", "/task_runs/"+placeholder["id"].(string), nil)
	w.do(404, "GET", "/task_runs/"+placeholder["id"].(string), nil)
}

// TestLists: filters, sorts, count, pages, history.
func TestLists(t *testing.T) {
	w := memory(t)
	flow, other := w.flow("one"), w.flow("two")
	for _, name := range []string{"b", "a", "c"} {
		run := w.run(flow, object{"name": name, "tags": []string{"t-" + name}})
		w.state(201, run, "ACCEPT", "RUNNING", nil)
	}
	w.run(other, object{"name": "d"})
	for _, s := range []struct {
		filter string
		names  string
	}{
		{`{"sort":"NAME_ASC"}`, "[a b c d]"},
		{`{"sort":"NAME_DESC","limit":2,"offset":1}`, "[c b]"},
		{`{"sort":"NAME_ASC","flows":{"name":{"any_":["one"]}}}`, "[a b c]"},
		{`{"sort":"NAME_ASC","flow_runs":{"state":{"type":{"not_any_":["RUNNING"]}}}}`, "[d]"},
		{`{"sort":"NAME_ASC","flow_runs":{"tags":{"any_":["t-a","t-b"]}}}`, "[a b]"},
		{`{"sort":"NAME_ASC","flow_runs":{"tags":{"is_null_":true}}}`, "[d]"},
		{`{"sort":"NAME_ASC","flow_runs":{"operator":"or_","name":{"any_":["a"]},"tags":{"all_":["t-c"]}}}`, "[a c]"},
		{`{"flow_runs":{"name":{"like_":"A"}}}`, "[a]"},
		{`{"flow_runs":{"id":{"any_":[]}}}`, "[]"},
		{`{"flow_runs":null,"sort":"NAME_ASC","limit":null}`, "[a b c d]"},
		{`{"sort":"NAME_ASC","limit":"1"}`, "[a]"},
		{``, ""},
	} {
		rows := w.list("/flow_runs/filter", s.filter)
		if s.names != "" {
			equal(t, s.filter, names(rows, "name"), s.names)
		}
		for _, r := range rows {
			shaped(t, "flow_run", r)
		}
	}
	equal(t, "count", w.do(200, "POST", "/flow_runs/count", object{"flows": object{"id": object{"any_": []string{flow}}}}), 3)
	page := w.post(200, "/flow_runs/paginate", object{"limit": 3, "page": 2, "sort": "NAME_ASC"})
	equal(t, "page", []any{page["count"], page["pages"], page["page"], page["limit"], at(page, "results", 0, "name")}, "[4 2 2 3 d]")
	equal(t, "flows", names(w.list("/flows/filter", object{"sort": "NAME_DESC"}), "name"), "[two one]")
	equal(t, "flow pages", w.post(200, "/flows/paginate", object{"limit": 0})["results"], "[]")
	now := core.Now()
	buckets := w.list("/flow_runs/history", object{"history_start": now.Add(-time.Hour).String(), "history_end": now.Add(time.Hour).String(), "history_interval_seconds": 7200})
	shaped(t, "history_bucket", buckets[0])
	total := 0.0
	for _, b := range buckets {
		for _, s := range b["states"].([]any) {
			total += at(s, "count_runs").(float64)
		}
	}
	equal(t, "runs in the history", total, 4)
	w.do(204, "PATCH", "/flows/"+flow, object{"tags": []string{"z"}})
	equal(t, "tags", w.get("/flows/" + flow)["tags"], "[z]")
	w.do(204, "DELETE", "/flows/"+flow, nil)
	equal(t, "left", names(w.list("/flow_runs/filter", object{}), "name"), "[d]")
}

func TestPause(t *testing.T) {
	w := memory(t)
	run := w.run(w.flow("pausing"), nil)
	path := "/flow_runs/" + run["id"].(string)
	w.state(201, run, "ACCEPT", "RUNNING", nil)
	refused := w.post(200, path+"/resume", object{})
	equal(t, "not paused", []any{refused["status"], refused["state"]}, "[ABORT <nil>]")
	shaped(t, "set_state", refused)
	w.state(201, run, "ACCEPT", "PAUSED", object{"state_details": object{"pause_key": "1", "pause_timeout": core.Now().Add(time.Hour).String(),
		"run_input_keyset": object{"schema": "paused-1-schema", "response": "paused-1-response", "description": "paused-1-description"}}})
	schema := `{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}`
	w.do(201, "POST", path+"/input", object{"key": "paused-1-schema", "value": schema})
	w.do(409, "POST", path+"/input", object{"key": "paused-1-schema", "value": schema})
	w.do(404, "POST", "/flow_runs/"+core.NewID().String()+"/input", object{"key": "k", "value": "v"})
	bad := w.post(200, path+"/resume", object{"run_input": object{"x": "no"}})
	equal(t, "bad input", []any{at(bad, "details", "type"), at(bad, "state", "type")}, "[abort_details PAUSED]")
	equal(t, "resumed", w.post(201, path+"/resume", object{"run_input": object{"x": 5}})["status"], "ACCEPT")
	status, h, b := w.send("GET", path+"/input/paused-1-response", nil)
	if status != 200 || string(b) != `{"x":5}` || h.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %v %s", status, h, b)
	}
	inputs := w.list(path+"/input/filter", object{"prefix": "paused-1", "limit": 10, "exclude_keys": []string{"paused-1-response"}})
	equal(t, "inputs", names(inputs, "key"), "[paused-1-schema]")
	shaped(t, "flow_run_input", inputs[0])
	w.do(204, "DELETE", path+"/input/paused-1-schema", nil)
	w.do(404, "GET", path+"/input/paused-1-schema", nil)
}

// TestVerbs: what is ours beside the peer's.
func TestVerbs(t *testing.T) {
	w := memory(t)
	flow := w.flow("verbs")
	run := w.run(flow, nil)
	path := "/flow_runs/" + run["id"].(string)
	lease := w.post(200, path+"/lease", object{"holder": core.NewID().String()})
	w.do(409, "POST", path+"/lease", object{"holder": core.NewID().String()})
	if lease["token"] == nil {
		t.Fatalf("%v", lease)
	}
	equal(t, "why", w.get(path + "/why")["id"] != "", true)
	w.state(201, run, "ACCEPT", "RUNNING", nil)
	waited, state := make(chan object, 1), w.get(path)["state_id"].(string)
	go func() { waited <- w.get(path + "/wait?wait=20&state_id=" + state) }()
	cancel := w.post(201, path+"/cancel", nil)
	equal(t, "cancel", at(cancel, "state", "type"), "CANCELLING")
	equal(t, "told", (<-waited)["state_type"], "CANCELLING")
	w.state(201, run, "ACCEPT", "CANCELLED", nil)
	equal(t, "no wait", w.get(path + "/wait?wait=0&state_id=" + w.get(path)["state_id"].(string))["state_type"], "CANCELLED")

	failed := w.run(flow, nil)
	w.state(201, failed, "ACCEPT", "RUNNING", nil)
	crash := w.post(201, "/flow_runs/"+failed["id"].(string)+"/crash", object{"message": "killed by signal: 9"})
	equal(t, "crash", []any{at(crash, "state", "type"), at(crash, "state", "message")}, "[CRASHED killed by signal: 9]")

	w.do(204, "PUT", "/results/a/b%20c.json", `{"v":1}`)
	status, _, b := w.send("GET", "/results/a/b%20c.json", nil)
	equal(t, "result", []any{status, string(b)}, `[200 {"v":1}]`)
	w.do(404, "GET", "/results/none", nil)
	w.do(404, "GET", "/task_run_cache?key="+url.QueryEscape("a/b"), nil)
}
