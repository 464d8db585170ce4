package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type taskRunCmd struct {
	Ls      taskRunLsCmd      `cmd:"" aliases:"list" help:"List task runs, the newest first"`
	Inspect taskRunInspectCmd `cmd:"" help:"Show a task run"`
	Logs    taskRunLogsCmd    `cmd:"" help:"Print its logs"`
}

type taskRunLsCmd struct {
	pageFlags
	FlowRun string   `placeholder:"RUN" predictor:"run" help:"only of this flow run"`
	Name    []string `sep:"none" aliases:"task-run-name" help:"only of this name"`
	State   []string `predictor:"state" help:"only in these states: Running, FAILED, Cached ..."`
	Tag     []string `short:"t" sep:"none" help:"only with this tag"`
}

func (c *taskRunLsCmd) Run(a *app) error {
	runs := map[string]any{}
	body := map[string]any{"sort": "EXPECTED_START_TIME_DESC", "task_runs": runs}
	if c.FlowRun != "" {
		r, _, err := a.flowRun(c.FlowRun)
		if err != nil {
			return err
		}
		runs["flow_run_id"] = map[string]any{"any_": []core.UUID{r.ID}}
	}
	if len(c.Name) > 0 {
		runs["name"] = map[string]any{"any_": c.Name}
	}
	if len(c.State) > 0 {
		runs["state"] = stateFilter(c.State)
	}
	if len(c.Tag) > 0 {
		runs["tags"] = map[string]any{"all_": c.Tag}
	}
	all, raw, err := ask[[]*core.TaskRun](a, "POST", "/task_runs/filter", c.body(body))
	if err != nil {
		return err
	}
	t := &out.Table{
		Empty: noRuns("task runs", c.State),
		Columns: []out.Column{
			{Name: "name"},
			{Name: "id", Keep: true},
			{Name: "state", Keep: true},
			{Name: "when"},
			{Name: "took", Right: true},
			{Name: "attempts", Right: true},
		},
	}
	ids, names := make([]core.UUID, len(all)), make([]string, len(all))
	for i, r := range all {
		ids[i], names[i] = r.ID, r.ID.String()
	}
	shown := names
	if a.out.Terminal {
		shown = shorts(ids)
	}
	for i, r := range all {
		t.Rows = append(
			t.Rows,
			[]string{
				r.Name,
				shown[i],
				a.out.State(r.StateType, r.StateName),
				a.out.Ago(started(r.StartTime, r.ExpectedStartTime)),
				took(r.TotalRunTime, r.EstimatedRunTime),
				strconv.FormatInt(r.RunCount, 10),
			},
		)
	}
	a.noteUnusual(len(all), c.State)
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

type taskRunRef struct {
	ID string `arg:"" help:"id, or unique prefix of one, of a task run"`
}

type taskRunInspectCmd struct{ taskRunRef }

func (c *taskRunInspectCmd) Run(a *app) error {
	r, raw, err := a.taskRun(c.ID)
	if err != nil {
		return err
	}
	f := []out.Field{
		{Name: "Name", Value: a.out.Bold(r.Name)},
		{Name: "Id", Value: r.ID.String()},
		{Name: "State", Value: a.out.State(r.StateType, r.StateName)},
	}
	if r.State != nil {
		f = append(f, out.Field{Name: "Message", Value: core.Deref(r.State.Message)})
	}
	flowRun := ""
	if !r.FlowRunID.IsZero() {
		flowRun = r.FlowRunID.String()
	}
	return a.out.Record(raw, r.ID.String(), append(
		f,
		out.Field{Name: "Task", Value: r.TaskKey},
		out.Field{Name: "Flow run", Value: flowRun},
		out.Field{Name: "Tags", Value: strings.Join(r.Tags, ", ")},
		out.Field{Name: "Cache key", Value: core.Deref(r.CacheKey)},
		out.Field{
			Name:  "Started",
			Value: a.out.Full(r.StartTime),
		},
		out.Field{Name: "Ended", Value: a.out.Full(r.EndTime)},
		out.Field{Name: "Took", Value: took(r.TotalRunTime, r.EstimatedRunTime)},
		out.Field{
			Name:  "Attempts",
			Value: strconv.FormatInt(r.RunCount, 10),
		},
		out.Field{Name: "Retries", Value: retries(r.EmpiricalPolicy.Retries)},
		out.Field{Name: "URL", Value: a.api.page("/task-runs/" + r.ID.String())},
	))
}

func retries(n *int64) string {
	if n == nil || *n == 0 {
		return ""
	}
	return "up to " + strconv.FormatInt(*n, 10)
}

type taskRunLogsCmd struct {
	taskRunRef
	logsFlags
}

func (c *taskRunLogsCmd) Run(a *app) error {
	r, _, err := a.taskRun(c.ID)
	if err != nil {
		return err
	}
	return a.logs(logsOf{task: r}, c.logsFlags)
}

// taskRun finds an id, or a unique prefix of one among the newest 1,000.
func (a *app) taskRun(ref string) (*core.TaskRun, core.JSON, error) {
	none := &failure{
		code: exitNotFound,
		what: fmt.Sprintf("no task run %q", ref),
		hint: "flowlite task-run ls --flow-run RUN shows those of a flow run",
	}
	if id, err := core.ParseUUID(ref); err == nil {
		r, raw, err := ask[*core.TaskRun](a, "GET", "/task_runs/"+id.String(), nil)
		if core.IsNotFound(err) {
			err = none
		}
		return r, raw, err
	}
	if !prefixOfID(ref) {
		return nil, nil, none
	}
	var found []string
	for offset := 0; offset < 1000; offset += core.MaxLimit {
		page, _, err := ask[[]*core.TaskRun](a, "POST", "/task_runs/filter", map[string]any{"offset": offset, "limit": core.MaxLimit})
		if err != nil {
			return nil, nil, err
		}
		for _, r := range page {
			if strings.HasPrefix(r.ID.String(), strings.ToLower(ref)) && !slices.Contains(found, r.ID.String()) {
				found = append(found, r.ID.String())
			}
		}
		if len(page) < core.MaxLimit {
			break
		}
	}
	switch len(found) {
	case 0:
		return nil, nil, none
	case 1:
		return a.taskRun(found[0])
	}
	return nil, nil, &failure{
		code: exitUsage,
		what: fmt.Sprintf("%q is %d task runs", ref, len(found)),
		hint: "say one of " + strings.Join(found[:min(len(found), 4)], ", "),
	}
}
