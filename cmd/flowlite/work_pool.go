package main

import (
	"fmt"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type workPoolCmd struct {
	Create  workPoolCreateCmd  `cmd:"" help:"Create a work pool"`
	Ls      workPoolLsCmd      `cmd:"" aliases:"list" help:"List work pools"`
	Inspect workPoolInspectCmd `cmd:"" help:"Show a work pool"`
	Pause   workPoolPauseCmd   `cmd:"" help:"Hand out no runs"`
	Resume  workPoolResumeCmd  `cmd:"" help:"Hand out runs again"`
}

type poolRef struct {
	Name string `arg:"" help:"name of the pool"`
}

type workPoolCreateCmd struct {
	poolRef
	Type        string `short:"t" help:"process"`
	Description string `help:"what it is for"`
	Limit       *int64 `name:"concurrency-limit" help:"runs at once"`
	Paused      bool   `help:"hand out no runs yet"`
}

func (c *workPoolCreateCmd) Run(a *app) error {
	if c.Type == "" {
		if !a.canAsk() {
			return &failure{code: exitUsage, what: "which type of pool?", hint: "flowlite work-pool create --type process " + c.Name}
		}
		var err error
		if c.Type, err = a.prompt("Type of pool [process]:"); err != nil {
			return err
		}
		if c.Type == "" {
			c.Type = "process"
		}
	}
	body := core.WorkPoolCreate{Name: c.Name, Type: c.Type, ConcurrencyLimit: c.Limit, IsPaused: c.Paused}
	if c.Description != "" {
		body.Description = &c.Description
	}
	if c.Type == "process" {
		body.BaseJobTemplate = core.ProcessTemplate
	}
	p, raw, err := ask[*core.WorkPool](a, "POST", "/work_pools/", body)
	if err != nil {
		return err
	}
	if err = a.out.Say(raw, p.Name, "Created %s (%s)", a.out.Bold(p.Name), p.Type); err == nil && a.out.ForPeople() {
		a.out.Hint("flowlite worker start --pool %s", p.Name)
	}
	return err
}

type workPoolLsCmd struct{ pageFlags }

func (c *workPoolLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.WorkPool](a, "POST", "/work_pools/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{Empty: "no work pools", Columns: []out.Column{{Name: "name"}, {Name: "type"}, {Name: "status"}, {Name: "limit", Right: true}, {Name: "description"}}}
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
		t.Rows = append(t.Rows, []string{p.Name, p.Type, a.out.Status(core.Deref(p.Status)), limit(p.ConcurrencyLimit), core.Deref(p.Description)})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

func limit(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

type workPoolInspectCmd struct{ poolRef }

func (c *workPoolInspectCmd) Run(a *app) error {
	p, raw, err := a.pool(c.Name)
	if err != nil {
		return err
	}
	f := []out.Field{{Name: "Name", Value: a.out.Bold(p.Name)}, {Name: "Id", Value: p.ID.String()}, {Name: "Type", Value: p.Type}, {Name: "Status", Value: a.out.Status(core.Deref(p.Status))},
		{Name: "Description", Value: core.Deref(p.Description)}, {Name: "Limit", Value: limit(p.ConcurrencyLimit)}, {Name: "Created", Value: a.out.Full(p.Created)}}
	if a.out.ForPeople() {
		workers, _, _ := ask[[]*core.Worker](a, "POST", "/work_pools/"+esc(p.Name)+"/workers/filter", map[string]any{})
		for _, w := range workers {
			f = append(f, out.Field{Name: "Worker", Value: w.Name + "  " + a.out.Status(w.Status) + "  " + a.out.Ago(w.LastHeartbeatTime)})
		}
	}
	return a.out.Record(raw, p.Name, append(f, out.Field{Name: "Template", Value: string(p.BaseJobTemplate)}))
}

func (a *app) pausePool(name string, paused bool, done string) error {
	if _, err := a.api.call(a.ctx, "PATCH", "/work_pools/"+esc(name), map[string]any{"is_paused": paused}); err != nil {
		return a.noPool(name, err)
	}
	_, raw, err := a.pool(name)
	if err != nil {
		return err
	}
	return a.out.Say(raw, name, "%s %s", done, name)
}

type workPoolPauseCmd struct{ poolRef }

func (c *workPoolPauseCmd) Run(a *app) error { return a.pausePool(c.Name, true, "Paused") }

type workPoolResumeCmd struct{ poolRef }

func (c *workPoolResumeCmd) Run(a *app) error { return a.pausePool(c.Name, false, "Resumed") }
