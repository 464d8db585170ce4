package main

import (
	"encoding/json"
	"fmt"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type artifactCmd struct {
	Ls      artifactLsCmd      `cmd:"" aliases:"list" help:"List artifacts: the latest of each key"`
	Inspect artifactInspectCmd `cmd:"" help:"Show the artifacts of a key, the newest first"`
	Delete  artifactDeleteCmd  `cmd:"" help:"Delete an artifact, or all of a key"`
}

type artifactLsCmd struct {
	pageFlags
	All bool `help:"every artifact, not only the latest of each key"`
}

func (c *artifactLsCmd) Run(a *app) error {
	path := "/artifacts/latest/filter"
	if c.All {
		path = "/artifacts/filter"
	}
	all, raw, err := ask[[]*core.Artifact](a, "POST", path, c.body(map[string]any{"sort": "CREATED_DESC"}))
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty:   "no artifacts",
		Columns: []out.Column{{Name: "key"}, {Name: "type"}, {Name: "updated"}, {Name: "id", Keep: true}, {Name: "description"}},
	}
	var names []string
	for _, x := range all {
		id := x.ID.String()
		if key := core.Deref(x.Key); key != "" && !c.All {
			names = append(names, key)
		} else {
			names = append(names, id)
		}
		t.Rows = append(t.Rows, []string{core.Deref(x.Key), core.Deref(x.Type), a.out.Ago(x.Updated), id, core.Deref(x.Description)})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

type artifactInspectCmd struct {
	Key   string `arg:"" predictor:"artifact" help:"key of artifacts, or the id of one"`
	Limit int    `default:"10" help:"so many of them, at most 200"`
}

func (c *artifactInspectCmd) Validate() error {
	if c.Limit < 1 || c.Limit > core.MaxLimit {
		return fmt.Errorf("--limit is from 1 to %d", core.MaxLimit)
	}
	return nil
}

// artifactsOf is every artifact of a key, or the one of an id.
func (a *app) artifactsOf(ref string, page map[string]any) ([]*core.Artifact, core.JSON, error) {
	filter := map[string]any{"key": map[string]any{"any_": []string{ref}}}
	if id, err := core.ParseUUID(ref); err == nil {
		filter = map[string]any{"id": map[string]any{"any_": []core.UUID{id}}}
	}
	page["artifacts"], page["sort"] = filter, "CREATED_DESC"
	all, raw, err := ask[[]*core.Artifact](a, "POST", "/artifacts/filter", page)
	if err == nil && len(all) == 0 {
		err = &failure{
			code: exitNotFound,
			what: fmt.Sprintf("no artifact %q on %s", ref, a.where()),
			hint: "flowlite artifact ls shows the latest of each key",
		}
	}
	return all, raw, err
}

func (c *artifactInspectCmd) Run(a *app) error {
	all, raw, err := a.artifactsOf(c.Key, map[string]any{"limit": c.Limit})
	if err != nil {
		return err
	}
	if !a.out.ForPeople() {
		var names []string
		for _, x := range all {
			names = append(names, x.ID.String())
		}
		return a.out.List(raw, nil, names)
	}
	for i, x := range all {
		if i > 0 {
			if err := a.out.Say(nil, "", ""); err != nil {
				return err
			}
		}
		data := string(x.Data)
		_ = json.Unmarshal(x.Data, &data) // markdown as it was written
		id := func(u core.UUID) string {
			if u.IsZero() {
				return ""
			}
			return u.String()
		}
		if err := a.out.Record(
			nil,
			"",
			[]out.Field{
				{Name: "Key", Value: a.out.Bold(core.Deref(x.Key))},
				{Name: "Id", Value: x.ID.String()},
				{Name: "Type", Value: core.Deref(x.Type)},
				{
					Name:  "Description",
					Value: core.Deref(x.Description),
				},
				{Name: "Flow run", Value: id(x.FlowRunID)},
				{Name: "Task run", Value: id(x.TaskRunID)},
				{Name: "Created", Value: a.out.Full(x.Created)},
				{Name: "Data", Value: data},
			},
		); err != nil {
			return err
		}
	}
	return nil
}

type artifactDeleteCmd struct {
	Key string `arg:"" predictor:"artifact" optional:"" help:"key of artifacts, or the id of one"`
	ID  string `name:"id" help:"id of an artifact"`
	yesFlag
}

func (c *artifactDeleteCmd) Run(a *app) error {
	ref := c.Key
	if (ref == "") == (c.ID == "") {
		return badUsage("say either a key or --id")
	}
	if c.ID != "" {
		if _, err := core.ParseUUID(c.ID); err != nil {
			return badUsage("--id %s is not an id", c.ID)
		}
		ref = c.ID
	}
	var all []*core.Artifact
	for {
		page, _, err := a.artifactsOf(ref, map[string]any{"limit": core.MaxLimit, "offset": len(all)})
		if err != nil && len(all) == 0 {
			return err
		}
		if all = append(all, page...); len(page) < core.MaxLimit {
			break
		}
	}
	question := "Delete artifact " + ref + "?"
	if len(all) > 1 {
		question = fmt.Sprintf("Delete %s of key %s?", count(len(all), "artifact"), ref)
	}
	if err := a.confirm(c.Yes, question); err != nil {
		return err
	}
	for _, x := range all {
		if _, err := a.api.call(a.ctx, "DELETE", "/artifacts/"+x.ID.String(), nil); err != nil && !core.IsNotFound(err) {
			return err
		}
	}
	return a.out.Say(core.ToJSON(map[string]any{"key": ref, "deleted": len(all)}), ref, "Deleted %s of %s", count(len(all), "artifact"), ref)
}
