package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// maxActionForms is how many actions the form takes; the service says how many
// an automation may have.
const maxActionForms = 100

// saveAutomation does what the button says: saves, adds or removes an action,
// or turns the form into JSON and back.
func (u *UI) saveAutomation(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	p, f, err := u.openAutomationForm(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	var old *core.Automation
	if r.PathValue("id") != "" {
		if old, err = u.readAutomation(r); err != nil {
			return err
		}
		f.ID = old.ID.String()
	}
	readPosted(f, r.PostForm)
	if old != nil {
		f.Enabled = old.Enabled
	}
	do := r.PostForm.Get("do")
	if n, ok := strings.CutPrefix(do, "remove-"); ok {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(f.Actions) {
			f.Actions = renumbered(slices.Delete(f.Actions, i, i+1))
		}
		return u.showForm(w, r, p, f, http.StatusOK)
	}
	if do == "add" {
		f.Actions = append(f.Actions, views.ActionForm{Fields: actionFields(len(f.Actions))})
		return u.showForm(w, r, p, f, http.StatusOK)
	}
	c, ok := u.build(ctx, f)
	switch {
	case !ok:
	case do == "json" || do == "form":
		u.fillAutomation(ctx, f, c)
		f.AsJSON = do == "json"
		return u.showForm(w, r, p, f, http.StatusOK)
	default:
		err := u.write(ctx, old, c)
		if err == nil {
			return u.saved(w, r, old, c)
		}
		if e, bad := invalid(err); bad {
			markAutomation(f, e)
		} else {
			return err
		}
	}
	return u.showForm(w, r, p, f, http.StatusUnprocessableEntity)
}

func (u *UI) write(ctx context.Context, old *core.Automation, c core.AutomationWrite) error {
	if old != nil {
		return u.Service.ReplaceAutomation(ctx, old.ID, c)
	}
	_, err := u.Service.CreateAutomation(ctx, c)
	return err
}

func (u *UI) saved(w http.ResponseWriter, r *http.Request, old *core.Automation, c core.AutomationWrite) error {
	if old != nil {
		u.flash(w, "Automation "+c.Name+" saved.")
		return u.redirect(w, r, "/automations/"+old.ID.String())
	}
	u.flash(w, "Automation "+c.Name+" made.")
	return u.redirect(w, r, "/automations")
}

func (u *UI) showForm(w http.ResponseWriter, r *http.Request, p views.Page, f *views.AutomationForm, code int) error {
	if hx(r) {
		return u.sendCode(w, r, code, views.AutomationFormC(f))
	}
	u.read(r.Context(), f)
	return u.sendCode(w, r, code, views.AutomationFormPage(p, f))
}

// previewAutomation says how the form reads as it stands.
func (u *UI) previewAutomation(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	f := &views.AutomationForm{}
	readPosted(f, r.PostForm)
	u.read(r.Context(), f)
	return u.send(w, r, views.AutomationReads(f))
}

// read puts the form into words, without complaints about what is not typed yet.
func (u *UI) read(ctx context.Context, f *views.AutomationForm) {
	name := f.At("name").Error
	c, _ := u.build(ctx, f)
	f.At("name").Error = name
	if c.Trigger == nil {
		return
	}
	naming := u.naming(ctx)
	f.When, f.Then = views.WhenSentence(c.Trigger, naming), views.ThenSentence(c.Actions, naming)
}

// readPosted puts what was typed into the fields.
func readPosted(f *views.AutomationForm, q url.Values) {
	f.Enabled, f.AsJSON = true, q.Get("as") == "json"
	f.Kind, f.Original = q.Get("kind"), q.Get("original")
	f.States, f.Statuses = q["run.states"], q["status.states"]
	f.Fields = automationFields()
	typed := func(fs []form.Field) {
		for i := range fs {
			fs[i].Value = strings.TrimSpace(strings.ReplaceAll(q.Get(fs[i].Path), "\r\n", "\n"))
		}
	}
	typed(f.Fields)
	f.Raw = form.Field{Name: "raw", Path: "raw", ID: "raw", Title: "The whole automation", Kind: form.JSON, TypeHint: "json", Value: q.Get("raw")}
	f.Actions = nil
	for i := 0; i < maxActionForms && q.Has("a"+strconv.Itoa(i)+".type"); i++ {
		a := views.ActionForm{Fields: actionFields(i)}
		typed(a.Fields)
		f.Actions = append(f.Actions, a)
	}
}

func renumbered(actions []views.ActionForm) []views.ActionForm {
	for i := range actions {
		fresh := actionFields(i)
		for j := range fresh {
			fresh[j].Value = actions[i].Fields[j].Value
		}
		actions[i].Fields = fresh
	}
	return actions
}

// build makes the automation that the form asks for; what is wrong stands at
// its field, and then ok is false.
func (u *UI) build(ctx context.Context, f *views.AutomationForm) (c core.AutomationWrite, ok bool) {
	if f.AsJSON {
		if err := decodeStrict(f.Raw.Value, &c); err != nil {
			f.Raw.Error = err.Error()
			return c, false
		}
		if c.Name == "" {
			f.Raw.Error = "name: Required."
		}
		return c, f.Raw.Error == ""
	}
	if c.Name = f.At("name").Value; c.Name == "" {
		f.At("name").Error = "Required."
	}
	c.Description, c.Tags, c.Enabled = f.At("description").Value, commaList(f.At("tags").Value), &f.Enabled
	c.Trigger = u.buildTrigger(ctx, f)
	c.Actions = []*core.AutomationAction{}
	for i := range f.Actions {
		c.Actions = append(c.Actions, u.buildAction(ctx, &f.Actions[i]))
	}
	for name, list := range map[string]*[]*core.AutomationAction{"on_trigger": &c.ActionsOnTrigger, "on_resolve": &c.ActionsOnResolve} {
		if v := f.At(name); v.Value != "" {
			if err := decodeStrict(v.Value, list); err != nil {
				v.Error = err.Error()
			}
		}
	}
	return c, len(f.Errors()) == 0
}

// decodeStrict refuses what it would lose: unknown keys, and anything after
// the value.
func decodeStrict(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after its end")
		}
	}
	if errors.Is(err, io.EOF) {
		return errors.New("Not valid JSON: nothing is there.") //nolint:staticcheck // a sentence for people
	}
	if err != nil {
		return fmt.Errorf("Not valid JSON: %s", strings.TrimPrefix(err.Error(), "json: ")) //nolint:staticcheck // a sentence for people
	}
	return nil
}

func commaList(s string) []string {
	out := []string{}
	for x := range strings.SplitSeq(s, ",") {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

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
		var v any
		if err := json.Unmarshal([]byte(m.Value), &v); m.Value != "" && err != nil {
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
		return 0, errors.New("Write a span like 30s, 10m or 1h30m.") //nolint:staticcheck // a sentence for people
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
			return id, fmt.Errorf("Several automations are called %q; write the id of one.", name) //nolint:staticcheck // a sentence for people
		case len(list) == 1:
			return list[0].ID, nil
		}
		err = core.NotFound(noun)
	}
	if core.IsNotFound(err) {
		return id, fmt.Errorf("There is no %s %q.", noun, name) //nolint:staticcheck // a sentence for people
	}
	return id, err
}

func (u *UI) buildAction(ctx context.Context, f *views.ActionForm) *core.AutomationAction {
	a := &core.AutomationAction{Type: f.At("type").Value}
	fields, known := core.ActionFields[a.Type]
	if !known {
		f.At("type").Error = "Choose what to do."
		return a
	}
	targets := map[string]*core.UUID{"deployment": &a.DeploymentID, "work_pool": &a.WorkPoolID, "work_queue": &a.WorkQueueID, "automation": &a.AutomationID, "block": &a.BlockDocumentID}
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
			var m map[string]any
			if err := decodeStrict(x.Value, &m); x.Value != "" && err != nil {
				x.Error = err.Error()
			} else if x.Value != "" {
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

// markAutomation writes what the service says beside the field that it is about.
func markAutomation(f *views.AutomationForm, e *core.Error) {
	if len(e.Fields) == 0 {
		f.Problem = e.Message
	}
	for _, x := range e.Fields {
		msg := strings.TrimPrefix(x.Msg, "Value error, ")
		var loc []string
		for _, l := range x.Loc {
			loc = append(loc, fmt.Sprint(l))
		}
		if len(loc) > 0 && loc[0] == "body" {
			loc = loc[1:]
		}
		if f.AsJSON {
			f.Raw.Error = strings.Join(loc, ".") + ": " + msg
			return
		}
		if at := fieldAt(f, loc, msg); at != nil {
			at.Error = msg
		} else {
			f.Problem = msg
		}
	}
}

func fieldAt(f *views.AutomationForm, loc []string, msg string) *form.Field {
	if len(loc) == 0 {
		return nil
	}
	field := ""
	switch loc[0] {
	case "trigger":
		if f.Kind == "json" {
			return f.At("json.trigger")
		}
		if len(loc) > 1 {
			field = loc[1]
		} else if strings.Contains(msg, "within") {
			field = "within"
		}
		return ifThere(f.Fields, f.Kind+"."+field)
	case "actions":
		if len(loc) < 2 {
			return nil
		}
		i, err := strconv.Atoi(loc[1])
		if err != nil || i >= len(f.Actions) {
			return nil
		}
		if len(loc) > 2 {
			field = strings.TrimSuffix(strings.TrimSuffix(loc[2], "_id"), "_document")
		}
		if at := ifThere(f.Actions[i].Fields, field); at != nil {
			return at
		}
		return f.Actions[i].At("type")
	case "actions_on_trigger":
		return f.At("on_trigger")
	case "actions_on_resolve":
		return f.At("on_resolve")
	}
	return ifThere(f.Fields, loc[0])
}

func ifThere(fields []form.Field, name string) *form.Field {
	if i := slices.IndexFunc(fields, func(x form.Field) bool { return x.Name == name }); i >= 0 {
		return &fields[i]
	}
	return nil
}
