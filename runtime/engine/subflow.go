package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// RunFlow runs a flow: inside a run as a sub-flow, whose place in the parent
// is a task run that shows the child's state.
func RunFlow(ctx context.Context, f *Flow, params core.JSON) (core.JSON, error) {
	s := scopeOf(ctx)
	if s == nil {
		return nil, errors.New("a sub-flow needs a run around it")
	}
	c, err := s.run.identify(&Task{Name: f.Name, Subflow: true, Decode: f.Decode, InputType: f.InputType}, params)
	if err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := c.settleIdentity(ctx); err != nil {
		return nil, err
	}
	if c.prior != nil {
		return c.replay()
	}
	if err := s.run.endEnded(); err != nil {
		return nil, err
	}
	child, err := c.child(f, params)
	if err != nil {
		return nil, err
	}
	defer s.run.hold()()
	out, err := s.run.e.execute(ctx, f, child, s.run)
	if err != nil {
		return nil, err
	}
	return out.Result, out.Err
}

// child is the run behind a placeholder: the one that an earlier attempt made,
// or a new one.
func (c *taskCall) child(f *Flow, params core.JSON) (*core.FlowRun, error) {
	o, wctx := c.r.e.o, c.r.wctx
	if s := c.row.State; s != nil && !s.Details.ChildFlowRunID.IsZero() {
		if s.Type.Final() {
			// The row says of which attempt the outcome to come is.
			p := core.StateCreate{Type: core.Pending}
			p.Details.ChildFlowRunID = s.Details.ChildFlowRunID
			if err := c.save(c.state(p)); err != nil {
				return nil, err
			}
		}
		return ask(wctx, func() (*core.FlowRun, error) { return o.FlowRun(wctx, s.Details.ChildFlowRunID) })
	}
	if err := c.placeholder(); err != nil {
		return nil, err
	}
	id, err := c.r.e.FlowID(wctx, f.Name)
	if err != nil {
		return nil, err
	}
	create := core.FlowRunCreate{FlowID: id, Parameters: params.OrObject(), ParentTaskRunID: c.row.ID, Tags: f.Options.Tags,
		IdempotencyKey: core.Ptr(c.row.ID.String()), State: &core.StateCreate{Type: core.Pending}}
	if f.Options.Retry.Max > 0 {
		create.EmpiricalPolicy = policyOf(f.Options.Retry, core.FlowRunPolicy{})
	}
	return ask(wctx, func() (*core.FlowRun, error) { return o.CreateFlowRun(wctx, create) })
}

// placeholder writes the task run that stands for a child run.
func (c *taskCall) placeholder() error {
	if c.row.State != nil && !c.row.StateType.Final() {
		return nil
	}
	return c.save(c.state(core.StateCreate{Type: core.Pending}))
}

// Deployed says how a deployment is called.
type Deployed struct {
	Flow, Name string
	Params     core.JSON
	Decode     func(stored core.JSON) ([]any, error) // of the Task that stands for the run
	InputType  func() string                         // likewise
	Top        bool                                  // not a sub-flow of the caller
	RunName    string
}

// RunDeployment makes a run of a deployment, waits for its end and returns its
// result. Within a run the call is durable: another process waits for the same
// child again.
func RunDeployment(ctx context.Context, o core.Orchestrator, d Deployed) (core.JSON, error) {
	c, err := d.call(ctx)
	if err != nil {
		return nil, err
	}
	if c != nil && c.prior != nil {
		return c.replay()
	}
	if err := c.endEnded(); err != nil {
		return nil, err
	}
	child, err := d.create(ctx, o, c)
	if err != nil {
		return nil, err
	}
	if child, err = awaitRun(ctx, o, child, true); err != nil {
		return nil, err
	}
	if child.StateType != core.Completed || child.State == nil {
		err := ErrorOf(child.State)
		if c != nil && d.Top {
			err = errors.Join(err, c.saveErr(core.Failed, "", text(err)))
		}
		return nil, err
	}
	v, err := Unpack(ctx, o, child.State.Data)
	if err == nil && c != nil && d.Top {
		err = c.complete(v, "")
	}
	return v, err
}

// Submitted is a run of a deployment that its maker need not wait for.
type Submitted struct {
	Run *core.FlowRun // as it was made
	o   core.Orchestrator
	top bool

	pending *pending // nil: the run exists
}

// NewSubmitted returns a run that code outside of runs started or found.
func NewSubmitted(run *core.FlowRun, o core.Orchestrator) *Submitted {
	return &Submitted{Run: run, o: o, top: true}
}

// Orchestrator is where the run is.
func (s *Submitted) Orchestrator() core.Orchestrator { return s.o }

// Now reads the run.
func (s *Submitted) Now(ctx context.Context) (*core.FlowRun, error) {
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	return s.o.FlowRun(ctx, s.Run.ID)
}

// SubmitDeployment makes a run of a deployment and returns. Within a run the
// call is durable: another process gets the same child again.
func SubmitDeployment(ctx context.Context, o core.Orchestrator, d Deployed) (*Submitted, error) {
	c, err := d.call(ctx)
	if err != nil {
		return nil, err
	}
	if c != nil && c.prior != nil {
		id := c.prior.Details.ChildFlowRunID
		if id.IsZero() {
			return nil, fmt.Errorf("an earlier attempt ran %s/%s and waited for it: its run is not known here", d.Flow, d.Name)
		}
		child, err := ask(c.r.wctx, func() (*core.FlowRun, error) { return o.FlowRun(c.r.wctx, id) })
		return &Submitted{Run: child, o: o, top: d.Top}, err
	}
	if err := c.endEnded(); err != nil {
		return nil, err
	}
	child, err := d.create(ctx, o, c)
	if err != nil {
		return nil, err
	}
	if c != nil && d.Top {
		p := core.StateCreate{Type: core.Completed}
		p.Details.ChildFlowRunID = child.ID
		if err := c.save(c.state(p)); err != nil {
			return nil, err
		}
	}
	return &Submitted{Run: child, o: o, top: d.Top}, nil
}

// Get waits for the run's end, or that of ctx, and returns its result.
func (s *Submitted) Get(ctx context.Context) (core.JSON, error) {
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	r, err := awaitRun(ctx, s.o, s.Run, !s.top)
	if err != nil {
		return nil, err
	}
	if r.StateType != core.Completed || r.State == nil {
		return nil, &EndedError{r.StateType, core.Deref(r.State.Message), ErrorOf(r.State)}
	}
	return Unpack(ctx, s.o, r.State.Data)
}

// call is the call's place in the run around ctx; nil outside of runs.
func (d Deployed) call(ctx context.Context) (*taskCall, error) {
	s := scopeOf(ctx)
	if s == nil {
		return nil, nil
	}
	c, err := s.run.identify(&Task{Name: d.Flow + "/" + d.Name, Subflow: true, Decode: d.Decode, InputType: d.InputType}, d.Params)
	if err == nil {
		err = c.settleIdentity(ctx)
	}
	return c, err
}

func (c *taskCall) endEnded() error {
	if c == nil {
		return nil
	}
	return c.r.endEnded()
}

// wantsResult asks a Python flow, which keeps its results for itself, to leave
// this run's where the caller can read it.
const wantsResult = `{"flowlite.caller": "go"}`

// create makes the run, or finds the one that an earlier attempt made.
func (d Deployed) create(ctx context.Context, o core.Orchestrator, c *taskCall) (*core.FlowRun, error) {
	dep, err := ask(ctx, func() (*core.Deployment, error) { return o.DeploymentByName(ctx, d.Flow, d.Name) })
	if core.IsNotFound(err) {
		return nil, fmt.Errorf("there is no deployment %s/%s; deploy it first: %w", d.Flow, d.Name, err)
	}
	if err != nil {
		return nil, err
	}
	create := core.DeploymentFlowRunCreate{Name: d.RunName, Parameters: d.Params.OrObject(), Labels: core.JSON(wantsResult)}
	wctx := ctx
	if c != nil {
		wctx = c.r.wctx
		// A child that is still out is waited for; one that failed in an earlier
		// attempt has a successor.
		attempt := c.r.rec.RunCount
		if c.row.State != nil && !c.row.StateType.Final() {
			attempt = c.row.FlowRunRunCount
		}
		create.IdempotencyKey = core.Ptr(fmt.Sprintf("%s-%d", c.row.ID, attempt))
		if err := c.placeholder(); err != nil {
			return nil, err
		}
		if !d.Top {
			create.ParentTaskRunID = c.row.ID
		}
	}
	return ask(wctx, func() (*core.FlowRun, error) {
		return o.CreateDeploymentFlowRun(core.WithRunToken(wctx, core.UUID{}), dep.ID, create)
	})
}

// awaitRun waits for a run's end; owned says that it is cancelled with ctx.
func awaitRun(ctx context.Context, o core.Orchestrator, r *core.FlowRun, owned bool) (*core.FlowRun, error) {
	defer holdFor(ctx)()
	for !r.StateType.Final() {
		now, err := ask(ctx, func() (*core.FlowRun, error) { return o.WaitFlowRun(ctx, r.ID, r.StateID, 30) })
		if cause := context.Cause(ctx); cause != nil {
			if owned && errors.Is(cause, ErrCancelled) {
				end, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
				_, _ = o.SetFlowRunState(core.WithRunToken(end, core.UUID{}), r.ID, core.StateCreate{Type: core.Cancelling}, false)
				stop()
			}
			return nil, cause
		}
		if err != nil {
			return nil, err
		}
		r = now
	}
	return r, nil
}
