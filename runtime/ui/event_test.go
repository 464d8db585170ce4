package ui_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (h *house) emit(name, resource string, ago time.Duration, payload string, related ...map[string]string) *core.Event {
	h.t.Helper()
	e := &core.Event{ID: core.NewID(), Occurred: core.Now().Add(-ago), Event: name, Resource: map[string]string{"prefect.resource.id": resource}, Related: related, Payload: core.JSON(payload)}
	h.check(h.svc.EmitEvents(h.t.Context(), []*core.Event{e}))
	return e
}

// Every filter of the feed is in the address, and so is the place of a page.
func TestEvents(t *testing.T) {
	h := open(t)
	for i := range 60 {
		h.emit(fmt.Sprintf("shop.order.%02d", i), "shop.order."+fmt.Sprint(i), time.Duration(i)*time.Minute, `{"note":"<script>alert(1)</script>"}`)
	}
	stock := h.emit("shop.stock", "shop.stock", 26*time.Hour, `{}`, map[string]string{"prefect.resource.id": "shop.order.7", "prefect.resource.role": "order"})
	page := func(query url.Values) string {
		t.Helper()
		code, body := h.get("/events?" + query.Encode())
		if code != 200 {
			t.Fatalf("%v: %d %s", query, code, body)
		}
		return body
	}
	count := func(body string) int { return strings.Count(body, `<li id="e-`) }
	for _, c := range []struct {
		query url.Values
		want  int
		says  string
	}{
		{url.Values{"event": {"shop."}}, 50, "60 events"},
		{url.Values{"event": {"shop.order.0*"}}, 10, "10 events"},
		{url.Values{"event": {"shop."}, "range": {"1h"}}, 50, "60 events"},
		{url.Values{"event": {"shop.s"}, "range": {"7d"}}, 1, "1 event"},
		{url.Values{"event": {"shop.s"}}, 0, "No event like this"},
		{url.Values{"resource": {"shop.order.7"}, "range": {"7d"}}, 1, "shop.order.7"},
		{url.Values{"resource": {"shop.order.7"}, "related": {"1"}, "range": {"7d"}}, 2, "shop.stock"},
		{url.Values{"resource": {"shop.order.1*"}, "range": {"7d"}}, 11, "11 events"},
		{url.Values{"q": {"nobody"}}, 0, "0 events"},
		{url.Values{"q": {"shop.order.33"}}, 1, "1 event"},
		{url.Values{"event": {"shop."}, "from": {stock.Occurred.Add(-time.Minute).String()}, "to": {stock.Occurred.Add(time.Minute).String()}}, 1, "1 event"},
	} {
		body := page(c.query)
		if n := count(body); n != c.want {
			t.Errorf("%v: %d events, want %d", c.query, n, c.want)
		}
		contains(t, body, c.says)
	}
	for _, bad := range []string{"before=x", "range=2h", "from=yesterday", "from=2026-01-02&to=2026-01-01"} {
		if code, _ := h.get("/events?" + bad); code != 422 {
			t.Errorf("%s: %d", bad, code)
		}
	}
	seen := map[string]bool{}
	next := "/events?event=shop.&range=7d"
	for next != "" {
		_, body := h.get(next)
		for _, m := range regexp.MustCompile(`<li id="e-([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Error("twice", m[1])
			}
			seen[m[1]] = true
		}
		next = ""
		if m := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(body); m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 61 {
		t.Errorf("%d events over all pages, want 61", len(seen))
	}
}

// An event's page leads to what it is about.
func TestEvent(t *testing.T) {
	h := open(t)
	run := h.create(h.etl, "")
	e := h.anEvent("prefect.flow-run.Scheduled")
	_, body := h.get("/events/" + e.ID.String())
	contains(t, body, "/flow-runs/"+run.ID.String(), "/flows/"+h.etl.FlowID.String(), "/deployments/"+h.etl.ID.String(), "/work-pools/default", "prefect.state-type", "validated_state",
		"/automations/new?event="+e.ID.String(), "/events?range=30d")
	bad := h.emit("shop.<b>", "shop.<b>", 0, `{"x":"<script>alert(1)</script>"}`, map[string]string{"prefect.resource.id": "javascript:alert(1)", "prefect.resource.role": "x"})
	_, body = h.get("/events/" + bad.ID.String())
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "shop.<b>") || strings.Contains(body, `href="javascript`) {
		t.Error("an event's own text came through as HTML")
	}
	w := httptest.NewRecorder()
	h.ui.ServeHTTP(w, httptest.NewRequest("GET", "/events/event/2026-11-23T09:00:00Z/"+e.ID.String(), nil))
	if w.Code != 302 || w.Header().Get("Location") != "/events/"+e.ID.String() {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if code, body := h.get("/events/" + core.NewID().String()); code != 404 || !strings.Contains(body, "old ones are deleted") {
		t.Error(code)
	}
	_, body = h.get("/automations/new?event=" + e.ID.String())
	contains(t, body, `value="Scheduled" checked`, `name="run.flows" value="etl"`)
	_, body = h.get("/automations/new?event=" + bad.ID.String())
	contains(t, body, `value="event" checked`, `name="event.expect" value="shop.&lt;b&gt;"`)
}

// The feed grows by itself, in the reader's filter; an event leads to an
// automation that the next such event sets off.
func TestEventToAutomationInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.tab(t, browser(t), "/events", 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	b.js(`(e=>{e.value="shop.*";e.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=event]"))`)
	b.wait(`location.search.includes("event=shop") && document.querySelectorAll(".feed li").length==0`)
	h.emit("other.thing", "other", 0, `{}`)
	h.emit("shop.orders.landed", "shop.orders", 0, `{"rows":3}`)
	b.wait(`document.querySelectorAll(".feed li").length==1`)
	b.want(`document.querySelector("#h-count").textContent`, "1 event")
	b.js(`document.querySelector(".feed a").click()`)
	b.wait(`document.querySelector("h1")?.textContent=="shop.orders.landed" && !!window.htmx`)
	b.js(`document.querySelector('a[href*="/automations/new"]').click()`)
	b.wait(`!!document.querySelector("#automation-form") && !!window.htmx && document.readyState=="complete"`)
	b.want(`document.querySelector("[name='event.expect']").checkVisibility()`, "true")
	b.want(`document.querySelector("[name='run.flows']").checkVisibility()`, "false")
	typed := func(name, value string) {
		b.js(`(e=>{e.value="` + value + `";for(const n of ["input","change"])e.dispatchEvent(new Event(n,{bubbles:true}))})(document.querySelector("[name='` + name + `']"))`)
	}
	b.want(`document.querySelector("[name='a0.deployment']").checkVisibility()`, "true")
	typed("a0.deployment", "adder/nowhere")
	b.wait(`document.querySelector("#reads").textContent.includes('There is no deployment')`)
	typed("a0.deployment", "etl/nightly")
	b.wait(`document.querySelector("#reads .sent")?.textContent.includes("etl/nightly")`)
	b.js(`document.querySelector("#automation-form .pri").click()`)
	b.wait(`document.querySelector(".esum")?.textContent.includes("Name")`)
	b.want(`document.querySelector("[name='a0.deployment']").value`, "etl/nightly")
	typed("name", "Load what lands")
	b.js(`document.querySelector("#automation-form .pri").click()`)
	b.wait(`location.pathname=="/automations" && document.querySelector("#toasts")?.textContent.includes("Load what lands")`)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	h.emit("shop.orders.landed", "shop.orders", 0, `{"rows":4}`)
	h.must(h.svc.EvaluateAutomations(t.Context()))
	h.must(h.svc.DoActions(t.Context()))
	b.wait(`document.querySelector(".list .d").textContent.includes("1 time in 30 days")`)
	b.js(`document.querySelector(".list a.t").click()`)
	b.wait(`document.querySelector("#doings")?.textContent.includes("run-deployment") && !!window.htmx`)
	b.wait(`document.querySelectorAll("#doings .feed li").length==2`)
	b.js(`document.querySelector("button.sw").click()`)
	b.wait(`document.querySelector("#toasts").textContent.includes("paused")`)
	list, err := h.store.AllAutomations(t.Context())
	h.check(err)
	if len(list) != 1 || list[0].Enabled {
		t.Error(list)
	}
	b.js(`document.querySelector("#toasts [data-dismiss]").click()`)
	b.press("g", "e")
	b.wait(`location.pathname=="/events" && document.querySelector("#live")?.dataset.state=="up"`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
