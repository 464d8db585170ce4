package uitest

import (
	"net/url"
	"strings"

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
	Name, Path, Form string
	Stored           func() string
	Other            url.Values // a change of one other field
	Says             string     // what is stored then has it
}

// HardForms stores what no control shows to the last digit, behind every form.
func (h *Fixture) HardForms() []hardForm {
	h.T.Helper()
	ctx := h.T.Context()
	h.Check(h.Service.RegisterBlocks(ctx))
	d := h.Deploy("hard", "to-edit", "flows/hard.go:Hard", hardSchema, hardValues, []core.ScheduleCreate{
		{Rule: core.JSON(`{"interval":5400.25,"anchor_date":"2026-01-02T03:04:05.678901+02:00","timezone":"Europe/Berlin"}`), Parameters: core.JSON(hardValues), Slug: core.Ptr("mine")},
		{Rule: core.JSON(`{"cron":"0 9 * * 1-5","timezone":"Europe/Berlin","day_or":false}`)}}, "a,b", " c")
	h.Check(h.Service.UpdateDeployment(ctx, d.ID, core.DeploymentUpdate{Description: core.Some("  two\r\nlines "), JobVariables: core.Some(core.JSON(`{"z":{"n":1.0},"a":12345678901234567890123}`))}))
	run := h.Create(d, hardValues)
	h.Check(h.Service.UpdateWorkPool(ctx, "default", core.WorkPoolUpdate{Description: core.Some("a\nb "), BaseJobTemplate: core.Some(core.JSON(`{"job_configuration": {"command":"{{ command }}","z":1.0,"a":12345678901234567890123},
 "variables":{"type":"object","properties":{"stop":{"type":"integer","default":9007199254740993},"command":{"type":"string","default":"one\ntwo"},"env":{"type":"object","additionalProperties":{"type":"string"},"default":{"Z":"1","A":" 2 "}}}}}`))}))
	queue, err := h.Service.CreateWorkQueue(ctx, "default", core.WorkQueueCreate{Name: "slow", Description: core.Ptr(" two\nlines")})
	h.Check(err)
	variable, err := h.Service.CreateVariable(ctx, core.VariableCreate{Name: "exact", Value: core.Some(core.JSON(`{"z":1.0,"a":12345678901234567890123}`)), Tags: core.Tags{"x,y"}})
	h.Check(err)
	words, err := h.Service.CreateVariable(ctx, core.VariableCreate{Name: "words", Value: core.Some(core.JSON(`" a\r\nb "`))})
	h.Check(err)
	limit := h.Limit("slots", 3, 0.1)
	automation, err := h.Service.CreateAutomation(ctx, core.AutomationWrite{Name: "hard", Description: " two\nlines ", Tags: core.Tags{"a,b"},
		Trigger: &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Expect: []string{"my.event"}, Match: map[string]any{"prefect.resource.id": "x.*"}, Within: core.Ptr(core.Seconds(0.5)), Threshold: core.Ptr(int64(2))},
		Actions: []*core.AutomationAction{{Type: "run-deployment", Source: "selected", DeploymentID: d.ID, Parameters: core.JSON(`{"zeta":12345678901234567890123,"free":{"z":1.0,"a":2}}`), ScheduleAfter: 90.5},
			{Type: "send-notification", Subject: core.Ptr(" s "), Body: " b\r\nc\n ", BlockDocumentID: h.BlockOf("slack-webhook", "s", `{"url":"https://hooks.slack.com/services/a/b"}`).ID}}})
	h.Check(err)
	block := h.BlockOf("json", "exact", `{"value":{"z":1.0,"a":12345678901234567890123}}`)
	id := "/deployments/" + d.ID.String()
	deployment := func() string {
		d := h.Deployment(d.ID)
		return string(core.ToJSON([]any{d.Description, d.Tags, string(d.Parameters), string(d.JobVariables), d.WorkQueueName, d.GlobalConcurrencyLimit}))
	}
	pool := func() string {
		p := h.Pool("default")
		return string(core.ToJSON([]any{p.Description, p.ConcurrencyLimit, string(p.BaseJobTemplate)}))
	}
	rules := func() string {
		var all []string
		for _, s := range h.Schedules(d) {
			all = append(all, string(s.Rule), string(s.Parameters))
		}
		return strings.Join(all, "\n")
	}
	value := func(v *core.Variable) func() string {
		return func() string {
			v, err := h.Store.Variable(ctx, v.ID)
			h.Check(err)
			return v.Name + string(v.Value) + string(core.ToJSON(v.Tags))
		}
	}
	newest := func() string {
		runs, err := h.Store.FlowRuns(ctx, core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: &core.IDFilter{Any: []core.UUID{d.ID}}}}, core.Page{Sort: "START_TIME_DESC"})
		h.Check(err)
		last := run
		for _, r := range runs {
			if r.Created > last.Created && !r.AutoScheduled {
				last = r
			}
		}
		return string(last.Parameters)
	}
	acted := func() string {
		a, err := h.Store.Automation(ctx, automation.ID)
		h.Check(err)
		a.Trigger.ID = core.UUID{}
		return string(core.ToJSON([]any{a.Name, a.Description, a.Tags, a.Trigger, a.Actions, a.ActionsOnTrigger}))
	}
	forms := []hardForm{
		{"deployment", id + "/edit", "deployment-form", deployment, url.Values{"parameters.ratio": {"7"}}, `\"ratio\":7`},
		{"pool", "/work-pools/default/edit", "pool-form", pool, url.Values{"limit": {"77"}}, "77"},
		{"pool as JSON", "/work-pools/default/edit?input=json", "pool-form", pool, url.Values{"limit": {"78"}}, "78"},
		{"queue", "/work-pools/default/queues/" + queue.ID.String(), "queue-form", func() string {
			q, err := h.Store.WorkQueue(ctx, queue.ID)
			h.Check(err)
			return string(core.ToJSON([]any{q.Name, q.Description, q.ConcurrencyLimit}))
		}, url.Values{"concurrency_limit": {"5"}}, "5"},
		{"block", "/blocks/" + block.ID.String() + "?edit=1", "block-form", func() string {
			d, err := h.Service.BlockDocument(ctx, block.ID, true)
			h.Check(err)
			return string(d.Data)
		}, nil, ""},
		{"automation", "/automations/" + automation.ID.String() + "/edit", "automation-form", acted, url.Values{"name": {"renamed"}}, "renamed"},
		{"copied run as JSON", id + "/run?input=json&from=" + run.ID.String(), "run-form", newest, nil, ""},
		{"copied run", id + "/run?from=" + run.ID.String(), "run-form", newest, url.Values{"parameters.ratio": {"8"}}, `"ratio":8`},
		{"variable", "/variables/" + variable.ID.String(), "variable-form", value(variable), url.Values{"name": {"exact2"}}, "exact2"},
		{"variable of text", "/variables/" + words.ID.String(), "variable-form", value(words), url.Values{"tags": {"new"}}, "new"},
		{"limit", "/concurrency/" + limit.ID.String(), "limit-form", func() string {
			l, err := h.Store.GlobalLimit(ctx, limit.ID)
			h.Check(err)
			return string(core.ToJSON([]any{l.Name, l.Limit, l.SlotDecayPerSecond}))
		}, url.Values{"limit": {"9"}}, "9"},
	}
	for _, s := range h.Schedules(d) {
		forms = append(forms, hardForm{"schedule " + string(s.Rule)[:9], id + "/schedules/" + s.ID.String(), "schedule-form", rules, url.Values{"zone": {"Europe/Rome"}}, `Europe/Rome`})
	}
	return forms
}
