package ui_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

const hardSchema = `{"type":"object","title":"Parameters","properties":{
 "zeta":{"type":"integer","position":0},"text":{"type":"string","position":1},"at":{"type":"string","format":"date-time","position":2},
 "items":{"type":"array","items":{"type":"string"},"position":3},"place":{"$ref":"#/$defs/Place","position":4},"free":{"position":5},"ratio":{"type":"number","default":0.5,"position":6},
 "key":{"type":"string","format":"password","writeOnly":true,"position":7}},
 "$defs":{"Place":{"type":"object","properties":{"zip":{"type":"integer","default":1},"city":{"type":"string","default":"Madrid"}}}}}`

const hardValues = `{"zeta":12345678901234567890123,"text":" one\r\ntwo ","at":"2026-07-01T10:00:00.123456+05:30","items":["a",""," b\nc "],` +
	`"place":{"zip":9007199254740993,"other":{"z":1.0,"a":2}},"free":{"z":[1.10,1e300],"a":"\u00e9<&>"},"ratio":1.0,"key":"-----BEGIN\nKEY-----\n"}`

// hardForm is a page with a form, and how to read what is stored behind it.
type hardForm struct {
	name, path, form string
	stored           func() string
	other            url.Values // a change of one other field
	says             string     // what is stored then has it
}

// hardForms stores what no control shows to the last digit, behind every form.
func (h *house) hardForms() []hardForm {
	h.t.Helper()
	ctx := h.t.Context()
	h.check(h.svc.RegisterBlocks(ctx))
	d := h.deploy("hard", "to-edit", "flows/hard.go:Hard", hardSchema, hardValues, []core.ScheduleCreate{
		{Rule: core.JSON(`{"interval":5400.25,"anchor_date":"2026-01-02T03:04:05.678901+02:00","timezone":"Europe/Berlin"}`), Parameters: core.JSON(hardValues), Slug: core.Ptr("mine")},
		{Rule: core.JSON(`{"cron":"0 9 * * 1-5","timezone":"Europe/Berlin","day_or":false}`)}}, "a,b", " c")
	h.check(h.svc.UpdateDeployment(ctx, d.ID, core.DeploymentUpdate{Description: core.Some("  two\r\nlines "), JobVariables: core.Some(core.JSON(`{"z":{"n":1.0},"a":12345678901234567890123}`))}))
	run := h.create(d, hardValues)
	h.check(h.svc.UpdateWorkPool(ctx, "default", core.WorkPoolUpdate{Description: core.Some("a\nb "), BaseJobTemplate: core.Some(core.JSON(`{"job_configuration": {"command":"{{ command }}","z":1.0,"a":12345678901234567890123},
 "variables":{"type":"object","properties":{"stop":{"type":"integer","default":9007199254740993},"command":{"type":"string","default":"one\ntwo"},"env":{"type":"object","additionalProperties":{"type":"string"},"default":{"Z":"1","A":" 2 "}}}}}`))}))
	queue, err := h.svc.CreateWorkQueue(ctx, "default", core.WorkQueueCreate{Name: "slow", Description: core.Ptr(" two\nlines")})
	h.check(err)
	variable, err := h.svc.CreateVariable(ctx, core.VariableCreate{Name: "exact", Value: core.Some(core.JSON(`{"z":1.0,"a":12345678901234567890123}`)), Tags: core.Tags{"x,y"}})
	h.check(err)
	words, err := h.svc.CreateVariable(ctx, core.VariableCreate{Name: "words", Value: core.Some(core.JSON(`" a\r\nb "`))})
	h.check(err)
	limit := h.limit("slots", 3, 0.1)
	automation, err := h.svc.CreateAutomation(ctx, core.AutomationWrite{Name: "hard", Description: " two\nlines ", Tags: core.Tags{"a,b"},
		Trigger: &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Expect: []string{"my.event"}, Match: map[string]any{"prefect.resource.id": "x.*"}, Within: core.Ptr(core.Seconds(0.5)), Threshold: core.Ptr(int64(2))},
		Actions: []*core.AutomationAction{{Type: "run-deployment", Source: "selected", DeploymentID: d.ID, Parameters: core.JSON(`{"zeta":12345678901234567890123,"free":{"z":1.0,"a":2}}`), ScheduleAfter: 90.5},
			{Type: "send-notification", Subject: core.Ptr(" s "), Body: " b\r\nc\n ", BlockDocumentID: h.blockOf("slack-webhook", "s", `{"url":"https://hooks.slack.com/services/a/b"}`).ID}}})
	h.check(err)
	block := h.blockOf("json", "exact", `{"value":{"z":1.0,"a":12345678901234567890123}}`)
	id := "/deployments/" + d.ID.String()
	deployment := func() string {
		d := h.deployment(d.ID)
		return string(core.ToJSON([]any{d.Description, d.Tags, string(d.Parameters), string(d.JobVariables), d.WorkQueueName, d.GlobalConcurrencyLimit}))
	}
	pool := func() string {
		p := h.pool("default")
		return string(core.ToJSON([]any{p.Description, p.ConcurrencyLimit, string(p.BaseJobTemplate)}))
	}
	rules := func() string {
		var all []string
		for _, s := range h.schedules(d) {
			all = append(all, string(s.Rule), string(s.Parameters))
		}
		return strings.Join(all, "\n")
	}
	value := func(v *core.Variable) func() string {
		return func() string {
			v, err := h.store.Variable(ctx, v.ID)
			h.check(err)
			return v.Name + string(v.Value) + string(core.ToJSON(v.Tags))
		}
	}
	newest := func() string {
		runs, err := h.store.FlowRuns(ctx, core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: &core.IDFilter{Any: []core.UUID{d.ID}}}}, core.Page{Sort: "START_TIME_DESC"})
		h.check(err)
		last := run
		for _, r := range runs {
			if r.Created > last.Created && !r.AutoScheduled {
				last = r
			}
		}
		return string(last.Parameters)
	}
	acted := func() string {
		a, err := h.store.Automation(ctx, automation.ID)
		h.check(err)
		a.Trigger.ID = core.UUID{}
		return string(core.ToJSON([]any{a.Name, a.Description, a.Tags, a.Trigger, a.Actions, a.ActionsOnTrigger}))
	}
	forms := []hardForm{
		{"deployment", id + "/edit", "deployment-form", deployment, url.Values{"parameters.ratio": {"7"}}, `\"ratio\":7`},
		{"pool", "/work-pools/default/edit", "pool-form", pool, url.Values{"limit": {"77"}}, "77"},
		{"pool as JSON", "/work-pools/default/edit?input=json", "pool-form", pool, url.Values{"limit": {"78"}}, "78"},
		{"queue", "/work-pools/default/queues/" + queue.ID.String(), "queue-form", func() string {
			q, err := h.store.WorkQueue(ctx, queue.ID)
			h.check(err)
			return string(core.ToJSON([]any{q.Name, q.Description, q.ConcurrencyLimit}))
		}, url.Values{"concurrency_limit": {"5"}}, "5"},
		{"block", "/blocks/" + block.ID.String() + "?edit=1", "block-form", func() string {
			d, err := h.svc.BlockDocument(ctx, block.ID, true)
			h.check(err)
			return string(d.Data)
		}, nil, ""},
		{"automation", "/automations/" + automation.ID.String() + "/edit", "automation-form", acted, url.Values{"name": {"renamed"}}, "renamed"},
		{"copied run as JSON", id + "/run?input=json&from=" + run.ID.String(), "run-form", newest, nil, ""},
		{"copied run", id + "/run?from=" + run.ID.String(), "run-form", newest, url.Values{"parameters.ratio": {"8"}}, `"ratio":8`},
		{"variable", "/variables/" + variable.ID.String(), "variable-form", value(variable), url.Values{"name": {"exact2"}}, "exact2"},
		{"variable of text", "/variables/" + words.ID.String(), "variable-form", value(words), url.Values{"tags": {"new"}}, "new"},
		{"limit", "/concurrency/" + limit.ID.String(), "limit-form", func() string {
			l, err := h.store.GlobalLimit(ctx, limit.ID)
			h.check(err)
			return string(core.ToJSON([]any{l.Name, l.Limit, l.SlotDecayPerSecond}))
		}, url.Values{"limit": {"9"}}, "9"},
	}
	for _, s := range h.schedules(d) {
		forms = append(forms, hardForm{"schedule " + string(s.Rule)[:9], id + "/schedules/" + s.ID.String(), "schedule-form", rules, url.Values{"zone": {"Europe/Rome"}}, `Europe/Rome`})
	}
	return forms
}

// Whatever form a person opens and saves: what nobody touched stays to the byte.
func TestPagesPostedUntouched(t *testing.T) {
	h := open(t)
	for _, f := range h.hardForms() {
		_, page := h.get(f.path)
		q := posted(t, strings.NewReader(page), f.form)
		before := f.stored()
		if w := h.post(f.path, q); w.Code != 303 {
			t.Errorf("%s: %d %s", f.name, w.Code, w.Body)
		}
		if after := f.stored(); after != before {
			t.Errorf("%s, untouched: \n%s became\n%s", f.name, before, after)
		}
		if f.other == nil {
			continue
		}
		for k, v := range f.other {
			if !q.Has(k) {
				t.Fatalf("%s has no field %s", f.name, k)
			}
			q[k] = v
		}
		if w := h.post(f.path, q); w.Code != 303 {
			t.Errorf("%s: %d %s", f.name, w.Code, w.Body)
		}
		after := f.stored()
		if !strings.Contains(after, f.says) || after == before {
			t.Errorf("%s: the change is not there: %s", f.name, after)
		}
		if same := alikeBytes(before, after); same < len(before)-45 { // the changed field itself
			t.Errorf("%s, another field changed: \n%s became\n%s", f.name, before, after)
		}
	}
}

// alikeBytes is how many bytes two texts begin and end with alike.
func alikeBytes(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	j := 0
	for j < n-i && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	return i + j
}

// The same in Chromium, which has its own view of what a control can hold.
func TestPagesPostedUntouchedInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	forms := h.hardForms()
	b := h.tab(t, browser(t), forms[0].path, 1280, 900)
	for _, f := range forms {
		b.goTo(f.path)
		before := f.stored()
		b.js(`(window.stale=true,document.querySelector("#` + f.form + ` .btn.pri").click())`)
		b.wait(`!window.stale && document.readyState=="complete"`)
		if after := f.stored(); after != before {
			t.Errorf("%s: \n%s became\n%s", f.name, before, after)
		}
	}
	if p := b.problems(); len(p) > 0 {
		t.Error(p)
	}
}

// A form that was opened before somebody else's change does not undo it unseen.
func TestFormsThatAreOutdated(t *testing.T) {
	h := open(t)
	for _, f := range h.hardForms() {
		if f.other == nil || strings.HasPrefix(f.name, "copied") {
			continue
		}
		_, page := h.get(f.path)
		opened := posted(t, strings.NewReader(page), f.form)
		first, second := url.Values{}, url.Values{}
		for k, v := range opened {
			first[k], second[k] = v, v
		}
		for k, v := range f.other {
			first[k], second[k] = v, []string{v[0] + "1"}
		}
		if w := h.post(f.path, first); w.Code != 303 {
			t.Errorf("%s: %d", f.name, w.Code)
		}
		theirs := f.stored()
		if f.name != "automation" {
			if w := h.post(f.path, opened); w.Code != 303 || f.stored() != theirs {
				t.Errorf("%s: an untouched form undid another's change: %d %s", f.name, w.Code, f.stored())
			}
		}
		w := h.post(f.path, second)
		if w.Code != 422 || !strings.Contains(w.Body.String(), "Someone else has changed") || f.stored() != theirs {
			t.Errorf("%s: %d, %s became %s", f.name, w.Code, theirs, f.stored())
		}
		again := posted(t, strings.NewReader(w.Body.String()), f.form)
		if strings.HasPrefix(f.name, "schedule") {
			again.Set("zone", "Europe/Paris")
		}
		if w = h.post(f.path, again); w.Code != 303 || f.stored() == theirs {
			t.Errorf("%s, saved again: %d, %s", f.name, w.Code, f.stored())
		}
	}
}

// A run is made of what its form showed, also if a default changed meanwhile.
func TestRunOfAnOutdatedForm(t *testing.T) {
	h := open(t)
	path := "/deployments/" + h.etl.ID.String() + "/run"
	_, page := h.get(path)
	q := posted(t, strings.NewReader(page), "run-form")
	h.check(h.svc.UpdateDeployment(t.Context(), h.etl.ID, core.DeploymentUpdate{Parameters: core.Some(core.JSON(`{"source":"clicks"}`))}))
	w := h.post(path, q)
	if w.Code != 422 || !strings.Contains(w.Body.String(), "This default has changed since you opened the form.") {
		t.Fatal(w.Code, w.Body)
	}
	q = posted(t, strings.NewReader(w.Body.String()), "run-form")
	if w = h.post(path, q); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	id, err := core.ParseUUID(strings.TrimPrefix(w.Header().Get("Location"), "/flow-runs/"))
	h.check(err)
	if got := string(h.run(id).Parameters); got != `{"source":"clicks","parallel":8}` {
		t.Error(got)
	}
}
