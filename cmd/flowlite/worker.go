package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/worker"
)

type workerCmd struct {
	Start workerStartCmd `cmd:"" help:"Execute the runs of a work pool until Ctrl-C"`
}

type workerStartCmd struct {
	Pool       string   `short:"p" required:"" help:"work pool"`
	Name       string   `short:"n" help:"name of the worker; default: host and process"`
	Queue      []string `short:"q" sep:"none" help:"only this queue"`
	Type       string   `short:"t" enum:"process" default:"process" help:"process"`
	Limit      int      `short:"l" help:"runs at once; 0: no limit"`
	Python     string   `env:"FLOWLITE_PYTHON" help:"interpreter or virtual environment of Python flows; default: VIRTUAL_ENV, .venv at the flow's folder or above, or python3"`
	PythonFork bool     `env:"FLOWLITE_PYTHON_FORK" default:"true" negatable:"" help:"start Python runs from a warm interpreter (Linux)"`
	WorkDir    string   `default:"." help:"folder that entrypoints are relative to"`
	Home       string   `env:"FLOWLITE_HOME" help:"folder of built flows; default: the user's cache folder"`
	LogLevel   string   `env:"FLOWLITE_LOG_LEVEL" enum:"debug,info,warn,error" default:"warn" help:"debug, info, warn or error"`
}

func (c *workerStartCmd) Run(a *app) error {
	if _, _, err := a.pool(c.Pool); err != nil {
		return err
	}
	dir, err := filepath.Abs(c.WorkDir)
	if err != nil {
		return err
	}
	cfg := worker.Config{Orchestrator: client.New(client.Config{URL: a.cli.APIURL, AuthString: a.cli.Auth}), Pool: c.Pool, Name: c.Name, Queues: c.Queue, Limit: c.Limit,
		APIURL: a.api.base, AuthString: a.cli.Auth, WorkDir: dir, Python: c.Python, NoFork: !c.PythonFork, Log: logger(a, c.LogLevel)}
	if c.Home != "" {
		cfg.CacheDir = filepath.Join(c.Home, "cache")
	}
	w := worker.New(cfg)
	if err := w.Start(a.ctx); err != nil {
		return a.api.explain(err)
	}
	_, _ = fmt.Fprintf(a.out.Out, "worker of pool %s at %s\n", a.out.Bold(c.Pool), a.api.base)
	<-a.ctx.Done()
	a.out.Note("stopping; runs may finish")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return w.Stop(ctx)
}
