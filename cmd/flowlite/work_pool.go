package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type workPoolCmd struct {
	Create  workPoolCreateCmd  `cmd:"" help:"Create a work pool"`
	Ls      workPoolLsCmd      `cmd:"" aliases:"list" help:"List work pools"`
	Inspect workPoolInspectCmd `cmd:"" help:"Show a work pool"`
	Pause   workPoolPauseCmd   `cmd:"" help:"Hand out no runs"`
	Resume  workPoolResumeCmd  `cmd:"" help:"Hand out runs again"`
	Update  workPoolUpdateCmd  `cmd:"" help:"Change a work pool"`
	Delete  workPoolDeleteCmd  `cmd:"" help:"Delete work pools"`

	SetLimit   workPoolLimitCmd    `cmd:"" name:"set-concurrency-limit" help:"Let no more runs of a pool run at once"`
	ClearLimit workPoolUnlimitCmd  `cmd:"" name:"clear-concurrency-limit" help:"Take the limit of a pool away"`
	Template   workPoolTemplateCmd `cmd:"" name:"get-default-base-job-template" help:"Print the job template of a type of pools"`
	Preview    workPoolPreviewCmd  `cmd:"" help:"List the runs that come due next"`
	ClearRuns  workPoolClearCmd    `cmd:"" help:"Cancel or delete the runs of a pool that are in some state"`
}

type poolRef struct {
	Name string `arg:"" predictor:"pool" help:"name of the pool"`
}

type workPoolCreateCmd struct {
	Name        string `arg:"" help:"name of the pool"`
	Type        string `short:"t" help:"type of the pool: process for flowlite's own workers, or a type for Prefect workers, such as docker (default: ask on a terminal)"`
	Description string `help:"what it is for"`
	Limit       *int64 `name:"concurrency-limit" help:"runs at once"`
	Template    string `predictor:"file" name:"base-job-template" placeholder:"FILE" help:"JSON file of the base job template; - is stdin"`
	Paused      bool   `help:"hand out no runs yet"`
	Default     bool   `name:"set-as-default" help:"let deploy use it when no pool is named"`
	Overwrite   bool   `help:"change a pool that is there"`
}

func (c *workPoolCreateCmd) Run(a *app) error {
	if c.Type == "" {
		if !a.canAsk() {
			return &failure{
				code: exitUsage,
				what: "which type of pool?",
				hint: core.ShellCommand("flowlite", "work-pool", "create", "--type", core.PoolProcess, c.Name),
			}
		}
		var err error
		if c.Type, err = a.prompt("Type of pool [process]:"); err != nil {
			return err
		}
		if c.Type == "" {
			c.Type = core.PoolProcess
		}
	}
	body := core.WorkPoolCreate{Name: c.Name, Type: c.Type, ConcurrencyLimit: c.Limit, IsPaused: c.Paused}
	if c.Description != "" {
		body.Description = &c.Description
	}
	if c.Type == core.PoolProcess {
		body.BaseJobTemplate = core.ProcessTemplate
	}
	if c.Template != "" {
		t, err := readTemplate(a, c.Template)
		if err != nil {
			return err
		}
		body.BaseJobTemplate = t
	}
	p, raw, err := ask[*core.WorkPool](a, "POST", "/work_pools/", body)
	if core.CodeOf(err) == core.EConflict {
		if !c.Overwrite {
			return &failure{
				code: exitFailed,
				what: "there is a work pool " + c.Name + " already",
				hint: "say --overwrite to change it, or use `flowlite work-pool update`",
			}
		}
		return c.overwrite(a, body)
	}
	if err != nil {
		return err
	}
	if err := c.asDefault(a); err != nil {
		return err
	}
	if err = a.out.Say(raw, p.Name, "Created %s (%s)", a.out.Bold(p.Name), p.Type); err == nil && a.out.ForPeople() {
		if s := p.Executors(); s != "" {
			a.out.Note("%s", s)
		}
		if start := p.WorkerCommand(); start != "" {
			a.out.Hint("%s", start)
		}
	}
	return err
}

// overwrite leaves alone what was not said.
func (c *workPoolCreateCmd) overwrite(a *app, body core.WorkPoolCreate) error {
	old, _, err := a.pool(c.Name)
	if err != nil {
		return err
	}
	if old.Type != body.Type {
		return &failure{
			code: exitFailed,
			what: fmt.Sprintf("pool %s is of type %s, which cannot be changed", c.Name, old.Type),
			hint: "delete it first, or choose another name",
		}
	}
	var u core.WorkPoolUpdate
	if c.Paused {
		u.IsPaused = core.Some(true)
	}
	if c.Description != "" {
		u.Description = core.Some(c.Description)
	}
	if c.Limit != nil {
		u.ConcurrencyLimit = core.Some(*c.Limit)
	}
	if c.Template != "" {
		u.BaseJobTemplate = core.Some(body.BaseJobTemplate)
	}
	if err := c.asDefault(a); err != nil {
		return err
	}
	return a.changePool(c.Name, u, "Updated %s", a.out.Bold(c.Name))
}

// asDefault keeps the pool in the profile: as the first one, or when it is asked for.
func (c *workPoolCreateCmd) asDefault(a *app) error {
	if !c.Default {
		return nil
	}
	return a.setSettings(map[string]string{poolSetting: c.Name})
}

type workPoolLsCmd struct{ pageFlags }

func (c *workPoolLsCmd) Run(a *app) error {
	all, raw, err := ask[[]*core.WorkPool](a, "POST", "/work_pools/filter", c.body(nil))
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty:   "no work pools",
		Columns: []out.Column{{Name: "name"}, {Name: "type"}, {Name: "status"}, {Name: "limit", Right: true}, {Name: "description"}},
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
		t.Rows = append(
			t.Rows,
			[]string{p.Name, p.Type, a.out.Status(core.Deref(p.Status)), limit(p.ConcurrencyLimit), core.Deref(p.Description)},
		)
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

func limit(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

type workPoolInspectCmd struct{ poolRef }

func (c *workPoolInspectCmd) Run(a *app) error {
	p, raw, err := a.pool(c.Name)
	if err != nil {
		return err
	}
	f := []out.Field{
		{Name: "Name", Value: a.out.Bold(p.Name)},
		{Name: "Id", Value: p.ID.String()},
		{Name: "Type", Value: p.Type},
		{Name: "Status", Value: a.out.Status(core.Deref(p.Status))},
		{
			Name:  "Description",
			Value: core.Deref(p.Description),
		},
		{Name: "Limit", Value: limit(p.ConcurrencyLimit)},
		{Name: "Created", Value: a.out.Full(p.Created)},
	}
	if a.out.ForPeople() {
		workers, _, _ := ask[[]*core.Worker](a, "POST", "/work_pools/"+esc(p.Name)+"/workers/filter", map[string]any{})
		for _, w := range workers {
			f = append(f, out.Field{Name: "Worker", Value: w.Name + "  " + a.out.Status(w.Status) + "  " + a.out.Ago(w.LastHeartbeatTime)})
		}
	}
	template := "that of every process pool; -o json shows it"
	if !reflect.DeepEqual(p.BaseJobTemplate.Map(), core.ProcessTemplate.Map()) {
		var b bytes.Buffer
		_ = json.Indent(&b, p.BaseJobTemplate, "", "  ")
		template = b.String()
	}
	return a.out.Record(raw, p.Name, append(f, out.Field{Name: "Template", Value: template}))
}
