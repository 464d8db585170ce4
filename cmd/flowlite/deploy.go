package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker/build"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

type deployCmd struct {
	Entrypoint  string   `arg:"" help:"flows/adder.go:Adder, flows/etl.py:etl, or bin/etl:Adder"`
	Name        string   `short:"n" default:"local" help:"name of the deployment"`
	Pool        string   `short:"p" default:"default" help:"work pool"`
	Queue       string   `short:"q" help:"work queue"`
	Description string   `help:"what it is for"`
	Version     string   `help:"version of the deployment"`
	Cron        []string `sep:"none" help:"when: '0 9 * * 1-5'"`
	Interval    []string `sep:"none" help:"every: 15m, 1h30m, or seconds"`
	RRule       []string `name:"rrule" sep:"none" help:"when: FREQ=DAILY;BYHOUR=9"`
	Timezone    string   `help:"of the schedules: Europe/Berlin"`
	Param       []string `sep:"none" placeholder:"K=V" help:"a parameter; the value is JSON, or else text"`
	Params      string   `placeholder:"JSON" help:"all parameters: JSON, @file or -"`
	JobVariable []string `short:"j" sep:"none" placeholder:"K=V" help:"a job variable"`
	Tag         []string `short:"t" sep:"none" help:"a tag"`
	Home        string   `env:"FLOWLITE_HOME" help:"folder of built flows; default: ~/.flowlite"`
}

func (c *deployCmd) schedules() (s []core.ScheduleCreate, err error) {
	add := func(m map[string]any) {
		if c.Timezone != "" {
			m["timezone"] = c.Timezone
		}
		s = append(s, core.ScheduleCreate{Rule: core.ToJSON(m)})
	}
	for _, v := range c.Cron {
		add(map[string]any{"cron": v})
	}
	for _, v := range c.Interval {
		sec, err := strconv.ParseFloat(v, 64)
		if err != nil {
			d, err := time.ParseDuration(v)
			if err != nil {
				return nil, badUsage("--interval: %q is not a length; write 15m, 1h30m or seconds", v)
			}
			sec = d.Seconds()
		}
		add(map[string]any{"interval": sec})
	}
	for _, v := range c.RRule {
		add(map[string]any{"rrule": v})
	}
	return s, nil
}

// describe builds the entrypoint and finds its flow in the binary's registry.
func (c *deployCmd) describe(a *app, dir string) (d build.Description, e build.Entrypoint, err error) {
	if e, err = build.ParseEntrypoint(dir, c.Entrypoint); err != nil {
		return d, e, err
	}
	if err = e.Check(); err != nil {
		return d, e, err
	}
	if e.Kind() == build.Python {
		d, err = c.describePython(a, e)
		return d, e, err
	}
	bin, _, err := build.New(c.cache()).Build(a.ctx, e)
	if err != nil {
		return d, e, err
	}
	reg, err := build.Describe(a.ctx, bin)
	if err != nil {
		return d, e, err
	}
	var known []string
	for _, f := range reg.Flows {
		if f.Entrypoint == e.Name || f.Name == e.Name {
			return f, e, nil
		}
		known = append(known, f.Entrypoint)
	}
	f := &failure{code: exitNotFound, what: fmt.Sprintf("no flow %s in %s", e.Name, e.Path), hint: fmt.Sprintf("it has %v", known)}
	return d, e, f
}

// cache is the folder of what is built for flows.
func (c *deployCmd) cache() string {
	home := c.Home
	if home == "" {
		user, _ := os.UserHomeDir()
		home = filepath.Join(user, ".flowlite")
	}
	return filepath.Join(home, "cache")
}

// describePython reads the file with the interpreter that will run it.
func (c *deployCmd) describePython(a *app, e build.Entrypoint) (d build.Description, err error) {
	named := os.Getenv("FLOWLITE_PYTHON")
	for _, v := range c.JobVariable {
		if p, ok := strings.CutPrefix(v, "python="); ok {
			named = p
		}
	}
	interpreter, err := python.Interpreter(filepath.Dir(e.File()), e.Dir, named)
	if err != nil {
		return d, err
	}
	runner, err := python.Runner(c.cache())
	if err != nil {
		return d, err
	}
	flows, failed, err := python.Describe(a.ctx, interpreter, runner, e.Dir, []string{e.File()})
	if err != nil {
		return d, err
	}
	if len(failed) > 0 {
		return d, &failure{code: exitFailed, what: "cannot read " + e.Path, why: failed[0].Error}
	}
	var known []string
	for _, f := range flows {
		if f.Function == e.Name || f.Name == e.Name {
			if f.Error != "" {
				return d, &failure{code: exitFailed, what: "cannot deploy " + e.String(), why: f.Error}
			}
			return build.Description{Entrypoint: f.Function, Name: f.Name, Description: f.Description, Version: f.Version, Schema: f.Schema}, nil
		}
		known = append(known, f.Function)
	}
	hint := "a flow is a function of the file with Prefect's @flow"
	if len(known) > 0 {
		hint = "it has " + strings.Join(known, ", ")
	}
	return d, &failure{code: exitNotFound, what: fmt.Sprintf("no flow %s in %s", e.Name, e.Path), hint: hint}
}

func (c *deployCmd) Run(a *app) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	schedules, err := c.schedules()
	if err != nil {
		return err
	}
	if _, _, err := a.pool(c.Pool); err != nil {
		return err
	}
	desc, e, err := c.describe(a, dir)
	if err != nil {
		return err
	}
	params, vars, err := a.inputs(c.Params, c.Param, c.JobVariable, desc.Schema)
	if err != nil {
		return err
	}
	flow, _, err := ask[*core.Flow](a, "POST", "/flows/", core.FlowCreate{Name: desc.Name})
	if err != nil {
		return err
	}
	body := core.DeploymentCreate{Name: c.Name, FlowID: flow.ID, Schedules: schedules, WorkPoolName: core.Some(c.Pool),
		Entrypoint: core.Some(e.String()), Path: core.Some(dir), Parameters: core.Some(core.ToJSON(params)),
		ParameterOpenAPISchema: core.Some(desc.Schema.OrObject()), Tags: core.Some(core.Tags(c.Tag)), JobVariables: core.Some(core.ToJSON(vars))}
	for _, o := range []struct {
		to        *core.Opt[string]
		said, own string
	}{{&body.Description, c.Description, desc.Description}, {&body.Version, c.Version, desc.Version}, {&body.WorkQueueName, c.Queue, ""}} {
		if o.said == "" {
			o.said = o.own
		}
		if o.said != "" {
			*o.to = core.Some(o.said)
		}
	}
	d, raw, err := ask[*core.Deployment](a, "POST", "/deployments/", body)
	if err != nil {
		return err
	}
	d.FlowName = flow.Name
	if err = a.out.Say(raw, d.FullName(), "Deployed %s to pool %s  %s", a.out.Bold(d.FullName()), c.Pool, a.api.page("/deployments/"+d.ID.String())); err == nil && a.out.ForPeople() {
		a.out.Hint("flowlite deployment run %s --watch", d.FullName())
	}
	return err
}
