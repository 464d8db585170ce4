package api

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// stamped proposes RUNNING with a run token.
func stamped(w *fixture, path, token string) (int, http.Header, []byte) {
	w.Helper()
	r, _ := http.NewRequestWithContext(w.Context(), "POST", w.srv.URL+"/api"+path, strings.NewReader(`{"state":{"type":"RUNNING"}}`))
	r.Header.Set(TokenHeader, token)
	resp, err := w.srv.Client().Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := bufio.NewReader(resp.Body).ReadBytes('\n')
	return resp.StatusCode, resp.Header, body
}

func TestLogs(t *testing.T) {
	w := memory(t)
	run := w.run(w.flow("logging"), nil)
	id := run["id"].(string)
	line := func(message string, level int) object {
		return object{"name": "prefect.flow_runs", "level": level, "message": message, "timestamp": core.Now().String(), "flow_run_id": id}
	}
	equal(t, "answer", w.do(201, "POST", "/logs/", []object{line("one", 20), line("two", 40)}), nil)
	equal(t, "answer", w.do(201, "POST", "/logs/", []object{}), nil)
	mine := object{"flow_run_id": object{"any_": []string{id}}}
	rows := w.list("/logs/filter", object{"logs": mine, "sort": "TIMESTAMP_ASC"})
	equal(t, "lines", names(rows, "message"), "[one two]")
	shaped(t, "log", rows[0])
	equal(t, "errors", names(w.list("/logs/filter", object{"logs": object{"level": object{"ge_": 30}, "flow_run_id": mine["flow_run_id"]}}), "message"), "[two]")
	equal(t, "page", names(w.list("/logs/filter", object{"logs": mine, "limit": 1, "offset": 1}), "message"), "[two]")

	// The stream says what there is, what comes, and when it is over.
	r, _ := http.NewRequestWithContext(t.Context(), "GET", w.srv.URL+"/api/flow_runs/"+id+"/logs/stream", nil)
	resp, err := w.srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	equal(t, "stream", []any{resp.StatusCode, resp.Header.Get("Content-Type")}, "[200 text/event-stream]")
	in := bufio.NewScanner(resp.Body)
	var data []string
	for in.Scan() {
		text := in.Text()
		if m, ok := strings.CutPrefix(text, "data: "); ok {
			data = append(data, m)
		}
		if len(data) == 2 && text == "" {
			w.do(201, "POST", "/logs/", []object{line("three", 20)})
		}
		if len(data) == 3 && text == "" {
			w.state(201, run, "ACCEPT", "RUNNING", nil)
			w.state(201, run, "ACCEPT", "COMPLETED", nil)
			w.do(201, "POST", "/logs/", []object{line("Finished in state Completed()", 20)}) // as a client says when it ends
		}
	}
	if len(data) != 5 || !strings.Contains(data[2], `"three"`) || !strings.Contains(data[3], `"Finished`) || !strings.Contains(data[4], `"COMPLETED"`) {
		t.Errorf("stream: %q", data)
	}
	status, h, b := w.send("GET", "/flow_runs/"+id+"/logs/download", nil)
	equal(t, "download", []any{status, h.Get("Content-Type"), strings.Count(string(b), "\n")}, "[200 text/csv; charset=utf-8 5]")
	w.do(404, "GET", "/flow_runs/"+core.NewID().String()+"/logs/stream", nil)
}

func TestArtifacts(t *testing.T) {
	w := memory(t)
	first := w.post(201, "/artifacts/", object{"key": "report", "type": "markdown", "data": "# 1", "flow_run_id": core.NewID().String()})
	shaped(t, "artifact", first)
	w.post(201, "/artifacts/", object{"key": "report", "type": "markdown", "data": "# 2"})
	latest := w.get("/artifacts/report/latest")
	shaped(t, "artifact", latest)
	equal(t, "latest", latest["data"], "# 2")
	rows := w.list("/artifacts/latest/filter", object{"artifacts": object{"key": object{"any_": []string{"report"}}}})
	equal(t, "collections", len(rows), 1)
	shaped(t, "artifact_collection", rows[0])
	equal(t, "artifacts", w.do(200, "POST", "/artifacts/count", object{}), 2)
	equal(t, "collections", w.do(200, "POST", "/artifacts/latest/count", ""), 1)
	path := "/artifacts/" + first["id"].(string)
	w.do(204, "PATCH", path, object{"data": "# 3"})
	equal(t, "patched", w.get(path)["data"], "# 3")
	w.do(204, "DELETE", path, nil)
	w.do(404, "GET", path, nil)
	w.do(404, "GET", "/artifacts/none/latest", nil)
}

func TestVariables(t *testing.T) {
	w := memory(t)
	v := w.post(201, "/variables/", object{"name": "v_a", "value": object{"a": 1}, "tags": []string{"t"}})
	shaped(t, "variable", v)
	w.do(409, "POST", "/variables/", object{"name": "v_a", "value": 1})
	w.do(204, "PATCH", "/variables/name/v_a", object{"value": []int{1}})
	equal(t, "patched", w.get("/variables/name/v_a")["value"], "[1]")
	equal(t, "listed", names(w.list("/variables/filter", object{"variables": object{"name": object{"like_": "v_"}}}), "name"), "[v_a]")
	equal(t, "count", w.do(200, "POST", "/variables/count", ""), 1)
	w.do(204, "DELETE", "/variables/"+v["id"].(string), nil)
	w.do(404, "GET", "/variables/name/v_a", nil)
}

func TestLimits(t *testing.T) {
	w := memory(t)
	equal(t, "created", w.post(201, "/v2/concurrency_limits/", object{"name": "db", "limit": 1})["active_slots"], 0)
	shaped(t, "concurrency_limit_v2_response", w.get("/v2/concurrency_limits/db"))
	w.do(409, "POST", "/v2/concurrency_limits/", object{"name": "db", "limit": 1})
	take := object{"slots": 1, "names": []string{"db", "unknown"}}
	granted := w.do(200, "POST", "/v2/concurrency_limits/increment", take).([]any)
	equal(t, "granted", []any{len(granted), at(granted, 0, "name")}, "[1 db]")
	status, h, b := w.send("POST", "/v2/concurrency_limits/increment", take)
	if !strings.Contains(h.Get("Retry-After"), ".") || status != 423 {
		t.Errorf("full: %d %v %s", status, h, b)
	}
	w.do(422, "POST", "/v2/concurrency_limits/increment", object{"slots": 2, "names": []string{"db"}})
	w.do(422, "POST", "/v2/concurrency_limits/increment", object{"slots": 1, "names": []string{"db"}, "mode": "rate_limit"})
	w.do(200, "POST", "/v2/concurrency_limits/decrement", take)
	lease := w.post(200, "/v2/concurrency_limits/increment-with-lease", take)
	shaped(t, "concurrency_lease", lease)
	id := lease["lease_id"].(string)
	w.do(204, "POST", "/v2/concurrency_limits/leases/"+id+"/renew", object{"lease_duration": 60})
	equal(t, "taken", w.get("/v2/concurrency_limits/db")["active_slots"], 1)
	w.do(204, "POST", "/v2/concurrency_limits/decrement-with-lease", object{"lease_id": id})
	equal(t, "freed", w.get("/v2/concurrency_limits/db")["active_slots"], 0)
	w.do(404, "POST", "/v2/concurrency_limits/leases/"+id+"/renew", object{})

	w.do(204, "PATCH", "/v2/concurrency_limits/db", object{"limit": 5})
	equal(t, "listed", names(w.list("/v2/concurrency_limits/filter", ""), "limit"), "[5]")
	w.do(204, "DELETE", "/v2/concurrency_limits/db", nil)
	w.do(404, "GET", "/v2/concurrency_limits/db", nil)
}

func TestEvents(t *testing.T) {
	w := memory(t)
	var events []object
	for range 60 {
		events = append(events, object{"id": core.NewID().String(), "occurred": core.Now().String(), "event": "my.event",
			"resource": object{"prefect.resource.id": "my.thing"}, "related": []object{}, "payload": object{"n": 1}})
	}
	w.do(204, "POST", "/events", events)
	w.do(204, "POST", "/events", events[:1])
	mine := object{"filter": object{"event": object{"prefix": []string{"my."}}}}
	page := w.post(200, "/events/filter", mine)
	equal(t, "first page", []any{page["total"], len(page["events"].([]any))}, "[60 50]")
	shaped(t, "event", at(page, "events", 0))
	_, next, _ := strings.Cut(page["next_page"].(string), "/api")
	last := w.get(next)
	equal(t, "last page", []any{len(last["events"].([]any)), last["next_page"]}, "[10 <nil>]")
	equal(t, "resource", w.post(200, "/events/filter", object{"filter": object{"resource": object{"id": []string{"other"}}}})["total"], 0)
	equal(t, "any resource", w.post(200, "/events/filter", object{"limit": 1, "filter": object{"any_resource": object{"id_prefix": []string{"my."}}}})["total"], 60)
}
