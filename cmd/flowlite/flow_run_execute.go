package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker"
)

type flowRunExecuteCmd struct {
	ID          string `arg:"" optional:"" predictor:"run" help:"id, unique prefix of one, or name; default: that of FLOWLITE_FLOW_RUN_ID or PREFECT__FLOW_RUN_ID"`
	ExitWithRun bool   `help:"exit 10 if the run failed, 11 if it was cancelled; else 0 whatever its state"`
	WorkDir     string `default:"." help:"folder that entrypoints are relative to"`
	Python      string `env:"FLOWLITE_PYTHON" help:"interpreter or virtual environment of Python flows"`
	Home        string `env:"FLOWLITE_HOME" help:"folder of built flows; default: the user's cache folder"`
	LogLevel    string `env:"FLOWLITE_LOG_LEVEL" enum:"debug,info,warn,error" default:"warn" help:"debug, info, warn or error"`
}

func (c *flowRunExecuteCmd) Run(a *app) error {
	ref := cmp.Or(c.ID, os.Getenv("FLOWLITE_FLOW_RUN_ID"), os.Getenv("PREFECT__FLOW_RUN_ID"))
	if ref == "" {
		return badUsage("say which flow run, or set FLOWLITE_FLOW_RUN_ID")
	}
	r, _, err := a.flowRun(ref)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(c.WorkDir)
	if err != nil {
		return err
	}
	cfg := worker.Config{
		Orchestrator: client.New(client.Config{URL: a.cli.APIURL, AuthString: a.cli.Auth}),
		APIURL:       a.api.base,
		AuthString:   a.cli.Auth,
		WorkDir:      dir,
		Python:       c.Python,
		NoFork:       true,
		Log:          logger(a, c.LogLevel),
	}
	if c.Home != "" {
		cfg.CacheDir = filepath.Join(c.Home, "cache")
	}
	if err := worker.New(cfg).Execute(a.ctx, r.ID); err != nil {
		if a.ctx.Err() != nil {
			a.out.Note("interrupted; the run was handed back")
			return outcome(exitInterrupted)
		}
		if core.CodeOf(err) == core.ELeaseLost {
			return &failure{
				code: exitFailed,
				what: r.Name + " is executed by another worker or program",
				hint: core.ShellCommand("flowlite", "flow-run", "watch", r.Name),
			}
		}
		return a.api.explain(err)
	}
	if r, _, err = a.flowRun(r.ID.String()); err != nil {
		return err
	}
	err = a.outcome(r)
	if code, ok := errors.AsType[outcome](err); ok && (!c.ExitWithRun || code == exitRunPaused) {
		return nil
	}
	return err
}
