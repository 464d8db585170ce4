package flowlite

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/worker"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

// Deployment is a flow with a place to run, parameters and schedules. What is
// left zero is not said: a new deployment has the default, one that exists
// keeps what it has, also its schedules.
type Deployment struct {
	Name        string
	Description string
	Version     string
	Parameters  any // a value of the flow's parameter struct, or a map
	Tags        []string

	Cron     string        // "0 9 * * 1-5"
	Interval time.Duration // or every so often
	RRule    string        // or by RFC 5545
	Timezone string        // of Cron and RRule: "Europe/Berlin"; default UTC

	Pool             string // of a new deployment "default"
	Queue            string
	ConcurrencyLimit int  // runs at once; of a new deployment no limit
	Paused           bool // schedules do not run; false leaves a paused deployment paused
	JobVariables     any  // command, env, working_dir
}

func (d Deployment) create(f *engine.Flow, entrypoint string) (c core.DeploymentCreate, err error) {
	c = core.DeploymentCreate{Name: d.Name, ParameterOpenAPISchema: core.Some(f.Schema)}
	if d.Name == "" {
		c.Name = "local"
	}
	if d.Paused {
		c.Paused = core.Some(true)
	}
	if d.Pool != "" {
		c.WorkPoolName = core.Some(d.Pool)
	}
	if d.Queue != "" {
		c.WorkQueueName = core.Some(d.Queue)
	}
	if text := d.Description; text != "" || f.Options.Description != "" {
		if text == "" {
			text = f.Options.Description
		}
		c.Description = core.Some(text)
	}
	if v := d.Version; v != "" || f.Options.Version != "" {
		if v == "" {
			v = f.Options.Version
		}
		c.Version = core.Some(v)
	}
	if tags := append(append(core.Tags{}, f.Options.Tags...), d.Tags...); len(tags) > 0 {
		c.Tags = core.Some(tags)
	}
	if d.ConcurrencyLimit > 0 {
		c.ConcurrencyLimit = core.Some(int64(d.ConcurrencyLimit))
	}
	c.OwnCode(entrypoint)
	if d.Parameters != nil {
		b, err := json.Marshal(d.Parameters)
		if err != nil {
			return c, fmt.Errorf("deployment %s: parameters: %w", c.Name, err)
		}
		c.Parameters = core.Some(core.JSON(b))
	}
	if d.JobVariables != nil {
		b, err := json.Marshal(d.JobVariables)
		if err != nil {
			return c, fmt.Errorf("deployment %s: job variables: %w", c.Name, err)
		}
		c.JobVariables = core.Some(core.JSON(b))
	}
	if list := d.schedules(); len(list) > 0 {
		c.Schedules = core.Some(list)
	}
	return c, nil
}

func (d Deployment) schedules() []core.ScheduleCreate {
	zone := d.Timezone
	if zone == "" {
		zone = "UTC"
	}
	var out []core.ScheduleCreate
	add := func(rule any) { out = append(out, core.ScheduleCreate{Rule: core.ToJSON(rule)}) }
	if d.Cron != "" {
		add(map[string]any{"cron": d.Cron, "timezone": zone})
	}
	if d.Interval > 0 {
		add(map[string]any{"interval": d.Interval.Seconds(), "timezone": zone})
	}
	if d.RRule != "" {
		add(map[string]any{"rrule": d.RRule, "timezone": zone})
	}
	return out
}

// ownBinary is the entrypoint of a flow of this program. Below the current
// directory it is relative to it: a worker finds the binary in its own working
// directory.
func ownBinary(flow string) (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("path of this program: %w", err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("current directory: %w", err)
	}
	e, _ := build.Entrypoint{Dir: dir, Path: binary, Name: flow}.Portable()
	return e.String(), nil
}

// Deploy creates or updates a deployment of the flow, to be run by this
// program's binary, where Run would store its run. A worker finds the binary at
// the same path below its own working directory, or at its absolute path if it
// is not below the current directory.
func (f *Flow[P, R]) Deploy(ctx context.Context, d Deployment) error {
	e, err := current(ctx, f.f.Name)
	if err != nil {
		return err
	}
	entrypoint, err := ownBinary(f.f.Name)
	if err != nil {
		return err
	}
	_, err = deploy(ctx, e.Orchestrator(), &f.f, d, entrypoint)
	return err
}

func deploy(ctx context.Context, o core.Orchestrator, f *engine.Flow, d Deployment, entrypoint string) (*core.Deployment, error) {
	c, err := d.create(f, entrypoint)
	if err != nil {
		return nil, err
	}
	flow, err := o.CreateFlow(ctx, core.FlowCreate{Name: f.Name})
	if err != nil {
		return nil, err
	}
	c.FlowID = flow.ID
	if !c.WorkPoolName.Set {
		old, err := o.DeploymentByName(ctx, f.Name, c.Name)
		if err != nil && !core.IsNotFound(err) {
			return nil, err
		}
		if err != nil || old.WorkPoolName == nil {
			c.WorkPoolName = core.Some(worker.DefaultPool)
		}
	}
	return o.CreateDeployment(ctx, c)
}

// DeployedOption is a setting of RunDeployment and SubmitDeployment.
type DeployedOption func(*engine.Deployed)

// AsSubflow(false) makes the run one of its own instead of a part of the caller.
func AsSubflow(yes bool) DeployedOption { return func(d *engine.Deployed) { d.Top = !yes } }

// RunDeployment runs "flow/deployment", Go or Python, waits for its end and
// returns its result. Inside a run it is a sub-flow.
func RunDeployment[R any](ctx context.Context, name string, params any, opts ...DeployedOption) (r R, err error) {
	o, d, err := deployed(ctx, name, params, opts)
	if err != nil {
		return r, err
	}
	return decoded[R](engine.RunDeployment(ctx, o, d))
}

// SubmitDeployment makes a run of "flow/deployment" and returns without
// waiting. Inside a run the call is durable: after a crash it gives the run
// that was made before. AsSubflow(false) lets the run outlive its caller.
func SubmitDeployment[R any](ctx context.Context, name string, params any, opts ...DeployedOption) (*DeploymentRun[R], error) {
	o, d, err := deployed(ctx, name, params, opts)
	if err != nil {
		return nil, err
	}
	s, err := engine.SubmitDeployment(ctx, o, d)
	if err != nil {
		return nil, err
	}
	return &DeploymentRun[R]{s}, nil
}

// DeploymentRun is a run that SubmitDeployment made.
type DeploymentRun[R any] struct{ s *engine.Submitted }

// ID is the run's id, as API, UI and command line know it.
func (r *DeploymentRun[R]) ID() string { return r.s.Run.ID.String() }

// Name is the run's name.
func (r *DeploymentRun[R]) Name() string { return r.s.Run.Name }

// Get waits for the run's end, or that of ctx, and returns its result.
func (r *DeploymentRun[R]) Get(ctx context.Context) (R, error) { return decoded[R](r.s.Get(ctx)) }

func deployed(ctx context.Context, name string, params any, opts []DeployedOption) (o core.Orchestrator, d engine.Deployed, err error) {
	flow, dep, ok := strings.Cut(name, "/")
	if !ok {
		return nil, d, fmt.Errorf("%q does not name a deployment; write flow/deployment", name)
	}
	d = engine.Deployed{Flow: flow, Name: dep}
	if params != nil {
		if d.Params, err = json.Marshal(params); err != nil {
			return nil, d, fmt.Errorf("parameters of %s: %w", name, err)
		}
	}
	for _, opt := range opts {
		opt(&d)
	}
	e, err := current(ctx, flow)
	if err != nil {
		return nil, d, err
	}
	return e.Orchestrator(), d, nil
}

// Serve deploys the flow and executes its runs in this process until ctx ends.
// Without deployments it makes one named "serve".
func (f *Flow[P, R]) Serve(ctx context.Context, d ...Deployment) error {
	if len(d) == 0 {
		d = f.deployments
	}
	return serve(ctx, map[string]AnyFlow{f.f.Name: f}, map[string][]Deployment{f.f.Name: d})
}

// serve gives the program a pool of its own: what other workers take from the
// default pool could not be executed there.
func serve(ctx context.Context, flows map[string]AnyFlow, deployments map[string][]Deployment) error {
	first := ""
	for _, f := range flows {
		first = f.Name()
	}
	e, err := current(ctx, first)
	if err != nil {
		return err
	}
	o := e.Orchestrator()
	byName := map[string]*engine.Flow{}
	pool := "serve"
	for _, f := range flows {
		byName[f.Name()] = checked(f.Erased())
		if len(flows) == 1 {
			pool = "serve-" + f.Name()
		}
	}
	if _, err := o.CreateWorkPool(ctx, core.WorkPoolCreate{Name: pool, Type: "process"}); err != nil && core.CodeOf(err) != core.EConflict {
		return err
	}
	for key, f := range flows {
		list := deployments[key]
		if len(list) == 0 {
			list = []Deployment{{Name: "serve"}}
		}
		for _, d := range list {
			d.Pool = pool
			if _, err := deploy(ctx, o, f.Erased(), d, ""); err != nil {
				return err
			}
		}
	}
	w := worker.New(worker.Config{Orchestrator: o, Pool: pool, Name: "serve-" + fmt.Sprint(os.Getpid()),
		CancelCause: ErrCancelled, LostCause: ErrLeaseLost, Flows: slices.Collect(maps.Keys(byName)),
		InProcess: func(ctx context.Context, c core.Claim) (bool, error) {
			f := byName[c.Flow.Name]
			if f == nil {
				return true, fmt.Errorf("this program does not have flow %s", c.Flow.Name)
			}
			return true, inProcess(ctx, e, f, c)
		}})
	if err := w.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return w.Stop(stop)
}

// Client returns a typed client of the server at url, "http://host:4200/api".
func Client(url string, opts ...ClientOption) *client.Client {
	c := client.Config{URL: url}
	for _, o := range opts {
		o(&c)
	}
	return client.New(c)
}

// ClientOption is a setting of Client.
type ClientOption func(*client.Config)

// Auth sets the credentials of a server that asks for them: "user:password".
func Auth(userPassword string) ClientOption {
	return func(c *client.Config) { c.AuthString = userPassword }
}

// deploy is the `deploy` command of a flow binary.
func (p *program) deploy(ctx context.Context) error {
	if os.Getenv("FLOWLITE_API_URL") == "" {
		return fmt.Errorf("FLOWLITE_API_URL is not set: there is no server to deploy to")
	}
	o, err := orchestrator(ctx)
	if err != nil {
		return err
	}
	for key, f := range p.flows {
		entrypoint, err := ownBinary(key)
		if err != nil {
			return err
		}
		if strings.Contains(entrypoint, "/go-build") {
			return fmt.Errorf("%s is a temporary binary of go run, which no worker finds later; build the program first: go build -o bin/flows . && bin/flows deploy", entrypoint)
		}
		list := f.Declared()
		if len(list) == 0 {
			list = []Deployment{{Name: "local"}}
		}
		for _, d := range list {
			dep, err := deploy(ctx, o, f.Erased(), d, entrypoint)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(p.out, "%s/%s\n", f.Name(), dep.Name)
		}
	}
	return nil
}
