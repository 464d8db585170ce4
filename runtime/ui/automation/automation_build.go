package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// buildTrigger changes of the original what was changed in the form; a trigger
// of another kind begins anew.
func (u *UI) buildTrigger(ctx context.Context, f *views.AutomationForm) *core.Trigger {
	if f.Kind == "json" {
		t := &core.Trigger{}
		if err := decodeStrict(f.At("json.trigger").Value, t); err != nil {
			f.At("json.trigger").Error = err.Error()
			return nil
		}
		return t
	}
	t := &core.Trigger{}
	old := triggerParts{values: map[string]string{}}
	if json.Unmarshal([]byte(f.Original), t) == nil {
		old = u.triggerFields(ctx, t)
	}
	if old.kind != f.Kind || t.Type != core.TriggerEvent {
		t, old = &core.Trigger{}, triggerParts{values: map[string]string{}}
	}
	t.Type = core.TriggerEvent
	same := func(names ...string) bool {
		return old.kind == f.Kind && !slices.ContainsFunc(names, func(n string) bool { return f.At(n).Value != old.values[n] })
	}
	switch f.Kind {
	case "run":
		u.buildRun(ctx, f, t, same, same("run.posture") && slices.Equal(f.States, old.states))
	case "status":
		u.buildStatus(ctx, f, t, same, same("status.of", "status.posture") && slices.Equal(f.Statuses, old.statuses))
	case "event":
		buildEvent(f, t, same)
	default:
		f.Problem = "Choose what the automation waits for."
		return nil
	}
	return t
}

func (u *UI) buildRun(ctx context.Context, f *views.AutomationForm, t *core.Trigger, same func(...string) bool, sameStates bool) {
	if !sameStates {
		waitFor(t, "flow-run", f.States, f.At("run.posture").Value == stays)
		if f.At("run.posture").Value == stays && len(f.States) == 0 {
			f.At("run.states").Error = "Choose the states that it stays in."
		}
	}
	if t.Match == nil {
		t.Match = map[string]any{"prefect.resource.id": "prefect.flow-run.*"}
	}
	if !same("run.flows", "run.deployments", "run.tags") {
		var specs []map[string]any
		for _, x := range []struct{ field, role string }{{"run.flows", "flow"}, {"run.deployments", "deployment"}, {"run.tags", "tag"}} {
			if ids := u.resourcesIn(ctx, f.At(x.field), x.role); len(ids) > 0 {
				specs = append(specs, map[string]any{"prefect.resource.role": x.role, "prefect.resource.id": ids})
			}
		}
		switch len(specs) {
		case 0:
			t.MatchRelated = core.JSON("{}")
		case 1:
			t.MatchRelated = core.ToJSON(specs[0])
		default:
			t.MatchRelated = core.ToJSON(specs)
		}
	}
	buildTimes(f, t, "run", same)
	if t.Posture == core.Reactive && t.ForEach == nil && core.Deref(t.Threshold) == 1 {
		t.ForEach = []string{"prefect.resource.id"}
	}
}

// waitFor makes the trigger wait for a state to be entered, or to last.
func waitFor(t *core.Trigger, kind string, states []string, lasting bool) {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = "prefect." + kind + "." + s
	}
	if lasting {
		t.Posture, t.After, t.Expect, t.ForEach = core.Proactive, names, []string{"prefect." + kind + ".*"}, []string{"prefect.resource.id"}
		return
	}
	if len(names) == 0 {
		names = []string{"prefect." + kind + ".*"}
	}
	t.Posture, t.After, t.Expect = core.Reactive, []string{}, names
}

func (u *UI) buildStatus(ctx context.Context, f *views.AutomationForm, t *core.Trigger, same func(...string) bool, sameStates bool) {
	kind := strings.ReplaceAll(f.At("status.of").Value, " ", "-")
	if !slices.Contains(statusKinds, f.At("status.of").Value) {
		f.At("status.of").Error = "Choose one of the listed values."
		return
	}
	lasting := f.At("status.posture").Value == stays
	if !sameStates {
		waitFor(t, kind, f.Statuses, lasting)
	}
	if lasting && len(f.Statuses) == 0 {
		f.At("status.states").Error = "Choose the status that it stays in."
	}
	if !same("status.of", "status.names") {
		ids := u.resourcesIn(ctx, f.At("status.names"), kind)
		if len(ids) == 0 {
			ids = []string{"prefect." + kind + ".*"}
		}
		t.Match = map[string]any{"prefect.resource.id": ids}
	}
	buildTimes(f, t, "status", same)
	if t.ForEach == nil {
		t.ForEach = []string{"prefect.resource.id"}
	}
}

func buildEvent(f *views.AutomationForm, t *core.Trigger, same func(...string) bool) {
	for name, list := range map[string]*[]string{"event.expect": &t.Expect, "event.for_each": &t.ForEach, "event.after": &t.After} {
		if !same(name) {
			*list = commaList(f.At(name).Value)
		}
	}
	t.Posture = core.Reactive
	if f.At("event.posture").Value == fails {
		t.Posture = core.Proactive
	}
	if m := f.At("event.match"); !same("event.match") {
		t.Match = nil
		if m.Value != "" {
			if err := decodeStrict(m.Value, &t.Match); err != nil {
				m.Error = err.Error()
			}
		}
	}
	if m := f.At("event.match_related"); !same("event.match_related") {
		t.MatchRelated = core.JSON(m.Value)
		if _, err := core.JSON(m.Value).Decode(); m.Value != "" && err != nil {
			m.Error = "Not valid JSON: " + err.Error()
		}
	}
	buildTimes(f, t, "event", same)
}

func buildTimes(f *views.AutomationForm, t *core.Trigger, kind string, same func(...string) bool) {
	if n := f.At(kind + ".threshold"); kind != "status" && !same(n.Name) {
		x, err := strconv.ParseInt(n.Value, 10, 64)
		if n.Value == "" {
			x, err = 1, nil
		}
		if err != nil || x < 0 {
			n.Error = "Must be a whole number."
		}
		t.Threshold = &x
	}
	if t.Threshold == nil {
		t.Threshold = core.Ptr(int64(1))
	}
	if d := f.At(kind + ".within"); !same(d.Name) {
		s, err := parseSpan(d.Value)
		if err != nil {
			d.Error = err.Error()
		}
		t.Within = &s
	}
}

// parseSpan reads "10m", "1h30m", or a number of seconds.
func parseSpan(s string) (core.Seconds, error) {
	if s == "" {
		return 0, nil
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && n-n == 0 {
		return core.Seconds(n), nil
	}
	d, err := time.ParseDuration(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		return 0, errors.New("Write a span like 30s, 10m or 1h30m.")
	}
	return core.Seconds(d.Seconds()), nil
}

// resourcesIn are the ids in events of the things that a field names.
func (u *UI) resourcesIn(ctx context.Context, f *form.Field, kind string) (ids []string) {
	for _, name := range commaList(f.Value) {
		if kind == "tag" {
			ids = append(ids, "prefect.tag."+name)
			continue
		}
		id, err := u.targetID(ctx, strings.ReplaceAll(kind, "-", "_"), name)
		if err != nil {
			f.Error = err.Error()
			return nil
		}
		ids = append(ids, "prefect."+kind+"."+id.String())
	}
	return ids
}

// targetID finds a thing by the name that the form has for it, or by its id.
func (u *UI) targetID(ctx context.Context, kind, name string) (id core.UUID, err error) {
	if id, err := core.ParseUUID(name); err == nil {
		return id, nil
	}
	before, after, _ := strings.Cut(name, "/")
	noun := strings.ReplaceAll(kind, "_", " ")
	switch kind {
	case "flow":
		x, err2 := u.Store.FlowByName(ctx, name)
		if err = err2; err == nil {
			id = x.ID
		}
	case "deployment":
		x, err2 := u.Store.DeploymentByName(ctx, before, after)
		if err = err2; err == nil {
			id = x.ID
		}
	case "work_pool", "work_queue":
		x, err2 := u.Store.WorkPoolByName(ctx, before)
		if err = err2; err == nil {
			id = x.ID
		}
		if err == nil && kind == "work_queue" {
			q, err2 := u.Store.WorkQueueByName(ctx, x.ID, after)
			if err = err2; err == nil {
				id = q.ID
			}
		}
	case "block":
		x, err2 := u.Store.BlockDocumentByName(ctx, before, after)
		if err = err2; err == nil {
			id = x.ID
		}
	case "automation":
		list, err2 := u.Store.Automations(ctx, &core.AutomationFilter{Name: &core.TextFilter{Any: []string{name}}}, core.Page{Limit: 2})
		switch {
		case err2 != nil:
			return id, err2
		case len(list) > 1:
			return id, fmt.Errorf("Several automations are called %q; write the id of one.", name)
		case len(list) == 1:
			return list[0].ID, nil
		}
		err = core.NotFound(noun)
	}
	if core.IsNotFound(err) {
		return id, fmt.Errorf("There is no %s %q.", noun, name)
	}
	return id, err
}

// buildAction changes of the original what was changed in the form; an action
// of another type begins anew.
func (u *UI) buildAction(ctx context.Context, i int, f *views.ActionForm) *core.AutomationAction {
	a := u.typedAction(ctx, f)
	old := &core.AutomationAction{}
	if json.Unmarshal([]byte(f.Original), old) != nil || old.Type != a.Type {
		return a
	}
	shown := u.actionForm(ctx, i, old)
	same := func(name string) bool {
		x := f.At(name)
		text := shown.At(name).Value
		if !slices.Contains(proseFields, name) {
			text = strings.TrimSpace(text)
		}
		return x.Error == "" && form.Same(x.Value, text)
	}
	keep(same("parameters"), &a.Parameters, old.Parameters)
	keep(same("job_variables"), &a.JobVariables, old.JobVariables)
	keep(same("payload"), &a.Payload, old.Payload)
	keep(same("after"), &a.ScheduleAfter, old.ScheduleAfter)
	keep(same("name"), &a.Name, old.Name)
	keep(same("message"), &a.Message, old.Message)
	keep(same("subject"), &a.Subject, old.Subject)
	keep(same("body"), &a.Body, old.Body)
	keep(same("state"), &a.State, old.State)
	keep(a.Type != "change-flow-run-state", &a.Force, old.Force)
	if same("deployment") && same("work_pool") && same("work_queue") && same("automation") && same("block") {
		a.Source, a.DeploymentID, a.WorkPoolID, a.WorkQueueID, a.AutomationID, a.BlockDocumentID =
			old.Source, old.DeploymentID, old.WorkPoolID, old.WorkQueueID, old.AutomationID, old.BlockDocumentID
	}
	return a
}

func keep[T any](untouched bool, at *T, stored T) {
	if untouched {
		*at = stored
	}
}

func (u *UI) typedAction(ctx context.Context, f *views.ActionForm) *core.AutomationAction {
	a := &core.AutomationAction{Type: f.At("type").Value}
	fields, known := core.ActionFields[a.Type]
	if !known {
		f.At("type").Error = "Choose what to do."
		return a
	}
	targets := map[string]*core.UUID{
		"deployment": &a.DeploymentID,
		"work_pool":  &a.WorkPoolID,
		"work_queue": &a.WorkQueueID,
		"automation": &a.AutomationID,
		"block":      &a.BlockDocumentID,
	}
	for kind, id := range targets {
		has := slices.Contains(fields, kind+"_id") || kind == "block" && slices.Contains(fields, "block_document_id")
		if x := f.At(kind); has && x.Value != "" {
			var err error
			if *id, err = u.targetID(ctx, kind, x.Value); err != nil {
				x.Error = err.Error()
			}
		}
	}
	if slices.Contains(fields, "source") {
		a.Source = map[bool]string{true: "inferred", false: "selected"}[a.Target().IsZero()]
		for kind := range targets { // a name that is not found infers nothing
			if f.At(kind).Error != "" {
				a.Source = "selected"
			}
		}
	}
	optional := func(name string) *string {
		if v := f.At(name).Value; v != "" {
			return &v
		}
		return nil
	}
	switch a.Type {
	case "run-deployment":
		for name, j := range map[string]*core.JSON{"parameters": &a.Parameters, "job_variables": &a.JobVariables} {
			x := f.At(name)
			if x.Value == "" {
				continue
			}
			if err := page.ObjectOf(x.Value); err != nil {
				x.Error = err.Error()
			} else {
				*j = core.JSON(x.Value)
			}
		}
		var err error
		if a.ScheduleAfter, err = parseSpan(f.At("after").Value); err != nil {
			f.At("after").Error = err.Error()
		}
	case "change-flow-run-state":
		a.State, a.Name, a.Message, a.Force = f.At("state").Value, optional("name"), optional("message"), f.At("force").Value == "true"
	case "send-notification":
		a.Subject, a.Body = optional("subject"), f.At("body").Value
	case "call-webhook":
		a.Payload = core.ToJSON(f.At("payload").Value)
	}
	return a
}
