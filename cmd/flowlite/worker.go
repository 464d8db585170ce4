package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker"
	"github.com/flowlite/flowlite/runtime/worker/account"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

type workerCmd struct {
	Start workerStartCmd `cmd:"" help:"Execute the runs of a work pool until Ctrl-C"`
	Ls    workerLsCmd    `cmd:"" aliases:"list" help:"List workers"`
}

type workerLsCmd struct {
	pageFlags
	Pool string `short:"p" predictor:"pool" help:"only of this pool"`
}

func (c *workerLsCmd) Run(a *app) error {
	pools := []*core.WorkPool{{Name: c.Pool}}
	var err error
	if c.Pool == "" {
		if pools, _, err = ask[[]*core.WorkPool](a, "POST", "/work_pools/filter", map[string]any{}); err != nil {
			return err
		}
	}
	t := &out.Table{Empty: "no workers", Columns: []out.Column{{Name: "name"}, {Name: "pool"}, {Name: "status"}, {Name: "heartbeat"}}}
	raws, names := []json.RawMessage{}, []string{}
	for _, p := range pools {
		var some []json.RawMessage
		workers, raw, err := ask[[]*core.Worker](a, "POST", "/work_pools/"+esc(p.Name)+"/workers/filter", c.body(nil))
		if err != nil {
			return a.noPool(p.Name, err)
		}
		_ = json.Unmarshal(raw, &some)
		raws = append(raws, some...)
		for _, w := range workers {
			names = append(names, w.Name)
			t.Rows = append(t.Rows, []string{w.Name, p.Name, a.out.Status(w.Status), a.out.Ago(w.LastHeartbeatTime)})
		}
	}
	if c.Pool != "" {
		defer a.more(len(names), c.pageFlags)
	}
	return a.out.List(core.ToJSON(raws), t, names)
}

// checkPython refuses an interpreter that is not there, seen from dir, before
// runs fail of it.
func checkPython(dir, named string) error {
	if named == "" {
		return nil
	}
	if _, err := python.Interpreter(dir, dir, named); err != nil {
		return badUsage("--python: %v", err)
	}
	return nil
}

// ownWorker refuses a pool that needs another worker than flowlite's.
func ownWorker(pool *core.WorkPool, kind string) error {
	if kind != core.PoolProcess {
		wanted := core.WorkPool{Name: pool.Name, Type: kind}
		return &failure{code: exitUsage, what: "flowlite's own workers execute pools of type process, not " + kind, hint: wanted.WorkerCommand()}
	}
	if pool.OwnWorkers() {
		return nil
	}
	return &failure{
		code: exitFailed,
		what: fmt.Sprintf("work pool %s is of type %s", pool.Name, pool.Type),
		why:  pool.Executors(),
		hint: pool.WorkerCommand(),
	}
}

type workerStartCmd struct {
	Pool       string   `short:"p" required:"" predictor:"pool" help:"work pool"`
	Name       string   `short:"n" help:"name of the worker; default: host and process"`
	API        string   `placeholder:"URL,..." help:"the server, or several of which one must answer; default: --api-url"`
	Queue      []string `short:"q" sep:"none" aliases:"work-queue" help:"only this queue"`
	Type       string   `short:"t" default:"process" help:"type of the pool"`
	Limit      int      `short:"l" help:"runs at once; 0: no limit"`
	Python     string   `env:"FLOWLITE_PYTHON" help:"interpreter or virtual environment of Python flows; default: VIRTUAL_ENV, .venv at the flow's folder or above, or python3"`
	PythonFork bool     `env:"FLOWLITE_PYTHON_FORK" default:"true" negatable:"" help:"start Python runs from a warm interpreter (Linux)"`
	RunAs      string   `name:"run-as" env:"FLOWLITE_RUN_AS" placeholder:"USER" help:"System user that flows run as (Linux, for a worker of root; default: the user of the worker)"`
	RunOnce    bool     `help:"execute what is due now, and end"`
	WorkDir    string   `default:"." help:"folder that entrypoints are relative to"`
	Home       string   `env:"FLOWLITE_HOME" help:"folder of built flows; default: the user's cache folder"`
	LogLevel   string   `env:"FLOWLITE_LOG_LEVEL" enum:"debug,info,warn,error" default:"warn" help:"debug, info, warn or error"`
}

func (c *workerStartCmd) Run(a *app) error {
	as, err := account.Lookup(c.RunAs)
	if err != nil {
		return badUsage("--run-as: %v", err)
	}
	url := cmp.Or(c.API, a.cli.APIURL)
	a.api = newAPI(url, a.cli.Auth)
	pool, _, err := a.pool(c.Pool)
	if err != nil {
		return err
	}
	if err := ownWorker(pool, c.Type); err != nil {
		return err
	}
	for _, q := range c.Queue {
		if _, _, err := ask[*core.WorkQueue](a, "GET", "/work_pools/"+esc(c.Pool)+"/queues/"+esc(q), nil); core.IsNotFound(err) {
			return &failure{
				code: exitNotFound,
				what: "no work queue " + q + " in pool " + c.Pool,
				hint: core.ShellCommand("flowlite", "work-queue", "create", q, "-p", c.Pool),
			}
		} else if err != nil {
			return err
		}
	}
	dir, err := filepath.Abs(c.WorkDir)
	if err != nil {
		return err
	}
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return badUsage("--work-dir: there is no folder %s", dir)
	}
	if err := checkPython(dir, c.Python); err != nil {
		return err
	}
	relay, err := client.NewRelay(url)
	if err != nil {
		return err
	}
	if err := relay.Start(); err != nil {
		return err
	}
	defer func() { _ = relay.Stop() }()
	cfg := worker.Config{
		Orchestrator: client.New(client.Config{URL: url, AuthString: a.cli.Auth}),
		Pool:         c.Pool,
		Name:         c.Name,
		Queues:       c.Queue,
		Limit:        c.Limit,
		APIURL: strings.Join(
			client.Servers(url),
			",",
		),
		PrefectURL: relay.URL(),
		AuthString: a.cli.Auth,
		WorkDir:    dir,
		Python:     c.Python,
		NoFork:     !c.PythonFork,
		Log:        logger(a, c.LogLevel),
	}
	if c.Home != "" {
		cfg.CacheDir = filepath.Join(c.Home, "cache")
	}
	if cfg.RunAs = as; as != nil {
		if cfg.CacheDir, err = as.Cache(); err != nil {
			return err
		}
	}
	hideProcess()
	w := worker.New(cfg)
	if c.RunOnce {
		n, err := w.RunOnce(a.ctx)
		if err != nil {
			return a.api.explain(err)
		}
		return a.out.Say(
			core.ToJSON(map[string]any{"pool": c.Pool, "runs": n}),
			c.Pool,
			"executed %s of pool %s",
			count(n, "run"),
			a.out.Bold(c.Pool),
		)
	}
	if err := w.Start(a.ctx); err != nil {
		return a.api.explain(err)
	}
	_, _ = fmt.Fprintf(a.out.Out, "worker of pool %s at %s\n", a.out.Bold(c.Pool), strings.Join(client.Servers(url), ", "))
	<-a.ctx.Done()
	a.out.Note("stopping; runs may finish")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return w.Stop(ctx)
}
