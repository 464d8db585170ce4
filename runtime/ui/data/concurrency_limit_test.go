package data_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestConcurrencyLimits(t *testing.T) {
	h := uitest.Open(t)
	_, body := h.Get("/concurrency")
	uitest.Contains(t, body, "No global limits yet", "No tag has a limit yet")
	for _, bad := range []struct {
		form url.Values
		says string
	}{
		{url.Values{"name": {""}, "limit": {"1"}}, "Write a name."},
		{url.Values{"name": {"a/b"}, "limit": {"7"}}, "must not contain"},
		{url.Values{"name": {"db"}, "limit": {"-1"}}, "whole number"},
		{url.Values{"name": {"db"}, "limit": {""}}, "whole number"},
		{url.Values{"name": {"db"}, "limit": {"3"}, "slot_decay_per_second": {"-0.5"}}, "Must be a number"},
		{url.Values{"name": {"gpu"}, "limit": {"x"}, "of": {"tag"}}, "whole number"},
	} {
		if w := h.Post("/concurrency/new", bad.form); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) || !strings.Contains(w.Body.String(), `value="`+bad.form.Get("name")+`"`) {
			t.Errorf("%v: %d, want %q", bad.form, w.Code, bad.says)
		}
	}
	w := h.Post("/concurrency/new", url.Values{"name": {"db"}, "limit": {"2"}, "slot_decay_per_second": {"0"}})
	path := w.Header().Get("Location")
	if w.Code != 303 || !strings.HasPrefix(path, "/concurrency/") {
		t.Fatal(w.Code, path)
	}
	tag := h.Post("/concurrency/new", url.Values{"of": {"tag"}, "name": {"gpu"}, "limit": {"1"}}).Header().Get("Location")
	for _, taken := range []url.Values{{"name": {"db"}, "limit": {"9"}}, {"of": {"tag"}, "name": {"gpu"}, "limit": {"9"}}} {
		if w := h.Post("/concurrency/new", taken); w.Code != 422 || !strings.Contains(w.Body.String(), "already") {
			t.Errorf("a taken name: %d", w.Code)
		}
	}
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	task := h.Task(ctx, run.ID, "load", 0, h.Now(), 0, core.Running)
	lease := h.Hold("db", "flow_run", run.ID)
	h.Must(h.Service.IncrementSlots(t.Context(), core.SlotRequest{Slots: 1, Names: []string{"db"}}))
	h.Must(h.Service.TakeTagSlots(t.Context(), []string{"gpu"}, task))
	_, body = h.Get("/concurrency")
	uitest.Contains(t, body, "2 of 2", "full", "/flow-runs/"+run.ID.String(), "unknown client", "1 of 1", "/task-runs/"+task.String(), "load-0")
	_, body = h.Get(path)
	uitest.Contains(t, body, "etl/nightly", "unknown client", "unless renewed", "it ends", path+"/holders/"+lease.String()+"/free")
	_, body = h.Get(tag)
	uitest.Contains(t, body, "task of etl / "+run.Name, "flowlite concurrency-limit inspect gpu")
	lacks(t, body, `name="name"`, "slot_decay")
	r := httptest.NewRecorder()
	h.UI.ServeHTTP(r, httptest.NewRequest("GET", "/concurrency-limits"+strings.Replace(path, "/concurrency/", "/concurrency-limit/", 1), nil))
	if r.Header().Get("Location") != path {
		t.Error(r.Header())
	}

	h.Post(path+"/reset", nil) // forgets what has no lease
	if n := h.Used("db"); n != 1 {
		t.Errorf("%d slots after a reset", n)
	}
	if w := h.Post(path+"/holders/"+lease.String()+"/free", nil); w.Code != 303 || h.Used("db") != 0 {
		t.Errorf("%d, %d slots", w.Code, h.Used("db"))
	}
	if w := h.Post(path+"/holders/"+lease.String()+"/free", nil); w.Code != 404 {
		t.Errorf("what is free is freed again: %d", w.Code)
	}
	h.Post(tag+"/reset", nil)
	if n := h.Used("tag:gpu"); n != 0 {
		t.Errorf("%d slots of the tag after a reset", n)
	}
	h.Post(path+"/toggle", url.Values{"on": {"false"}})
	if w := h.Post(path, url.Values{"name": {"renamed"}, "limit": {"7"}, "slot_decay_per_second": {"0.25"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	l, err := h.Store.GlobalLimitByName(t.Context(), "renamed")
	h.Check(err)
	if l.Active || l.Limit != 7 || l.SlotDecayPerSecond != 0.25 {
		t.Errorf("%+v", l)
	}
	if w := h.Post(tag, url.Values{"limit": {"5"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	if l, err := h.Store.GlobalLimitByName(t.Context(), "tag:gpu"); err != nil || l.Limit != 5 {
		t.Error(l, err)
	}
	for _, p := range []string{path, tag} {
		if w := h.Post(p+"/delete", nil); w.Code != 303 {
			t.Error(w.Code)
		}
		if code, _ := h.Get(p); code != 404 {
			t.Error(code)
		}
	}
}

// A limit of a deployment is held by its live runs.
func TestDeploymentsHoldLimits(t *testing.T) {
	h := uitest.Open(t)
	l := h.Limit("shared", 2, 0)
	h.Check(h.Service.UpdateDeployment(t.Context(), h.ETL.ID, core.DeploymentUpdate{GlobalConcurrencyLimitID: core.Some(l.ID)}))
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	_, body := h.Get("/concurrency/" + l.ID.String())
	uitest.Contains(t, body, "1 of 2", run.Name, "etl/nightly")
	lacks(t, body, "/free")
}

func TestConcurrencyInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/concurrency/new", 1280, 900)
	b.JS(`document.querySelector("#limit-form .pri").click()`)
	b.Wait(`document.activeElement.className=="esum"`)
	b.JS(`document.querySelector("[name=of][value=tag]").click()`)
	b.Want(`document.querySelector("[name=slot_decay_per_second]").checkVisibility()`, "false")
	b.JS(`document.querySelector("[name=of][value=name]").click()`)
	b.Want(`document.querySelector("[name=slot_decay_per_second]").checkVisibility()`, "true")
	b.JS(`(document.querySelector("[name=name]").value="db",document.querySelector("[name=limit]").value="2",document.querySelector("#limit-form .pri").click())`)
	b.Wait(`document.querySelector("h1")?.textContent=="db" && document.querySelector("#holders")?.textContent.includes("Nobody holds a slot") && !!window.htmx`)
	h.Hold("db", "flow_run", run.ID)
	b.Wait(`document.querySelector("#holders a.t")?.textContent=="` + run.Name + `"`) // without a reload
	b.JS(`document.querySelector("button.sw").click()`)
	b.Wait(`document.querySelector("#toasts").textContent.includes("paused")`)
	b.JS(`(window.confirm=()=>true,document.querySelector('form[action$="/free"] button').click())`)
	b.Wait(`document.querySelector("#holders")?.textContent.includes("Nobody holds a slot") && document.querySelector("#toasts")?.textContent.includes("Freed 1 slot of db")`)
	if n := h.Used("db"); n != 0 {
		t.Error(n, "slots")
	}
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
