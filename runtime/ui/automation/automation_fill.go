package automation

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// The words of the form for the two postures of a trigger.
const (
	enters  = "enters it"
	stays   = "stays in it"
	becomes = "becomes it"
	happens = "happens"
	fails   = "fails to happen"
)

// the kinds of resource whose status a trigger can wait for.
var statusKinds = []string{"work pool", "work queue", "deployment"}

func automationField(name, title string, kind form.Kind, hint string) form.Field {
	return form.Field{Name: name, Path: name, ID: "f-" + strings.ReplaceAll(name, ".", "-"), Title: title, Kind: kind, Desc: hint}
}

func choice(name, title string, of ...string) form.Field {
	f := automationField(name, title, form.Enum, "")
	f.Enum, f.Required = of, true
	return f
}

const spanHint = "Such as 30s, 10m or 1h30m."

// automationFields are the fields of all kinds of trigger, empty.
func automationFields() []form.Field {
	name := automationField("name", "Name", form.String, "")
	name.Required = true
	return []form.Field{
		name,
		automationField("tags", "Tags", form.String, "Separated by commas, or a JSON list."),
		automationField("description", "Description", form.String, ""),
		automationField("run.states", "States", form.String, ""),
		automationField("run.flows", "Of the flows", form.String, "Names, separated by commas; every flow if empty."),
		automationField("run.deployments", "Of the deployments", form.String, "flow/name, separated by commas."),
		automationField("run.tags", "With one of the tags", form.String, ""),
		choice("run.posture", "And", enters, stays),
		automationField("run.threshold", "Times", form.Integer, "How often it must happen before it fires."),
		automationField("run.within", "Within", form.String, spanHint+" How long it must stay, or the span in which the times count."),
		choice("status.of", "A", statusKinds...),
		automationField(
			"status.names",
			"Named",
			form.String,
			"Separated by commas: pools by name, queues as pool/queue, deployments as flow/name; any if empty.",
		),
		automationField("status.states", "Status", form.String, ""),
		choice("status.posture", "And", becomes, stays),
		automationField("status.within", "Within", form.String, spanHint+" How long it must stay so."),
		automationField("event.expect", "Events", form.String, "Names, separated by commas; a * at the end is open. Any event if empty."),
		choice("event.posture", "Which", happens, fails),
		automationField("event.threshold", "Times", form.Integer, ""),
		automationField("event.within", "Within", form.String, spanHint),
		automationField(
			"event.match",
			"Labels of its resource",
			form.JSON,
			`{"prefect.resource.id": "my.thing.*"}; values may begin with ! and end in *.`,
		),
		automationField("event.match_related", "Labels of related resources", form.JSON, "One set of labels, or a list of them."),
		automationField("event.for_each", "Counted apart for each", form.String, "Labels, separated by commas."),
		automationField("event.after", "Only after", form.String, "Names of events that begin the time."),
		automationField(
			"json.trigger",
			"Trigger",
			form.JSON,
			"A compound: {\"type\": \"compound\", \"require\": \"all\", \"within\": 600, \"triggers\": [...]}, or a sequence.",
		),
		automationField("on_trigger", "Actions when it triggers", form.JSON, "A list of actions."),
		automationField("on_resolve", "Actions when it resolves", form.JSON, "A list of actions."),
	}
}

// actionFields are those of action i, of every type.
func actionFields(i int) []form.Field {
	kind := choice("type", "Do", slices.Sorted(maps.Keys(core.ActionFields))...)
	state := choice("state", "State", "COMPLETED", "FAILED", "CRASHED", "CANCELLED", "CANCELLING", "PAUSED", "SCHEDULED", "PENDING", "RUNNING")
	state.Required = false
	fs := []form.Field{
		kind,
		automationField("deployment", "Deployment", form.String, "flow/name; that of the event if empty."),
		automationField("work_pool", "Work pool", form.String, "Its name; that of the event if empty."),
		automationField("work_queue", "Work queue", form.String, "pool/queue; that of the event if empty."),
		automationField("automation", "Automation", form.String, "Its name or id; that of the event if empty."),
		automationField("block", "Block", form.String, "type/name of a notification block, or of a webhook block."),
		state,
		automationField("name", "Name of the state", form.String, "Such as TimedOut; the type's own if empty."),
		automationField("message", "Message", form.String, ""),
		automationField("force", "Force", form.Boolean, ""),
		automationField("subject", "Subject", form.String, ""),
		automationField("body", "Text", form.Text, ""),
		automationField("payload", "Payload", form.Text, ""),
		automationField("parameters", "Parameters", form.JSON, "Over the deployment's own."),
		automationField("job_variables", "Job variables", form.JSON, ""),
		automationField("after", "After", form.String, spanHint+" At once if empty."),
	}
	for j := range fs {
		fs[j].Path = "a" + strconv.Itoa(i) + "." + fs[j].Name
		fs[j].ID = "f-a" + strconv.Itoa(i) + "-" + fs[j].Name
	}
	return fs
}

// fillAutomation shows an automation in the form.
func (u *UI) fillAutomation(ctx context.Context, f *views.AutomationForm, c core.AutomationWrite) {
	f.Enabled = c.Enabled == nil || *c.Enabled
	f.Fields = automationFields()
	put := func(name, value string) { f.At(name).Value = value }
	put("name", c.Name)
	put("description", c.Description)
	put("tags", page.TagText(c.Tags))
	put("on_trigger", listText(c.ActionsOnTrigger))
	put("on_resolve", listText(c.ActionsOnResolve))
	f.Raw = form.Field{Name: "raw", Path: "raw", ID: "raw", Title: "The whole automation", Kind: form.JSON, TypeHint: "json", Value: rawOf(c)}
	f.Original = string(core.ToJSON(withoutIDs(c.Trigger)))
	t := u.triggerFields(ctx, c.Trigger)
	f.Kind, f.States, f.Statuses = t.kind, t.states, t.statuses
	for name, value := range t.values {
		put(name, value)
	}
	f.Actions = nil
	for i, a := range c.Actions {
		f.Actions = append(f.Actions, u.actionForm(ctx, i, a))
	}
	if len(f.Actions) == 0 {
		f.Actions = append(f.Actions, u.actionForm(ctx, 0, &core.AutomationAction{Type: "do-nothing"}))
	}
}

func listText(actions []*core.AutomationAction) string {
	if len(actions) == 0 {
		return ""
	}
	return page.Pretty(core.ToJSON(actions))
}

func rawOf(c core.AutomationWrite) string {
	enabled := c.Enabled == nil || *c.Enabled
	o := core.Object{{Key: "name", Value: c.Name}, {Key: "description", Value: c.Description}, {Key: "enabled", Value: enabled},
		{Key: "tags", Value: c.Tags}, {Key: "trigger", Value: withoutIDs(c.Trigger)}, {Key: "actions", Value: c.Actions}}
	if len(c.ActionsOnTrigger) > 0 {
		o.Set("actions_on_trigger", c.ActionsOnTrigger)
	}
	if len(c.ActionsOnResolve) > 0 {
		o.Set("actions_on_resolve", c.ActionsOnResolve)
	}
	return page.Pretty(o.JSON())
}

// withoutIDs is a trigger as JSON without what the server gives it.
func withoutIDs(t *core.Trigger) any {
	if t == nil {
		return nil
	}
	v, _ := core.Encode(t).Tree()
	return dropIDs(v)
}

func dropIDs(v any) any {
	o, ok := v.(core.Object)
	if !ok {
		return v
	}
	o.Delete("id")
	children, _ := o.Get("triggers")
	list, _ := children.([]any)
	for i := range list {
		list[i] = dropIDs(list[i])
	}
	return o
}

// triggerParts is a trigger as the form shows it.
type triggerParts struct {
	kind             string
	states, statuses []string
	values           map[string]string
}

func (u *UI) triggerFields(ctx context.Context, t *core.Trigger) triggerParts {
	d := triggerParts{kind: "json", values: map[string]string{
		"run.posture":     enters,
		"status.posture":  becomes,
		"event.posture":   happens,
		"status.of":       statusKinds[0],
		"run.threshold":   "1",
		"event.threshold": "1",
	}}
	if t == nil {
		d.kind = "run"
		return d
	}
	d.values["json.trigger"] = page.Pretty(core.ToJSON(withoutIDs(t)))
	if t.Type != core.TriggerEvent && t.Type != "" {
		return d
	}
	d.kind = "event"
	d.event(t)
	within, threshold := spanText(core.Deref(t.Within)), strconv.FormatInt(max(1, core.Deref(t.Threshold)), 10)
	names, proactive, ok := waitsFor(t)
	if !ok {
		return d
	}
	if states, of := statesOf(names, "flow-run", views.RunStates); of && u.runFields(ctx, t, &d) {
		d.kind, d.states = "run", states
		d.values["run.within"], d.values["run.threshold"] = within, threshold
		if proactive {
			d.values["run.posture"] = stays
		}
		return d
	}
	for _, noun := range statusKinds {
		kind := strings.ReplaceAll(noun, " ", "-")
		states, of := statesOf(names, kind, []string{"ready", "not-ready", "paused"})
		if !of || threshold != "1" || len(trigger.RelatedSpecs(t.MatchRelated)) > 0 {
			continue
		}
		if things, all := u.resourceNames(ctx, t.Match, kind); all {
			d.kind, d.statuses = "status", states
			d.values["status.of"], d.values["status.names"], d.values["status.within"] = noun, things, within
			if proactive {
				d.values["status.posture"] = stays
			}
		}
	}
	return d
}

func (d *triggerParts) event(t *core.Trigger) {
	v := d.values
	v["event.expect"], v["event.for_each"], v["event.after"] = strings.Join(
		t.Expect,
		", ",
	), strings.Join(
		t.ForEach,
		", ",
	), strings.Join(
		t.After,
		", ",
	)
	v["event.threshold"] = strconv.FormatInt(max(1, core.Deref(t.Threshold)), 10)
	v["event.within"] = spanText(core.Deref(t.Within))
	if t.Posture == core.Proactive {
		v["event.posture"] = fails
	}
	if len(t.Match) > 0 {
		v["event.match"] = page.Pretty(core.ToJSON(t.Match))
	}
	if len(trigger.RelatedSpecs(t.MatchRelated)) > 0 {
		v["event.match_related"] = page.Pretty(t.MatchRelated)
	}
}

// waitsFor: the events of a trigger that waits for a state to be entered, or
// for one to last.
func waitsFor(t *core.Trigger) (names []string, proactive, ok bool) {
	if t.Posture != core.Proactive {
		return t.Expect, false, len(t.After) == 0
	}
	kind := ""
	if len(t.Expect) == 1 {
		kind, ok = strings.CutSuffix(t.Expect[0], ".*")
	}
	return t.After, true, ok && len(t.After) > 0 && strings.HasPrefix(t.After[0], kind+".") && core.Deref(t.Threshold) == 1
}

// statesOf cuts the states out of events' names; false if they are of other
// kinds, or of states that the form does not have.
func statesOf(names []string, kind string, known []string) (out []string, ok bool) {
	for _, n := range names {
		s, of := strings.CutPrefix(n, "prefect."+kind+".")
		if s == "*" && of && len(names) == 1 {
			return nil, true
		}
		if !of || !slices.Contains(known, s) {
			return nil, false
		}
		out = append(out, s)
	}
	return out, len(out) > 0
}

// runFields shows which runs a trigger is about; false where the form cannot.
func (u *UI) runFields(ctx context.Context, t *core.Trigger, d *triggerParts) bool {
	if len(t.Match) > 1 || len(t.Match) == 1 && t.Match["prefect.resource.id"] != "prefect.flow-run.*" {
		return false
	}
	at := map[string]string{"flow": "run.flows", "deployment": "run.deployments", "tag": "run.tags"}
	found := map[string]string{}
	for _, spec := range trigger.RelatedSpecs(t.MatchRelated) {
		roles := spec["prefect.resource.role"]
		if len(roles) != 1 {
			return false
		}
		role := roles[0]
		field := at[role]
		if field == "" || len(spec) != 2 || found[field] != "" {
			return false
		}
		var names []string
		ids := spec["prefect.resource.id"]
		for _, id := range ids {
			name, ours := u.nameFor(ctx, id, role)
			if !ours {
				return false
			}
			names = append(names, name)
		}
		if len(ids) == 0 && role == "flow" {
			names = spec["prefect.resource.name"]
		}
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.ContainsAny(n, ",*!\r\n") }) {
			return false
		}
		found[field] = strings.Join(names, ", ")
	}
	maps.Copy(d.values, found)
	return true
}

// resourceNames are the resources of a kind that labels ask for by id, by their names.
func (u *UI) resourceNames(ctx context.Context, match map[string]any, kind string) (string, bool) {
	if len(match) == 0 {
		return "", true
	}
	ids := trigger.SpecOf(match)["prefect.resource.id"]
	if len(match) != 1 || len(ids) == 0 {
		return "", false
	}
	if len(ids) == 1 && ids[0] == "prefect."+kind+".*" {
		return "", true
	}
	var names []string
	for _, id := range ids {
		name, ours := u.nameFor(ctx, id, kind)
		if !ours || strings.ContainsAny(name, ",*!\r\n") {
			return "", false
		}
		names = append(names, name)
	}
	return strings.Join(names, ", "), true
}

// nameFor is how the form calls a resource of a kind: by its name, or by its
// id if it has none any more.
func (u *UI) nameFor(ctx context.Context, resource, kind string) (string, bool) {
	key, ours := strings.CutPrefix(resource, "prefect."+kind+".")
	if !ours || kind == "tag" {
		return key, ours
	}
	name, _ := u.resource(ctx, resource)
	if name == "" {
		_, err := core.ParseUUID(key)
		return key, err == nil
	}
	return name, true
}

func (u *UI) actionForm(ctx context.Context, i int, a *core.AutomationAction) views.ActionForm {
	f := views.ActionForm{Fields: actionFields(i), Original: string(core.Encode(a))}
	put := func(name, value string) { f.At(name).Value = value }
	put("type", a.Type)
	for kind, id := range map[string]core.UUID{"deployment": a.DeploymentID, "work_pool": a.WorkPoolID, "work_queue": a.WorkQueueID, "automation": a.AutomationID, "block": a.BlockDocumentID} {
		if !id.IsZero() {
			put(kind, u.targetName(ctx, kind, id))
		}
	}
	put("state", a.State)
	put("name", core.Deref(a.Name))
	put("message", core.Deref(a.Message))
	put("force", strconv.FormatBool(a.Force))
	put("subject", core.Deref(a.Subject))
	put("body", a.Body)
	put("payload", payloadOf(a.Payload))
	for name, j := range map[string]core.JSON{"parameters": a.Parameters, "job_variables": a.JobVariables} {
		if !j.IsNull() {
			put(name, page.Pretty(j))
		}
	}
	if a.ScheduleAfter != 0 {
		put("after", spanText(a.ScheduleAfter))
	}
	return f
}

func payloadOf(j core.JSON) (text string) {
	if json.Unmarshal(j, &text) != nil && !j.IsNull() {
		return page.Pretty(j)
	}
	return text
}

// targetName is the name of what an action acts on, if that finds it again.
func (u *UI) targetName(ctx context.Context, kind string, id core.UUID) string {
	name, _ := u.resource(
		ctx,
		"prefect."+map[string]string{"work_pool": "work-pool", "work_queue": "work-queue", "block": "block-document"}[kind]+"."+id.String(),
	)
	if kind == "deployment" || kind == "automation" {
		name, _ = u.resource(ctx, "prefect."+kind+"."+id.String())
	}
	if back, err := u.targetID(ctx, kind, name); name != "" && err == nil && back == id {
		return name
	}
	return id.String()
}

// spanText writes seconds so that spanOf reads the same.
func spanText(s core.Seconds) string {
	d := s.Duration()
	if core.Seconds(d.Seconds()) != s || d%time.Second != 0 || d <= 0 {
		if s == 0 {
			return ""
		}
		return strconv.FormatFloat(float64(s), 'f', -1, 64)
	}
	text := d.String() // 1h30m0s
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if text == "" || !strings.ContainsAny(text[len(text)-1:], "hms") { // 10s loses its zero
		return d.String()
	}
	return text
}
