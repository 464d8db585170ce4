package main

import (
	"encoding/json"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
)

type variableCmd struct {
	Ls    variableLsCmd    `cmd:"" aliases:"list" help:"List variables"`
	Get   variableGetCmd   `cmd:"" help:"Print a variable's value"`
	Set   variableSetCmd   `cmd:"" help:"Set a variable"`
	Unset variableUnsetCmd `cmd:"" aliases:"delete" help:"Delete a variable"`

	Inspect variableInspectCmd `cmd:"" help:"Show a variable"`
}

type variableLsCmd struct{ pageFlags }

func (c *variableLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.Variable](a, "POST", "/variables/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty:   "no variables",
		Columns: []out.Column{{Name: "name"}, {Name: "value", Keep: true}, {Name: "updated"}, {Name: "tags"}},
	}
	var names []string
	for _, v := range all {
		names = append(names, v.Name)
		t.Rows = append(t.Rows, []string{v.Name, string(v.Value), a.out.Ago(v.Updated), strings.Join(v.Tags, ", ")})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

type variableRef struct {
	Name string `arg:"" predictor:"variable" help:"name of the variable"`
}

func (r variableRef) find(a *app) (*core.Variable, core.JSON, error) {
	v, raw, err := ask[*core.Variable](a, "GET", "/variables/name/"+esc(r.Name), nil)
	return v, raw, r.missing(err)
}

func (r variableRef) missing(err error) error {
	if core.IsNotFound(err) {
		return &failure{code: exitNotFound, what: "no variable " + r.Name, hint: "flowlite variable ls shows all"}
	}
	return err
}

type variableInspectCmd struct{ variableRef }

func (c *variableInspectCmd) Run(a *app) error {
	v, raw, err := c.find(a)
	if err != nil {
		return err
	}
	return a.out.Record(
		raw,
		v.Name,
		[]out.Field{
			{Name: "Name", Value: a.out.Bold(v.Name)},
			{Name: "Id", Value: v.ID.String()},
			{Name: "Value", Value: string(v.Value)},
			{
				Name:  "Tags",
				Value: strings.Join(v.Tags, ", "),
			},
			{Name: "Created", Value: a.out.Full(v.Created)},
			{Name: "Updated", Value: a.out.Full(v.Updated)},
		},
	)
}

type variableGetCmd struct{ variableRef }

func (c *variableGetCmd) Run(a *app) error {
	v, raw, err := c.find(a)
	if err != nil {
		return err
	}
	text := string(v.Value)
	_ = json.Unmarshal(v.Value, &text) // a string without its quotes
	return a.out.Value(raw, v.Name, text)
}

type variableSetCmd struct {
	variableRef
	Value     string   `arg:"" help:"JSON, or else text"`
	Overwrite bool     `help:"replace a value that is there"`
	Tag       []string `short:"t" sep:"none" help:"a tag"`
}

func (c *variableSetCmd) Run(a *app) error {
	body := map[string]any{"name": c.Name, "value": schema.FromText(nil, "", c.Value)}
	if c.Tag != nil {
		body["tags"] = c.Tag
	}
	v, raw, err := ask[*core.Variable](a, "POST", "/variables/", body)
	if core.CodeOf(err) == core.EConflict && c.Overwrite {
		if _, err = a.api.call(a.ctx, "PATCH", "/variables/name/"+esc(c.Name), body); err == nil {
			v, raw, err = ask[*core.Variable](a, "GET", "/variables/name/"+esc(c.Name), nil)
		}
	} else if core.CodeOf(err) == core.EConflict {
		return &failure{code: exitFailed, what: "variable " + c.Name + " is set already", hint: "say --overwrite to replace its value"}
	}
	if err != nil {
		return err
	}
	return a.out.Say(raw, v.Name, "Set %s", v.Name)
}

type variableUnsetCmd struct {
	variableRef
	yesFlag
}

func (c *variableUnsetCmd) Run(a *app) error {
	if _, _, err := c.find(a); err != nil {
		return err
	}
	if err := a.confirm(c.Yes, "Delete variable "+c.Name+"?"); err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "DELETE", "/variables/name/"+esc(c.Name), nil); err != nil {
		return c.missing(err)
	}
	return a.out.Say(core.ToJSON(map[string]string{"name": c.Name}), c.Name, "Unset %s", c.Name)
}
