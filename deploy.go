package flowlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

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

// declared returns the deployments of a flow's code, or else one of that name.
func declared(f *engine.Flow, list []Deployment, name string) (all []core.DeploymentCreate, err error) {
	if len(list) == 0 {
		list = []Deployment{{Name: name}}
	}
	for _, d := range list {
		c, err := d.create(f, "")
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// Deploy creates or updates a deployment of the flow, to be run by this
// program's binary, where Run would store its run. A worker finds the binary at
// the same path below its own working directory, or at its absolute path if it
// is not below the current directory.
func (f *Flow[P, R]) Deploy(ctx context.Context, d Deployment) error {
	o, err := orchestrator(ctx)
	if err != nil {
		return err
	}
	entrypoint, err := ownBinary(f.Name())
	if err != nil {
		return err
	}
	c, err := d.create(f.flow(), entrypoint)
	if err != nil {
		return err
	}
	_, err = engine.Deploy(ctx, o, f.flow(), c)
	return err
}

// DeployedOption is a setting of RunDeployment and SubmitDeployment.
type DeployedOption interface{ applyDeployed(*engine.Deployed) }

type deployedOption func(*engine.Deployed)

func (o deployedOption) applyDeployed(d *engine.Deployed) { o(d) }

// AsSubflow says whether the run is a subflow of the caller, which is the
// default. AsSubflow(false) makes it a run of its own.
func AsSubflow(yes bool) DeployedOption {
	return deployedOption(func(d *engine.Deployed) { d.Top = !yes })
}

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
func SubmitDeployment[R any](ctx context.Context, name string, params any, opts ...DeployedOption) (*Run[R], error) {
	o, d, err := deployed(ctx, name, params, opts)
	if err != nil {
		return nil, err
	}
	s, err := engine.SubmitDeployment(ctx, o, d)
	if err != nil {
		return nil, err
	}
	return &Run[R]{s}, nil
}

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
		d.Decode, d.InputType = stored(reflect.TypeOf(params)), inputType(reflect.TypeOf(params))
	}
	for _, opt := range opts {
		opt.applyDeployed(&d)
	}
	o, err = orchestrator(ctx)
	return o, d, err
}

// Serve deploys the flow and executes its runs in this process until ctx ends.
// Without deployments it makes one named "serve".
func (f *Flow[P, R]) Serve(ctx context.Context, d ...Deployment) error {
	own := *f.flow()
	if len(d) > 0 {
		own.Declared = func(name string) ([]core.DeploymentCreate, error) { return declared(&own, d, name) }
	}
	return serve(ctx, &own)
}

// serve gives the program a pool of its own: what other workers take from the
// default pool could not be executed there.
func serve(ctx context.Context, flows ...*engine.Flow) error {
	e, err := current(ctx)
	if err != nil {
		return err
	}
	o := e.Orchestrator()
	pools, ok := o.(worker.Orchestrator)
	if !ok {
		return errors.New("flows cannot be served from within a test; serve them with a context of flowlite.Connect or of an App")
	}
	byName := map[string]*engine.Flow{}
	pool := "serve"
	for _, f := range flows {
		byName[f.Name] = f.Checked()
		if len(flows) == 1 {
			pool = "serve-" + f.Name
		}
	}
	_, err = pools.CreateWorkPool(ctx, core.WorkPoolCreate{Name: pool, Type: core.PoolProcess})
	if err != nil && core.CodeOf(err) != core.EConflict {
		return err
	}
	for _, f := range flows {
		list, err := f.Declared("serve")
		if err != nil {
			return err
		}
		for _, c := range list {
			c.WorkPoolName = core.Some(pool)
			if _, err := engine.Deploy(ctx, o, f, c); err != nil {
				return err
			}
		}
	}
	w := worker.New(worker.Config{Orchestrator: pools, Pool: pool, Name: "serve-" + strconv.Itoa(os.Getpid()),
		CancelCause: ErrCancelled, LostCause: ErrLeaseLost, Flows: slices.Collect(maps.Keys(byName)),
		InProcess: func(ctx context.Context, c core.Claim) (bool, error) {
			f := byName[c.Flow.Name]
			if f == nil {
				return true, fmt.Errorf("this program does not have flow %s", c.Flow.Name)
			}
			return true, e.ExecuteClaim(ctx, f, c, worker.ErrStopped)
		}})
	if err := w.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return w.Stop(stop)
}
