package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/importer"
)

type importCmd struct {
	Prefect importPrefectCmd `cmd:"" help:"Copy what a Prefect 3 server holds"`
}

type importPrefectCmd struct {
	From     string   `required:"" placeholder:"URL" help:"API of the Prefect server, like http://127.0.0.1:4200/api"`
	FromAuth string   `name:"from-auth-string" env:"FLOWLITE_IMPORT_AUTH_STRING" placeholder:"USER:PASSWORD" help:"credentials of that server"`
	History  duration `placeholder:"DURATION" help:"copy ended runs of so long ago too, like 30d"`
}

func (c *importPrefectCmd) Run(a *app) error {
	if err := client.CheckServers(c.From); err != nil {
		return badUsage("--from: %v", err)
	}
	from := client.Servers(c.From)[0]
	if from == a.api.base {
		return badUsage("--from is the server that is imported to, %s; set FLOWLITE_API_URL to where flowlite runs", core.HideURL(from))
	}
	source := client.New(client.Config{URL: from, AuthString: c.FromAuth, Patience: 30 * time.Second})
	bar := a.out.Progress()
	parts, err := importer.Run(a.ctx, importer.Config{From: source, To: a.api.patient, Since: c.History.Duration(), Progress: bar.Set})
	bar.Done()
	if err != nil {
		err = c.explain(a, from, err)
	}
	return errors.Join(c.report(a, parts), err)
}

// explain says which of the two servers it was.
func (c *importPrefectCmd) explain(a *app, from string, err error) error {
	if !client.Unreachable(err) {
		return err
	}
	f := &failure{
		code: exitUnreachable,
		what: "no Prefect server answers at " + core.HideURL(from),
		hint: "the address is that of its API, like http://127.0.0.1:4200/api",
	}
	if strings.Contains(err.Error(), core.HideURL(a.api.base)) {
		f.what, f.hint = "no flowlite server answers at "+core.HideURL(a.api.base), "start flowlite with `flowlite up`, or set FLOWLITE_API_URL"
	}
	f.why = client.Cause(err)
	return f
}

func (c *importPrefectCmd) report(a *app, parts []*importer.Part) error {
	if parts == nil {
		return nil
	}
	t := &out.Table{Columns: []out.Column{{Name: "kind", Keep: true}, {Name: "created"}, {Name: "kept"}, {Name: "skipped"}}}
	var names []string
	for _, p := range parts {
		names = append(names, p.Kind)
		t.Rows = append(t.Rows, []string{p.Kind, strconv.Itoa(p.Created), strconv.Itoa(p.Kept), strconv.Itoa(len(p.Skipped))})
	}
	if err := a.out.List(core.ToJSON(parts), t, names); err != nil || !a.out.ForPeople() {
		return err
	}
	for _, p := range parts {
		for _, s := range p.Skipped {
			a.out.Note("skipped %s %s: %s", p.Kind, s.Name, s.Why)
		}
	}
	return nil
}
