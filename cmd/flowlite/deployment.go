package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
)

type deploymentCmd struct {
	Ls      deploymentLsCmd      `cmd:"" aliases:"list" help:"List deployments"`
	Inspect deploymentInspectCmd `cmd:"" help:"Show a deployment"`
	Run     deploymentRunCmd     `cmd:"" help:"Create a flow run of a deployment"`
	Pause   deploymentPauseCmd   `cmd:"" help:"Stop its schedules"`
	Resume  deploymentResumeCmd  `cmd:"" help:"Let its schedules go on"`
	Delete  deploymentDeleteCmd  `cmd:"" help:"Delete a deployment"`
}

type deploymentLsCmd struct {
	pageFlags
	Flow string `help:"only of this flow"`
}

func (c *deploymentLsCmd) Run(a *app) error {
	body := map[string]any{}
	if c.Flow != "" {
		body["flows"] = map[string]any{"name": map[string]any{"any_": []string{c.Flow}}}
	}
	all, raw, err := ask[[]*core.Deployment](a, "POST", "/deployments/filter", c.body(body))
	if err != nil {
		return err
	}
	names := a.fullNames(all)
	t := &out.Table{Empty: "no deployments; `flowlite up` deploys ./flows", Columns: []out.Column{{Name: "name"}, {Name: "status"}, {Name: "pool"}, {Name: "schedule"}, {Name: "tags"}, {Name: "entrypoint"}}}
	for i, d := range all {
		t.Rows = append(t.Rows, []string{names[i], a.deploymentStatus(d), core.Deref(d.WorkPoolName), schedules(d), strings.Join(d.Tags, ", "), core.Deref(d.Entrypoint)})
	}
	defer a.more(len(all), c.pageFlags)
	return a.out.List(raw, t, names)
}

func (a *app) deploymentStatus(d *core.Deployment) string {
	if d.Paused {
		return a.out.Status(core.PausedS)
	}
	return a.out.Status(d.Status)
}

func schedules(d *core.Deployment) string {
	var s []string
	for _, e := range d.Schedules {
		text := string(e.Rule)
		if r, err := schedule.Parse(e.Rule); err == nil {
			text = r.Describe()
		}
		if !e.Active {
			text += " (off)"
		}
		s = append(s, text)
	}
	return strings.Join(s, "; ")
}

type deploymentRef struct {
	Name string `arg:"" help:"flow/deployment, or its id"`
}

type deploymentInspectCmd struct{ deploymentRef }

func (c *deploymentInspectCmd) Run(a *app) error {
	d, raw, err := a.deployment(c.Name)
	if err != nil {
		return err
	}
	return a.out.Record(raw, d.FullName(), []out.Field{
		{Name: "Name", Value: a.out.Bold(d.FullName())}, {Name: "Id", Value: d.ID.String()}, {Name: "Status", Value: a.deploymentStatus(d)},
		{Name: "Description", Value: core.Deref(d.Description)}, {Name: "Entrypoint", Value: core.Deref(d.Entrypoint)}, {Name: "Path", Value: core.Deref(d.Path)},
		{Name: "Pool", Value: core.Deref(d.WorkPoolName)}, {Name: "Queue", Value: core.Deref(d.WorkQueueName)}, {Name: "Schedules", Value: schedules(d)},
		{Name: "Parameters", Value: string(d.Parameters)}, {Name: "Tags", Value: strings.Join(d.Tags, ", ")}, {Name: "Version", Value: core.Deref(d.Version)},
		{Name: "Updated", Value: a.out.Full(d.Updated)}, {Name: "URL", Value: a.api.page("/deployments/" + d.ID.String())}})
}

type deploymentRunCmd struct {
	deploymentRef
	watchFlags
	Param       []string      `short:"p" sep:"none" placeholder:"K=V" help:"a parameter; the value is JSON, or else text"`
	Params      string        `placeholder:"JSON" help:"all parameters: JSON, @file or -"`
	JobVariable []string      `short:"j" sep:"none" placeholder:"K=V" help:"a job variable"`
	Tag         []string      `short:"t" sep:"none" help:"a tag"`
	FlowRunName string        `help:"name of the run"`
	StartIn     time.Duration `help:"when: 15m, 1h30m" xor:"start"`
	StartAt     string        `help:"when: 2026-11-23T09:00:00Z" xor:"start"`
	Watch       bool          `help:"follow logs and state, exit with the outcome"`
}

func (c *deploymentRunCmd) Run(a *app) error {
	d, _, err := a.deployment(c.Name)
	if err != nil {
		return err
	}
	params, vars, err := a.inputs(c.Params, c.Param, c.JobVariable, d.ParameterOpenAPISchema)
	if err != nil {
		return err
	}
	body := core.DeploymentFlowRunCreate{Name: c.FlowRunName, Tags: c.Tag, Parameters: core.ToJSON(params)}
	if len(vars) > 0 {
		body.JobVariables = core.ToJSON(vars)
	}
	at := core.Now().Add(c.StartIn)
	if c.StartAt != "" {
		if at, err = core.ParseTime(c.StartAt); err != nil {
			return badUsage("--start-at: %v", err)
		}
	}
	if c.StartAt != "" || c.StartIn > 0 {
		body.State = &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: at}}
	}
	r, raw, err := ask[*core.FlowRun](a, "POST", "/deployments/"+d.ID.String()+"/create_flow_run", body)
	if err != nil {
		return err
	}
	if !a.out.ForPeople() && c.Watch {
		return a.watch(r, c.watchFlags)
	}
	if err := a.out.Say(raw, r.ID.String(), "Created %s  %s  %s", a.out.Bold(r.Name), short(r.ID), a.runURL(r)); err != nil || !c.Watch {
		return err
	}
	return a.watch(r, c.watchFlags)
}

func (a *app) runURL(r *core.FlowRun) string { return a.api.page("/flow-runs/" + r.ID.String()) }

// change does what pause, resume and delete have in common.
func (a *app) changeDeployment(name, method, suffix, done string) error {
	d, raw, err := a.deployment(name)
	if err != nil {
		return err
	}
	if _, err := a.api.call(a.ctx, method, "/deployments/"+d.ID.String()+suffix, nil); err != nil {
		return err
	}
	return a.out.Say(raw, d.FullName(), "%s %s", done, d.FullName())
}

type deploymentPauseCmd struct{ deploymentRef }

func (c *deploymentPauseCmd) Run(a *app) error {
	return a.changeDeployment(c.Name, "POST", "/pause_deployment", "Paused")
}

type deploymentResumeCmd struct{ deploymentRef }

func (c *deploymentResumeCmd) Run(a *app) error {
	return a.changeDeployment(c.Name, "POST", "/resume_deployment", "Resumed")
}

type deploymentDeleteCmd struct {
	deploymentRef
	Yes bool `short:"y" help:"do not ask"`
}

func (c *deploymentDeleteCmd) Run(a *app) error {
	if err := a.confirm(c.Yes, fmt.Sprintf("Delete %s?", c.Name)); err != nil {
		return err
	}
	return a.changeDeployment(c.Name, "DELETE", "", "Deleted")
}
