package deployment_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestCustomRun(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.Adder.ID.String() + "/run"
	_, body := h.Get(path)
	uitest.Contains(t, body, `name="parameters.a"`, `name="parameters.b" value="2"`, `name="null.parameters.since" value="1" checked`, `value="eu"`, "required")
	w := h.Post(path, url.Values{"parameters.a": {"one"}, "parameters.b": {"400"}, "null.parameters.since": {"1"}, "parameters.label": {"kept"}})
	if w.Code != 422 {
		t.Fatal(w.Code)
	}
	uitest.Contains(t, w.Body.String(), "Must be a whole number.", "Must be at most 100.", `value="kept"`, `value="one"`, "<html")
	w = h.Post(path, url.Values{"parameters.a": {"40"}, "parameters.b": {"2"}, "parameters.label": {"x"}, "parameters.verbose": {"true"}, "null.parameters.since": {"1"}, "parameters.regions": {"eu", ""}, "run_name": {"by-hand"}, "tags": {"one, two"}, "job_variables": {`{"env":{"A":"1"}}`}})
	if w.Code != 303 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	id, err := core.ParseUUID(strings.TrimPrefix(w.Header().Get("Location"), "/flow-runs/"))
	h.Check(err)
	run := h.Run(id)
	p := run.Parameters.Map()
	if string(run.JobVariables) != `{"env":{"A":"1"}}` {
		t.Errorf("job variables %s", run.JobVariables)
	}
	_, body = h.Get(path + "?from=" + run.ID.String())
	uitest.Contains(t, body, "&#34;A&#34;: &#34;1&#34;", `name="tags" value="one, quick-start, two"`)
	if w = h.Post(path, url.Values{"parameters.a": {"40"}, "null.parameters.since": {"1"}, "job_variables": {"[1"}}); w.Code != 422 {
		t.Errorf("job variables that are no JSON: %d", w.Code)
	}
	uitest.Contains(t, w.Body.String(), "1 field needs another look", ">\n[1</textarea>")
	if p["a"] != json.Number("40") || p["verbose"] != true || p["since"] != nil || len(p["regions"].([]any)) != 1 || run.Name != "by-hand" || run.StateType != core.Scheduled {
		t.Errorf("run %s %v %s", run.Name, p, run.StateType)
	}
	if w = h.Post(path+"?input=json", url.Values{"raw": {`{"a": "no"}`}}); w.Code != 422 {
		t.Errorf("the service's refusal of %s: %d", `{"a":"no"}`, w.Code)
	}
	if w = h.Post(path+"?input=json", url.Values{"raw": {`{`}}); w.Code != 422 {
		t.Errorf("broken JSON: %d", w.Code)
	}
	if w = h.Post("/deployments/"+h.Adder.ID.String()+"/quick-run", nil); w.Header().Get("Location") != path {
		t.Errorf("a quick run that lacks a parameter leads to the form: %v", w.Header())
	}
	w = h.Post(path, url.Values{"parameters.a": {"1"}, "null.parameters.since": {"1"}, "at": {"2031-01-02T03:04"}})
	id, err = core.ParseUUID(strings.TrimPrefix(w.Header().Get("Location"), "/flow-runs/"))
	h.Check(err)
	if at := h.Run(id).NextScheduledStartTime; at.String() != "2031-01-02T03:04:00Z" {
		t.Error("starts at", at)
	}
	said, _ := url.QueryUnescape(strings.Join(w.Header()["Set-Cookie"], " "))
	uitest.Contains(t, said, "Planned ", "for 2 Jan 2031, 03:04:00 UTC.")
	if w = h.Post(path, url.Values{"parameters.a": {"1"}, "null.parameters.since": {"1"}, "at": {"2020-01-02T03:04"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "This time has passed.") {
		t.Errorf("a start in the past: %d", w.Code)
	}
	if w = h.Post(path, url.Values{"parameters.a": {"1"}, "parameters.b": {""}, "null.parameters.since": {"1"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "Must be a number; its default is 2.") {
		t.Errorf("a number that was cleared: %d", w.Code)
	}
}

// The form and its JSON are two shapes of one thing: what was typed is in both.
func TestCustomRunAsJSON(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.Adder.ID.String() + "/run"
	typed := url.Values{"parameters.a": {"41"}, "parameters.b": {"3"}, "parameters.label": {"mine"}, "null.parameters.since": {"1"}, "run_name": {"by-hand"}, "tags": {"one"}, "at": {"2031-01-02T03:04"}, "to": {"json"}}
	w := h.Post(path, typed)
	if w.Code != 200 {
		t.Fatal(w.Code)
	}
	uitest.Contains(t, w.Body.String(), `name="raw"`, "&#34;a&#34;: 41", "&#34;label&#34;: &#34;mine&#34;", `value="by-hand"`, `value="one"`, `value="2031-01-02T03:04"`)
	typed.Set("raw", `{"a": 42, "label": "changed"}`)
	typed.Set("to", "form")
	w = h.Post(path+"?input=json", typed)
	if w.Code != 200 {
		t.Fatal(w.Code)
	}
	uitest.Contains(t, w.Body.String(), `name="parameters.a" value="42"`, `value="changed"`, `value="by-hand"`)
	for raw, says := range map[string]string{"{": "Write a JSON object", "null": "Write a JSON object", `{"nope": 1}`: "The form has no field"} {
		typed.Set("raw", raw)
		if w = h.Post(path+"?input=json", typed); w.Code != 422 {
			t.Errorf("%s as a form: %d", raw, w.Code)
		}
		uitest.Contains(t, w.Body.String(), says, `name="raw"`)
	}
	for raw, shows := range map[string]string{`{"a": "x"}`: ">\n&#34;x&#34;</textarea>", `{"a": 9007199254740993}`: `value="9007199254740993"`, `{"a": [1, 2.0]}`: "2.0\n]</textarea>", `{"a": 1, "since": "soon"}`: `value="soon"`} {
		typed.Set("raw", raw)
		uitest.Contains(t, h.Post(path+"?input=json", typed).Body.String(), shows, `name="base"`)
	}
	typed.Del("raw")
	typed.Set("to", "json")
	typed.Set("parameters.a", "9007199254740993")
	uitest.Contains(t, h.Post(path, typed).Body.String(), "&#34;a&#34;: 9007199254740993")
	typed.Set("parameters.a", "x")
	if w = h.Post(path, typed); w.Code != 422 {
		t.Errorf("a form that is wrong as JSON: %d", w.Code)
	}
	uitest.Contains(t, w.Body.String(), "Must be a whole number.", `value="x"`)
}
