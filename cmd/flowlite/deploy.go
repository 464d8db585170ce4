package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

// specFlags are those of deploy and of flow serve.
type specFlags struct {
	Description string   `help:"what it is for"`
	Version     string   `help:"version of the deployment"`
	Cron        []string `sep:"none" help:"when: '0 9 * * 1-5'"`
	Interval    []string `sep:"none" help:"every: 15m, 1h30m, '10 min' or seconds"`
	Anchor      string   `name:"anchor-date" placeholder:"TIME" help:"what intervals are counted from: 2026-11-23T09:00:00Z"`
	RRule       []string `name:"rrule" sep:"none" help:"when: FREQ=DAILY;BYHOUR=9"`
	Timezone    string   `help:"of the schedules: Europe/Berlin"`
	Param       []string `sep:"none" placeholder:"K=V" help:"a parameter; the value is JSON, or else text"`
	Params      string   `placeholder:"JSON" help:"all parameters: JSON, @file or -"`
	JobVariable []string `short:"j" sep:"none" placeholder:"K=V" help:"a job variable (-jv as well)"`
	Tag         []string `short:"t" sep:"none" help:"a tag"`
	Limit       *int     `name:"concurrency-limit" help:"runs at once (-cl as well)"`
	Collision   string   `name:"collision-strategy" enum:"ENQUEUE,CANCEL_NEW," default:"" help:"with a limit: ENQUEUE or CANCEL_NEW"`
	Home        string   `env:"FLOWLITE_HOME" help:"folder of built flows; default: ~/.flowlite"`
}

type deployCmd struct {
	Entrypoint string   `arg:"" predictor:"file" optional:"" help:"flows/adder.go:Adder, flows/etl.py:etl, or bin/etl:Adder"`
	Name       []string `short:"n" sep:"none" help:"name of the deployment; default: local. Without an entrypoint: those of the file"`
	All        bool     `help:"all deployments of the file"`
	Config     string   `predictor:"file" aliases:"prefect-file" placeholder:"FILE" help:"file of deployments; default: flowlite.yaml, where no entrypoint is said"`
	DryRun     bool     `help:"show what would be deployed, and do nothing"`
	Pool       string   `short:"p" env:"FLOWLITE_DEFAULT_WORK_POOL" predictor:"pool" help:"work pool; default: default, or the only one there is"`
	Queue      string   `short:"q" aliases:"work-queue" help:"work queue"`
	specFlags
}

// settingsPool is the pool that a setting names, for a deployment that names none.
func (a *app) settingsPool(pool string) (string, error) {
	if pool == "" {
		return "", nil
	}
	_, _, err := a.pool(pool)
	if f, ok := errors.AsType[*failure](err); ok && f.code == exitNotFound {
		f.why = poolSetting + " names it"
		f.hint = "flowlite config set " + poolSetting + "=POOL, or config unset " + poolSetting
	}
	return pool, err
}

func (c *deployCmd) Run(a *app) error {
	dir, specs, err := c.specs(a)
	if err != nil {
		return err
	}
	plans := make([]*deployPlan, len(specs))
	for i := range specs { // all are looked at before one is deployed
		pool := poolChoice{name: c.Pool, said: a.onLine("-p", "--pool")}
		if plans[i], err = a.plan(dir, &specs[i], c.specFlags, pool, c.Queue); err != nil {
			return err
		}
	}
	if c.DryRun {
		return a.showPlans(plans)
	}
	raws, names := []json.RawMessage{}, []string{}
	for _, p := range plans {
		raw, err := a.carryOut(p)
		if err != nil {
			return err
		}
		raws, names = append(raws, json.RawMessage(raw)), append(names, p.fullName())
		if a.out.ForPeople() {
			if err := a.out.Say(
				nil,
				"",
				"Deployed %s to pool %s  %s",
				a.out.Bold(p.fullName()),
				p.pool,
				a.api.page("/deployments/"+p.id.String()),
			); err != nil {
				return err
			}
		}
	}
	if a.out.ForPeople() {
		a.out.Note(
			"Workers look for %s in their working directory: --work-dir, or the job variable working_dir. Here it is %s.",
			plans[0].body.Entrypoint.V,
			dir,
		)
		a.out.Hint("%s --watch", core.ShellCommand("flowlite", "deployment", "run", names[0]))
		return nil
	}
	raw := core.ToJSON(raws)
	if c.Entrypoint != "" {
		raw = core.JSON(raws[0])
	}
	return a.out.List(raw, nil, names)
}

// specs are the deployments that were asked for, and the folder that their
// entrypoints start from.
func (c *deployCmd) specs(a *app) (dir string, specs []deploySpec, err error) {
	if dir, err = os.Getwd(); err != nil {
		return "", nil, err
	}
	if c.Entrypoint != "" {
		if c.All || c.Config != "" {
			return "", nil, badUsage("say either an entrypoint, or --config and --all for the deployments of a file")
		}
		if len(c.Name) > 1 {
			return "", nil, badUsage("an entrypoint makes one deployment, but %d names were said", len(c.Name))
		}
		name := "local"
		if len(c.Name) == 1 {
			name = c.Name[0]
		}
		return dir, []deploySpec{{Name: name, Entrypoint: c.Entrypoint}}, nil
	}
	file := cmp.Or(c.Config, "flowlite.yaml")
	f, err := readDeployFile(file)
	if err != nil {
		return "", nil, err
	}
	if specs, err = f.choose(file, c.All, c.Name); err != nil {
		return "", nil, err
	}
	for _, s := range specs {
		if f.Build != nil || f.Push != nil || f.Pull != nil || s.Build != nil || s.Push != nil || s.Pull != nil {
			a.out.Note("build, push, and pull steps of the file are left out: workers run the code in their own working directory")
			break
		}
	}
	dir, err = filepath.Abs(filepath.Dir(file))
	return dir, specs, err
}

// over puts what flags say over what the file says.
func (f *specFlags) over(s *deploySpec) error {
	s.Description, s.Version = cmp.Or(f.Description, s.Description), cmp.Or(f.Version, s.Version)
	if len(f.Tag) > 0 {
		s.Tags = f.Tag
	}
	if f.Limit != nil {
		limit := map[string]any{"limit": *f.Limit}
		if f.Collision != "" {
			limit["collision_strategy"] = f.Collision
		}
		s.Concurrency = limit
	} else if f.Collision != "" {
		return badUsage("--collision-strategy needs --concurrency-limit")
	}
	if len(f.Cron)+len(f.Interval)+len(f.RRule) == 0 {
		if f.Timezone != "" || f.Anchor != "" {
			return badUsage("--timezone and --anchor-date belong to a schedule: say --cron, --interval or --rrule")
		}
		return nil
	}
	s.Schedule, s.Schedules = nil, f.schedules()
	return nil
}

func (f *specFlags) schedules() (all []yamlJSON) {
	add := func(key string, values []string) {
		for _, v := range values {
			rule := core.Object{{Key: key, Value: v}}
			if f.Timezone != "" {
				rule.Set("timezone", f.Timezone)
			}
			if f.Anchor != "" && key == "interval" {
				rule.Set("anchor_date", f.Anchor)
			}
			all = append(all, yamlJSON(rule.JSON()))
		}
	}
	add("cron", f.Cron)
	add("interval", f.Interval)
	add("rrule", f.RRule)
	return all
}

// deployPlan is a deployment that was found to be possible.
type deployPlan struct {
	flow, pool string
	body       core.DeploymentCreate
	old        *core.Deployment // of the same name; nil: there is none

	id        core.UUID // what carryOut learned
	scheduled bool
}

func (p *deployPlan) fullName() string { return p.flow + "/" + p.body.Name }

// plan finds the flow, its pool and parameters; it changes nothing.
func (a *app) plan(dir string, s *deploySpec, f specFlags, pool poolChoice, queue string) (*deployPlan, error) {
	if err := f.over(s); err != nil {
		return nil, err
	}
	s.Pool.Queue = cmp.Or(queue, s.Pool.Queue)
	schedules, err := s.rules()
	if err != nil {
		return nil, err
	}
	e, err := build.ParseEntrypoint(dir, s.Entrypoint)
	if err != nil {
		return nil, &failure{code: exitUsage, what: err.Error()}
	}
	vars := s.Pool.JobVariables.object()
	if err := jobVariables(&vars, f.JobVariable, nil); err != nil {
		return nil, err
	}
	desc, err := newDescriber(a, f.Home, vars.JSON().Map()).describe(e)
	if err != nil {
		return nil, err
	}
	if err := a.choosePool(s, pool, desc.Name); err != nil {
		return nil, err
	}
	if len(f.JobVariable) > 0 { // now that the pool is known, which says what their texts mean
		to, _, err := a.pool(s.Pool.Name)
		if err != nil {
			return nil, err
		}
		if err := jobVariables(&vars, f.JobVariable, to); err != nil {
			return nil, err
		}
	}
	params, err := a.inputs(f.Params, f.Param, desc.Schema)
	if err != nil {
		return nil, err
	}
	all := s.Parameters.object()
	all.Overlay(params)
	if s.Enforce == nil || *s.Enforce {
		if faults := schema.Validate(desc.Schema, all.JSON(), false); len(faults) > 0 {
			return nil, &failure{
				code: exitUsage,
				what: fmt.Sprintf("%s: %s", s.Name, faults[0].Msg),
				hint: "the parameters are those of " + s.Entrypoint,
			}
		}
	}
	p := &deployPlan{flow: desc.Name, pool: s.Pool.Name}
	if p.old, err = a.deployedAs(p.flow, s.Name); err != nil {
		return nil, err
	}
	if p.old != nil && p.old.Fetches() != "" {
		a.out.Note("%s/%s has %s, which a deploy clears: workers run the code in their own working directory", p.flow, s.Name, p.old.Fetches())
	}
	p.body = core.DeploymentCreate{
		Name:                   s.Name,
		WorkPoolName:           core.Some(s.Pool.Name),
		ParameterOpenAPISchema: core.Some(desc.Schema.OrObject()),
	}
	// What neither the file nor a flag says keeps what is stored.
	if s.Schedule != nil || s.Schedules != nil {
		p.body.Schedules = core.Some(schedules)
	}
	if s.Parameters != nil || len(params) > 0 {
		p.body.Parameters = core.Some(all.JSON())
	}
	if s.Tags != nil {
		p.body.Tags = core.Some(core.Tags(s.Tags))
	}
	if s.Pool.JobVariables != nil || len(vars) > 0 {
		p.body.JobVariables = core.Some(vars.JSON())
	}
	e, portable := e.Portable()
	if !portable {
		a.out.Note("%s is outside of %s: only a worker that has the file at this path can run it", e.Path, dir)
	}
	p.body.OwnCode(e.String())
	for to, text := range map[*core.Opt[string]]string{&p.body.Description: cmp.Or(s.Description, desc.Description),
		&p.body.Version: cmp.Or(s.Version, desc.Version), &p.body.WorkQueueName: s.Pool.Queue} {
		if text != "" {
			*to = core.Some(text)
		}
	}
	for to, said := range map[*core.Opt[bool]]*bool{&p.body.EnforceParameterSchema: s.Enforce, &p.body.Paused: s.Paused} {
		if said != nil {
			*to = core.Some(*said)
		}
	}
	return p, s.limits(&p.body)
}

// poolChoice is the pool of the command line, else of the settings.
type poolChoice struct {
	name string
	said bool // on the line
}

// choosePool takes the pool of the line, else of the file, else the one that
// the deployment is in, else of the settings.
func (a *app) choosePool(s *deploySpec, pool poolChoice, flow string) error {
	switch {
	case pool.said:
		s.Pool.Name = pool.name
	case s.Pool.Name == "":
		old, err := a.deployedAs(flow, s.Name)
		if err != nil {
			return err
		}
		if old != nil {
			s.Pool.Name = core.Deref(old.WorkPoolName)
		}
		if s.Pool.Name == "" {
			if s.Pool.Name, err = a.settingsPool(pool.name); err != nil {
				return err
			}
		}
	}
	to, err := a.poolFor(s.Pool.Name)
	if err != nil {
		return err
	}
	if text := to.Executors(); text != "" {
		a.out.Note("work pool %s: %s", to.Name, text)
	}
	s.Pool.Name = to.Name
	return nil
}

// deployedAs is the deployment of that name, or nil.
func (a *app) deployedAs(flow, name string) (*core.Deployment, error) {
	d, _, err := ask[*core.Deployment](a, "GET", "/deployments/name/"+esc(flow)+"/"+esc(name), nil)
	if core.IsNotFound(err) {
		return nil, nil
	}
	return d, err
}

// poolFor is the pool that was said, else default, else the only one.
func (a *app) poolFor(name string) (*core.WorkPool, error) {
	if name != "" {
		p, _, err := a.pool(name)
		return p, err
	}
	all, _, err := ask[[]*core.WorkPool](a, "POST", "/work_pools/filter", map[string]any{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range all {
		if p.Name == "default" {
			return p, nil
		}
		names = append(names, p.Name)
	}
	switch len(names) {
	case 0:
		return nil, &failure{
			code: exitNotFound,
			what: "there is no work pool on " + a.where(),
			hint: "flowlite work-pool create --type process default",
		}
	case 1:
		a.out.Note("to pool %s, the only one", names[0])
		return all[0], nil
	}
	return nil, &failure{
		code: exitUsage,
		what: "which work pool?",
		hint: "say --pool with one of " + strings.Join(names, ", ") + "; or flowlite config set " + poolSetting + "=NAME",
	}
}

// carryOut makes or replaces the deployment.
func (a *app) carryOut(p *deployPlan) (core.JSON, error) {
	flow, _, err := ask[*core.Flow](a, "POST", "/flows/", core.FlowCreate{Name: p.flow})
	if err != nil {
		return nil, err
	}
	p.body.FlowID = flow.ID
	d, raw, err := ask[*core.Deployment](a, "POST", "/deployments/", p.body)
	if err == nil {
		p.id, p.scheduled = d.ID, len(d.Schedules) > 0
	}
	return raw, err
}

// planRow is a plan as --dry-run -o json tells it.
type planRow struct {
	Action     string                `json:"action"` // create or update
	FlowName   string                `json:"flow_name"`
	Deployment core.DeploymentCreate `json:"deployment"`
}

func (a *app) showPlans(plans []*deployPlan) error {
	rows, names := []planRow{}, []string{}
	t := &out.Table{
		Columns: []out.Column{
			{Name: "would", Keep: true},
			{Name: "name", Keep: true},
			{Name: "pool"},
			{Name: "schedules"},
			{Name: "parameters"},
			{Name: "entrypoint"},
		},
	}
	for _, p := range plans {
		row := planRow{Action: "create", FlowName: p.flow, Deployment: p.body}
		if p.old != nil {
			row.Action = "update"
		}
		var when []*core.Schedule
		for _, s := range p.body.Schedules.V {
			when = append(when, &core.Schedule{Rule: s.Rule, Active: !s.Active.Set || s.Active.V})
		}
		rows, names = append(rows, row), append(names, p.fullName())
		t.Rows = append(
			t.Rows,
			[]string{
				row.Action,
				p.fullName(),
				p.pool,
				schedules(&core.Deployment{Schedules: when}),
				string(p.body.Parameters.V),
				p.body.Entrypoint.V,
			},
		)
	}
	if err := a.out.List(core.ToJSON(rows), t, names); err != nil {
		return err
	}
	if a.out.ForPeople() {
		a.out.Note("nothing was deployed (--dry-run)")
	}
	return nil
}
