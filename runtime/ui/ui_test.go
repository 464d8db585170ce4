package ui_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui"
)

func (h *house) get(path string) (int, string) {
	h.t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	w := httptest.NewRecorder()
	h.ui.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (h *house) post(path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ui.ServeHTTP(w, r)
	return w
}

func contains(t *testing.T, body string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(body, w) {
			t.Errorf("page lacks %q", w)
		}
	}
}

func TestEmptyDatabase(t *testing.T) {
	h := open(t)
	for _, p := range []string{"/dashboard", "/runs", "/flows", "/deployments", "/work-pools", "/work-pools/default", "/palette?q=adder", "/automations", "/automations/new", "/events", "/events?range=30d", "/runs?state=late&state=failed&range=all", "/dashboard?range=30d"} {
		if code, body := h.get(p); code != 200 || !strings.Contains(body, "<h1>") {
			t.Errorf("%s: %d %.200s", p, code, body)
		}
	}
	_, body := h.get("/dashboard")
	contains(t, body, "Nothing has run yet")
}

func TestMissingThings(t *testing.T) {
	h := open(t)
	id := core.NewID().String()
	for _, p := range []string{"/nowhere", "/flow-runs/" + id, "/flow-runs/x", "/task-runs/" + id, "/deployments/" + id, "/deployments/" + id + "/run", "/flows/" + id, "/work-pools/none", "/artifacts/" + id, "/static/none.js"} {
		if code, _ := h.get(p); code != http.StatusNotFound {
			t.Errorf("%s: %d", p, code)
		}
	}
	if w := h.post("/flow-runs/"+id+"/cancel", nil, "HX-Request", "true"); w.Code != 404 || !strings.Contains(w.Body.String(), "hx-partial") {
		t.Errorf("a refused htmx post answers with a toast: %d %s", w.Code, w.Body)
	}
	if w := h.post("/flow-runs/"+id+"/cancel", nil, "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("cross-site post: %d", w.Code)
	}
}

func TestPrefectAddresses(t *testing.T) {
	h := open(t)
	for from, to := range map[string]string{
		"/": "/dashboard", "/runs/flow-run/x1": "/flow-runs/x1", "/runs/task-run/x1": "/task-runs/x1", "/flows/flow/x1": "/flows/x1",
		"/deployments/deployment/x1": "/deployments/x1", "/work-pools/work-pool/p%201": "/work-pools/p%201", "/artifacts/artifact/x1": "/artifacts/x1",
		"/work-pools/work-pool/p/worker/w": "/work-pools/p", "/work-pools/work-pool/p/queue/q": "/work-pools/p",
		"/work-queues/work-queue/" + h.defaultQueue().ID.String(): "/work-pools/default",
		"/automations/automation/x1":                              "/automations/x1", "/events/event/2026-11-23T09:00:00+00:00/x1": "/events/x1",
	} {
		w := httptest.NewRecorder()
		h.ui.ServeHTTP(w, httptest.NewRequest("GET", from, nil))
		if w.Code != 302 || w.Header().Get("Location") != to {
			t.Errorf("%s: %d %s, want %s", from, w.Code, w.Header().Get("Location"), to)
		}
	}
}

func TestBasePath(t *testing.T) {
	h := open(t)
	u := ui.New(ui.Config{Service: h.svc, Store: h.store, Version: "0", BasePath: "/flowlite/"})
	for _, p := range []string{"/flowlite/dashboard", "/dashboard"} {
		w := httptest.NewRecorder()
		u.ServeHTTP(w, httptest.NewRequest("GET", p, nil))
		body := w.Body.String()
		contains(t, body, `href="/flowlite/runs"`, `src="/flowlite/static/app.`, `data-base="/flowlite"`)
		if strings.Contains(body, `href="/runs`) || strings.Contains(body, `"/static/`) {
			t.Errorf("%s: an address misses the base path", p)
		}
	}
}

func TestStaticForEver(t *testing.T) {
	h := open(t)
	_, body := h.get("/dashboard")
	i := strings.Index(body, "/static/app.")
	path := body[i : i+strings.IndexByte(body[i:], '"')]
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ui.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d %v", path, w.Code, w.Header())
	}
}

func TestCustomRun(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.adder.ID.String() + "/run"
	_, body := h.get(path)
	contains(t, body, `name="parameters.a"`, `name="parameters.b" value="2"`, `name="null.parameters.since" value="1" checked`, `value="eu"`, "required")
	w := h.post(path, url.Values{"parameters.a": {"one"}, "parameters.b": {"400"}, "null.parameters.since": {"1"}, "parameters.label": {"kept"}})
	if w.Code != 422 {
		t.Fatal(w.Code)
	}
	contains(t, w.Body.String(), "Must be a whole number.", "Must be at most 100.", `value="kept"`, `value="one"`, "<html")
	w = h.post(path, url.Values{"parameters.a": {"40"}, "parameters.b": {"2"}, "parameters.label": {"x"}, "parameters.verbose": {"true"}, "null.parameters.since": {"1"}, "parameters.regions": {"eu", ""}, "run_name": {"by-hand"}, "tags": {"one, two"}, "job_variables": {`{"env":{"A":"1"}}`}})
	if w.Code != 303 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	id, err := core.ParseUUID(strings.TrimPrefix(w.Header().Get("Location"), "/flow-runs/"))
	h.check(err)
	run := h.run(id)
	p := run.Parameters.Map()
	if string(run.JobVariables) != `{"env":{"A":"1"}}` {
		t.Errorf("job variables %s", run.JobVariables)
	}
	_, body = h.get(path + "?from=" + run.ID.String())
	contains(t, body, "&#34;A&#34;: &#34;1&#34;", `name="tags" value="one, quick-start, two"`)
	if w = h.post(path, url.Values{"parameters.a": {"40"}, "null.parameters.since": {"1"}, "job_variables": {"[1"}}); w.Code != 422 {
		t.Errorf("job variables that are no JSON: %d", w.Code)
	}
	contains(t, w.Body.String(), "1 field needs another look", ">\n[1</textarea>")
	if p["a"] != json.Number("40") || p["verbose"] != true || p["since"] != nil || len(p["regions"].([]any)) != 1 || run.Name != "by-hand" || run.StateType != core.Scheduled {
		t.Errorf("run %s %v %s", run.Name, p, run.StateType)
	}
	if w = h.post(path+"?input=json", url.Values{"raw": {`{"a": "no"}`}}); w.Code != 422 {
		t.Errorf("the service's refusal of %s: %d", `{"a":"no"}`, w.Code)
	}
	if w = h.post(path+"?input=json", url.Values{"raw": {`{`}}); w.Code != 422 {
		t.Errorf("broken JSON: %d", w.Code)
	}
	if w = h.post("/deployments/"+h.adder.ID.String()+"/quick-run", nil); w.Header().Get("Location") != path {
		t.Errorf("a quick run that lacks a parameter leads to the form: %v", w.Header())
	}
	w = h.post(path, url.Values{"parameters.a": {"1"}, "null.parameters.since": {"1"}, "at": {"2031-01-02T03:04"}})
	id, err = core.ParseUUID(strings.TrimPrefix(w.Header().Get("Location"), "/flow-runs/"))
	h.check(err)
	if at := h.run(id).NextScheduledStartTime; at.String() != "2031-01-02T03:04:00Z" {
		t.Error("starts at", at)
	}
	said, _ := url.QueryUnescape(strings.Join(w.Header()["Set-Cookie"], " "))
	contains(t, said, "Planned ", "for 2 Jan 2031, 03:04:00 UTC.")
	if w = h.post(path, url.Values{"parameters.a": {"1"}, "null.parameters.since": {"1"}, "at": {"2020-01-02T03:04"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "This time has passed.") {
		t.Errorf("a start in the past: %d", w.Code)
	}
	if w = h.post(path, url.Values{"parameters.a": {"1"}, "parameters.b": {""}, "null.parameters.since": {"1"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "Must be a number; its default is 2.") {
		t.Errorf("a number that was cleared: %d", w.Code)
	}
}

// The form and its JSON are two shapes of one thing: what was typed is in both.
func TestCustomRunAsJSON(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.adder.ID.String() + "/run"
	typed := url.Values{"parameters.a": {"41"}, "parameters.b": {"3"}, "parameters.label": {"mine"}, "null.parameters.since": {"1"}, "run_name": {"by-hand"}, "tags": {"one"}, "at": {"2031-01-02T03:04"}, "to": {"json"}}
	w := h.post(path, typed)
	if w.Code != 200 {
		t.Fatal(w.Code)
	}
	contains(t, w.Body.String(), `name="raw"`, "&#34;a&#34;: 41", "&#34;label&#34;: &#34;mine&#34;", `value="by-hand"`, `value="one"`, `value="2031-01-02T03:04"`)
	typed.Set("raw", `{"a": 42, "label": "changed"}`)
	typed.Set("to", "form")
	w = h.post(path+"?input=json", typed)
	if w.Code != 200 {
		t.Fatal(w.Code)
	}
	contains(t, w.Body.String(), `name="parameters.a" value="42"`, `value="changed"`, `value="by-hand"`)
	for raw, says := range map[string]string{"{": "Write a JSON object", "null": "Write a JSON object", `{"nope": 1}`: "The form has no field"} {
		typed.Set("raw", raw)
		if w = h.post(path+"?input=json", typed); w.Code != 422 {
			t.Errorf("%s as a form: %d", raw, w.Code)
		}
		contains(t, w.Body.String(), says, `name="raw"`)
	}
	for raw, shows := range map[string]string{`{"a": "x"}`: ">\n&#34;x&#34;</textarea>", `{"a": 9007199254740993}`: `value="9007199254740993"`, `{"a": [1, 2.0]}`: "2.0\n]</textarea>", `{"a": 1, "since": "soon"}`: `value="soon"`} {
		typed.Set("raw", raw)
		contains(t, h.post(path+"?input=json", typed).Body.String(), shows, `name="base"`)
	}
	typed.Del("raw")
	typed.Set("to", "json")
	typed.Set("parameters.a", "9007199254740993")
	contains(t, h.post(path, typed).Body.String(), "&#34;a&#34;: 9007199254740993")
	typed.Set("parameters.a", "x")
	if w = h.post(path, typed); w.Code != 422 {
		t.Errorf("a form that is wrong as JSON: %d", w.Code)
	}
	contains(t, w.Body.String(), "Must be a whole number.", `value="x"`)
}

func TestApproval(t *testing.T) {
	h := open(t)
	run := h.create(h.approval, "")
	ctx := h.act(run.ID)
	h.pause(ctx, run.ID)
	path := "/flow-runs/" + run.ID.String()
	_, body := h.get(path)
	contains(t, body, "<strong>1,240.50 EUR</strong>", "Approve", "Reject", "RefundDecision", `http-equiv="refresh"`)
	w := h.post(path+"/resume", url.Values{"note": {"x"}, "amount": {"99"}})
	if w.Code != 422 {
		t.Fatal(w.Code)
	}
	contains(t, w.Body.String(), "Choose one.", "At least 10 characters", `value="99"`)
	answer := url.Values{"note": {"delivered nine days late"}, "approved": {"true"}, "amount": {"99.5"}, "method": {"store credit"}}
	w = h.post(path+"/resume", answer, "HX-Request", "true", "HX-Current-URL", "http://x"+path)
	if w.Code != 200 || h.run(run.ID).StateType != core.Running {
		t.Fatalf("%d %s %s", w.Code, h.run(run.ID).StateType, w.Body)
	}
	contains(t, w.Body.String(), "#run-head", "#banner", "Resumed")
	in, err := h.store.FlowRunInput(t.Context(), run.ID, "paused-1-response")
	h.check(err)
	if v := core.JSON(in.Value).Map(); v["approved"] != true || v["amount"] != json.Number("99.5") || v["method"] != "store credit" {
		t.Error(in.Value)
	}
	if w = h.post(path+"/resume", answer, "HX-Request", "true"); w.Code != 409 || !strings.Contains(w.Body.String(), "already answered") {
		t.Errorf("second answer: %d %s", w.Code, w.Body)
	}
}

func TestRunPageAndVerbs(t *testing.T) {
	h := open(t)
	run := h.create(h.etl, "")
	path := "/flow-runs/" + run.ID.String()
	_, body := h.get(path)
	contains(t, body, "Why this run is not running")
	ctx := h.act(run.ID)
	first := h.task(ctx, run.ID, "extract", 0, h.now(), 2*time.Second, core.Completed)
	bad := h.task(ctx, run.ID, "load", 0, h.now(), time.Second, core.Failed, first)
	h.log(run.ID, 40, "load", "<script>alert(1)</script> failed")
	h.must(h.svc.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("report"), Type: core.Ptr("markdown"), Data: core.ToJSON("# Hi\n<script>x</script>\n\n|a|b|\n|-|-:|\n|1|2|"), FlowRunID: run.ID}))
	h.must(h.svc.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("rows"), Type: core.Ptr("table"), Data: core.ToJSON(`[{"name":"eu","rows":3}]`), FlowRunID: run.ID}))
	_, body = h.get(path)
	contains(t, body, "extract-0", "load-0", "1 failed", "&lt;script&gt;alert(1)", "<h3>Hi</h3>", `align="right"`, "eu")
	if strings.Contains(body, "<script>") || strings.Contains(body, " style=") {
		t.Error("raw HTML or a style attribute came through")
	}
	for _, v := range []string{"/timeline", "/timeline?view=lanes", "/timeline?rows=failed", "/logs.txt", "/logs", "/artifacts", "/result"} {
		if code, _ := h.get(path + v); code != 200 {
			t.Errorf("%s: %d", v, code)
		}
	}
	h.log(run.ID, 40, "flow", "the disk is full")
	h.log(run.ID, 20, "flow", "the disk is fine")
	h.log(run.ID, 40, "flow", "the fan is full")
	if _, body = h.get(path + "/logs.txt?level=Error&log=disk"); strings.Count(body, "\n") != 1 || !strings.Contains(body, "the disk is full") {
		t.Errorf("the log, as filtered: %q", body)
	}
	_, body = h.get("/task-runs/" + bad.String())
	contains(t, body, "connection refused", "Failed")
	_, body = h.get("/task-runs/" + first.String())
	contains(t, body, "640")
	if w := h.post(path+"/cancel", nil); w.Code != 303 || h.run(run.ID).StateType != core.Cancelling {
		t.Errorf("cancel: %d %s", w.Code, h.run(run.ID).StateType)
	}
	h.set(ctx, run.ID, core.StateCreate{Type: core.Cancelled})
	if w := h.post(path+"/fresh", nil); w.Code != 303 || h.run(run.ID).StateType != core.Scheduled {
		t.Errorf("fresh: %d %s", w.Code, h.run(run.ID).StateType)
	}
	if w := h.post(path+"/delete", nil); w.Code != 303 {
		t.Error("delete", w.Code)
	}
	if code, _ := h.get(path); code != 404 {
		t.Error("still there", code)
	}
}

func TestToggles(t *testing.T) {
	h := open(t)
	id := h.heartbeat.ID.String()
	h.post("/deployments/"+id+"/toggle", url.Values{"on": {"false"}})
	d, err := h.store.Deployment(t.Context(), h.heartbeat.ID)
	h.check(err)
	if !d.Paused {
		t.Error("deployment not paused")
	}
	s := d.Schedules[0]
	if w := h.post("/deployments/"+id+"/schedules/"+s.ID.String()+"/toggle", url.Values{"on": {"false"}}, "HX-Request", "true"); !strings.Contains(w.Body.String(), `aria-checked="false"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.post("/work-pools/default/toggle", url.Values{"on": {"false"}})
	p, err := h.store.WorkPoolByName(t.Context(), "default")
	h.check(err)
	if !p.IsPaused {
		t.Error("pool not paused")
	}
	_, body := h.get("/work-pools")
	contains(t, body, "Paused", "flowlite", "worker")
}

// Without JavaScript: filters submit, forms post, redirect and say what happened.
func TestNoJavaScript(t *testing.T) {
	h := open(t)
	run := h.create(h.etl, "")
	jar, err := cookiejar.New(nil)
	h.check(err)
	c := &http.Client{Jar: jar}
	r, err := c.PostForm(h.srv.URL+"/flow-runs/"+run.ID.String()+"/cancel", nil)
	h.check(err)
	b, err := io.ReadAll(r.Body)
	h.check(err)
	_ = r.Body.Close()
	contains(t, string(b), "Cancelling "+run.Name, "Cancelled")
	_, body := h.get("/runs?state=cancelled&range=all")
	contains(t, body, run.Name)
	_, body = h.get("/runs?state=failed&range=all")
	if strings.Contains(body, run.Name) {
		t.Error("the filter lets others through")
	}
}
