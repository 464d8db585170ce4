package main

import (
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
)

type deploymentCmd struct {
	Ls      deploymentLsCmd      `cmd:"" aliases:"list" help:"List deployments"`
	Inspect deploymentInspectCmd `cmd:"" help:"Show a deployment"`
	Run     deploymentRunCmd     `cmd:"" help:"Create a flow run of a deployment"`
	Pause   deploymentPauseCmd   `cmd:"" help:"Stop its schedules"`
	Resume  deploymentResumeCmd  `cmd:"" help:"Let its schedules go on"`
	Delete  deploymentDeleteCmd  `cmd:"" help:"Delete deployments"`

	Schedule scheduleCmd `cmd:"" aliases:"schedules" help:"When its runs are made"`
}

type deploymentLsCmd struct {
	pageFlags
	Flow []string `sep:"none" predictor:"flow" aliases:"flow-name" help:"only of this flow"`
	Tag  []string `short:"t" sep:"none" help:"only with this tag"`
}

func (c *deploymentLsCmd) Run(a *app) error {
	body := map[string]any{}
	if len(c.Flow) > 0 {
		if err := a.knownFlows(c.Flow); err != nil {
			return err
		}
		body["flows"] = map[string]any{"name": map[string]any{"any_": c.Flow}}
	}
	if len(c.Tag) > 0 {
		body["deployments"] = map[string]any{"tags": map[string]any{"all_": c.Tag}}
	}
	all, raw, err := ask[[]*core.Deployment](a, "POST", "/deployments/filter", c.body(body))
	if err != nil {
		return err
	}
	names := a.fullNames(all)
	t := &out.Table{
		Empty:   "no deployments; `flowlite up` deploys ./flows",
		Columns: []out.Column{{Name: "name"}, {Name: "status"}, {Name: "pool"}, {Name: "schedule"}, {Name: "tags"}, {Name: "entrypoint"}},
	}
	for i, d := range all {
		t.Rows = append(
			t.Rows,
			[]string{
				names[i],
				a.deploymentStatus(d),
				core.Deref(d.WorkPoolName),
				schedules(d),
				strings.Join(d.Tags, ", "),
				core.Deref(d.Entrypoint),
			},
		)
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

func (a *app) deploymentStatus(d *core.Deployment) string {
	if d.Paused {
		return a.out.Status(core.StatusPaused)
	}
	return a.out.Status(d.Status)
}

func schedules(d *core.Deployment) string {
	var s []string
	for _, e := range d.Schedules {
		s = append(s, describeSchedule(e))
	}
	return strings.Join(s, "; ")
}

type deploymentRef struct {
	Name string `arg:"" predictor:"deployment" help:"flow/deployment, or its id"`
}

type deploymentInspectCmd struct{ deploymentRef }

func (c *deploymentInspectCmd) Run(a *app) error {
	d, raw, err := a.deployment(c.Name)
	if err != nil {
		return err
	}
	return a.out.Record(raw, d.FullName(), []out.Field{
		{Name: "Name", Value: a.out.Bold(d.FullName())},
		{Name: "Id", Value: d.ID.String()},
		{Name: "Status", Value: a.deploymentStatus(d)},
		{
			Name:  "Description",
			Value: core.Deref(d.Description),
		},
		{Name: "Entrypoint", Value: core.Deref(d.Entrypoint)},
		{Name: "Path", Value: core.Deref(d.Path)},
		{
			Name:  "Pool",
			Value: core.Deref(d.WorkPoolName),
		},
		{Name: "Queue", Value: core.Deref(d.WorkQueueName)},
		{Name: "Schedules", Value: schedules(d)},
		{
			Name:  "Parameters",
			Value: string(d.Parameters),
		},
		{Name: "Tags", Value: strings.Join(d.Tags, ", ")},
		{Name: "Version", Value: core.Deref(d.Version)},
		{Name: "Updated", Value: a.out.Full(d.Updated)},
		{Name: "URL", Value: a.api.page("/deployments/" + d.ID.String())},
	})
}

type deploymentRunCmd struct {
	deploymentRef
	watchFlags
	Param       []string `short:"p" sep:"none" placeholder:"K=V" help:"a parameter; the value is JSON, or else text"`
	Params      string   `placeholder:"JSON" help:"all parameters: JSON, @file or -"`
	ParamsFile  string   `placeholder:"FILE" type:"path" help:"Create a run for each line of a file, all or none, at most 10,000; a line is the parameters of a run as a JSON object"`
	JobVariable []string `short:"j" sep:"none" placeholder:"K=V" help:"a job variable (-jv as well)"`
	Tag         []string `short:"t" sep:"none" help:"a tag"`
	FlowRunName string   `help:"name of the run"`
	Priority    int64    `placeholder:"N" help:"Priority among the due runs of the work queue; higher starts first (default: 0)"`
	Key         string   `placeholder:"TEXT" help:"Idempotency key; a second run of the flow with the same key is not created, and the first is shown"`
	Queue       string   `placeholder:"NAME" help:"Work queue of the deployment's pool (default: the deployment's queue)"`
	StartIn     duration `placeholder:"DURATION" help:"when: 15m, 1h30m, '10 min'" xor:"start"`
	StartAt     string   `help:"when: 2026-11-23T09:00:00Z" xor:"start"`
	Watch       bool     `help:"follow logs and state, exit with the outcome"`
}

func (c *deploymentRunCmd) Validate() error {
	if c.ParamsFile != "" && (c.Watch || c.Params != "") {
		return badUsage("--params-file creates many runs; it cannot be combined with --watch or --params")
	}
	if !c.Watch {
		return c.withoutWatch()
	}
	return nil
}

func (c *deploymentRunCmd) Run(a *app) error {
	d, _, err := a.deployment(c.Name)
	if err != nil {
		return err
	}
	params, err := a.inputs(c.Params, c.Param, d.ParameterOpenAPISchema)
	if err != nil {
		return err
	}
	var pool *core.WorkPool
	if name := core.Deref(d.WorkPoolName); len(c.JobVariable) > 0 && name != "" {
		if pool, _, err = a.pool(name); err != nil {
			return err
		}
	}
	var vars core.Object
	if err := jobVariables(&vars, c.JobVariable, pool); err != nil {
		return err
	}
	body := core.DeploymentFlowRunCreate{Name: c.FlowRunName, Tags: c.Tag, Parameters: params.JSON(), Priority: c.Priority}
	body.IdempotencyKey, body.WorkQueueName = core.Given(&c.Key), core.Given(&c.Queue)
	if len(vars) > 0 {
		body.JobVariables = vars.JSON()
	}
	at := core.Now().Add(c.StartIn.Duration())
	if c.StartAt != "" {
		if at, err = core.ParseTime(c.StartAt); err != nil {
			return badUsage("--start-at: %v", err)
		}
	}
	if c.StartAt != "" || c.StartIn > 0 {
		body.State = &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: at}}
	}
	if c.ParamsFile != "" {
		return c.createMany(a, d, body, params)
	}
	r, raw, err := ask[*core.FlowRun](a, "POST", "/deployments/"+d.ID.String()+"/create_flow_run", body)
	if err != nil {
		return err
	}
	if !a.out.ForPeople() && c.Watch {
		return a.watch(r, c.watchFlags)
	}
	if err := a.out.Say(raw, r.ID.String(), "Created %s  %s  %s", a.out.Bold(r.Name), short(r.ID), a.runURL(r)); err != nil {
		return err
	}
	if a.out.ForPeople() && body.State != nil {
		if at > core.Now() {
			a.out.Note("  starts: %s", a.out.Full(at))
		} else {
			a.out.Note("  starts now: %s has passed", c.StartAt)
		}
	}
	if !c.Watch {
		return nil
	}
	return a.watch(r, c.watchFlags)
}

func (a *app) runURL(r *core.FlowRun) string { return a.api.page("/flow-runs/" + r.ID.String()) }

type deploymentRefs struct {
	Names []string `arg:"" name:"name" predictor:"deployment" help:"flow/deployment, or ids"`
}

// change does what pause, resume and delete have in common.
func (r deploymentRefs) change(a *app, method, suffix, done string) error {
	return a.each(r.Names, func(name string) (*said, error) {
		d, raw, err := a.deployment(name)
		if err != nil {
			return nil, err
		}
		_, err = a.api.call(a.ctx, method, "/deployments/"+d.ID.String()+suffix, nil)
		return &said{raw, d.FullName(), done + " " + d.FullName()}, err
	})
}

type deploymentPauseCmd struct{ deploymentRefs }

func (c *deploymentPauseCmd) Run(a *app) error {
	return c.change(a, "POST", "/pause_deployment", "Paused")
}

type deploymentResumeCmd struct{ deploymentRefs }

func (c *deploymentResumeCmd) Run(a *app) error {
	return c.change(a, "POST", "/resume_deployment", "Resumed")
}

type deploymentDeleteCmd struct {
	Names []string `arg:"" optional:"" name:"name" predictor:"deployment" help:"flow/deployment, or ids"`
	All   bool     `help:"every deployment"`
	yesFlag
}

func (c *deploymentDeleteCmd) Run(a *app) error {
	if c.All == (len(c.Names) > 0) {
		return badUsage("say either deployments or --all")
	}
	question := "Delete " + some(c.Names, "deployments") + "?"
	for c.All {
		page, _, err := ask[[]*core.Deployment](a, "POST", "/deployments/filter", map[string]any{"offset": len(c.Names), "limit": core.MaxLimit})
		if err != nil {
			return err
		}
		for _, d := range page {
			c.Names = append(c.Names, d.ID.String())
		}
		if len(page) < core.MaxLimit {
			question = "Delete all, " + count(len(c.Names), "deployment") + "?"
			break
		}
	}
	if len(c.Names) == 0 {
		return a.out.Say(core.JSON("[]"), "", "There are no deployments")
	}
	if err := a.confirm(c.Yes, question); err != nil {
		return err
	}
	return deploymentRefs{c.Names}.change(a, "DELETE", "", "Deleted")
}
