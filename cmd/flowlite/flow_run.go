package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type flowRunCmd struct {
	Ls          flowRunLsCmd          `cmd:"" aliases:"list" help:"List flow runs, the newest first"`
	Inspect     flowRunInspectCmd     `cmd:"" help:"Show a flow run"`
	Logs        flowRunLogsCmd        `cmd:"" help:"Print its logs"`
	Watch       flowRunWatchCmd       `cmd:"" help:"Follow logs and state, exit with the outcome"`
	Why         flowRunWhyCmd         `cmd:"" help:"Say why it is not running"`
	Result      flowRunResultCmd      `cmd:"" help:"Print what it returned"`
	Export      flowRunExportCmd      `cmd:"" help:"Print a run and its task runs as JSON, for flowtest.Replay"`
	Execute     flowRunExecuteCmd     `cmd:"" help:"Execute a flow run here, without a worker"`
	Stream      flowRunStreamCmd      `cmd:"" help:"Follow a stream that the flow appends to"`
	Status      flowRunStatusCmd      `cmd:"" help:"Print the values that the flow has set with SetStatus"`
	Send        flowRunSendCmd        `cmd:"" help:"Send a message to a flow run"`
	Webhook     flowRunWebhookCmd     `cmd:"" help:"Print a URL that sends one message to a flow run"`
	Cancel      flowRunCancelCmd      `cmd:"" help:"Cancel flow runs"`
	Pause       flowRunPauseCmd       `cmd:"" aliases:"suspend" help:"Pause running flow runs; their processes end"`
	Resume      flowRunResumeCmd      `cmd:"" passthrough:"partial" help:"Let a paused run go on, with its input as flags"`
	Retry       flowRunRetryCmd       `cmd:"" help:"Run flow runs again, reusing what completed"`
	SetPriority flowRunSetPriorityCmd `cmd:"" help:"Change the priority of flow runs among the due runs of their work queue"`
	Delete      flowRunDeleteCmd      `cmd:"" help:"Delete flow runs"`
}

type flowRunLsCmd struct {
	pageFlags
	State      []string `predictor:"state" help:"only in these states: Running, FAILED, Late ..."`
	Deployment string   `predictor:"deployment" help:"only of this deployment"`
	Flow       []string `sep:"none" predictor:"flow" aliases:"flow-name" help:"only of this flow"`
	Tag        []string `short:"t" sep:"none" help:"only with this tag"`
	Future     bool     `help:"also those scheduled for later"`
}

func (c *flowRunLsCmd) Run(a *app) error {
	runs := map[string]any{}
	body := map[string]any{"sort": "EXPECTED_START_TIME_DESC", "flow_runs": runs}
	if len(c.State) > 0 {
		runs["state"] = stateFilter(c.State)
	}
	if !c.Future && len(c.State) == 0 {
		// A schedule's next hundred runs would hide those that ran.
		runs["expected_start_time"] = map[string]any{"before_": core.Now().Add(time.Minute)}
	}
	if c.Deployment != "" {
		d, _, err := a.deployment(c.Deployment)
		if err != nil {
			return err
		}
		runs["deployment_id"] = map[string]any{"any_": []core.UUID{d.ID}}
	}
	if len(c.Flow) > 0 {
		if err := a.knownFlows(c.Flow); err != nil {
			return err
		}
		body["flows"] = map[string]any{"name": map[string]any{"any_": c.Flow}}
	}
	if len(c.Tag) > 0 {
		runs["tags"] = map[string]any{"all_": c.Tag}
	}
	all, raw, err := ask[[]*core.FlowRun](a, "POST", "/flow_runs/filter", c.body(body))
	if err != nil {
		return err
	}
	var ids, flows []core.UUID
	names := make([]string, len(all))
	for i, r := range all {
		ids, flows, names[i] = append(ids, r.ID), append(flows, r.FlowID), r.ID.String()
	}
	t := &out.Table{
		Empty: noRuns("flow runs", c.State),
		Columns: []out.Column{
			{Name: "name"},
			{Name: "id", Keep: true},
			{Name: "state", Keep: true},
			{Name: "flow"},
			{Name: "when"},
			{Name: "took", Right: true},
		},
	}
	if a.out.ForPeople() {
		flowNames := a.flowNames(flows)
		shown := names
		if a.out.Terminal {
			shown = shorts(ids)
		}
		for i, r := range all {
			t.Rows = append(
				t.Rows,
				[]string{r.Name, shown[i], a.out.State(r.StateType, r.StateName), flowNames[r.FlowID],
					a.out.Ago(started(r.StartTime, r.ExpectedStartTime)), took(r.TotalRunTime, r.EstimatedRunTime)},
			)
		}
	}
	a.noteUnusual(len(all), c.State)
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

// started is when a run began, or else is to begin.
func started(start, expected core.Time) core.Time {
	if start.IsZero() {
		return expected
	}
	return start
}

// took is how long a run has been running; "" for not at all.
func took(total, estimated float64) string {
	s := max(total, estimated)
	if s == 0 {
		return ""
	}
	return out.Duration(time.Duration(s * float64(time.Second)))
}

type runRef struct {
	ID string `arg:"" predictor:"run" help:"id, unique prefix of one, or name"`
}

type flowRunInspectCmd struct{ runRef }

func (c *flowRunInspectCmd) Run(a *app) error {
	r, raw, err := a.flowRun(c.ID)
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
	flow := ""
	if a.out.ForPeople() {
		flow = a.flowNames([]core.UUID{r.FlowID})[r.FlowID]
	}
	f = append(
		f,
		out.Field{Name: "Flow", Value: flow},
		out.Field{Name: "Parameters", Value: string(r.Parameters)},
		out.Field{Name: "Tags", Value: strings.Join(r.Tags, ", ")},
		out.Field{Name: "Pool", Value: core.Deref(r.WorkPoolName)},
		out.Field{Name: "Priority", Value: unlessZero(r.Priority)},
		out.Field{Name: "Scheduled", Value: a.out.Full(r.ExpectedStartTime)},
		out.Field{Name: "Started", Value: a.out.Full(r.StartTime)},
		out.Field{Name: "Ended", Value: a.out.Full(r.EndTime)},
		out.Field{
			Name:  "Took",
			Value: took(r.TotalRunTime, r.EstimatedRunTime),
		},
		out.Field{Name: "Attempts", Value: strconv.FormatInt(r.RunCount, 10)},
		out.Field{Name: "URL", Value: a.runURL(r)},
	)
	return a.out.Record(raw, r.ID.String(), f)
}

func unlessZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

type flowRunLogsCmd struct {
	runRef
	logsFlags
}

func (c *flowRunLogsCmd) Run(a *app) error { return a.logsOfRun(c.ID, c.logsFlags) }

type flowRunWatchCmd struct {
	runRef
	watchFlags
}

func (c *flowRunWatchCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	a.out.Tell("%s  %s  %s", a.out.Bold(r.Name), short(r.ID), a.runURL(r))
	return a.watch(r, c.watchFlags)
}

type flowRunWhyCmd struct{ runRef }

func (c *flowRunWhyCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	w, raw, err := ask[*core.Why](a, "GET", "/flow_runs/"+r.ID.String()+"/why", nil)
	if err != nil {
		return err
	}
	if err := a.out.Say(raw, w.Code, "%s  %s", a.out.State(w.State, w.StateName), w.Message); err == nil && w.Hint != "" && a.out.ForPeople() {
		a.out.Hint("%s", w.Hint)
	}
	return err
}

type flowRunResultCmd struct{ runRef }

func (c *flowRunResultCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	if r.StateType != core.Completed {
		f := &failure{code: exitFailed, what: fmt.Sprintf("%s is %s and has no result", r.Name, r.StateName)}
		if r.State != nil {
			f.why = core.Deref(r.State.Message)
		}
		return f
	}
	v, err := a.result(r, a.api.once)
	if err != nil {
		return err
	}
	return a.out.Raw(v)
}
