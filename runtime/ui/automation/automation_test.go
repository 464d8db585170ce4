package automation_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// comparable is an automation without what a save changes by right.
func comparable(a *core.Automation) string {
	c := *a
	c.Updated = 0
	d := json.NewDecoder(strings.NewReader(regexp.MustCompile(`"id":"[^"]*",?`).ReplaceAllString(string(core.ToJSON(&c)), "")))
	d.UseNumber() // the order of keys says nothing, the digits of a number do
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return string(core.ToJSON(v))
}

func event(posture string, within float64, expect ...string) *core.Trigger {
	s := core.Seconds(within)
	return &core.Trigger{Type: core.TriggerEvent, Posture: posture, Expect: expect, Within: &s, Threshold: core.Ptr(int64(1))}
}

// variety are automations of every kind; the kind is what the form shows.
func variety(h *uitest.Fixture) map[string]core.AutomationWrite {
	pool, err := h.Store.WorkPoolByName(h.T.Context(), "default")
	h.Check(err)
	with := func(t *core.Trigger, change func(t *core.Trigger)) *core.Trigger { change(t); return t }
	hook := h.Block("slack-webhook", "ops", "https://slack.example/x", "notify")
	web := h.Block("webhook", "outside", "https://hook.example/x")
	all := []*core.AutomationAction{
		{Type: "run-deployment", Source: "selected", DeploymentID: h.ETL.ID, Parameters: core.JSON(`{"source":"{{ event.id }}","n":[12345678901234567891,2.50]}`), JobVariables: core.JSON(`{}`), ScheduleAfter: 90},
		{Type: "run-deployment", Source: "selected", DeploymentID: core.NewID()},
		{Type: "change-flow-run-state", State: "FAILED", Name: core.Ptr("TimedOut"), Message: core.Ptr("too long"), Force: true},
		{Type: "send-notification", BlockDocumentID: hook.ID, Subject: core.Ptr("s"), Body: "line one\nline two"},
		{Type: "call-webhook", BlockDocumentID: web.ID, Payload: core.ToJSON("{\n  \"a\": 1\n}")},
		{Type: "pause-work-pool", Source: "selected", WorkPoolID: pool.ID}, {Type: "resume-work-queue", Source: "selected", WorkQueueID: pool.DefaultQueueID},
		{Type: "pause-work-pool", Source: "inferred"}, {Type: "cancel-flow-run"}, {Type: "suspend-flow-run"}, {Type: "resume-flow-run"}, {Type: "do-nothing"},
	}
	return map[string]core.AutomationWrite{
		"run/actions": {Trigger: event(core.Reactive, 0, "prefect.flow-run.Failed"), Actions: all, Tags: core.Tags{"a", "b"}, Description: "what for"},
		"run/of": {Enabled: core.Ptr(false), Trigger: with(event(core.Reactive, 600, "prefect.flow-run.Failed", "prefect.flow-run.Crashed"), func(t *core.Trigger) {
			t.Threshold = core.Ptr(int64(3))
			t.MatchRelated = core.ToJSON([]map[string]any{{"prefect.resource.role": "flow", "prefect.resource.id": []string{"prefect.flow." + h.ETL.FlowID.String(), "prefect.flow." + h.Adder.FlowID.String()}},
				{"prefect.resource.role": "deployment", "prefect.resource.id": "prefect.deployment." + h.ETL.ID.String()}, {"prefect.resource.role": "tag", "prefect.resource.id": []string{"prefect.tag.prod"}}})
		}), Actions: all[8:9]},
		"run/by name": {Trigger: with(event(core.Reactive, 0, "prefect.flow-run.*"), func(t *core.Trigger) {
			t.MatchRelated = core.JSON(`{"prefect.resource.role":"flow","prefect.resource.name":"etl"}`)
		}), Actions: all[8:9]},
		"run/stays": {Trigger: with(event(core.Proactive, 5400, "prefect.flow-run.*"), func(t *core.Trigger) {
			t.After, t.ForEach = []string{"prefect.flow-run.Running"}, []string{"prefect.resource.id"}
		}), Actions: all[8:9]},
		"status/pool": {Trigger: with(event(core.Proactive, 60, "prefect.work-pool.*"), func(t *core.Trigger) {
			t.After, t.Match = []string{"prefect.work-pool.not-ready"}, map[string]any{"prefect.resource.id": []any{"prefect.work-pool." + pool.ID.String()}}
		}), Actions: all[11:]},
		"status/any": {Trigger: event(core.Reactive, 0, "prefect.work-queue.paused"), Actions: all[11:]},
		"event/all": {Trigger: with(event(core.Proactive, 12.5, "shop.*", "!shop.x"), func(t *core.Trigger) {
			t.Match, t.ForEach, t.After, t.Threshold = map[string]any{"k": []any{"a*", "!b"}}, []string{"k", "related:x:y"}, []string{"shop.start"}, core.Ptr(int64(4))
		}), Actions: all[11:]},
		"event/run of labels": {Trigger: with(event(core.Reactive, 0, "prefect.flow-run.Failed"), func(t *core.Trigger) { t.Match = map[string]any{"prefect.run-count": "1"} }), Actions: all[11:]},
		"event/any":           {Trigger: event(core.Reactive, 30), Actions: all[11:]},
		"json/compound": {Trigger: &core.Trigger{Type: core.TriggerCompound, Require: core.JSON("2"), Within: core.Ptr(core.Seconds(60)), Triggers: []*core.Trigger{event(core.Reactive, 0, "a"),
			{Type: core.TriggerSequence, Triggers: []*core.Trigger{event(core.Reactive, 0, "b"), event(core.Proactive, 20, "c")}}, event(core.Reactive, 0, "d")}},
			Actions: all[8:9], ActionsOnTrigger: all[8:10], ActionsOnResolve: all[3:4]},
	}
}

// An automation of any kind that is opened, and saved as it is, is what it was,
// by the form and as JSON.
func TestNothingIsLostInTheForm(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/automations", 1280, 900)
	for name, c := range variety(h) {
		c.Name = name
		a := h.Automation(c)
		was := comparable(a)
		kind, _, _ := strings.Cut(name, "/")
		for _, as := range []string{"form", "json"} {
			b.GoTo("/automations/" + a.ID.String() + "/edit")
			b.Want(`document.querySelector("[name=kind]:checked").value`, kind)
			if as == "json" {
				b.JS(`document.querySelector("[name=do][value=json]").click()`)
				b.Wait(`!!document.querySelector("[name=raw]")`)
			}
			b.JS(`document.querySelector("#automation-form .pri").click()`)
			b.Wait(`location.pathname=="/automations/` + a.ID.String() + `" && !!window.htmx`)
			now, err := h.Store.Automation(t.Context(), a.ID)
			h.Check(err)
			if now.Updated == a.Updated {
				t.Errorf("%s as %s: not saved", name, as)
			}
			if got := comparable(now); got != was {
				t.Errorf("%s as %s:\nwas %s\nis  %s", name, as, was, got)
			}
		}
	}
}

// What is wrong is said at its field, and what was typed stays.
func TestAutomationFormErrors(t *testing.T) {
	h := uitest.Open(t)
	base := func(more url.Values) url.Values {
		q := url.Values{"name": {"mine"}, "kind": {"event"}, "event.expect": {"a, b"}, "a0.type": {"do-nothing"}}
		maps.Copy(q, more)
		return q
	}
	for _, c := range []struct {
		form  url.Values
		field string
		says  string
	}{
		{base(url.Values{"name": {""}}), "f-name", "Required."},
		{base(url.Values{"event.posture": {"fails to happen"}, "event.within": {"5s"}}), "f-event-within", "greater than or equal to 10 seconds"},
		{base(url.Values{"event.within": {"soon"}}), "f-event-within", "30s, 10m or 1h30m"},
		{base(url.Values{"event.within": {"-5"}}), "f-event-within", "greater than or equal to 0"},
		{base(url.Values{"event.threshold": {"two"}}), "f-event-threshold", "whole number"},
		{base(url.Values{"event.match": {`{"a":1}`}}), "f-event-match", "valid string"},
		{base(url.Values{"event.match": {`{"a"`}}), "f-event-match", "Not valid JSON"},
		{base(url.Values{"event.match_related": {`[7]`}}), "f-event-match_related", "valid dictionary"},
		{base(url.Values{"kind": {"run"}, "run.flows": {"nowhere"}}), "f-run-flows", "There is no flow"},
		{base(url.Values{"kind": {"run"}, "run.posture": {"stays in it"}}), "f-run-states", "Choose the states"},
		{base(url.Values{"kind": {"status"}, "status.of": {"work pool"}, "status.names": {"nowhere"}}), "f-status-names", "There is no work pool"},
		{base(url.Values{"kind": {"json"}, "json.trigger": {`{"type":"compound","require":"some","triggers":[]}`}}), "f-json-trigger", "any"},
		{base(url.Values{"kind": {"json"}, "json.trigger": {`{"type":"event","posture":"Reactive","expects":["a"]}`}}), "f-json-trigger", "expects"},
		{base(url.Values{"a0.type": {"run-deployment"}, "a0.deployment": {"etl/nowhere"}}), "f-a0-deployment", "There is no deployment"},
		{base(url.Values{"a0.type": {"run-deployment"}, "a0.parameters": {"[1]"}}), "f-a0-parameters", "Write a JSON object"},
		{base(url.Values{"a0.type": {"send-notification"}}), "f-a0-block", "required"},
		{base(url.Values{"a0.type": {"send-notification"}, "a0.body": {"{{ unclosed"}}), "f-a0-body", "not a valid template"},
		{base(url.Values{"a0.type": {"change-flow-run-state"}}), "f-a0-state", "type of state"},
		{base(url.Values{"a0.type": {"dance"}}), "f-a0-type", "Choose what to do"},
		{base(url.Values{"on_trigger": {`[{"type":"dance"}]`}}), "f-on_trigger", "types of action"},
		{url.Values{"as": {"json"}, "raw": {`{"name":"x","trigger":{"type":"event","posture":"Reactive"},"actions":[{"type":"dance"}]}`}}, "raw", "actions.0.type"},
		{url.Values{"as": {"json"}, "raw": {`{"name":"x"`}}, "raw", "Not valid JSON"},
		{url.Values{"as": {"json"}, "raw": {`{"name":"x","trigger":{"type":"event","posture":"Reactive"},"actions":[],"colour":"red"}`}}, "raw", "colour"},
	} {
		w := h.Post("/automations/new", c.form)
		body := w.Body.String()
		at := regexp.MustCompile(`(?s)id="` + regexp.QuoteMeta(c.field) + `-e">.*?</span>`).FindString(body)
		if w.Code != 422 || !strings.Contains(strings.ToLower(at), strings.ToLower(strings.ReplaceAll(c.says, `"`, "&#34;"))) {
			t.Errorf("%v: %d, at %s: %q, want %q", c.form, w.Code, c.field, at, c.says)
		}
		for k, v := range c.form {
			if v[0] != "" && !strings.Contains(k, "posture") && k != "kind" && k != "as" && !strings.Contains(body, uitest.TemplEscaped(v[0])) && v[0] != "dance" {
				t.Errorf("%v: what was typed as %s is lost", c.form, k)
			}
		}
	}
	if n, err := h.Store.CountAutomations(t.Context(), nil); err != nil || n != 0 {
		t.Error(n, err)
	}
	if w := h.Post("/automations/new", base(nil)); w.Code != 303 {
		t.Error(w.Code, w.Body)
	}
}

// Without JavaScript the form grows, turns into JSON and back, and deletes.
func TestAutomationFormByPosts(t *testing.T) {
	h := uitest.Open(t)
	q := url.Values{"name": {"mine"}, "kind": {"run"}, "run.states": {"Failed"}, "run.flows": {"etl"}, "a0.type": {"cancel-flow-run"}, "do": {"add"}}
	body := h.Post("/automations/new", q).Body.String()
	uitest.Contains(t, body, `name="a1.type"`, `value="etl"`, `value="Failed" checked`, "<html")
	q.Set("a1.type", "do-nothing")
	q.Set("do", "remove-0")
	body = h.Post("/automations/new", q).Body.String()
	uitest.Contains(t, body, `<option value="do-nothing" selected`)
	if strings.Contains(body, `name="a1.type"`) {
		t.Error("two actions are left")
	}
	q.Set("do", "json")
	body = h.Post("/automations/new", q).Body.String()
	uitest.Contains(t, body, `name="raw"`, "prefect.flow-run.Failed", "prefect.flow."+h.ETL.FlowID.String())
	q.Set("do", "save")
	if w := h.Post("/automations/new", q); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	list, err := h.Store.AllAutomations(t.Context())
	h.Check(err)
	path := "/automations/" + list[0].ID.String()
	_, body = h.Get("/automations")
	uitest.Contains(t, body, "A"+"utomations", "not fired in 30 days", "cancel the flow run", path)
	_, body = h.Get("/palette?q=MINE")
	uitest.Contains(t, body, path)
	_, body = h.Get("/automations/new?from=" + list[0].ID.String())
	uitest.Contains(t, body, `value="mine (copy)"`)
	if w := h.Post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	for _, gone := range []string{path, path + "/edit", path + "/other", "/automations/new?from=" + list[0].ID.String()} {
		if code, _ := h.Get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
}
