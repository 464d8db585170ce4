package main

import (
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type flowCmd struct {
	Ls    flowLsCmd    `cmd:"" aliases:"list" help:"List flows"`
	Serve flowServeCmd `cmd:"" help:"Deploy a flow and execute its runs here until Ctrl-C"`
}

type flowLsCmd struct{ pageFlags }

func (c *flowLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.Flow](a, "POST", "/flows/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{Empty: "no flows", Columns: []out.Column{{Name: "name"}, {Name: "id"}, {Name: "created"}, {Name: "tags"}}}
	var names []string
	for _, f := range all {
		names = append(names, f.Name)
		t.Rows = append(t.Rows, []string{f.Name, f.ID.String(), a.out.Ago(f.Created), strings.Join(f.Tags, ", ")})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}
