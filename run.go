package flowlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Runner is where flow runs are started and found: an App of runtime/embed, or a
// Connection to a server.
type Runner interface {
	Context(ctx context.Context) context.Context
}

// Run is a flow run that was started, or found by [Attach]. Its methods may be
// called from any process, for as long as the server retains the run.
type Run[R any] struct{ s *engine.Submitted }

// Status is how a flow run stands.
type Status struct {
	State     string // SCHEDULED, PENDING, RUNNING, PAUSED, CANCELLING, COMPLETED, FAILED, CANCELLED, or CRASHED
	StateName string // the state's name, such as Late or AwaitingRetry
	Message   string // of the state
	Attempt   int    // 0 before the first start
	// Due is when the run is or was to start; Started and Ended are zero as long as
	// it has not.
	Due, Started, Ended time.Time
}

// Done reports whether the run has ended.
func (s Status) Done() bool { return core.StateType(s.State).Final() }

// Start creates a run of the flow on an App or a server and returns when it is
// durable. The run executes where the flow is deployed: in an App that has the
// flow, in a program that serves it, or in a worker. Without [OnDeployment], it is
// a run of the flow's first declared deployment, or else of the one that an App
// ("local") or Serve ("serve") made.
//
// Every field of params is given, also one that is zero. To leave a field to its
// default, let its JSON encoding omit it: a pointer, or the tag omitempty.
//
// Start is for code outside of runs. Inside a run, use [SubmitDeployment], which a
// resumed run does not repeat.
//
// It returns ErrInvalid if the parameters do not fit, ErrNotFound if the flow is
// not deployed, ErrConflict if the idempotency key belongs to a run with other
// parameters, and ErrNotConnected if no server responds.
func (f *Flow[P, R]) Start(ctx context.Context, on Runner, params P, opts ...StartOption) (*Run[R], error) {
	s, err := f.start(ctx, on, params, opts)
	if err != nil {
		return nil, fmt.Errorf("start flow %s: %w", f.Name(), sentinel(err))
	}
	return &Run[R]{s}, nil
}

func (f *Flow[P, R]) start(ctx context.Context, on Runner, params P, opts []StartOption) (*engine.Submitted, error) {
	o, err := outside(ctx, on)
	if err != nil {
		return nil, err
	}
	d, c, set, err := f.prepare(ctx, o, params, opts)
	if err != nil {
		return nil, err
	}
	run, err := o.CreateDeploymentFlowRun(ctx, d.ID, c)
	if err != nil {
		return nil, err
	}
	return engine.NewSubmitted(run, o), set.conflict(run, c.Parameters)
}

// prepare makes what the server is asked for.
func (f *Flow[P, R]) prepare(ctx context.Context, o core.Orchestrator, params P, opts []StartOption) (
	d *core.Deployment, c core.DeploymentFlowRunCreate, set startSettings, err error,
) {
	given, err := encodedParams(params)
	if err != nil {
		return nil, c, set, err
	}
	for _, opt := range opts {
		opt.applyStart(&set)
	}
	if d, err = set.deploymentOf(ctx, o, f.flow()); err != nil {
		return nil, c, set, err
	}
	c = set.create(given)
	c.IdempotencyKey = core.Given(&set.key)
	return d, c, set, nil
}

// conflict is the error of a key that belongs to a run with other parameters.
func (s *startSettings) conflict(run *core.FlowRun, given core.JSON) error {
	if s.key == "" || run.HasParameters(given) {
		return nil
	}
	return run.KeyConflict(s.key, given)
}

// StartMany is [Flow.Start] for many runs at once, at most 10,000: one transaction
// creates all of them, in the order of params, or none. The options hold for each
// run, but for an IdempotencyKey, which names the whole call: the key of the n-th run
// is the given one with "/n" behind it, from 1, so that the same call again returns
// the same runs, and ErrConflict if a run has other parameters.
func (f *Flow[P, R]) StartMany(ctx context.Context, on Runner, params []P, opts ...StartOption) ([]*Run[R], error) {
	runs, err := f.startMany(ctx, on, params, opts)
	if err != nil {
		return nil, fmt.Errorf("start %d runs of flow %s: %w", len(params), f.Name(), sentinel(err))
	}
	return runs, nil
}

func (f *Flow[P, R]) startMany(ctx context.Context, on Runner, params []P, opts []StartOption) ([]*Run[R], error) {
	o, err := outside(ctx, on)
	if err != nil {
		return nil, err
	}
	var set startSettings
	for _, opt := range opts {
		opt.applyStart(&set)
	}
	list := make([]core.DeploymentFlowRunCreate, len(params))
	for i, p := range params {
		given, err := encodedParams(p)
		if err != nil {
			return nil, fmt.Errorf("run %d: %w", i+1, err)
		}
		list[i] = set.create(given)
		if set.key != "" {
			list[i].IdempotencyKey = core.Ptr(set.key + "/" + strconv.Itoa(i+1))
		}
	}
	d, err := set.deploymentOf(ctx, o, f.flow())
	if err != nil {
		return nil, err
	}
	made, err := o.CreateDeploymentFlowRuns(ctx, d.ID, list)
	if err != nil {
		return nil, err
	}
	runs := make([]*Run[R], len(made))
	for i, run := range made {
		runs[i] = &Run[R]{engine.NewSubmitted(run, o)}
	}
	return runs, nil
}

func encodedParams(params any) (core.JSON, error) {
	given, err := json.Marshal(params)
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "the parameters cannot be encoded as JSON: %w", err)
	}
	return given, nil
}

// outside is the orchestrator of on, for code outside of runs.
func outside(ctx context.Context, on Runner) (core.Orchestrator, error) {
	e, err := engineOutside(ctx, on)
	if err != nil {
		return nil, err
	}
	return e.Orchestrator(), nil
}

func engineOutside(ctx context.Context, on Runner) (*engine.Engine, error) {
	switch {
	case engine.Within(ctx):
		return nil, core.Errorf(core.EInvalid, "the context belongs to a run; call this outside of runs. "+
			"Inside one, SubmitDeployment starts runs, and a resumed run does not start them again")
	case on == nil:
		return nil, errNoRunner
	}
	return current(on.Context(ctx))
}

var errNoRunner = core.Errorf(core.EUnavailable, "there is no Runner: pass an App of runtime/embed, or a Connection of Connect")

// deploymentOf finds where runs of the flow execute.
func (s *startSettings) deploymentOf(ctx context.Context, o core.Orchestrator, f *engine.Flow) (*core.Deployment, error) {
	names := []string{s.deployment}
	if s.deployment == "" {
		declared, err := f.Declared("local")
		if err != nil {
			return nil, err
		}
		names = nil
		for _, d := range declared {
			names = append(names, d.Name)
		}
		names = append(names, "local", "serve")
	}
	for _, name := range names {
		d, err := o.DeploymentByName(ctx, f.Name, name)
		if !core.IsNotFound(err) {
			return d, err
		}
	}
	return nil, core.Errorf(core.ENotFound, "the flow has no deployment of the name %s; start an App that has the flow, serve it with Flow.Serve, "+
		"or deploy it with Flow.Deploy", strings.Join(names, " or "))
}

// Attach finds the run with this ID. R is the type of the flow's result.
func Attach[R any](ctx context.Context, on Runner, id string) (*Run[R], error) {
	o, err := outside(ctx, on)
	if err == nil {
		var run *core.FlowRun
		if run, err = find(ctx, o, id); err == nil {
			return &Run[R]{engine.NewSubmitted(run, o)}, nil
		}
	}
	return nil, fmt.Errorf("attach to run %s: %w", id, sentinel(err))
}

func find(ctx context.Context, o core.Orchestrator, id string) (*core.FlowRun, error) {
	parsed, err := core.ParseUUID(id)
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "%q is not the ID of a run, which is a UUID", id)
	}
	return o.FlowRun(ctx, parsed)
}

// ID is the run's ID, as API, UI, and command line know it.
func (r *Run[R]) ID() string { return r.s.Run.ID.String() }

// Name is the run's name.
func (r *Run[R]) Name() string { return r.s.Run.Name }

// Status asks how the run stands.
func (r *Run[R]) Status(ctx context.Context) (Status, error) {
	run, err := r.s.Now(ctx)
	if err != nil {
		return Status{}, r.fault("status", err)
	}
	s := Status{State: string(run.StateType), StateName: run.StateName, Attempt: int(run.RunCount)}
	if run.State != nil {
		s.Message = core.Deref(run.State.Message)
	}
	for _, t := range []struct {
		to *time.Time
		at core.Time
	}{{&s.Due, run.ExpectedStartTime}, {&s.Started, run.StartTime}, {&s.Ended, run.EndTime}} {
		if t.at != 0 {
			*t.to = t.at.Time()
		}
	}
	return s, nil
}

// Get waits for the run's end, or that of ctx, and returns its result. A run that
// did not complete is a *RunError.
func (r *Run[R]) Get(ctx context.Context) (R, error) {
	v, err := decoded[R](r.s.Get(ctx))
	if ended, ok := errors.AsType[*engine.EndedError](err); ok {
		err = &RunError{ID: r.ID(), State: string(ended.State), Message: ended.Message, cause: ended.Cause}
	}
	return v, err
}

// Cancel asks for the run's end. A run that executes gets the chance to clean up;
// Get returns when it has ended. ErrConflict if it has ended already.
func (r *Run[R]) Cancel(ctx context.Context) error {
	return r.change(ctx, "cancel", core.Orchestrator.CancelFlowRun)
}

// Answer resumes a paused run with v, the struct that its Pause or Suspend returns,
// or a map of its fields; nil if it asks for none. ErrConflict if the run is not paused, and ErrInvalid if
// v does not fit what was asked.
func (r *Run[R]) Answer(ctx context.Context, v any) error {
	var input core.JSON
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return r.fault("answer", core.Errorf(core.EInvalid, "the answer cannot be encoded as JSON: %w", err))
		}
		if b[0] != '{' {
			return r.fault("answer", core.Errorf(core.EInvalid, "an answer is an object: pass a struct or a map, not %s", core.CutText(string(b), 100)))
		}
		input = b
	}
	return r.change(ctx, "answer", func(o core.Orchestrator, ctx context.Context, id core.UUID) (*core.OrchestrationResult, error) {
		return o.ResumeFlowRun(ctx, id, input)
	})
}

// Retry runs an ended run again. Finished tasks keep their results. ErrConflict if
// the run has not ended.
func (r *Run[R]) Retry(ctx context.Context) error {
	return r.change(ctx, "retry", func(o core.Orchestrator, ctx context.Context, id core.UUID) (*core.OrchestrationResult, error) {
		return o.RetryFlowRun(ctx, id, false)
	})
}

type transition func(o core.Orchestrator, ctx context.Context, id core.UUID) (*core.OrchestrationResult, error)

// change is done once by a flow that calls it, also if its process is replaced.
func (r *Run[R]) change(ctx context.Context, verb string, fn transition) error {
	return r.fault(verb, engine.Once(ctx, verb+" run", func(ctx context.Context) error { return r.propose(ctx, verb, fn) }))
}

func (r *Run[R]) propose(ctx context.Context, verb string, fn transition) error {
	ctx = core.WithRunToken(ctx, core.UUID{}) // the caller may be a run, and this one is another
	if err := r.s.Settle(ctx); err != nil {
		return r.fault(verb, err)
	}
	res, err := fn(r.s.Orchestrator(), ctx, r.s.Run.ID)
	if err == nil && res.Status != core.Accept && !(res.Status == core.Reject && verb == "cancel" && cancels(res.State)) {
		code := core.EConflict
		if res.Status == core.Reject && verb == "answer" {
			code = core.EInvalid
		}
		err = core.Errorf(code, "%s", core.Deref(res.Details.Reason))
	}
	return err
}

// cancels reports whether a state that the server chose instead is what Cancel
// asked for: at once where nothing executes the run, or woken to clean up.
func cancels(s *core.State) bool {
	return s != nil && (s.Type == core.Cancelled || s.Type == core.Cancelling || s.Type == core.Scheduled)
}

func (r *Run[R]) fault(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s run %s: %w", verb, r.ID(), sentinel(err))
}
