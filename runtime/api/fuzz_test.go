package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// ask is a request without a socket. One that takes long fails: no body may
// keep the server busy.
func ask(h http.Handler, method, path string, body []byte) *httptest.ResponseRecorder {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r := httptest.NewRequest(method, path, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(ctx))
	return w
}

// sound: whatever is sent, the answer is JSON and no fault of ours.
func sound(t *testing.T, path string, body []byte, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= 500 {
		t.Errorf("%s %q: %d %s", path, body, w.Code, w.Body)
	}
	if b := w.Body.Bytes(); w.Code != http.StatusNoContent && !json.Valid(b) {
		t.Errorf("%s %q: %d, no JSON: %s", path, body, w.Code, b)
	}
}

var filterPaths = []string{
	"/flows/filter", "/flows/count", "/flows/paginate", "/flow_runs/filter", "/flow_runs/count", "/flow_runs/paginate", "/flow_runs/lateness",
	"/flow_runs/history", "/task_runs/filter", "/task_runs/count", "/task_runs/history", "/deployments/filter", "/deployments/paginate", "/work_pools/filter",
	"/work_queues/filter", "/logs/filter", "/events/filter", "/artifacts/filter", "/artifacts/latest/filter", "/variables/filter",
	"/v2/concurrency_limits/filter", "/saved_searches/filter", "/task_workers/filter", "/block_types/filter", "/block_documents/filter",
}

// FuzzFilters: every filter body is answered with rows or with what is wrong.
func FuzzFilters(f *testing.F) {
	for i, seed := range []string{
		``, `{}`, `[]`, `null`, `{"limit":0}`, `{"limit":-1,"offset":9}`, `{"limit":1e99}`, `{"sort":"ID_DESC"}`, `{"page":0}`,
		`{"flow_runs":{"operator":"or_","id":{"any_":["01a20763-4bfb-7f42-8bfa-a466036f7683"],"not_any_":[]},"name":{"like_":"%_\\"},"tags":{"all_":["a"],"is_null_":true},"state":{"type":{"any_":["FAILED"]},"name":{"any_":["Late"]}},"start_time":{"after_":"2026-11-23T08:06:40Z","is_null_":false}}}`,
		`{"task_runs":{"subflow_runs":{"exists_":true},"flow_run_id":{"any_":[],"is_null_":true}},"deployments":{"paused":{"eq_":true}},"work_pool_queues":{"name":{"startswith_":["a"]}}}`,
		`{"history_start":"2026-11-23T07:21:27+00:00","history_end":"2026-11-23T08:21:27+00:00","history_interval_seconds":1200}`,
		`{"history_start":-1,"history_end":1e18,"history_interval_seconds":1e-9}`,
		`{"filter":{"event":{"prefix":["a"]},"any_resource":{"labels":{"a":["!b*"]}},"related":[{"role":["flow"],"resources_in_roles":[["a","b"]]}],"occurred":{"since":"2026-11-23"}}}`,
		`{"logs":{"level":{"ge_":20},"text":{"query":"a"},"flow_run_id":{"any_":["x"]}}}`, `{"artifacts":{"key":{"exists_":true,"like_":"\u0000"}}}`,
		"{\"flows\":{\"name\":{\"any_\":[\"\xff\"]}}}", `{"variables":{"tags":{"all_":["\u0000"]}}}`,
	} {
		f.Add(uint8(i), []byte(seed))
	}
	w := newWorld(f, "sqlite::memory:")
	w.run(w.flow("f"), object{"tags": []string{"a"}})
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		path := "/api" + filterPaths[int(which)%len(filterPaths)]
		sound(t, path, body, ask(w.srv.Config.Handler, "POST", path, body))
	})
}

var writePaths = []string{
	"POST /flows/", "POST /flow_runs/", "POST /flow_runs/RUN/set_state", "PATCH /flow_runs/RUN", "PATCH /flow_runs/RUN/labels", "POST /flow_runs/RUN/input",
	"POST /task_runs/", "POST /logs/", "POST /events", "POST /deployments/", "POST /work_pools/", "POST /artifacts/", "POST /variables/",
	"POST /v2/concurrency_limits/", "POST /concurrency_limits/", "PUT /saved_searches/", "POST /flow_runs/RUN/resume",
	"POST /v2/concurrency_limits/increment", "POST /work_pools/p/get_scheduled_flow_runs", "POST /block_types/", "POST /block_documents/",
}

// FuzzBodies: every body of a write is obeyed or refused with a reason.
func FuzzBodies(f *testing.F) {
	w := newWorld(f, "sqlite::memory:")
	flow := w.flow("f")
	run := w.run(flow, nil)["id"].(string)
	for i, seed := range []string{
		`{"name":"x"}`, `{"flow_id":"` + flow + `","state":{"type":"SCHEDULED"}}`, `{"state":{"type":"RUNNING","state_details":{"scheduled_time":"2026-11-23T08:06:40Z","run_input_keyset":{"a":"b"}}}}`,
		`{"empirical_policy":{"retries":-1,"retry_delay":[1,2],"pause_keys":null}}`, `{"a":"b"}`, `{"key":"k","value":"v"}`,
		`{"task_key":"k","dynamic_key":"0","state":{"type":"SCHEDULED","state_details":{"deferred":true}},"empirical_policy":{"retry_delay":"x"}}`,
		`[{"name":"n","level":20,"message":"\u0000","timestamp":"2026-11-23T08:06:40Z"}]`,
		`[{"id":"01a20763-4bfb-7f42-8bfa-a466036f7683","occurred":"2026-11-23T08:06:40Z","event":"prefect.task-run.Running","resource":{"prefect.resource.id":"prefect.task-run.x","prefect.orchestration":"client"},"related":[],"payload":{"task_run":7}}]`,
		`{"name":"d","flow_id":"` + flow + `","schedules":[{"schedule":{"interval":0.001}},{"schedule":{"cron":"* * * * * *"}},{"schedule":{"rrule":"FREQ=YEARLY;COUNT=0"}}],"parameter_openapi_schema":{"type":7}}`,
		`{"name":"p","base_job_template":{"job_configuration":{"x":"{{ y }}"},"variables":{}}}`, `{"key":"K","type":"t","data":{}}`, `{"name":"v","value":null,"tags":[1]}`,
		`{"name":"l","limit":-1,"slot_decay_per_second":1e308}`, `{"tag":"t","concurrency_limit":1.5}`, `{"name":"s","filters":[{"value":{}}]}`, `{"run_input":{"a":1}}`,
		`{"names":["l"],"slots":9223372036854775807}`, `{"scheduled_before":"2026-11-23 08:06:40.262837+00:00","work_queue_names":[""]}`, ``, `null`, `[null]`, `{"name":"\ud800"}`,
	} {
		f.Add(uint8(i), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		method, path, _ := strings.Cut(writePaths[int(which)%len(writePaths)], " ")
		path = "/api" + strings.Replace(path, "RUN", run, 1)
		sound(t, method+" "+path, body, ask(w.srv.Config.Handler, method, path, body))
	})
}

// FuzzEventFrame: a frame is an event that passes the checks and can be sent
// on, something to be skipped, or refused.
func FuzzEventFrame(f *testing.F) {
	for _, seed := range []string{
		`{"occurred":"2026-11-23T08:14:44.133474Z","event":"a","resource":{"prefect.resource.id":"x"},"related":[],"payload":{},"id":"01a20763-4bfb-7f42-8bfa-a466036f7683","follows":null}`,
		`{"type":"auth","token":null}`, `{}`, `null`, `[]`, `"x"`, `{"id":7}`, `{"payload":`, `{"resource":{"a":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := eventFrame(b)
		if err != nil || e == nil {
			return
		}
		out, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%s cannot be sent on: %v", b, err)
		}
		again, err := eventFrame(out)
		if err != nil || again == nil || again.ID != e.ID || again.Event != e.Event || again.Occurred != e.Occurred {
			t.Errorf("%s became %s: %v", b, out, err)
		}
	})
}

// FuzzSocketFilters: a filter frame is understood, and then works on any event, or refused.
func FuzzSocketFilters(f *testing.F) {
	for _, seed := range []string{
		`{"occurred":{"since":"2026-11-23T08:21:59Z"},"event":{"prefix":null,"name":["a"]},"any_resource":{"labels":{"a":["!b*","c"]}},"id":{"id":[]},"order":"DESC"}`,
		`{"related":[{"resources_in_roles":[["a","b"]]},{}],"resource":{"labels":{"k":7}},"text":{"query":" "}}`,
		`{"level":{"ge_":20},"flow_run_id":{"any_":["01a20763-4bfb-7f42-8bfa-a466036f7683"]},"timestamp":{"after_":"2026-11-23T08:21:59Z"}}`, `{"x":1}`, `null`, `{"id":{"id":["x"]}}`,
	} {
		f.Add([]byte(seed))
	}
	e := &core.Event{ID: core.NewID(), Event: "a", Resource: map[string]string{"prefect.resource.id": "x", "a": "c", "k": "7"},
		Related: []map[string]string{{"prefect.resource.id": "a", "prefect.resource.role": "b"}, nil}}
	f.Fuzz(func(_ *testing.T, b []byte) {
		var events core.EventFilter
		if strictly(b, &events) == nil {
			trigger.Passes(&events, e)
		}
		var logs core.LogFilter
		_ = strictly(b, &logs)
	})
}
