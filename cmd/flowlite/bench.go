package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bench"
	"github.com/flowlite/flowlite/runtime/core"
)

type benchCmd struct {
	Seed benchSeedCmd `cmd:"" help:"Fill a new database with made-up history"`
	Read benchReadCmd `cmd:"" help:"Time each page and list of a running server"`
	Runs benchRunsCmd `cmd:"" help:"Time flow runs, created, Running and Completed over HTTP; also of a Prefect server"`
}

type benchSeedCmd struct {
	Database string `required:"" placeholder:"URL" help:"sqlite:PATH or postgres://... of a database that is new or empty"`
	Runs     int    `default:"1000000" help:"flow runs"`
	TaskRuns *int   `placeholder:"N" help:"task runs; default: two for each flow run"`
	Logs     *int   `placeholder:"N" help:"lines of logs; default: five for each flow run"`
	Events   *int   `placeholder:"N" help:"events; default: one for each fifth flow run"`
	Days     int    `default:"90" help:"how far back it goes"`
}

// size has what is not said in proportion to the runs.
func (c *benchSeedCmd) size() db.SeedSize {
	or := func(n *int, each float64) int {
		if n != nil {
			return *n
		}
		return int(each * float64(c.Runs))
	}
	return db.SeedSize{FlowRuns: c.Runs, TaskRuns: or(c.TaskRuns, 2), Logs: or(c.Logs, 5), Events: or(c.Events, .2), Days: c.Days}
}

func (c *benchSeedCmd) Validate() error {
	n := c.size()
	if n.FlowRuns < 1 || n.TaskRuns < 0 || n.Logs < 0 || n.Events < 0 || n.Days < 1 {
		return errors.New("--runs and --days must be above 0, the other counts not below")
	}
	if n.TaskRuns > 200*n.FlowRuns || n.Logs > 1000*n.FlowRuns {
		return errors.New("at most 200 task runs and 1,000 lines of logs for each flow run")
	}
	return nil
}

func (c *benchSeedCmd) Run(a *app) error {
	n := c.size()
	bar := a.out.Progress()
	began := time.Now()
	err := db.Seed(a.ctx, c.Database, n, bar.Set)
	bar.Done()
	if err != nil {
		return err
	}
	a.out.Note(
		"made %d flow runs, %d task runs and %d lines of logs in %s",
		n.FlowRuns,
		n.TaskRuns,
		n.Logs,
		time.Since(began).Round(time.Second),
	)
	a.out.Note("next: flowlite server start --database %s, and in another terminal flowlite bench read", core.ShellWord(c.Database))
	return nil
}

type benchReadCmd struct {
	Rounds int `default:"20" help:"how often each is asked for"`
}

func (c *benchReadCmd) Validate() error {
	if c.Rounds < 1 {
		return errors.New("--rounds must be above 0")
	}
	return nil
}

func (c *benchReadCmd) Run(a *app) error {
	if err := a.api.once.Health(a.ctx); err != nil {
		return a.api.explain(err)
	}
	bar := a.out.Progress()
	figures, err := bench.Read(
		a.ctx,
		bench.Config{URL: strings.TrimSuffix(a.api.base, "/api"), AuthString: a.cli.Auth, Rounds: c.Rounds, Progress: bar.Set},
	)
	bar.Done()
	if err != nil {
		return err
	}
	t := &out.Table{
		Columns: []out.Column{
			{Name: "request", Keep: true},
			{Name: "p50 ms", Right: true},
			{Name: "p95 ms", Right: true},
			{Name: "bytes", Right: true},
		},
	}
	var names []string
	for _, f := range figures {
		names = append(names, f.Name)
		t.Rows = append(t.Rows, []string{f.Name, fmt.Sprintf("%.1f", f.P50), fmt.Sprintf("%.1f", f.P95), strconv.Itoa(f.Bytes)})
	}
	return a.out.List(core.ToJSON(figures), t, names)
}

type benchRunsCmd struct {
	Runs    int `default:"2000" help:"how many"`
	Clients int `default:"8" help:"how many at once"`
}

func (c *benchRunsCmd) Validate() error {
	if c.Runs < 1 || c.Clients < 1 || c.Clients > c.Runs {
		return errors.New("--clients must be above 0, and --runs not below it")
	}
	return nil
}

func (c *benchRunsCmd) Run(a *app) error {
	if err := a.api.once.Health(a.ctx); err != nil {
		return a.api.explain(err)
	}
	f, err := bench.Runs(a.ctx, bench.Config{URL: strings.TrimSuffix(a.api.base, "/api"), AuthString: a.cli.Auth}, c.Runs, c.Clients)
	if err != nil {
		return err
	}
	ms := func(v float64) string { return fmt.Sprintf("%.1f", v) }
	t := &out.Table{
		Columns: []out.Column{{Name: "request", Keep: true}, {Name: "p50 ms", Right: true}, {Name: "p95 ms", Right: true}},
		Rows: [][]string{
			{"create a run", ms(f.CreateP50), ms(f.CreateP95)}, {"set its state", ms(f.StateP50), ms(f.StateP95)},
		},
	}
	a.out.Note("%d runs by %d clients: %.0f runs/s", f.Runs, f.Clients, f.PerSecond)
	return a.out.List(core.ToJSON(f), t, nil)
}
