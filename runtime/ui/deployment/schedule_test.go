package deployment_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestSchedules(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.Adder.ID.String() + "/schedules/"
	_, body := h.Get(path + "new")
	uitest.Contains(t, body, "New schedule", `name="kind" value="cron" checked`, "Europe/Berlin")
	_, body = h.Get(path + "new?kind=cron&cron=0+9+*+*+1-5&zone=Europe/Berlin")
	uitest.Contains(t, body, "0 9 * * 1-5 (Europe/Berlin)")
	if n := strings.Count(body[strings.Index(body, `id="next"`):], "<time "); n != 5 {
		t.Errorf("%d next times, want 5", n)
	}
	for _, bad := range []struct{ form, says string }{
		{"kind=cron&cron=61+*+*+*+*&zone=UTC", "the minute field"},
		{"kind=cron&cron=0+9+*+*+*&zone=Mars", "IANA"},
		{"kind=interval&every=0&unit=minutes&zone=UTC", "greater than 0"},
		{"kind=interval&every=soon&unit=minutes&zone=UTC", "PT15M"},
		{"kind=rrule&rrule=FREQ%3DDAILY%3BBYMONTH%3D2%3BBYMONTHDAY%3D30&zone=UTC", "never matches"},
		{"kind=tide&zone=UTC", "interval, cron, rrule"},
	} {
		form, err := url.ParseQuery(bad.form)
		h.Check(err)
		if w := h.Post(path+"new", form); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) || !strings.Contains(w.Body.String(), "esum") {
			t.Errorf("%s: %d, want %q", bad.form, w.Code, bad.says)
		}
	}
	if n := len(h.Schedules(h.Adder)); n != 0 {
		t.Fatal(n, "schedules after refusals")
	}
	for _, good := range []string{
		"kind=cron&cron=0+9+*+*+1-5&zone=Europe/Berlin",
		"kind=interval&every=1.5&unit=hours&anchor=2026-01-02T03:04&zone=Europe/Berlin",
		"kind=rrule&rrule=FREQ%3DMONTHLY%3BBYDAY%3D-1FR%3BBYHOUR%3D17&zone=UTC",
	} {
		form, _ := url.ParseQuery(good)
		if w := h.Post(path+"new", form); w.Code != 303 || w.Header().Get("Location") != "/deployments/"+h.Adder.ID.String() {
			t.Errorf("%s: %d %v", good, w.Code, w.Header())
		}
	}
	rules := map[string]string{}
	for _, s := range h.Schedules(h.Adder) {
		m := s.Rule.Map()
		for _, k := range []string{"cron", "interval", "rrule"} {
			if m[k] != nil {
				rules[k] = string(s.Rule)
			}
		}
	}
	for k, want := range map[string]string{"cron": `"0 9 * * 1-5"`, "interval": `"interval":5400.0,"anchor_date":"2026-01-02T02:04:00Z","timezone":"Europe/Berlin"`, "rrule": `"FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"`} {
		if !strings.Contains(rules[k], want) {
			t.Errorf("%s: %s, want %s", k, rules[k], want)
		}
	}
}

// An edit changes what the form shows, and keeps what it does not.
func TestEditSchedule(t *testing.T) {
	h := uitest.Open(t)
	h.Must(h.Service.CreateSchedules(t.Context(), h.Adder.ID, []core.ScheduleCreate{
		{Rule: core.JSON(`{"interval":600,"anchor_date":"2026-01-02T03:04:05.678Z","timezone":"Europe/Berlin"}`), Slug: core.Ptr("mine"), Parameters: core.JSON(`{"a":7}`)}}))
	s := h.Schedules(h.Adder)[0]
	path := "/deployments/" + h.Adder.ID.String() + "/schedules/" + s.ID.String()
	_, body := h.Get(path)
	uitest.Contains(t, body, "Edit schedule", `name="every" value="10"`, `value="2026-01-02T04:04:05"`, "every 10 min")
	if w := h.Post(path, url.Values{"kind": {"interval"}, "every": {"20"}, "unit": {"minutes"}, "anchor": {"2026-01-02T04:04:05"}, "zone": {"Europe/Berlin"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	s = h.Schedules(h.Adder)[0]
	if !strings.Contains(string(s.Rule), `"interval":1200.0,"anchor_date":"2026-01-02T03:04:05.678000Z"`) || core.Deref(s.Slug) != "mine" || string(s.Parameters) != `{"a":7}` {
		t.Errorf("%s %v %s", s.Rule, s.Slug, s.Parameters)
	}
	_, body = h.Get("/deployments/" + h.Adder.ID.String())
	uitest.Contains(t, body, path, "every 20 min", "/schedules/new")
	if w := h.Post(path+"/delete", nil); w.Code != 303 || len(h.Schedules(h.Adder)) != 0 {
		t.Errorf("delete: %d", w.Code)
	}
	for _, gone := range []string{path, "/deployments/" + h.Adder.ID.String() + "/schedules/nonsense"} {
		if code, _ := h.Get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
}

// A person adds a schedule, sees the next times while typing, edits and pauses it.
func TestScheduleInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/deployments/"+h.Adder.ID.String(), 1280, 900)
	b.JS(`document.querySelector('a[href$="/schedules/new"]').click()`)
	b.Wait(`!!document.querySelector("#schedule-form") && !!window.htmx`)
	typed := func(name, value string) {
		b.JS(`(e=>{e.value="` + value + `";e.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=` + name + `]"))`)
	}
	typed("cron", "0 9 * *")
	b.Wait(`document.querySelector("#next").textContent.includes("has 4 fields")`)
	typed("zone", "Europe/Berlin")
	typed("cron", "0 9 * * 1-5")
	b.Wait(`document.querySelectorAll("#next time").length==5`)
	b.Want(`document.querySelector("[name=cron]").value`, "0 9 * * 1-5")
	b.Want(`document.querySelector("[name=every]").checkVisibility()`, "false")
	b.JS(`document.querySelector('[name=kind][value=interval]').click()`)
	b.Want(`document.querySelector("[name=every]").checkVisibility()`, "true")
	b.JS(`document.querySelector('[name=kind][value=cron]').click()`)
	typed("zone", "Mars")
	b.JS(`document.querySelector("#schedule-form .pri").click()`)
	b.Wait(`document.querySelector(".esum")?.textContent.includes("Time zone")`)
	typed("zone", "Europe/Berlin")
	b.JS(`document.querySelector("#schedule-form .pri").click()`)
	b.Wait(`document.querySelector("h1")?.textContent=="adder/dev" && document.querySelector("#toasts")?.textContent.includes("0 9 * * 1-5")`)
	b.Want(`document.querySelectorAll("section[aria-labelledby=h-sch] time").length`, "5")
	b.Wait(`!!window.htmx`)
	b.JS(`document.querySelector('section[aria-labelledby=h-sch] li button.sw').click()`)
	b.Wait(`document.querySelector("#toasts").textContent.includes("paused")`)
	if s := h.Schedules(h.Adder)[0]; s.Active {
		t.Error("the schedule is active")
	}
	b.GoTo("/work-pools")
	b.JS(`document.querySelector('a[href$="create=1"]').click()`)
	b.Wait(`!!document.querySelector("#pool-form") && !!window.htmx`)
	b.JS(`document.querySelector("#pool-form .pri").click()`)
	b.Wait(`!!document.querySelector(".esum")`)
	b.JS(`(document.querySelector("[name=name]").value="gpu-2",document.querySelector("#pool-form .pri").click())`)
	b.Wait(`location.pathname=="/work-pools/gpu-2"`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// What the API takes, as Prefect's does, and nobody can mean, is said at its field.
func TestSenselessSchedules(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.Adder.ID.String() + "/schedules/new"
	for _, c := range []struct {
		q    url.Values
		says string
	}{
		{url.Values{"kind": {"interval"}, "every": {"0.5"}, "unit": {"seconds"}}, "At least one second."},
		{url.Values{"kind": {"rrule"}, "rrule": {"FREQ=WEEKLY;BYDAY=MO;COUNT=3"}}, "COUNT counts from 1 January 2020"},
		{url.Values{"kind": {"rrule"}, "rrule": {"FREQ=DAILY;UNTIL=20200301T000000Z"}}, "It never fires again: all its times have passed."},
	} {
		c.q.Set("zone", "UTC")
		w := h.Post(path, c.q)
		if w.Code != 422 {
			t.Errorf("%v: %d", c.q, w.Code)
		}
		uitest.Contains(t, w.Body.String(), c.says)
	}
	w := h.Post(path, url.Values{"kind": {"rrule"}, "rrule": {"DTSTART:20310101T090000\nFREQ=WEEKLY;COUNT=3"}, "zone": {"UTC"}})
	if w.Code != 303 {
		t.Errorf("with a start: %d", w.Code)
	}
}
