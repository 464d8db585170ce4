package engine

import (
	"context"
	"errors"

	"github.com/flowlite/flowlite/runtime/core"
)

// Deployer creates flows and deployments.
type Deployer interface {
	core.DeploymentOrchestrator
	CreateFlow(ctx context.Context, c core.FlowCreate) (*core.Flow, error)
}

// Deploy creates or updates a deployment of the flow. A new one without a pool
// goes to core.DefaultPool.
func Deploy(ctx context.Context, o Deployer, f *Flow, c core.DeploymentCreate) (*core.Deployment, error) {
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
			c.WorkPoolName = core.Some(core.DefaultPool)
		}
	}
	return o.CreateDeployment(ctx, c)
}

// ExecuteClaim executes a claim of a worker in this process. If ctx ends with
// the cause stopping, the run is left as it stands, for the worker to return it.
func (e *Engine) ExecuteClaim(ctx context.Context, f *Flow, c core.Claim, stopping error) error {
	run, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	defer context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, stopping) {
			cause = ErrStopped
		}
		end(cause)
	})()
	rec := *c.FlowRun // the engine changes its own
	_, err := e.ExecuteRun(run, f, &rec)
	return err
}
