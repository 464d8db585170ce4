package automation

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

const (
	firedSpan    = 30 * 24 * time.Hour
	doingsAPage  = 20
	triggered    = "prefect.automation.triggered"
	actionEvents = "prefect.automation."
)

func (u *UI) automations(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Automations", "automations")
	if err != nil {
		return err
	}
	ctx := r.Context()
	recs, err := u.Store.Automations(ctx, nil, core.Page{})
	if err != nil {
		return err
	}
	total := int64(len(recs))
	if total == core.MaxLimit {
		if total, err = u.Store.CountAutomations(ctx, nil); err != nil {
			return err
		}
	}
	list, err := u.readAutomations(ctx, p.Now, recs)
	if err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.AutomationsBody(p, list, total))
	}
	return u.Send(w, r, views.AutomationsPage(p, list, total))
}

// readAutomations puts automations into words, and counts their firings.
func (u *UI) readAutomations(ctx context.Context, now core.Time, recs []*core.Automation) ([]views.AutomationView, error) {
	if len(recs) == 0 {
		return nil, nil
	}
	naming := u.naming(ctx)
	ids := make([]string, len(recs))
	for i, a := range recs {
		ids[i] = a.Resource()
	}
	counted := func(event string) ([]core.EventCount, error) {
		return u.Store.EventCounts(ctx, &core.EventFilter{
			Occurred: &core.EventOccurred{Since: now.Add(-firedSpan), Until: now.Add(time.Minute)},
			Resource: &core.EventResource{ID: ids}, Event: &core.EventName{Name: []string{event}},
		}, core.CountByResource, 0, 1)
	}
	counts, err := counted(triggered)
	if err != nil {
		return nil, err
	}
	failures, err := counted(actionEvents + "action.failed")
	if err != nil {
		return nil, err
	}
	out := make([]views.AutomationView, len(recs))
	for i, a := range recs {
		v := views.AutomationView{Automation: a, When: views.WhenSentence(a.Trigger, naming), Then: views.ThenSentence(a.Actions, naming)}
		for _, c := range counts { // one for each name that it had
			if c.Value == ids[i] {
				v.Fired, v.Last = v.Fired+c.Count, max(v.Last, c.End)
			}
		}
		for _, c := range failures {
			if c.Value == ids[i] && c.End >= v.Last && v.Last > 0 {
				v.Failed = true
			}
		}
		out[i] = v
	}
	return out, nil
}

// naming looks names up for one page: each once.
func (u *UI) naming(ctx context.Context) views.Naming {
	type answer struct{ name, href string }
	known := map[string]answer{}
	return func(resource string) (string, string) {
		a, has := known[resource]
		if !has {
			a.name, a.href = u.resource(ctx, resource)
			known[resource] = a
		}
		return a.name, a.href
	}
}

// resource is what a resource is called and where its page is; empty for one
// that is gone or of no kind that we know.
func (u *UI) resource(ctx context.Context, resource string) (name, href string) {
	kind, text, _ := strings.Cut(strings.TrimPrefix(resource, "prefect."), ".")
	id, err := core.ParseUUID(text)
	if err != nil {
		return "", ""
	}
	switch kind {
	case "flow":
		if name, err = u.FlowName(ctx, id); name != "" && err == nil {
			href = "/flows/" + text
		}
	case "deployment":
		if d, err := u.Store.Deployment(ctx, id); err == nil {
			name, href = d.FullName(), "/deployments/"+text
		}
	case "work-pool":
		if x, err := u.Store.WorkPool(ctx, id); err == nil {
			name, href = x.Name, "/work-pools/"+core.PathSegment(x.Name)
		}
	case "work-queue":
		if x, err := u.Store.WorkQueue(ctx, id); err == nil {
			name, href = core.Deref(x.WorkPoolName)+"/"+x.Name, "/work-pools/"+core.PathSegment(core.Deref(x.WorkPoolName))
		}
	case "automation":
		if x, err := u.Store.Automation(ctx, id); err == nil {
			name, href = x.Name, "/automations/"+text
		}
	case "block-document":
		if x, err := u.Store.BlockDocument(ctx, id); err == nil {
			name, href = blockName(x), "/blocks/block/"+text
		}
	case "flow-run":
		if x, err := u.Store.FlowRun(ctx, id); err == nil {
			name, href = x.Name, "/flow-runs/"+text
		}
	}
	return name, href
}

func blockName(d *core.BlockDocument) string {
	if d.BlockType == nil {
		return d.Name
	}
	return d.BlockType.Slug + "/" + d.Name
}

func (u *UI) automation(w http.ResponseWriter, r *http.Request) error {
	a, err := u.readAutomation(r)
	if err != nil {
		return err
	}
	p, err := u.Page(w, r, a.Name, "automations")
	if err != nil {
		return err
	}
	ctx := r.Context()
	list, err := u.readAutomations(ctx, p.Now, []*core.Automation{a})
	if err != nil {
		return err
	}
	v := list[0]
	v.Doings, err = u.Store.Events(ctx, &core.EventFilter{
		Occurred: &core.EventOccurred{Since: p.Now.Add(-firedSpan), Until: p.Now.Add(time.Minute)},
		Resource: &core.EventResource{
			ID: []string{a.Resource()},
		},
		Event: &core.EventName{Prefix: []string{actionEvents}, ExcludeName: []string{actionEvents + "action.triggered"}},
	}, core.Page{Limit: doingsAPage})
	if err != nil {
		return err
	}
	if v.Endless, err = trigger.SetsItselfOff(ctx, u.Store, a); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.AutomationDoings(p, v))
	}
	return u.Send(w, r, views.AutomationPage(p, v))
}

func (u *UI) readAutomation(r *http.Request) (*core.Automation, error) {
	id, err := page.PathID(r, "Automation")
	if err != nil {
		return nil, err
	}
	return u.Store.Automation(r.Context(), id)
}

func (u *UI) toggleAutomation(w http.ResponseWriter, r *http.Request) error {
	a, err := u.readAutomation(r)
	if err != nil {
		return err
	}
	return u.Toggle(w, r, "Automation "+a.Name, "/automations/"+a.ID.String(), func(on bool) error {
		return u.Service.UpdateAutomation(r.Context(), a.ID, core.AutomationUpdate{Enabled: core.Some(on)})
	})
}

func (u *UI) deleteAutomation(w http.ResponseWriter, r *http.Request) error {
	a, err := u.readAutomation(r)
	if err != nil {
		return err
	}
	if err := u.Service.DeleteAutomation(r.Context(), a.ID); err != nil {
		return err
	}
	u.Flash(w, "Automation "+a.Name+" deleted.")
	return u.Redirect(w, r, "/automations")
}

// automationForm is the page of a new automation, empty, copied from another
// or made from an event, and that of one to be changed.
func (u *UI) automationForm(w http.ResponseWriter, r *http.Request) error {
	p, f, err := u.openAutomationForm(w, r)
	if err != nil {
		return err
	}
	draft, id, err := u.draft(r)
	if err != nil {
		return err
	}
	f.ID = id
	u.fillAutomation(r.Context(), f, draft)
	if id != "" {
		draft.Enabled = nil
		f.Opened = form.Digest(rawOf(draft))
	}
	u.read(r.Context(), f)
	return u.Send(w, r, views.AutomationFormPage(p, f))
}

// editAutomation has the path /automations/{id}/edit: written so it would
// meet Prefect's /automations/automation/{id}.
func (u *UI) editAutomation(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("what") != "edit" {
		return page.NoPage()
	}
	return u.automationForm(w, r)
}

func (u *UI) openAutomationForm(w http.ResponseWriter, r *http.Request) (views.Page, *views.AutomationForm, error) {
	p, err := u.Page(w, r, "Automation", "automations")
	if err != nil {
		return p, nil, err
	}
	choices, err := u.automationChoices(r.Context())
	return p, &views.AutomationForm{Choices: choices}, err
}

// draft is what the form is filled with.
func (u *UI) draft(r *http.Request) (c core.AutomationWrite, id string, err error) {
	if r.PathValue("id") != "" {
		a, err := u.readAutomation(r)
		if err != nil {
			return c, "", err
		}
		return writeOf(a), a.ID.String(), nil
	}
	q := r.URL.Query()
	ctx := r.Context()
	if from, err := core.ParseUUID(q.Get("from")); err == nil {
		a, err := u.Store.Automation(ctx, from)
		if err != nil {
			return c, "", err
		}
		c = writeOf(a)
		c.Name += " (copy)"
		return c, "", nil
	}
	if from, err := core.ParseUUID(q.Get("event")); err == nil {
		e, err := u.Event(ctx, from)
		if err != nil {
			return c, "", err
		}
		return fromEvent(e), "", nil
	}
	c.Trigger = &core.Trigger{
		Type:    core.TriggerEvent,
		Posture: core.Reactive,
		Expect:  []string{"prefect.flow-run.Failed", "prefect.flow-run.Crashed", "prefect.flow-run.TimedOut"},
		Match:   map[string]any{"prefect.resource.id": "prefect.flow-run.*"},
	}
	c.Actions = []*core.AutomationAction{
		{
			Type:    "send-notification",
			Subject: core.Ptr("{{ flow.name }} / {{ flow_run.name }}: {{ flow_run.state.name }}"),
			Body:    "{{ flow_run.state.message }}\n{{ flow_run|ui_url }}",
		},
	}
	return c, "", nil
}

// writeOf is an automation as one would write it; its triggers get new ids.
func writeOf(a *core.Automation) core.AutomationWrite {
	return core.AutomationWrite{
		Name:             a.Name,
		Description:      a.Description,
		Enabled:          &a.Enabled,
		Tags:             a.Tags,
		Trigger:          a.Trigger,
		Actions:          a.Actions,
		ActionsOnTrigger: a.ActionsOnTrigger,
		ActionsOnResolve: a.ActionsOnResolve,
	}
}

// fromEvent begins an automation that an event like this one sets off.
func fromEvent(e *core.Event) core.AutomationWrite {
	t := &core.Trigger{
		Type:    core.TriggerEvent,
		Posture: core.Reactive,
		Expect:  []string{e.Event},
		Match:   map[string]any{"prefect.resource.id": e.ResourceID()},
	}
	for _, r := range e.Related {
		if strings.HasPrefix(e.Event, "prefect.flow-run.") && r["prefect.resource.role"] == "flow" {
			t.Match = map[string]any{"prefect.resource.id": "prefect.flow-run.*"}
			t.MatchRelated = core.ToJSON(map[string]any{"prefect.resource.role": "flow", "prefect.resource.id": []string{r["prefect.resource.id"]}})
		}
	}
	action := &core.AutomationAction{Type: "run-deployment", Source: "selected"}
	if strings.HasPrefix(e.Event, "prefect.flow-run.") {
		action = &core.AutomationAction{} // runs that start runs are not what most want
	}
	return core.AutomationWrite{Trigger: t, Actions: []*core.AutomationAction{action}}
}

// automationChoices are names to pick from; a name that is not among the first
// may be written all the same.
func (u *UI) automationChoices(ctx context.Context) (map[string][]string, error) {
	c := map[string][]string{}
	deployments, err := u.Store.Deployments(ctx, core.Filters{}, core.Page{})
	if err != nil {
		return nil, err
	}
	for _, d := range deployments {
		c["deployment"] = append(c["deployment"], d.FullName())
		if !slices.Contains(c["flow"], d.FlowName) {
			c["flow"] = append(c["flow"], d.FlowName)
		}
	}
	queues, err := u.Store.WorkQueues(ctx, core.UUID{}, nil, core.Page{})
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		pool := core.Deref(q.WorkPoolName)
		c["work_queue"] = append(c["work_queue"], pool+"/"+q.Name)
		if !slices.Contains(c["work_pool"], pool) {
			c["work_pool"] = append(c["work_pool"], pool)
		}
	}
	automations, err := u.Store.Automations(ctx, nil, core.Page{})
	if err != nil {
		return nil, err
	}
	for _, a := range automations {
		c["automation"] = append(c["automation"], a.Name)
	}
	blocks, err := u.Store.BlockDocuments(ctx, core.BlockFilters{}, core.Page{})
	for _, b := range blocks {
		if b.BlockSchema != nil && slices.Contains(b.BlockSchema.Capabilities, "notify") || b.BlockType != nil && b.BlockType.Slug == "webhook" {
			c["block"] = append(c["block"], blockName(b))
		}
	}
	return c, err
}
