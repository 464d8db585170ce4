package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

type flowServeCmd struct {
	Entrypoint string `arg:"" predictor:"file" help:"flows/adder.go:Adder, flows/etl.py:etl, or bin/etl:Adder"`
	Name       string `short:"n" default:"serve" help:"name of the deployment"`
	RunLimit   int    `name:"limit" short:"l" help:"runs at once here; 0: no limit"`
	specFlags
	LogLevel string `env:"FLOWLITE_LOG_LEVEL" enum:"debug,info,warn,error" default:"warn" help:"debug, info, warn or error"`
}

// Run deploys to a pool of the flow's own, so that no other worker takes its
// runs, and is that pool's worker until Ctrl-C.
func (c *flowServeCmd) Run(a *app) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	e, err := build.ParseEntrypoint(dir, c.Entrypoint)
	if err != nil {
		return &failure{code: exitUsage, what: err.Error()}
	}
	var vars core.Object
	if err := jobVariables(&vars, c.JobVariable, &core.WorkPool{BaseJobTemplate: core.ProcessTemplate}); err != nil {
		return err
	}
	desc, err := newDescriber(a, c.Home, vars.JSON().Map()).describe(e)
	if err != nil {
		return err
	}
	pool := "serve-" + desc.Name
	_, err = a.api.call(a.ctx, "POST", "/work_pools/", core.WorkPoolCreate{Name: pool, Type: "process", BaseJobTemplate: core.ProcessTemplate})
	if err != nil && core.CodeOf(err) != core.EConflict {
		return err
	}
	plan, err := a.plan(dir, &deploySpec{Name: c.Name, Entrypoint: c.Entrypoint}, c.specFlags, poolChoice{pool, true}, "")
	if err != nil {
		return err
	}
	plan.body.Paused = core.Some(false) // it was paused when it was last served no longer
	raw, err := a.carryOut(plan)
	if err != nil {
		return err
	}
	cfg := worker.Config{Orchestrator: client.New(client.Config{URL: a.cli.APIURL, AuthString: a.cli.Auth}), Pool: pool, Limit: c.RunLimit,
		APIURL: a.api.base, AuthString: a.cli.Auth, WorkDir: dir, Log: logger(a, c.LogLevel)}
	if c.Home != "" {
		cfg.CacheDir = filepath.Join(c.Home, "cache")
	}
	w := worker.New(cfg)
	if err := w.Start(a.ctx); err != nil {
		return a.api.explain(err)
	}
	if err := a.out.Say(
		raw,
		plan.fullName(),
		"Serving %s  %s",
		a.out.Bold(plan.fullName()),
		a.api.page("/deployments/"+plan.id.String()),
	); err != nil {
		return err
	}
	if a.out.ForPeople() {
		a.out.Hint("flowlite deployment run %s --watch; Ctrl-C ends it", core.ShellWord(plan.fullName()))
	}
	<-a.ctx.Done()
	a.out.Note("stopping; runs may finish")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if plan.scheduled { // nobody is there for the runs that they would make
		if _, err := a.api.call(ctx, "POST", "/deployments/"+plan.id.String()+"/pause_deployment", nil); err == nil {
			a.out.Note("the schedules of %s are paused", plan.fullName())
		}
	}
	return w.Stop(ctx)
}
