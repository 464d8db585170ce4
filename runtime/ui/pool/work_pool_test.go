package pool_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestCreateWorkPool(t *testing.T) {
	h := uitest.Open(t)
	_, body := h.Get("/work-pools?create=1")
	uitest.Contains(t, body, "New work pool", `name="type" value="process"`)
	for _, bad := range []struct {
		form url.Values
		says string
	}{
		{url.Values{"name": {"default"}, "type": {"process"}}, "already exists"},
		{url.Values{"name": {""}, "type": {"process"}}, "name"},
		{url.Values{"name": {"a/b"}, "type": {"process"}}, "a/b"},
		{url.Values{"name": {"prefect-x"}, "type": {"process"}}, "reserved"},
		{url.Values{"name": {"x"}, "type": {"process"}, "limit": {"-1"}}, "whole number"},
		{url.Values{"name": {"x"}, "type": {""}}, "Write a type"},
	} {
		if w := h.Post("/work-pools", bad.form); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) {
			t.Errorf("%v: %d, want %q", bad.form, w.Code, bad.says)
		}
	}
	if w := h.Post("/work-pools", url.Values{"name": {"night shift"}, "type": {"process"}, "description": {"after ten"}, "limit": {"3"}}); w.Code != 303 || w.Header().Get("Location") != "/work-pools/night%20shift" {
		t.Fatal(w.Code, w.Header(), w.Body)
	}
	p, err := h.Store.WorkPoolByName(t.Context(), "night shift")
	h.Check(err)
	if p.Type != "process" || *p.ConcurrencyLimit != 3 || *p.Description != "after ten" || p.BaseJobTemplate.Map()["variables"] == nil {
		t.Errorf("%+v", p)
	}
}

// A pool's page says why it hands out nothing, and what waits in it.
func TestWorkPoolPage(t *testing.T) {
	h := uitest.Open(t)
	late := h.Create(h.ETL, "")
	soon, err := h.Service.CreateDeploymentFlowRun(t.Context(), h.Adder.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"a":1}`),
		State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.Now().Add(time.Hour)}}})
	h.Check(err)
	_, body := h.Get("/work-pools/default")
	uitest.Contains(t, body, "Not ready", "No worker has joined yet", "flowlite", "/flow-runs/"+late.ID.String(), "/flow-runs/"+soon.ID.String(), "/queues/new", "/work-pools/default/edit", "Delete the work pool")
	if strings.Index(body, late.Name) > strings.Index(body, soon.Name) {
		t.Error("the later run comes first")
	}
	h.Check(h.Service.Heartbeat(t.Context(), "default", core.WorkerHeartbeat{Name: "w 1"}))
	_, body = h.Get("/work-pools/default")
	uitest.Contains(t, body, "Ready", "w 1", "online")
	h.At(core.Now().Add(-time.Hour))
	h.Check(h.Service.Heartbeat(t.Context(), "default", core.WorkerHeartbeat{Name: "w old"}))
	h.At(0)
	h.Must(h.Service.MarkStaleOffline(t.Context()))
	if w := h.Post("/work-pools/default/workers/w%20old/delete", nil); w.Code != 303 {
		t.Error(w.Code, w.Body)
	}
	ws, err := h.Store.Workers(t.Context(), h.Pool("default").ID, nil, core.Page{})
	h.Check(err)
	if len(ws) != 1 || ws[0].Name != "w 1" {
		t.Error(ws)
	}
	h.Post("/work-pools/default/toggle", url.Values{"on": {"false"}})
	_, body = h.Get("/work-pools/default")
	uitest.Contains(t, body, "hands out no runs", "<span>resume</span>")
	if w := h.Post("/work-pools/default/delete", nil); w.Code != 303 {
		t.Error(w.Code, w.Body)
	}
	if code, _ := h.Get("/work-pools/default"); code != 404 {
		t.Error(code)
	}
}

// A pool that flowlite's own workers do not serve says so when it is made and
// on its page.
func TestPoolsOfOtherTypes(t *testing.T) {
	h := uitest.Open(t)
	for kind, want := range map[string][]string{
		"docker":   {"A Prefect worker of type docker must execute its runs.", "prefect", "--type"},
		"ecs:push": {"Only Prefect Cloud executes runs of type ecs:push.", "No worker serves this pool."},
	} {
		w := h.Post("/work-pools", url.Values{"name": {"d " + kind}, "type": {kind}})
		if w.Code != 303 || !strings.Contains(w.Header().Get("Set-Cookie"), strings.Fields(want[0])[1]) {
			t.Fatal(w.Code, w.Header(), w.Body)
		}
		_, body := h.Get("/work-pools/" + url.PathEscape("d "+kind))
		uitest.Contains(t, body, want...)
	}
	_, body := h.Get("/work-pools?create=1")
	uitest.Contains(t, body, "needs a Prefect worker of that type")
}

// An edit of a pool changes what was changed, and not a digit else.
func TestEditWorkPool(t *testing.T) {
	h := uitest.Open(t)
	const template = `{"job_configuration":{"command":"{{ command }}","big":12345678901234567891},"variables":{"type":"object","required":["command"],"properties":{
 "command":{"type":"string","x-kept":{"n":1.50}},"retries":{"type":"integer","default":3},"image":{"type":"string","default":"a"},
 "env":{"type":"object","default":{"A":"1"}},"note":{"anyOf":[{"type":"string"},{"type":"null"}]}}}}`
	h.Check(h.Service.UpdateWorkPool(t.Context(), "default", core.WorkPoolUpdate{BaseJobTemplate: core.Some(core.JSON(template))}))
	_, body := h.Get("/work-pools/default/edit")
	uitest.Contains(t, body, `name="v.retries" value="3"`, `name="v.image" value="a"`, `name="limit" value="8"`, `name="null.v.note" value="1" checked`)
	same := url.Values{"description": {"This machine"}, "limit": {"8"}, "v.command": {""}, "v.retries": {"3"}, "v.image": {"a"}, "v.env": {`{"A":"1"}`}, "null.v.note": {"1"}}
	if w := h.Post("/work-pools/default/edit", same); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	if got := string(h.Pool("default").BaseJobTemplate); got != template {
		t.Errorf("an edit of nothing: %s", got)
	}
	changed := url.Values{"description": {"mine"}, "limit": {""}, "v.command": {"run.sh"}, "v.retries": {"5"}, "v.image": {""}, "v.env": {`{"A":"1"}`}, "null.v.note": {"1"}}
	if w := h.Post("/work-pools/default/edit", changed); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	p := h.Pool("default")
	text := string(p.BaseJobTemplate)
	uitest.Contains(t, text, `"default":"run.sh"`, `"default":5`, "12345678901234567891", "1.50", `"default":{"A":"1"}`)
	if *p.Description != "mine" || p.ConcurrencyLimit != nil || strings.Contains(text, `"default":"a"`) || strings.Contains(text, `"default":null`) {
		t.Errorf("%v %v %s", *p.Description, p.ConcurrencyLimit, text)
	}
	for _, c := range []struct {
		path string
		form url.Values
		says string
	}{
		{"", url.Values{"limit": {"-1"}}, "whole number"},
		{"", url.Values{"v.retries": {"many"}}, "Must be a whole number."},
		{"", url.Values{"v.env": {"{"}}, "Not valid JSON"},
		{"?input=json", url.Values{"raw": {`{"variables":{}}`}}, "job_configuration"},
		{"?input=json", url.Values{"raw": {`{"job_configuration":{"a":"{{ b }}"},"variables":{"properties":{}}}`}}, "which variables does not declare"},
		{"?input=json", url.Values{"raw": {`{`}}, "Not valid JSON"},
	} {
		w := h.Post("/work-pools/default/edit"+c.path, c.form)
		if w.Code != 422 || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%v: %d, want %q", c.form, w.Code, c.says)
		}
		for _, v := range c.form {
			uitest.Contains(t, w.Body.String(), uitest.TemplEscaped(v[0]))
		}
	}
	// Form and JSON are two shapes of one edit: nothing is lost between them.
	typed := url.Values{"description": {"typed"}, "limit": {"4"}, "v.command": {"other.sh"}, "v.retries": {"5"}, "v.env": {`{"A":"1"}`}, "null.v.note": {"1"}, "to": {"json"}}
	w := h.Post("/work-pools/default/edit", typed)
	uitest.Contains(t, w.Body.String(), `value="typed"`, `value="4"`, "other.sh", `name="raw"`)
	typed.Set("raw", strings.Replace(text, `"type":"string"`, `"type":"string","title":"By JSON"`, 1))
	typed.Set("to", "form")
	w = h.Post("/work-pools/default/edit?input=json", typed)
	uitest.Contains(t, w.Body.String(), `value="typed"`, "By JSON", `name="base"`, `name="v.retries" value="5"`)
	if got := string(h.Pool("default").BaseJobTemplate); w.Code != 200 || got != text {
		t.Errorf("a refused edit, or a turned form, changed the template: %d", w.Code)
	}
	typed.Set("base", typed.Get("raw"))
	typed.Del("to")
	typed.Set("v.command", "run.sh")
	if w = h.Post("/work-pools/default/edit", typed); w.Code != 303 || !strings.Contains(string(h.Pool("default").BaseJobTemplate), "By JSON") || *h.Pool("default").Description != "typed" {
		t.Errorf("what was written as JSON is lost: %d %s", w.Code, h.Pool("default").BaseJobTemplate)
	}
	typed.Set("raw", "{")
	typed.Set("to", "form")
	if w = h.Post("/work-pools/default/edit?input=json", typed); w.Code != 422 || !strings.Contains(w.Body.String(), "Not valid JSON") {
		t.Errorf("no JSON as a form: %d", w.Code)
	}
}

func TestWorkQueues(t *testing.T) {
	h := uitest.Open(t)
	q := h.DefaultQueue()
	for _, c := range []struct {
		form url.Values
		says string
	}{
		{url.Values{"name": {""}}, "Required."}, {url.Values{"name": {"default"}}, "already exists"}, {url.Values{"name": {"a/b"}}, "a/b"},
		{url.Values{"name": {"x"}, "priority": {"0"}}, "1 or more"}, {url.Values{"name": {"x"}, "concurrency_limit": {"one"}}, "whole number"},
	} {
		if w := h.Post("/work-pools/default/queues/new", c.form); w.Code != 422 || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%v: %d, want %q", c.form, w.Code, c.says)
		}
	}
	if w := h.Post("/work-pools/default/queues/new", url.Values{"name": {"urgent"}, "concurrency_limit": {"2"}, "priority": {"1"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	urgent, err := h.Store.WorkQueueByName(t.Context(), h.Pool("default").ID, "urgent")
	h.Check(err)
	if urgent.Priority != 1 || *urgent.ConcurrencyLimit != 2 || h.DefaultQueue().Priority != 2 {
		t.Error(urgent.Priority, h.DefaultQueue().Priority)
	}
	path := "/work-pools/default/queues/" + urgent.ID.String()
	_, body := h.Get(path)
	uitest.Contains(t, body, `name="concurrency_limit" value="2"`, "Delete")
	if w := h.Post(path, url.Values{"name": {"urgent"}, "concurrency_limit": {""}, "priority": {"2"}, "description": {"first"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	urgent, err = h.Store.WorkQueue(t.Context(), urgent.ID)
	h.Check(err)
	if urgent.Priority != 2 || urgent.ConcurrencyLimit != nil || *urgent.Description != "first" {
		t.Errorf("%+v", urgent)
	}
	if w := h.Post("/work-pools/default/queues/"+q.ID.String()+"/delete", nil); w.Code != 400 {
		t.Errorf("the default queue: %d", w.Code)
	}
	h.Must(h.Service.CreateWorkPool(t.Context(), core.WorkPoolCreate{Name: "other"}))
	if code, _ := h.Get("/work-pools/other/queues/" + urgent.ID.String()); code != 404 {
		t.Error("a queue under another pool", code)
	}
	if w := h.Post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code, w.Body)
	}
	if code, _ := h.Get(path); code != 404 {
		t.Error(code)
	}
	if code, _ := h.Get("/work-pools/default/nowhere"); code != 404 {
		t.Error(code)
	}
}

// A person makes a queue, gives it a limit, pauses it, edits the pool and deletes it.
func TestWorkPoolInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	h.Check(h.Service.UpdateWorkPool(t.Context(), "default", core.WorkPoolUpdate{BaseJobTemplate: core.Some(core.ProcessTemplate)}))
	b := h.Tab(t, uitest.Browser(t), "/work-pools/default", 1280, 900)
	click := func(css string) { b.JS(`document.querySelector("` + css + `").click()`) }
	typed := func(name, value string) {
		b.JS(`(document.querySelector("[name='` + name + `']").value="` + value + `")`)
	}
	ready := ` && !!window.htmx && document.readyState=="complete"`
	click("a[href$='/queues/new']")
	b.Wait(`!!document.querySelector("#queue-form")` + ready)
	typed("name", "default")
	click("#queue-form .pri")
	b.Wait(`document.querySelector("#queue-form .ferr")?.textContent.includes("already exists")`)
	b.Want(`document.activeElement.className`, "esum")
	typed("name", "urgent")
	typed("concurrency_limit", "3")
	click("#queue-form .pri")
	b.Wait(`location.pathname=="/work-pools/default" && document.querySelector("#toasts")?.textContent.includes("urgent")` + ready)
	b.JS(`[...document.querySelectorAll(".qrow")].find(r=>r.textContent.includes("urgent")).querySelector("button.sw").click()`)
	b.Wait(`document.querySelector("#toasts").textContent.includes("Queue urgent: paused")`)
	click("a[href$='/default/edit']")
	b.Wait(`!!document.querySelector("#pool-form")` + ready)
	typed("v.working_dir", "/srv/flows")
	typed("limit", "-1")
	click("#pool-form .pri")
	b.Wait(`!!document.querySelector(".esum")`)
	b.Want(`document.querySelector("[name='v.working_dir']").value`, "/srv/flows")
	typed("limit", "5")
	click("#pool-form .pri")
	b.Wait(`location.pathname=="/work-pools/default" && document.querySelector("#pools")?.textContent.includes("of 5 slots")` + ready)
	uitest.Contains(t, string(h.Pool("default").BaseJobTemplate), `"/srv/flows"`)
	click("details.pop summary")
	b.Want(`document.querySelector(".pop-b form").checkVisibility()`, "true")
	click(".pop-b form button")
	b.Wait(`location.pathname=="/work-pools" && document.querySelector("#toasts")?.textContent.includes("deleted")` + ready)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
