package data_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Every filter of the feed is in the address, and so is the place of a page.
func TestEvents(t *testing.T) {
	h := uitest.Open(t)
	for i := range 60 {
		h.Emit(fmt.Sprintf("shop.order.%02d", i), "shop.order."+fmt.Sprint(i), time.Duration(i)*time.Minute, `{"note":"<script>alert(1)</script>"}`)
	}
	stock := h.Emit("shop.stock", "shop.stock", 26*time.Hour, `{}`, map[string]string{"prefect.resource.id": "shop.order.7", "prefect.resource.role": "order"})
	page := func(query url.Values) string {
		t.Helper()
		code, body := h.Get("/events?" + query.Encode())
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
		uitest.Contains(t, body, c.says)
	}
	for _, bad := range []string{"before=x", "range=2h", "from=yesterday", "from=2026-01-02&to=2026-01-01"} {
		if code, _ := h.Get("/events?" + bad); code != 422 {
			t.Errorf("%s: %d", bad, code)
		}
	}
	seen := map[string]bool{}
	next := "/events?event=shop.&range=7d"
	for next != "" {
		_, body := h.Get(next)
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
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	e := h.AnEvent("prefect.flow-run.Scheduled")
	_, body := h.Get("/events/" + e.ID.String())
	uitest.Contains(t, body, "/flow-runs/"+run.ID.String(), "/flows/"+h.ETL.FlowID.String(), "/deployments/"+h.ETL.ID.String(), "/work-pools/default", "prefect.state-type", "validated_state",
		"/automations/new?event="+e.ID.String(), "/events?range=30d")
	bad := h.Emit("shop.<b>", "shop.<b>", 0, `{"x":"<script>alert(1)</script>"}`, map[string]string{"prefect.resource.id": "javascript:alert(1)", "prefect.resource.role": "x"})
	_, body = h.Get("/events/" + bad.ID.String())
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "shop.<b>") || strings.Contains(body, `href="javascript`) {
		t.Error("an event's own text came through as HTML")
	}
	w := httptest.NewRecorder()
	h.UI.ServeHTTP(w, httptest.NewRequest("GET", "/events/event/2026-11-23T09:00:00Z/"+e.ID.String(), nil))
	if w.Code != 302 || w.Header().Get("Location") != "/events/"+e.ID.String() {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if code, body := h.Get("/events/" + core.NewID().String()); code != 404 || !strings.Contains(body, "old ones are deleted") {
		t.Error(code)
	}
	_, body = h.Get("/automations/new?event=" + e.ID.String())
	uitest.Contains(t, body, `value="Scheduled" checked`, `name="run.flows" value="etl"`)
	_, body = h.Get("/automations/new?event=" + bad.ID.String())
	uitest.Contains(t, body, `value="event" checked`, `name="event.expect" value="shop.&lt;b&gt;"`)
}
