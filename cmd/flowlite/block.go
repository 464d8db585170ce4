package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type blockCmd struct {
	Ls      blockLsCmd      `cmd:"" aliases:"list" help:"List blocks"`
	Inspect blockInspectCmd `cmd:"" help:"Show a block, its secrets masked"`
	Create  blockCreateCmd  `cmd:"" help:"Save a block from a file"`
	Delete  blockDeleteCmd  `cmd:"" help:"Delete a block"`
	Type    blockTypeCmd    `cmd:"" aliases:"types" help:"Kinds of blocks"`
}

type blockLsCmd struct {
	pageFlags
	Type string `short:"t" help:"only of this type"`
}

func (c *blockLsCmd) Run(a *app) error {
	more := map[string]any{"sort": "BLOCK_TYPE_AND_NAME_ASC"}
	if c.Type != "" {
		more["block_types"] = map[string]any{"slug": map[string]any{"any_": []string{c.Type}}}
	}
	all, raw, err := ask[[]*core.BlockDocument](a, "POST", "/block_documents/filter", c.body(more))
	if err != nil {
		return err
	}
	t := &out.Table{Empty: "no blocks", Columns: []out.Column{{Name: "block", Keep: true}, {Name: "type"}, {Name: "updated"}, {Name: "id"}}}
	var names []string
	for _, d := range all {
		name := d.BlockType.Slug + "/" + d.Name
		names = append(names, name)
		t.Rows = append(t.Rows, []string{name, d.BlockType.Name, a.out.Ago(d.Updated), d.ID.String()})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

type blockRef struct {
	Name string `arg:"" predictor:"block" help:"TYPE/NAME, or id"`
}

func (r blockRef) find(a *app) (*core.BlockDocument, core.JSON, error) {
	path := "/block_documents/" + r.Name
	if _, err := core.ParseUUID(r.Name); err != nil {
		kind, name, ok := strings.Cut(r.Name, "/")
		if !ok {
			return nil, nil, badUsage("a block is TYPE/NAME, such as secret/api-key, or an id")
		}
		path = blockPath(kind, name)
	}
	d, raw, err := ask[*core.BlockDocument](a, "GET", path, nil)
	if core.IsNotFound(err) {
		err = &failure{code: exitNotFound, what: "no block " + r.Name, hint: "flowlite block ls shows all"}
	}
	return d, raw, err
}

type blockInspectCmd struct{ blockRef }

func (c *blockInspectCmd) Run(a *app) error {
	d, raw, err := c.find(a)
	if err != nil {
		return err
	}
	fields := []out.Field{
		{Name: "Block", Value: d.BlockType.Slug + "/" + d.Name},
		{Name: "Id", Value: d.ID.String()},
		{Name: "Updated", Value: a.out.Full(d.Updated)},
	}
	data := map[string]core.JSON{}
	_ = json.Unmarshal(d.Data, &data)
	for _, k := range slices.Sorted(maps.Keys(data)) {
		text := string(data[k])
		_ = json.Unmarshal(data[k], &text)
		fields = append(fields, out.Field{Name: k, Value: text})
	}
	return a.out.Record(raw, d.BlockType.Slug+"/"+d.Name, fields)
}

type blockCreateCmd struct {
	Name      string `arg:"" help:"TYPE/NAME"`
	FromFile  string `predictor:"file" required:"" help:"JSON object with the block's fields; - is stdin"`
	Overwrite bool   `help:"replace a block that is there"`
}

func (c *blockCreateCmd) Run(a *app) error {
	kind, name, ok := strings.Cut(c.Name, "/")
	if !ok {
		return badUsage("a block is TYPE/NAME, such as webhook/alerts")
	}
	var data map[string]core.JSON
	b, err := readFile(a, c.FromFile)
	if err != nil {
		return err
	}
	if _, err := jsonObject(b, c.FromFile); err != nil {
		return err
	}
	if err := json.Unmarshal(b, &data); err != nil {
		return err
	}
	d, raw, replaced, err := a.saveBlock(kind, name, data, c.Overwrite)
	if err != nil {
		return err
	}
	done := "Created"
	if replaced {
		done = "Replaced"
	}
	return a.out.Say(raw, kind+"/"+d.Name, "%s %s/%s", done, kind, d.Name)
}

type blockDeleteCmd struct {
	blockRef
	yesFlag
}

func (c *blockDeleteCmd) Run(a *app) error {
	d, raw, err := c.find(a)
	if err != nil {
		return err
	}
	name := d.BlockType.Slug + "/" + d.Name
	if err := a.confirm(c.Yes, "Delete "+name+"?"); err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "DELETE", "/block_documents/"+d.ID.String(), nil); err != nil {
		return err
	}
	return a.out.Say(raw, name, "Deleted %s", name)
}

type blockTypeCmd struct {
	Ls blockTypeLsCmd `cmd:"" aliases:"list" help:"List the kinds of blocks that the server knows"`
}

type blockTypeLsCmd struct{ pageFlags }

func (c *blockTypeLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.BlockType](a, "POST", "/block_types/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{Empty: "no block types", Columns: []out.Column{{Name: "type", Keep: true}, {Name: "name"}, {Name: "description"}}}
	var names []string
	for _, k := range all {
		names = append(names, k.Slug)
		line, _, _ := strings.Cut(core.Deref(k.Description), "\n")
		t.Rows = append(t.Rows, []string{k.Slug, k.Name, line})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

// saveBlock creates the block with the newest schema of its type, or puts its
// data in place of what is there.
func (a *app) saveBlock(
	slug, name string,
	data map[string]core.JSON,
	overwrite bool,
) (d *core.BlockDocument, raw core.JSON, replaced bool, err error) {
	kind, _, err := ask[*core.BlockType](a, "GET", "/block_types/slug/"+esc(slug), nil)
	if core.IsNotFound(err) {
		return nil, nil, false, &failure{
			code: exitNotFound,
			what: "there is no block type " + slug,
			hint: "see `flowlite block type ls`; Python classes are registered by `prefect block register`",
		}
	}
	if err != nil {
		return nil, nil, false, err
	}
	schemas, _, err := ask[[]*core.BlockSchema](a, "POST", "/block_schemas/filter",
		map[string]any{"block_schemas": map[string]any{"block_type_id": map[string]any{"any_": []core.UUID{kind.ID}}}})
	if err != nil {
		return nil, nil, false, err
	}
	if slug == core.SecretBlock { // other schemas of the type may show the value
		schemas = slices.DeleteFunc(schemas, func(x *core.BlockSchema) bool { return !x.HidesValue() })
	}
	if len(schemas) == 0 {
		return nil, nil, false, &failure{
			code: exitFailed,
			what: "the server knows no schema of the block type " + slug,
			hint: "register it again, or restart the server",
		}
	}
	if err := fits(data, schemas[0].Fields, slug); err != nil {
		return nil, nil, false, err
	}
	d, raw, err = ask[*core.BlockDocument](a, "POST", "/block_documents/",
		map[string]any{"name": name, "data": data, "block_schema_id": schemas[0].ID, "block_type_id": kind.ID})
	if core.CodeOf(err) == core.EConflict {
		old, oldRaw, found := ask[*core.BlockDocument](a, "GET", blockPath(slug, name), nil)
		switch {
		case found != nil: // something else was the matter
			return nil, nil, false, err
		case !overwrite:
			return nil, nil, false, &failure{code: exitFailed, what: slug + " " + name + " is set already", hint: "say --overwrite to replace it"}
		}
		d, raw, replaced = old, oldRaw, true
		_, err = a.api.call(a.ctx, "PATCH", "/block_documents/"+d.ID.String(),
			map[string]any{"data": data, "merge_existing_data": false, "block_schema_id": schemas[0].ID})
	}
	return d, raw, replaced, err
}

// fits says which fields a block of the type lacks, or has and should not: the
// API takes any, as Prefect's does, and the first flow to load it would fail.
func fits(data map[string]core.JSON, schema core.JSON, slug string) error {
	props, ok := schema.Map()["properties"].(map[string]any)
	if !ok {
		return nil
	}
	known := slices.Sorted(maps.Keys(props))
	open, _ := schema.Map()["additionalProperties"].(bool)
	for k := range data {
		if props[k] == nil && !open {
			f := &failure{
				code: exitUsage,
				what: fmt.Sprintf("blocks of type %s have no field %s", slug, k),
				hint: "they have " + strings.Join(known, ", "),
			}
			if n := nearest(k, known); n != "" {
				f.hint = "did you mean " + n + "?"
			}
			return f
		}
	}
	required, _ := schema.Map()["required"].([]any)
	for _, r := range required {
		if name, _ := r.(string); data[name] == nil {
			return &failure{
				code: exitUsage,
				what: fmt.Sprintf("blocks of type %s need the field %s", slug, name),
				hint: "they have " + strings.Join(known, ", "),
			}
		}
	}
	return nil
}

func blockPath(kind, name string) string {
	return "/block_types/slug/" + esc(kind) + "/block_documents/name/" + esc(name)
}

func readFile(a *app, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.stdin)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, badUsage("cannot read %s: %v", name, cause(err))
	}
	return b, nil
}
