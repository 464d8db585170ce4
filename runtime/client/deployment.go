package client

import (
	"context"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

func (c *Client) DeploymentByName(ctx context.Context, flowName, name string) (out *core.Deployment, err error) {
	err = c.get(ctx, "/deployments/name"+path(flowName, name), &out)
	if out != nil {
		out.FlowName = flowName
	}
	return out, err
}

func (c *Client) Deployment(ctx context.Context, id core.UUID) (out *core.Deployment, err error) {
	return out, c.get(ctx, "/deployments/"+id.String(), &out)
}

func (c *Client) DeploymentByID(ctx context.Context, id core.UUID) (*core.Deployment, error) {
	return c.Deployment(ctx, id)
}

func (c *Client) CreateDeployment(ctx context.Context, d core.DeploymentCreate) (out *core.Deployment, err error) {
	return out, c.post(ctx, "/deployments/", d, &out)
}

func (c *Client) UpdateDeployment(ctx context.Context, id core.UUID, u core.DeploymentUpdate) error {
	return c.call(ctx, "PATCH", "/deployments/"+id.String(), u, nil)
}

func (c *Client) DeleteDeployment(ctx context.Context, id core.UUID) error {
	return c.call(ctx, "DELETE", "/deployments/"+id.String(), nil, nil)
}

// CreateDeploymentFlowRun gives a run without an idempotency key one, so that a
// request that is sent again creates no second run.
func (c *Client) CreateDeploymentFlowRun(
	ctx context.Context,
	deploymentID core.UUID,
	r core.DeploymentFlowRunCreate,
) (out *core.FlowRun, err error) {
	if core.Given(r.IdempotencyKey) == nil {
		r.IdempotencyKey = core.Ptr(core.NewID().String())
	}
	return out, c.post(ctx, "/deployments/"+deploymentID.String()+"/create_flow_run", r, &out)
}

// CreateDeploymentFlowRuns gives runs without an idempotency key one, so that the
// request can be sent again.
func (c *Client) CreateDeploymentFlowRuns(
	ctx context.Context,
	deploymentID core.UUID,
	list []core.DeploymentFlowRunCreate,
) ([]*core.FlowRun, error) {
	call := core.NewID().String()
	body := make([]core.DeploymentFlowRunCreate, len(list))
	for i, r := range list {
		if core.Given(r.IdempotencyKey) == nil {
			r.IdempotencyKey = core.Ptr(call + "/" + strconv.Itoa(i+1))
		}
		body[i] = r
	}
	var out core.FlowRunsCreated
	if err := c.post(ctx, "/deployments/"+deploymentID.String()+"/create_flow_run/bulk?all_or_none=true", body, &out); err != nil {
		return nil, err
	}
	runs := make([]*core.FlowRun, len(out.Results))
	for i, r := range out.Results {
		runs[i] = &core.FlowRun{ID: r.FlowRunID, Name: r.Name, DeploymentID: deploymentID}
	}
	return runs, nil
}
