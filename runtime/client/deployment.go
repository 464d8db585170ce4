package client

import (
	"context"

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

func (c *Client) CreateDeploymentFlowRun(
	ctx context.Context,
	deploymentID core.UUID,
	r core.DeploymentFlowRunCreate,
) (out *core.FlowRun, err error) {
	return out, c.post(ctx, "/deployments/"+deploymentID.String()+"/create_flow_run", r, &out)
}
