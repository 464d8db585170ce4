package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Times are in the zone that the browser is in today, whatever a cookie of last
// year says, and one that moves while a page is open is told so.
func TestZoneOfToday(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)
	b.In("Asia/Tokyo")
	b.Cookie("fl_tz", "Europe%2FBerlin")
	b.GoTo("/deployments/" + h.Adder.ID.String() + "/run")
	b.Wait(`document.querySelector(".side-foot").textContent.includes("Asia/Tokyo") && !!window.htmx`)
	b.Want(`document.querySelector("#run-form [name=fl_tz]").value`, "Asia/Tokyo")
	b.JS(`(document.querySelector("[name=\"parameters.a\"]").value=1,document.querySelector("[name=at]").value="2031-01-05T09:00",document.querySelector("#run-form .btn.pri").click())`)
	b.Wait(`location.pathname.startsWith("/flow-runs/")`)
	if at := h.Planned(h.Adder); !strings.HasPrefix(at, "2031-01-05T00:00:00") {
		t.Errorf("09:00 in Tokyo is %s", at)
	}
	b.GoTo("/deployments/" + h.Adder.ID.String() + "/run")
	b.In("America/New_York")
	b.JS(`document.dispatchEvent(new Event("visibilitychange"))`)
	b.Wait(`document.querySelector("#notice").textContent.includes("times on this page are in Asia/Tokyo")`)
	b.JS(`(document.querySelector("[name=\"parameters.a\"]").value=1,document.querySelector("[name=at]").value="2032-01-05T09:00",document.querySelector("#run-form .btn.pri").click())`)
	b.Wait(`location.pathname.startsWith("/flow-runs/")`)
	if at := h.Planned(h.Adder); !strings.HasPrefix(at, "2032-01-05T00:00:00") {
		t.Errorf("09:00 on a page of Tokyo is %s", at)
	}
	b.Wait(`document.querySelector(".side-foot")?.textContent.includes("America/New_York")`)
}

// Every form with times says in which zone they are, and is read in it, for the
// browser may be in another by then.
func TestFormsCarryTheirZone(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	when := `{"type":"object","properties":{"since":{"type":"string","format":"date-time"}}}`
	d := h.Deploy("times", "dev", "flows/times.go:Times", when, `{"since":"2026-01-01T08:00:00Z"}`, nil)
	run := h.Create(d, "")
	ctx := h.Act(run.ID)
	keys := map[string]string{"schema": "p-schema", "description": "p-description", "response": "p-response"}
	h.Check(h.Service.CreateFlowRunInput(ctx, run.ID, keys["schema"], when, ""))
	h.Set(ctx, run.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("1"), PauseTimeout: h.Now().Add(time.Hour), RunInputKeyset: keys}})
	pages := h.Pages(h.Seed())
	for i, p := range []string{"/run", "/edit", "/duplicate", "/run?from=" + run.ID.String()} {
		pages[fmt.Sprint("times", i)] = "/deployments/" + d.ID.String() + p
	}
	pages["resume"], pages["filtered"] = "/flow-runs/"+run.ID.String(), "/runs?range=custom&from=2026-01-01T08:00&to=2026-01-02T08:00"
	forms := regexp.MustCompile(`(?s)<form.*?</form>`)
	seen := 0
	for name, path := range pages {
		_, body := h.Get(path)
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
		h.UI.ServeHTTP(w, r)
		return w.Code
	}
	if code := post("/deployments/"+d.ID.String()+"/run", url.Values{"fl_tz": {"Europe/Berlin"}, "since": {"2030-07-01T09:00"}, "at": {"2031-07-01T09:00"}}); code != 303 {
		t.Error(code)
	}
	if at := h.Planned(d); !strings.HasPrefix(at, "2031-07-01T07:00:00") {
		t.Errorf("09:00 in Berlin is %s", at)
	}
	// An address says when it means, wherever it is opened.
	_, berlin := h.Get("/runs?range=custom&from=2026-07-01T09:00&to=2026-07-02T09:00&fl_tz=Europe%2FBerlin")
	if !strings.Contains(berlin, `name="from" value="2026-07-01T07:00:00"`) {
		t.Error("09:00 in Berlin is not 07:00 in UTC")
	}
	w := h.Post("/runs/searches", url.Values{"name": {"morning"}, "query": {"range=custom&from=2026-07-01T09:00&to=2026-07-02T09:00&fl_tz=Europe%2FBerlin"}})
	if to, err := url.QueryUnescape(w.Header().Get("Location")); err != nil || !strings.Contains(to, "fl_tz=Europe/Berlin") {
		t.Error("a saved search forgets its zone:", to)
	}
}

// No age is negative, where the clocks of a worker, the server or the browser differ.
func TestAgesAreNeverNegative(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	h.At(core.Now().Add(3 * time.Minute)) // what is written is ahead of the pages
	run := h.Create(h.Adder, `{"a":1}`)
	ctx := h.Act(run.ID)
	h.Log(run.ID, 20, "flow", "hello")
	h.Task(ctx, run.ID, "step", 0, h.Now(), time.Second, core.Completed)
	h.Artifact("ahead", "markdown", core.ToJSON("x"), run.ID)
	h.Check(h.Service.Heartbeat(t.Context(), "default", core.WorkerHeartbeat{Name: "ahead"}))
	h.Variable("ahead", "1")
	limit := h.Limit("ahead", 2, 0)
	h.Hold("ahead", "flow_run", run.ID)
	ended := h.Create(h.Adder, `{"a":1}`)
	h.Complete(h.Act(ended.ID), ended.ID, "1")
	h.At(0)
	age := regexp.MustCompile(`\bin \d+ (?:s|min)\b|-\d+ ?(?:ms|s|min|h)\b`)
	future := regexp.MustCompile(`next\s+in \d+ \w+|in \d+ min\s*, unless renewed`)
	for _, path := range []string{"/dashboard", "/runs", "/flow-runs/" + run.ID.String(), "/flow-runs/" + ended.ID.String(), "/deployments", "/deployments/" + h.Adder.ID.String(), "/work-pools", "/work-pools/default", "/flows", "/flows/" + h.Adder.FlowID.String(), "/artifacts", "/variables", "/events", "/concurrency", "/concurrency/" + limit.ID.String(), "/automations", "/settings"} {
		_, body := h.Get(path)
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(uitest.MainPart.FindString(body), " ")
		text = future.ReplaceAllString(text, "")
		if m := age.FindString(text); m != "" {
			t.Errorf("%s: %q", path, m)
		}
	}
	b := h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)
	for ahead, want := range map[time.Duration]string{-30 * time.Minute: "0 s ago", 30 * time.Minute: "27 min ago"} {
		h.Ahead.Store(int64(ahead))
		b.GoTo("/work-pools/default")
		b.JS(`(window.ticks=0,new MutationObserver(()=>ticks++).observe(document.querySelector("time[data-ago]"),{childList:true,characterData:true,subtree:true}),0)`)
		b.Wait(`ticks>0`)
		b.Want(`document.querySelector("time[data-ago]").textContent.replace("26","27")`, want)
	}
}
