package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type logsFlags struct {
	Follow  bool     `short:"f" help:"go on until the run is final"`
	Tail    int      `short:"t" help:"only the last N lines"`
	Head    int      `help:"only the first N lines"`
	Num     int      `short:"n" name:"num-logs" help:"the last N lines, or with --reverse the newest N"`
	Reverse bool     `short:"r" help:"newest first"`
	Level   string   `enum:"debug,info,warning,error,critical" default:"debug" help:"this level and above: debug, info, warning, error or critical"`
	Since   duration `placeholder:"DURATION" help:"only lines that are no older: 15m, 1h30m"`
}

// logsOf is a flow run, or a task run.
type logsOf struct {
	flow *core.FlowRun
	task *core.TaskRun
}

func (o logsOf) filter() (key string, id core.UUID) {
	if o.task != nil {
		return "task_run_id", o.task.ID
	}
	return "flow_run_id", o.flow.ID
}

type logsTopCmd struct {
	Of         string `arg:"" optional:"" name:"run" predictor:"run" help:"flow run: id, unique prefix of one, or name"`
	FlowRun    string `name:"flow-run" placeholder:"RUN" xor:"of" predictor:"run" help:"the same as a flag"`
	TaskRun    string `name:"task-run" placeholder:"ID" xor:"of" help:"id, or unique prefix of one"`
	Deployment string `placeholder:"NAME" xor:"of" predictor:"deployment" help:"the newest run of this deployment"`
	logsFlags
}

func (c *logsTopCmd) Run(a *app) error {
	switch flags := c.FlowRun + c.TaskRun + c.Deployment; {
	case (c.Of == "") == (flags == ""):
		return badUsage("say whose logs: a flow run, or --task-run ID, or --deployment NAME")
	case c.TaskRun != "":
		r, _, err := a.taskRun(c.TaskRun)
		if err != nil {
			return err
		}
		return a.logs(logsOf{task: r}, c.logsFlags)
	case c.Deployment != "":
		r, err := a.newestRun(c.Deployment)
		if err != nil {
			return err
		}
		return a.logs(logsOf{flow: r}, c.logsFlags)
	}
	return a.logsOfRun(c.Of+c.FlowRun, c.logsFlags)
}

// newestRun is the last run of a deployment that has begun.
func (a *app) newestRun(deployment string) (*core.FlowRun, error) {
	d, _, err := a.deployment(deployment)
	if err != nil {
		return nil, err
	}
	// The filter and order by start time take the expected one where there is none.
	runs, _, err := ask[[]*core.FlowRun](a, "POST", "/flow_runs/filter", map[string]any{
		"limit": 50,
		"sort":  "START_TIME_DESC",
		"flow_runs": map[string]any{
			"deployment_id": map[string]any{"any_": []core.UUID{d.ID}},
			"start_time":    map[string]any{"before_": core.Now()},
		},
	})
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if !r.StartTime.IsZero() {
			return r, nil
		}
	}
	return nil, &failure{
		code: exitNotFound,
		what: d.FullName() + " has not run yet",
		hint: core.ShellCommand("flowlite", "deployment", "run", d.FullName(), "--watch"),
	}
}

func (a *app) logsOfRun(ref string, f logsFlags) error {
	r, _, err := a.flowRun(ref)
	if err != nil {
		return err
	}
	return a.logs(logsOf{flow: r}, f)
}

var levels = map[string]int64{"debug": 0, "info": 20, "warning": 30, "error": 40, "critical": 50}

func (a *app) logs(of logsOf, f logsFlags) error {
	if f.Num > 0 {
		f.Tail, f.Num = f.Num, 0
	}
	if f.Head > 0 && f.Tail > 0 {
		return badUsage("--head and --tail exclude each other")
	}
	if f.Follow {
		return a.followLogs(of, f)
	}
	rows, err := a.allLogs(of, f)
	if err != nil {
		return err
	}
	if !a.out.ForPeople() {
		var names []string
		for _, l := range rows {
			names = append(names, l.ID.String())
		}
		raw := core.JSON("[]")
		if len(rows) > 0 {
			raw = core.ToJSON(rows)
		}
		return a.out.List(raw, &out.Table{}, names)
	}
	for _, l := range rows {
		a.out.Tell("%s", a.logLine(l))
	}
	return nil
}

func (a *app) followLogs(of logsOf, f logsFlags) error {
	if f.Head > 0 || f.Tail > 0 || f.Reverse {
		return badUsage("--follow prints all lines in their order, without --head, --tail and --reverse")
	}
	var run, task core.UUID
	if of.flow != nil {
		run = of.flow.ID
	} else if run, task = of.task.FlowRunID, of.task.ID; run.IsZero() {
		return badUsage("task run %s belongs to no flow run, so nobody can tell when its logs end; leave --follow away", task)
	}
	since := core.Time(0)
	if f.Since > 0 {
		since = core.Now().Add(-f.Since.Duration())
	}
	for l, err := range a.api.patient.StreamLogs(a.ctx, run, 0) {
		if err != nil {
			return a.api.explain(err)
		}
		if l.Level < levels[f.Level] || l.Timestamp < since || !task.IsZero() && l.TaskRunID != task {
			continue
		}
		if a.out.ForPeople() {
			a.out.Tell("%s", a.logLine(l))
		} else if err := a.follow(core.ToJSON(l), l.ID.String()); err != nil {
			return err
		}
	}
	if a.ctx.Err() != nil {
		return outcome(exitInterrupted)
	}
	return nil
}

// follow prints one of a list that has no end: JSON is a line each, and YAML
// a document each.
func (a *app) follow(raw core.JSON, name string) error {
	if a.out.Format == "json" {
		_, err := fmt.Fprintf(a.out.Out, "%s\n", raw)
		return err
	}
	if a.out.Format == "yaml" {
		if _, err := fmt.Fprintln(a.out.Out, "---"); err != nil {
			return err
		}
	}
	return a.out.Record(raw, name, nil)
}

func (a *app) allLogs(of logsOf, f logsFlags) (all []*core.Log, err error) {
	want, sort := f.Head, "TIMESTAMP_ASC"
	if f.Tail > 0 {
		want, sort = f.Tail, "TIMESTAMP_DESC"
	}
	key, id := of.filter()
	filter := map[string]any{key: map[string]any{"any_": []core.UUID{id}}, "level": map[string]any{"ge_": levels[f.Level]}}
	if f.Since > 0 {
		filter["timestamp"] = map[string]any{"after_": core.Now().Add(-f.Since.Duration())}
	}
	for want == 0 || len(all) < want {
		limit := core.MaxLimit
		if want > 0 {
			limit = min(limit, want-len(all))
		}
		raw, err := a.api.call(a.ctx, "POST", "/logs/filter", map[string]any{"sort": sort, "limit": limit, "offset": len(all), "logs": filter})
		if err != nil {
			return nil, err
		}
		var page []*core.Log
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < limit {
			break
		}
	}
	if f.Reverse != (f.Tail > 0) {
		slices.Reverse(all)
	}
	return all, nil
}

func (a *app) logLine(l *core.Log) string {
	name := out.Line(strings.TrimPrefix(l.Name, "prefect."))
	return a.out.Dim(
		l.Timestamp.Time().Local().Format("15:04:05.000"),
	) + " " + a.out.Level(
		l.Level,
	) + " " + a.out.Dim(
		name,
	) + "  " + strings.TrimRight(
		l.Message,
		"\n",
	)
}
