package deployment_test

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// An edit changes what the form shows; what the schema says anyway is not
// written down, and what was stored stays.
func TestEditDeployment(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.Adder.ID.String() + "/edit"
	_, body := h.Get(path)
	uitest.Contains(t, body, "Edit adder/dev", `name="parameters.b"`, `value="quick-start"`, `name="limit"`, `<option value="default" selected>`)
	form := url.Values{
		"description": {"Adds **numbers**."}, "tags": {"one, two, one"}, "pool": {"default"}, "queue": {"fast"}, "limit": {"3"}, "strategy": {"CANCEL_NEW"},
		"job_variables": {`{"env":{"A":"1"}}`}, "parameters.a": {"7"}, "parameters.b": {"2"}, "parameters.label": {"sum"}, "parameters.verbose": {"false"},
		"null.parameters.since": {"1"}, "parameters.regions": {"eu", "us"},
	}
	if w := h.Post(path, form); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	d := h.Deployment(h.Adder.ID)
	if core.Deref(d.Description) != "Adds **numbers**." || len(d.Tags) != 2 || core.Deref(d.WorkQueueName) != "fast" || d.GlobalConcurrencyLimit == nil || d.GlobalConcurrencyLimit.Limit != 3 ||
		d.ConcurrencyOptions.CollisionStrategy != "CANCEL_NEW" || string(d.Parameters) != `{"a":7}` || d.JobVariables.Map()["env"] == nil {
		t.Errorf("%+v %s %s", d, d.Parameters, d.JobVariables)
	}
	_, body = h.Get("/deployments/" + h.Adder.ID.String())
	uitest.Contains(t, body, "<strong>numbers</strong>", "at most 3 runs at once", "further ones are cancelled", "Job variables")
	for _, bad := range []struct{ key, value, says, at string }{
		{"limit", "many", "whole number", "d-limit"}, {"limit", "0", "1 or more", "d-limit"}, {"job_variables", "[1]", "JSON object", "d-job_variables"},
		{"parameters.b", "400", "at most 100", "f-parameters-b"}, {"parameters.a", "x", "whole number", "f-parameters-a"}, {"pool", "nowhere", "nowhere", ""}, {"strategy", "x", "listed values", "d-strategy"},
	} {
		wrong := url.Values{}
		maps.Copy(wrong, form)
		wrong.Set(bad.key, bad.value)
		wrong.Set("description", "typed & kept")
		w := h.Post(path, wrong)
		if w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) || !strings.Contains(w.Body.String(), "typed &amp; kept") {
			t.Errorf("%s=%s: %d", bad.key, bad.value, w.Code)
		}
		if bad.at != "" {
			uitest.Contains(t, w.Body.String(), `href="#`+bad.at+`"`, `id="`+bad.at+`-e"`)
		}
	}
	form.Set("limit", "")
	form.Set("parameters.b", "3")
	h.Post(path, form)
	if d = h.Deployment(h.Adder.ID); d.GlobalConcurrencyLimit != nil || string(d.Parameters) != `{"a":7,"b":3}` {
		t.Errorf("%v %s", d.GlobalConcurrencyLimit, d.Parameters)
	}
}

func TestDuplicateAndDeleteDeployment(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.ETL.ID.String()
	_, body := h.Get(path + "/duplicate")
	uitest.Contains(t, body, `value="nightly-copy"`, "schedules are paused")
	form := url.Values{"name": {"nightly"}, "pool": {"default"}, "queue": {"default"}, "strategy": {"ENQUEUE"}, "parameters.source": {"clicks"}}
	w := h.Post(path+"/duplicate", form)
	if w.Code != 422 || !strings.Contains(w.Body.String(), "etl/nightly exists already.") || !strings.Contains(w.Body.String(), "clicks") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	form.Set("name", "weekly")
	if w = h.Post(path+"/duplicate", form); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	d := h.Deployment(h.ID(strings.TrimPrefix(w.Header().Get("Location"), "/deployments/")))
	if d.Name != "weekly" || !d.Paused || len(d.Schedules) != 1 || core.Deref(d.Entrypoint) != "flows/etl.go:ETL" || d.Parameters.Map()["source"] != "clicks" || string(d.ParameterOpenAPISchema) != string(h.ETL.ParameterOpenAPISchema) {
		t.Errorf("%+v", d)
	}
	gone := "/deployments/" + d.ID.String()
	if w = h.Post(gone+"/delete", nil); w.Header().Get("Location") != gone+"/remove" || h.Deployment(d.ID) == nil {
		t.Error("it did not ask")
	}
	_, body = h.Get(gone + "/remove")
	uitest.Contains(t, body, "Delete etl/weekly?", `name="sure" value="1"`)
	if w = h.Post(gone+"/delete", url.Values{"sure": {"1"}}); w.Code != 303 {
		t.Error(w.Code)
	}
	if code, _ := h.Get(gone); code != 404 {
		t.Error("still there", code)
	}
}

func TestListsOfDeploymentsAndFlows(t *testing.T) {
	h := uitest.Open(t)
	for i := range 60 {
		h.Deploy(fmt.Sprintf("flow-%02d", i), fmt.Sprintf("d-%02d", i), "flows/x.go:X", `{}`, `{}`, nil, "many")
	}
	for _, list := range []string{"/deployments", "/flows"} {
		_, body := h.Get(list)
		if n := strings.Count(body, "<tr"); n != 51 {
			t.Errorf("%s: %d rows", list, n)
		}
		next := uitest.Link(t, body, "next")
		_, body = h.Get(next)
		uitest.Contains(t, body, "51–64 of 64", `rel="prev"`)
		_, body = h.Get(list + "?page=99")
		uitest.Contains(t, body, "51–64 of 64")
		_, body = h.Get(list + "?q=flow-1")
		if n := strings.Count(body, "<tr"); n != 11 {
			t.Errorf("%s?q=flow-1: %d rows", list, n)
		}
	}
	for query, want := range map[string]int{"tag=many&q=flow-59": 2, "q=etl%2Fnight": 2, "tag=prod": 2, "pool=none": 0, "pool=default&q=heartbeat": 2} {
		_, body := h.Get("/deployments?" + query)
		if n := strings.Count(body, "<tr"); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
}

// The page says that flows are being built, and what keeps some from being deployed.
func TestFlowsFolder(t *testing.T) {
	h := uitest.Open(t)
	_, body := h.Get("/deployments")
	if strings.Contains(body, "being built") || !strings.Contains(body, "every 20s") {
		t.Error("a server without a folder of flows speaks of one")
	}
	h.Folder.Store(&core.FlowsFacts{Dir: "flows", Looking: true})
	_, body = h.Get("/deployments")
	uitest.Contains(t, body, "The flows of <code>flows</code> are being built…", "every 2s")
	h.Folder.Store(&core.FlowsFacts{Dir: "flows", Problems: []core.FlowsProblem{{Where: "flows/etl", Text: "etl.go:7:13: <oops>"}}, Hints: []string{"no Prefect in that Python"}})
	_, body = h.Get("/deployments")
	uitest.Contains(t, body, "flows/etl is not deployed", "etl.go:7:13: &lt;oops&gt;", "no Prefect in that Python")
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
	h := uitest.Open(t)
	_, err := h.Service.CreateDeploymentFlowRun(t.Context(), h.ETL.ID, core.DeploymentFlowRunCreate{Name: "tomorrow-night",
		State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.Now().Add(30 * time.Hour)}}})
	h.Check(err)
	for _, path := range []string{"/runs?q=tomorrow", "/runs?q=tomorrow&range=all", "/deployments/" + h.ETL.ID.String()} {
		_, body := h.Get(path)
		uitest.Contains(t, body, "tomorrow-night")
	}
	_, body := h.Get("/deployments/" + h.ETL.ID.String())
	uitest.Contains(t, body, `id="h-pl">Planned`, "in 29 h")
	if _, body = h.Get("/runs"); strings.Contains(body, "tomorrow-night") {
		t.Error("a planned run is listed among those that ran")
	}
}
