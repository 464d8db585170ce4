package ui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/flowlite/flowlite/runtime/core"
)

// in moves the browser to another zone.
func (b *tab) in(zone string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) cookie(name, value string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: b.h.srv.URL}); err != nil {
		b.t.Fatal(err)
	}
}

// planned is when the newest run of a deployment is to start.
func (h *house) planned(d *core.Deployment) string {
	h.t.Helper()
	runs, err := h.store.FlowRuns(h.t.Context(), core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: one(d.ID)}}, core.Page{Limit: 1})
	h.check(err)
	return runs[0].ExpectedStartTime.String()
}

func one(id core.UUID) *core.IDFilter { return &core.IDFilter{Any: []core.UUID{id}} }

// Times are in the zone that the browser is in today, whatever a cookie of last
// year says, and one that moves while a page is open is told so.
func TestZoneOfToday(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.tab(t, browser(t), "/palette", 1280, 900)
	b.in("Asia/Tokyo")
	b.cookie("fl_tz", "Europe%2FBerlin")
	b.goTo("/deployments/" + h.adder.ID.String() + "/run")
	b.wait(`document.querySelector(".side-foot").textContent.includes("Asia/Tokyo") && !!window.htmx`)
	b.want(`document.querySelector("#run-form [name=fl_tz]").value`, "Asia/Tokyo")
	b.js(`(document.querySelector("[name=\"parameters.a\"]").value=1,document.querySelector("[name=at]").value="2031-01-05T09:00",document.querySelector("#run-form .btn.pri").click())`)
	b.wait(`location.pathname.startsWith("/flow-runs/")`)
	if at := h.planned(h.adder); !strings.HasPrefix(at, "2031-01-05T00:00:00") {
		t.Errorf("09:00 in Tokyo is %s", at)
	}
	b.goTo("/deployments/" + h.adder.ID.String() + "/run")
	b.in("America/New_York")
	b.js(`document.dispatchEvent(new Event("visibilitychange"))`)
	b.wait(`document.querySelector("#notice").textContent.includes("times on this page are in Asia/Tokyo")`)
	b.js(`(document.querySelector("[name=\"parameters.a\"]").value=1,document.querySelector("[name=at]").value="2032-01-05T09:00",document.querySelector("#run-form .btn.pri").click())`)
	b.wait(`location.pathname.startsWith("/flow-runs/")`)
	if at := h.planned(h.adder); !strings.HasPrefix(at, "2032-01-05T00:00:00") {
		t.Errorf("09:00 on a page of Tokyo is %s", at)
	}
	b.wait(`document.querySelector(".side-foot")?.textContent.includes("America/New_York")`)
}

// Every form with times says in which zone they are, and is read in it, for the
// browser may be in another by then.
func TestFormsCarryTheirZone(t *testing.T) {
	t.Parallel()
	h := open(t)
	when := `{"type":"object","properties":{"since":{"type":"string","format":"date-time"}}}`
	d := h.deploy("times", "dev", "flows/times.go:Times", when, `{"since":"2026-01-01T08:00:00Z"}`, nil)
	run := h.create(d, "")
	ctx := h.act(run.ID)
	keys := map[string]string{"schema": "p-schema", "description": "p-description", "response": "p-response"}
	h.check(h.svc.CreateFlowRunInput(ctx, run.ID, keys["schema"], when, ""))
	h.set(ctx, run.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("1"), PauseTimeout: h.now().Add(time.Hour), RunInputKeyset: keys}})
	pages := h.pages(h.seed())
	for i, p := range []string{"/run", "/edit", "/duplicate", "/run?from=" + run.ID.String()} {
		pages[fmt.Sprint("times", i)] = "/deployments/" + d.ID.String() + p
	}
	pages["resume"], pages["filtered"] = "/flow-runs/"+run.ID.String(), "/runs?range=custom&from=2026-01-01T08:00&to=2026-01-02T08:00"
	forms := regexp.MustCompile(`(?s)<form.*?</form>`)
	seen := 0
	for name, path := range pages {
		_, body := h.get(path)
		for _, f := range forms.FindAllString(body, -1) {
			if !strings.Contains(f, `type="datetime-local"`) || strings.Contains(f, `id="schedule-form"`) { // a schedule has a zone of its own
				continue
			}
			if seen++; !strings.Contains(f, `name="fl_tz"`) {
				t.Errorf("%s: %.200s", name, f)
			}
		}
	}
	if seen < 6 {
		t.Errorf("only %d forms with times", seen)
	}
	post := func(path string, form url.Values) int {
		r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: "fl_tz", Value: "Asia%2FTokyo"})
		w := httptest.NewRecorder()
		h.ui.ServeHTTP(w, r)
		return w.Code
	}
	if code := post("/deployments/"+d.ID.String()+"/run", url.Values{"fl_tz": {"Europe/Berlin"}, "since": {"2030-07-01T09:00"}, "at": {"2031-07-01T09:00"}}); code != 303 {
		t.Error(code)
	}
	if at := h.planned(d); !strings.HasPrefix(at, "2031-07-01T07:00:00") {
		t.Errorf("09:00 in Berlin is %s", at)
	}
	// An address says when it means, wherever it is opened.
	_, berlin := h.get("/runs?range=custom&from=2026-07-01T09:00&to=2026-07-02T09:00&fl_tz=Europe%2FBerlin")
	if !strings.Contains(berlin, `name="from" value="2026-07-01T07:00:00"`) {
		t.Error("09:00 in Berlin is not 07:00 in UTC")
	}
	w := h.post("/runs/searches", url.Values{"name": {"morning"}, "query": {"range=custom&from=2026-07-01T09:00&to=2026-07-02T09:00&fl_tz=Europe%2FBerlin"}})
	if to, err := url.QueryUnescape(w.Header().Get("Location")); err != nil || !strings.Contains(to, "fl_tz=Europe/Berlin") {
		t.Error("a saved search forgets its zone:", to)
	}
}

// No age is negative, where the clocks of a worker, the server or the browser differ.
func TestAgesAreNeverNegative(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.at(core.Now().Add(3 * time.Minute)) // what is written is ahead of the pages
	run := h.create(h.adder, `{"a":1}`)
	ctx := h.act(run.ID)
	h.log(run.ID, 20, "flow", "hello")
	h.task(ctx, run.ID, "step", 0, h.now(), time.Second, core.Completed)
	h.artifact("ahead", "markdown", core.ToJSON("x"), run.ID)
	h.check(h.svc.Heartbeat(t.Context(), "default", core.WorkerHeartbeat{Name: "ahead"}))
	h.variable("ahead", "1")
	limit := h.limit("ahead", 2, 0)
	h.hold("ahead", "flow_run", run.ID)
	ended := h.create(h.adder, `{"a":1}`)
	h.complete(h.act(ended.ID), ended.ID, "1")
	h.at(0)
	age := regexp.MustCompile(`\bin \d+ (?:s|min)\b|-\d+ ?(?:ms|s|min|h)\b`)
	future := regexp.MustCompile(`next\s+in \d+ \w+|in \d+ min\s*, unless renewed`)
	for _, path := range []string{"/dashboard", "/runs", "/flow-runs/" + run.ID.String(), "/flow-runs/" + ended.ID.String(), "/deployments", "/deployments/" + h.adder.ID.String(), "/work-pools", "/work-pools/default", "/flows", "/flows/" + h.adder.FlowID.String(), "/artifacts", "/variables", "/events", "/concurrency", "/concurrency/" + limit.ID.String(), "/automations", "/settings"} {
		_, body := h.get(path)
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(mainPart.FindString(body), " ")
		text = future.ReplaceAllString(text, "")
		if m := age.FindString(text); m != "" {
			t.Errorf("%s: %q", path, m)
		}
	}
	in := browser(t)
	for ahead, want := range map[time.Duration]string{-30 * time.Minute: "0 s ago", 30 * time.Minute: "27 min ago"} {
		h.ahead.Store(int64(ahead))
		b := h.tab(t, in, "/work-pools/default", 1280, 900)
		b.js(`(window.ticks=0,new MutationObserver(()=>ticks++).observe(document.querySelector("time[data-ago]"),{childList:true,characterData:true,subtree:true}),0)`)
		b.wait(`ticks>0`)
		b.want(`document.querySelector("time[data-ago]").textContent.replace("26","27")`, want)
	}
}
