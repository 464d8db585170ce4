package main

import (
	"strconv"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type tagLimitCmd struct {
	Create  tagLimitCreateCmd  `cmd:"" help:"Make or change the limit of a tag"`
	Ls      tagLimitLsCmd      `cmd:"" aliases:"list" help:"List the limits of tags"`
	Inspect tagLimitInspectCmd `cmd:"" help:"Show who holds the slots of a tag"`
	Reset   tagLimitResetCmd   `cmd:"" help:"Take all slots of a tag back"`
	Delete  tagLimitDeleteCmd  `cmd:"" help:"Delete the limit of a tag"`
}

type tagRef struct {
	Tag string `arg:"" predictor:"tag-limit" help:"tag of task runs"`
}

func (r tagRef) path() string { return "/concurrency_limits/tag/" + esc(r.Tag) }

// explain says which limit was not found.
func (r tagRef) explain(err error) error {
	if core.IsNotFound(err) {
		return &failure{code: exitNotFound, what: "no limit of tag " + r.Tag, hint: "flowlite concurrency-limit ls shows all"}
	}
	return err
}

type tagLimitCreateCmd struct {
	tagRef
	Limit int64 `arg:"" help:"how many of its task runs may run at once; 0 lets none run"`
}

func (c *tagLimitCreateCmd) Run(a *app) error {
	l, raw, err := ask[*core.TagLimit](a, "POST", "/concurrency_limits/", core.TagLimitCreate{Tag: c.Tag, Limit: c.Limit})
	if err != nil {
		return err
	}
	return a.out.Say(raw, l.Tag, "Set the limit of tag %s to %d", l.Tag, l.Limit)
}

type tagLimitLsCmd struct{ pageFlags }

func (c *tagLimitLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.TagLimit](a, "POST", "/concurrency_limits/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty:   "no limits of tags",
		Columns: []out.Column{{Name: "tag", Keep: true}, {Name: "limit"}, {Name: "active"}, {Name: "updated"}},
	}
	var names []string
	for _, l := range all {
		names = append(names, l.Tag)
		t.Rows = append(t.Rows, []string{l.Tag, strconv.FormatInt(l.Limit, 10), strconv.Itoa(len(l.ActiveSlots)), a.out.Ago(l.Updated)})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

type tagLimitInspectCmd struct{ tagRef }

func (c *tagLimitInspectCmd) Run(a *app) error {
	l, raw, err := ask[*core.TagLimit](a, "GET", c.path(), nil)
	if err != nil {
		return c.explain(err)
	}
	f := []out.Field{
		{Name: "Tag", Value: a.out.Bold(l.Tag)},
		{Name: "Id", Value: l.ID.String()},
		{Name: "Limit", Value: strconv.FormatInt(l.Limit, 10)},
		{
			Name:  "Active",
			Value: strconv.Itoa(len(l.ActiveSlots)),
		},
		{Name: "Created", Value: a.out.Full(l.Created)},
		{Name: "Updated", Value: a.out.Full(l.Updated)},
	}
	for _, id := range l.ActiveSlots {
		f = append(f, out.Field{Name: "Task run", Value: id.String()})
	}
	return a.out.Record(raw, l.Tag, f)
}

type tagLimitResetCmd struct{ tagRef }

func (c *tagLimitResetCmd) Run(a *app) error {
	if _, err := a.api.call(a.ctx, "POST", c.path()+"/reset", map[string]any{}); err != nil {
		return c.explain(err)
	}
	return a.out.Say(core.ToJSON(map[string]string{"tag": c.Tag}), c.Tag, "Reset the limit of tag %s", c.Tag)
}

type tagLimitDeleteCmd struct {
	tagRef
	Yes bool `short:"y" help:"do not ask"`
}

func (c *tagLimitDeleteCmd) Run(a *app) error {
	l, raw, err := ask[*core.TagLimit](a, "GET", c.path(), nil)
	if err != nil {
		return c.explain(err)
	}
	if err := a.confirm(c.Yes, "Delete the limit of tag "+l.Tag+"?"); err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, "DELETE", c.path(), nil); err != nil {
		return err
	}
	return a.out.Say(raw, l.Tag, "Deleted the limit of tag %s", l.Tag)
}
