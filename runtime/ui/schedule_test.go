package ui_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func (h *house) schedules(d *core.Deployment) []*core.Schedule {
	h.t.Helper()
	d, err := h.store.Deployment(h.t.Context(), d.ID)
	h.check(err)
	return d.Schedules
}

func TestSchedules(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.adder.ID.String() + "/schedules/"
	_, body := h.get(path + "new")
	contains(t, body, "New schedule", `name="kind" value="cron" checked`, "Europe/Berlin")
	_, body = h.get(path + "new?kind=cron&cron=0+9+*+*+1-5&zone=Europe/Berlin")
	contains(t, body, "0 9 * * 1-5 (Europe/Berlin)")
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
		h.check(err)
		if w := h.post(path+"new", form); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) || !strings.Contains(w.Body.String(), "esum") {
			t.Errorf("%s: %d, want %q", bad.form, w.Code, bad.says)
		}
	}
	if n := len(h.schedules(h.adder)); n != 0 {
		t.Fatal(n, "schedules after refusals")
	}
	for _, good := range []string{
		"kind=cron&cron=0+9+*+*+1-5&zone=Europe/Berlin",
		"kind=interval&every=1.5&unit=hours&anchor=2026-01-02T03:04&zone=Europe/Berlin",
		"kind=rrule&rrule=FREQ%3DMONTHLY%3BBYDAY%3D-1FR%3BBYHOUR%3D17&zone=UTC",
	} {
		form, _ := url.ParseQuery(good)
		if w := h.post(path+"new", form); w.Code != 303 || w.Header().Get("Location") != "/deployments/"+h.adder.ID.String() {
			t.Errorf("%s: %d %v", good, w.Code, w.Header())
		}
	}
	rules := map[string]string{}
	for _, s := range h.schedules(h.adder) {
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
	h := open(t)
	h.must(h.svc.CreateSchedules(t.Context(), h.adder.ID, []core.ScheduleCreate{
		{Rule: core.JSON(`{"interval":600,"anchor_date":"2026-01-02T03:04:05.678Z","timezone":"Europe/Berlin"}`), Slug: core.Ptr("mine"), Parameters: core.JSON(`{"a":7}`)}}))
	s := h.schedules(h.adder)[0]
	path := "/deployments/" + h.adder.ID.String() + "/schedules/" + s.ID.String()
	_, body := h.get(path)
	contains(t, body, "Edit schedule", `name="every" value="10"`, `value="2026-01-02T04:04:05"`, "every 10 min")
	if w := h.post(path, url.Values{"kind": {"interval"}, "every": {"20"}, "unit": {"minutes"}, "anchor": {"2026-01-02T04:04:05"}, "zone": {"Europe/Berlin"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	s = h.schedules(h.adder)[0]
	if !strings.Contains(string(s.Rule), `"interval":1200.0,"anchor_date":"2026-01-02T03:04:05.678000Z"`) || core.Deref(s.Slug) != "mine" || string(s.Parameters) != `{"a":7}` {
		t.Errorf("%s %v %s", s.Rule, s.Slug, s.Parameters)
	}
	_, body = h.get("/deployments/" + h.adder.ID.String())
	contains(t, body, path, "every 20 min", "/schedules/new")
	if w := h.post(path+"/delete", nil); w.Code != 303 || len(h.schedules(h.adder)) != 0 {
		t.Errorf("delete: %d", w.Code)
	}
	for _, gone := range []string{path, "/deployments/" + h.adder.ID.String() + "/schedules/nonsense"} {
		if code, _ := h.get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
}

func TestCreateWorkPool(t *testing.T) {
	h := open(t)
	_, body := h.get("/work-pools?create=1")
	contains(t, body, "New work pool", `name="type" value="process"`)
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
		if w := h.post("/work-pools", bad.form); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) {
			t.Errorf("%v: %d, want %q", bad.form, w.Code, bad.says)
		}
	}
	if w := h.post("/work-pools", url.Values{"name": {"night shift"}, "type": {"process"}, "description": {"after ten"}, "limit": {"3"}}); w.Code != 303 || w.Header().Get("Location") != "/work-pools/night%20shift" {
		t.Fatal(w.Code, w.Header(), w.Body)
	}
	p, err := h.store.WorkPoolByName(t.Context(), "night shift")
	h.check(err)
	if p.Type != "process" || *p.ConcurrencyLimit != 3 || *p.Description != "after ten" || p.BaseJobTemplate.Map()["variables"] == nil {
		t.Errorf("%+v", p)
	}
}

// A person adds a schedule, sees the next times while typing, edits and pauses it.
func TestScheduleInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.tab(t, browser(t), "/deployments/"+h.adder.ID.String(), 1280, 900)
	b.js(`document.querySelector('a[href$="/schedules/new"]').click()`)
	b.wait(`!!document.querySelector("#schedule-form") && !!window.htmx`)
	typed := func(name, value string) {
		b.js(`(e=>{e.value="` + value + `";e.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=` + name + `]"))`)
	}
	typed("cron", "0 9 * *")
	b.wait(`document.querySelector("#next").textContent.includes("has 4 fields")`)
	typed("zone", "Europe/Berlin")
	typed("cron", "0 9 * * 1-5")
	b.wait(`document.querySelectorAll("#next time").length==5`)
	b.want(`document.querySelector("[name=cron]").value`, "0 9 * * 1-5")
	b.want(`document.querySelector("[name=every]").checkVisibility()`, "false")
	b.js(`document.querySelector('[name=kind][value=interval]').click()`)
	b.want(`document.querySelector("[name=every]").checkVisibility()`, "true")
	b.js(`document.querySelector('[name=kind][value=cron]').click()`)
	typed("zone", "Mars")
	b.js(`document.querySelector("#schedule-form .pri").click()`)
	b.wait(`document.querySelector(".esum")?.textContent.includes("Time zone")`)
	typed("zone", "Europe/Berlin")
	b.js(`document.querySelector("#schedule-form .pri").click()`)
	b.wait(`document.querySelector("h1")?.textContent=="adder/dev" && document.querySelector("#toasts")?.textContent.includes("0 9 * * 1-5")`)
	b.want(`document.querySelectorAll("section[aria-labelledby=h-sch] time").length`, "5")
	b.wait(`!!window.htmx`)
	b.js(`document.querySelector('section[aria-labelledby=h-sch] li button.sw').click()`)
	b.wait(`document.querySelector("#toasts").textContent.includes("paused")`)
	if s := h.schedules(h.adder)[0]; s.Active {
		t.Error("the schedule is active")
	}
	b.goTo("/work-pools")
	b.js(`document.querySelector('a[href$="create=1"]').click()`)
	b.wait(`!!document.querySelector("#pool-form") && !!window.htmx`)
	b.js(`document.querySelector("#pool-form .pri").click()`)
	b.wait(`!!document.querySelector(".esum")`)
	b.js(`(document.querySelector("[name=name]").value="gpu-2",document.querySelector("#pool-form .pri").click())`)
	b.wait(`location.pathname=="/work-pools/gpu-2"`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// What the API takes, as Prefect's does, and nobody can mean, is said at its field.
func TestSenselessSchedules(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.adder.ID.String() + "/schedules/new"
	for _, c := range []struct {
		q    url.Values
		says string
	}{
		{url.Values{"kind": {"interval"}, "every": {"0.5"}, "unit": {"seconds"}}, "At least one second."},
		{url.Values{"kind": {"rrule"}, "rrule": {"FREQ=WEEKLY;BYDAY=MO;COUNT=3"}}, "COUNT counts from 1 January 2020"},
		{url.Values{"kind": {"rrule"}, "rrule": {"FREQ=DAILY;UNTIL=20200301T000000Z"}}, "It never fires again: all its times have passed."},
	} {
		c.q.Set("zone", "UTC")
		w := h.post(path, c.q)
		if w.Code != 422 {
			t.Errorf("%v: %d", c.q, w.Code)
		}
		contains(t, w.Body.String(), c.says)
	}
	w := h.post(path, url.Values{"kind": {"rrule"}, "rrule": {"DTSTART:20310101T090000\nFREQ=WEEKLY;COUNT=3"}, "zone": {"UTC"}})
	if w.Code != 303 {
		t.Errorf("with a start: %d", w.Code)
	}
}
