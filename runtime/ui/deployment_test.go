package ui_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (h *house) deployment(id core.UUID) *core.Deployment {
	h.t.Helper()
	d, err := h.store.Deployment(h.t.Context(), id)
	h.check(err)
	return d
}

// An edit changes what the form shows; what the schema says anyway is not
// written down, and what was stored stays.
func TestEditDeployment(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.adder.ID.String() + "/edit"
	_, body := h.get(path)
	contains(t, body, "Edit adder/dev", `name="parameters.b"`, `value="quick-start"`, `name="limit"`, `<option value="default" selected>`)
	form := url.Values{
		"description": {"Adds **numbers**."}, "tags": {"one, two, one"}, "pool": {"default"}, "queue": {"fast"}, "limit": {"3"}, "strategy": {"CANCEL_NEW"},
		"job_variables": {`{"env":{"A":"1"}}`}, "parameters.a": {"7"}, "parameters.b": {"2"}, "parameters.label": {"sum"}, "parameters.verbose": {"false"},
		"null.parameters.since": {"1"}, "parameters.regions": {"eu", "us"},
	}
	if w := h.post(path, form); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	d := h.deployment(h.adder.ID)
	if core.Deref(d.Description) != "Adds **numbers**." || len(d.Tags) != 2 || core.Deref(d.WorkQueueName) != "fast" || d.GlobalConcurrencyLimit == nil || d.GlobalConcurrencyLimit.Limit != 3 ||
		d.ConcurrencyOptions.CollisionStrategy != "CANCEL_NEW" || string(d.Parameters) != `{"a":7}` || d.JobVariables.Map()["env"] == nil {
		t.Errorf("%+v %s %s", d, d.Parameters, d.JobVariables)
	}
	_, body = h.get("/deployments/" + h.adder.ID.String())
	contains(t, body, "<strong>numbers</strong>", "at most 3 runs at once", "further ones are cancelled", "Job variables")
	for _, bad := range []struct{ key, value, says, at string }{
		{"limit", "many", "whole number", "d-limit"}, {"limit", "0", "1 or more", "d-limit"}, {"job_variables", "[1]", "JSON object", "d-job_variables"},
		{"parameters.b", "400", "at most 100", "f-parameters-b"}, {"parameters.a", "x", "whole number", "f-parameters-a"}, {"pool", "nowhere", "nowhere", ""}, {"strategy", "x", "listed values", "d-strategy"},
	} {
		wrong := url.Values{}
		for k, v := range form {
			wrong[k] = v
		}
		wrong.Set(bad.key, bad.value)
		wrong.Set("description", "typed & kept")
		w := h.post(path, wrong)
		if w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) || !strings.Contains(w.Body.String(), "typed &amp; kept") {
			t.Errorf("%s=%s: %d", bad.key, bad.value, w.Code)
		}
		if bad.at != "" {
			contains(t, w.Body.String(), `href="#`+bad.at+`"`, `id="`+bad.at+`-e"`)
		}
	}
	form.Set("limit", "")
	form.Set("parameters.b", "3")
	h.post(path, form)
	if d = h.deployment(h.adder.ID); d.GlobalConcurrencyLimit != nil || string(d.Parameters) != `{"a":7,"b":3}` {
		t.Errorf("%v %s", d.GlobalConcurrencyLimit, d.Parameters)
	}
}

func TestDuplicateAndDeleteDeployment(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.etl.ID.String()
	_, body := h.get(path + "/duplicate")
	contains(t, body, `value="nightly-copy"`, "schedules are paused")
	form := url.Values{"name": {"nightly"}, "pool": {"default"}, "queue": {"default"}, "strategy": {"ENQUEUE"}, "parameters.source": {"clicks"}}
	w := h.post(path+"/duplicate", form)
	if w.Code != 422 || !strings.Contains(w.Body.String(), "etl/nightly exists already.") || !strings.Contains(w.Body.String(), "clicks") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	form.Set("name", "weekly")
	if w = h.post(path+"/duplicate", form); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	d := h.deployment(h.id(strings.TrimPrefix(w.Header().Get("Location"), "/deployments/")))
	if d.Name != "weekly" || !d.Paused || len(d.Schedules) != 1 || core.Deref(d.Entrypoint) != "flows/etl.go:ETL" || d.Parameters.Map()["source"] != "clicks" || string(d.ParameterOpenAPISchema) != string(h.etl.ParameterOpenAPISchema) {
		t.Errorf("%+v", d)
	}
	gone := "/deployments/" + d.ID.String()
	if w = h.post(gone+"/delete", nil); w.Header().Get("Location") != gone+"/remove" || h.deployment(d.ID) == nil {
		t.Error("it did not ask")
	}
	_, body = h.get(gone + "/remove")
	contains(t, body, "Delete etl/weekly?", `name="sure" value="1"`)
	if w = h.post(gone+"/delete", url.Values{"sure": {"1"}}); w.Code != 303 {
		t.Error(w.Code)
	}
	if code, _ := h.get(gone); code != 404 {
		t.Error("still there", code)
	}
}

func TestListsOfDeploymentsAndFlows(t *testing.T) {
	h := open(t)
	for i := range 60 {
		h.deploy(fmt.Sprintf("flow-%02d", i), fmt.Sprintf("d-%02d", i), "flows/x.go:X", `{}`, `{}`, nil, "many")
	}
	for _, list := range []string{"/deployments", "/flows"} {
		_, body := h.get(list)
		if n := strings.Count(body, "<tr"); n != 51 {
			t.Errorf("%s: %d rows", list, n)
		}
		next := link(t, body, "next")
		_, body = h.get(next)
		contains(t, body, "51–64 of 64", `rel="prev"`)
		_, body = h.get(list + "?page=99")
		contains(t, body, "51–64 of 64")
		_, body = h.get(list + "?q=flow-1")
		if n := strings.Count(body, "<tr"); n != 11 {
			t.Errorf("%s?q=flow-1: %d rows", list, n)
		}
	}
	for query, want := range map[string]int{"tag=many&q=flow-59": 2, "q=etl%2Fnight": 2, "tag=prod": 2, "pool=none": 0, "pool=default&q=heartbeat": 2} {
		_, body := h.get("/deployments?" + query)
		if n := strings.Count(body, "<tr"); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
}

// The page says that flows are being built, and what keeps some from being deployed.
func TestFlowsFolder(t *testing.T) {
	h := open(t)
	_, body := h.get("/deployments")
	if strings.Contains(body, "being built") || !strings.Contains(body, "every 20s") {
		t.Error("a server without a folder of flows speaks of one")
	}
	h.folder.Store(&core.FlowsFacts{Dir: "flows", Looking: true})
	_, body = h.get("/deployments")
	contains(t, body, "The flows of <code>flows</code> are being built…", "every 2s")
	h.folder.Store(&core.FlowsFacts{Dir: "flows", Problems: []core.FlowsProblem{{Where: "flows/etl", Text: "etl.go:7:13: <oops>"}}, Hints: []string{"no Prefect in that Python"}})
	_, body = h.get("/deployments")
	contains(t, body, "flows/etl is not deployed", "etl.go:7:13: &lt;oops&gt;", "no Prefect in that Python")
	at := map[string]int{}
	for _, name := range []string{"adder/dev", "etl/nightly", "heartbeat/every-15m", "refund-approval/support"} {
		at[name] = strings.Index(body, ">"+name+"<")
	}
	if at["adder/dev"] < 0 || at["adder/dev"] > at["etl/nightly"] || at["etl/nightly"] > at["heartbeat/every-15m"] || at["heartbeat/every-15m"] > at["refund-approval/support"] {
		t.Errorf("deployments are not in the order of their names: %v", at)
	}
}

// A run that is planned is found by its name, and stands on its deployment's page.
func TestPlannedRunsAreFound(t *testing.T) {
	h := open(t)
	_, err := h.svc.CreateDeploymentFlowRun(t.Context(), h.etl.ID, core.DeploymentFlowRunCreate{Name: "tomorrow-night",
		State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.Now().Add(30 * time.Hour)}}})
	h.check(err)
	for _, path := range []string{"/runs?q=tomorrow", "/runs?q=tomorrow&range=all", "/deployments/" + h.etl.ID.String()} {
		_, body := h.get(path)
		contains(t, body, "tomorrow-night")
	}
	_, body := h.get("/deployments/" + h.etl.ID.String())
	contains(t, body, `id="h-pl">Planned`, "in 29 h")
	if _, body = h.get("/runs"); strings.Contains(body, "tomorrow-night") {
		t.Error("a planned run is listed among those that ran")
	}
}
