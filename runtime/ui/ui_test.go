package ui_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestEmptyDatabase(t *testing.T) {
	h := uitest.Open(t)
	for _, p := range []string{"/dashboard", "/runs", "/flows", "/deployments", "/work-pools", "/work-pools/default", "/palette?q=adder", "/automations", "/automations/new", "/events", "/events?range=30d", "/runs?state=late&state=failed&range=all", "/dashboard?range=30d"} {
		if code, body := h.Get(p); code != 200 || !strings.Contains(body, "<h1>") {
			t.Errorf("%s: %d %.200s", p, code, body)
		}
	}
	_, body := h.Get("/dashboard")
	uitest.Contains(t, body, "Nothing has run yet")
}

func TestMissingThings(t *testing.T) {
	h := uitest.Open(t)
	id := core.NewID().String()
	for _, p := range []string{"/nowhere", "/flow-runs/" + id, "/flow-runs/x", "/task-runs/" + id, "/deployments/" + id, "/deployments/" + id + "/run", "/flows/" + id, "/work-pools/none", "/artifacts/" + id, "/static/none.js"} {
		if code, _ := h.Get(p); code != http.StatusNotFound {
			t.Errorf("%s: %d", p, code)
		}
	}
	if w := h.Post("/flow-runs/"+id+"/cancel", nil, "HX-Request", "true"); w.Code != 404 || !strings.Contains(w.Body.String(), "hx-partial") {
		t.Errorf("a refused htmx post answers with a toast: %d %s", w.Code, w.Body)
	}
	if w := h.Post("/flow-runs/"+id+"/cancel", nil, "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("cross-site post: %d", w.Code)
	}
}

func TestPrefectAddresses(t *testing.T) {
	h := uitest.Open(t)
	for from, to := range map[string]string{
		"/": "/dashboard", "/runs/flow-run/x1": "/flow-runs/x1", "/runs/task-run/x1": "/task-runs/x1", "/flows/flow/x1": "/flows/x1",
		"/deployments/deployment/x1": "/deployments/x1", "/work-pools/work-pool/p%201": "/work-pools/p%201", "/artifacts/artifact/x1": "/artifacts/x1",
		"/work-pools/work-pool/p/worker/w": "/work-pools/p", "/work-pools/work-pool/p/queue/q": "/work-pools/p",
		"/work-queues/work-queue/" + h.DefaultQueue().ID.String(): "/work-pools/default",
		"/automations/automation/x1":                              "/automations/x1", "/events/event/2026-11-23T09:00:00+00:00/x1": "/events/x1",
	} {
		w := httptest.NewRecorder()
		h.UI.ServeHTTP(w, httptest.NewRequest("GET", from, nil))
		if w.Code != 302 || w.Header().Get("Location") != to {
			t.Errorf("%s: %d %s, want %s", from, w.Code, w.Header().Get("Location"), to)
		}
	}
}

func TestStaticForEver(t *testing.T) {
	h := uitest.Open(t)
	_, body := h.Get("/dashboard")
	i := strings.Index(body, "/static/app.")
	path := body[i : i+strings.IndexByte(body[i:], '"')]
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.UI.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d %v", path, w.Code, w.Header())
	}
}

func TestToggles(t *testing.T) {
	h := uitest.Open(t)
	id := h.Heartbeat.ID.String()
	h.Post("/deployments/"+id+"/toggle", url.Values{"on": {"false"}})
	d, err := h.Store.Deployment(t.Context(), h.Heartbeat.ID)
	h.Check(err)
	if !d.Paused {
		t.Error("deployment not paused")
	}
	s := d.Schedules[0]
	if w := h.Post("/deployments/"+id+"/schedules/"+s.ID.String()+"/toggle", url.Values{"on": {"false"}}, "HX-Request", "true"); !strings.Contains(w.Body.String(), `aria-checked="false"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.Post("/work-pools/default/toggle", url.Values{"on": {"false"}})
	p, err := h.Store.WorkPoolByName(t.Context(), "default")
	h.Check(err)
	if !p.IsPaused {
		t.Error("pool not paused")
	}
	_, body := h.Get("/work-pools")
	uitest.Contains(t, body, "Paused", "flowlite", "worker")
}
