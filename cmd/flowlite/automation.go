package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type automationCmd struct {
	Ls      automationLsCmd      `cmd:"" aliases:"list" help:"List automations"`
	Inspect automationInspectCmd `cmd:"" help:"Show an automation"`
	Create  automationCreateCmd  `cmd:"" help:"Make automations of a file"`
	Pause   automationPauseCmd   `cmd:"" aliases:"disable" help:"Let an automation rest"`
	Resume  automationResumeCmd  `cmd:"" aliases:"enable" help:"Let an automation act again"`
	Delete  automationDeleteCmd  `cmd:"" help:"Delete an automation"`
}

type automationLsCmd struct{ pageFlags }

func (c *automationLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.Automation](a, "POST", "/automations/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty:   "no automations",
		Columns: []out.Column{{Name: "name", Keep: true}, {Name: "enabled"}, {Name: "when"}, {Name: "does"}, {Name: "updated"}, {Name: "id"}},
	}
	var names []string
	for _, x := range all {
		names = append(names, x.Name)
		var does []string
		for _, act := range x.Actions {
			does = append(does, act.Type)
		}
		t.Rows = append(
			t.Rows,
			[]string{x.Name, strconv.FormatBool(x.Enabled), when(x.Trigger), strings.Join(does, ", "), a.out.Ago(x.Updated), x.ID.String()},
		)
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

// when says in a few words what a trigger waits for.
func when(t *core.Trigger) string {
	if t == nil {
		return ""
	}
	if t.Type != core.TriggerEvent {
		var parts []string
		for _, child := range t.Triggers {
			parts = append(parts, when(child))
		}
		return t.Type + " of " + strings.Join(parts, "; ")
	}
	what := strings.Join(t.Expect, ", ")
	if what == "" {
		what = "any event"
	}
	if t.Posture == core.Proactive {
		return fmt.Sprintf("no %s in %s", what, core.Deref(t.Within).Duration())
	}
	if n := core.Deref(t.Threshold); n > 1 {
		return fmt.Sprintf("%d × %s in %s", n, what, core.Deref(t.Within).Duration())
	}
	return what
}

type automationRef struct {
	Name string `arg:"" predictor:"automation" help:"name or id"`
}

// find answers for an id, or a name that only one automation has.
func (r automationRef) find(a *app) (*core.Automation, core.JSON, error) {
	if id, bad := core.ParseUUID(r.Name); bad == nil {
		return ask[*core.Automation](a, "GET", "/automations/"+id.String(), nil)
	}
	all, _, err := ask[[]*core.Automation](a, "POST", "/automations/filter", map[string]any{
		"automations": map[string]any{"name": map[string]any{"any_": []string{r.Name}}}})
	switch {
	case err != nil:
		return nil, nil, err
	case len(all) == 0:
		return nil, nil, &failure{
			code: exitNotFound,
			what: fmt.Sprintf("no automation %q on %s", r.Name, a.where()),
			hint: "flowlite automation ls shows all",
		}
	case len(all) > 1:
		ids := make([]string, len(all))
		for i, x := range all {
			ids[i] = x.ID.String()
		}
		return nil, nil, &failure{
			code: exitUsage,
			what: fmt.Sprintf("%d automations have the name %q", len(all), r.Name),
			hint: "say the id of one: " + strings.Join(ids[:min(len(ids), 4)], ", "),
		}
	}
	return ask[*core.Automation](a, "GET", "/automations/"+all[0].ID.String(), nil)
}

type automationInspectCmd struct{ automationRef }

func (c *automationInspectCmd) Run(a *app) error {
	x, raw, err := c.find(a)
	if err != nil {
		return err
	}
	fields := []out.Field{
		{Name: "Name", Value: x.Name}, {Name: "Id", Value: x.ID.String()}, {Name: "Description", Value: x.Description},
		{Name: "Enabled", Value: strconv.FormatBool(x.Enabled)}, {Name: "When", Value: when(x.Trigger)},
		{Name: "Trigger", Value: string(core.ToJSON(x.Trigger))}, {Name: "Actions", Value: string(core.ToJSON(x.Actions))},
		{Name: "Updated", Value: a.out.Full(x.Updated)},
	}
	return a.out.Record(raw, x.Name, fields)
}

type automationCreateCmd struct {
	File string `name:"from-file" short:"f" required:"" help:"YAML or JSON, - for the standard input: one automation, a list, or {automations: [...]}"`
}

func (c *automationCreateCmd) Run(a *app) error {
	text, err := readFile(a, c.File)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return badUsage("%s is neither YAML nor JSON: %v", c.File, err)
	}
	doc, err := yamlValue(&node, 0)
	if err != nil {
		return badUsage("%s: %v", c.File, err)
	}
	if o, ok := doc.(core.Object); ok {
		if all, _ := o.Get("automations"); all != nil {
			doc = all
		}
	}
	list, many := doc.([]any)
	if !many {
		list = []any{doc}
	}
	for i, one := range list {
		if _, ok := one.(core.Object); !ok {
			return badUsage("%s: automation %d is no mapping with a name, a trigger and actions; see docs/automations.md", c.File, i+1)
		}
	}
	if len(list) == 0 {
		return badUsage("%s holds no automation", c.File)
	}
	var made []json.RawMessage
	var names []string
	for _, one := range list {
		x, raw, err := ask[*core.Automation](a, "POST", "/automations/", one)
		if err != nil {
			return err
		}
		made, names = append(made, json.RawMessage(raw)), append(names, x.Name)
	}
	all := core.ToJSON(made)
	if !many {
		all = core.JSON(made[0])
	}
	if a.out.ForPeople() {
		return a.out.Say(nil, "", "Created %s", strings.Join(names, ", "))
	}
	return a.out.List(all, nil, names)
}

type automationPauseCmd struct{ automationRef }

func (c *automationPauseCmd) Run(a *app) error { return c.enable(a, false, "Paused") }

type automationResumeCmd struct{ automationRef }

func (c *automationResumeCmd) Run(a *app) error { return c.enable(a, true, "Resumed") }

func (r automationRef) enable(a *app, enabled bool, done string) error {
	x, _, err := r.find(a)
	if err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "PATCH", "/automations/"+x.ID.String(), map[string]bool{"enabled": enabled}); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(map[string]any{"id": x.ID, "name": x.Name, "enabled": enabled}), x.Name, "%s %s", done, x.Name)
}

type automationDeleteCmd struct {
	automationRef
	yesFlag
}

func (c *automationDeleteCmd) Run(a *app) error {
	x, _, err := c.find(a)
	if err != nil {
		return err
	}
	if err := a.confirm(c.Yes, "Delete automation "+x.Name+"?"); err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "DELETE", "/automations/"+x.ID.String(), nil); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(map[string]any{"id": x.ID, "name": x.Name}), x.Name, "Deleted %s", x.Name)
}
