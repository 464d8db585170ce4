package client

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (c *Client) WorkPoolByName(ctx context.Context, name string) (out *core.WorkPool, err error) {
	return out, c.get(ctx, "/work_pools"+path(name), &out)
}

func (c *Client) CreateWorkPool(ctx context.Context, p core.WorkPoolCreate) (out *core.WorkPool, err error) {
	return out, c.post(ctx, "/work_pools/", p, &out)
}

func (c *Client) Heartbeat(ctx context.Context, pool string, h core.WorkerHeartbeat) error {
	return c.post(ctx, "/work_pools"+path(pool)+"/workers/heartbeat", h, nil)
}

func (c *Client) Poll(ctx context.Context, r core.PollRequest) (out *core.PollResponse, err error) {
	return out, c.post(ctx, "/work_pools"+path(r.Pool)+"/poll", r, &out)
}

func (c *Client) LeaseRun(ctx context.Context, flowRunID, holder core.UUID) (out *core.Lease, err error) {
	return out, c.post(ctx, run(flowRunID, "/lease"), map[string]core.UUID{"holder": holder}, &out)
}

// StartFlowRun leaves the run PENDING: every server knows the two requests.
func (c *Client) StartFlowRun(ctx context.Context, create core.FlowRunCreate, holder core.UUID) (*core.FlowRun, *core.Lease, error) {
	r, err := c.CreateFlowRun(ctx, create)
	if err != nil || holder.IsZero() {
		return r, nil, err
	}
	lease, err := c.LeaseRun(ctx, r.ID, holder)
	return r, lease, err
}

// RenewLeases names a pool only because the route has one: a holder's leases
// are its own, whatever pool their runs came from.
func (c *Client) RenewLeases(ctx context.Context, holder core.UUID) ([]core.UUID, error) {
	var out struct {
		Held []core.UUID `json:"held"`
	}
	err := c.post(ctx, "/work_pools/-/leases/renew", map[string]core.UUID{"holder": holder}, &out)
	return out.Held, err
}

func (c *Client) ReportCrash(
	ctx context.Context,
	flowRunID core.UUID,
	message string,
	recoverable bool,
) (out *core.OrchestrationResult, err error) {
	return out, c.post(ctx, run(flowRunID, "/crash"), map[string]any{"message": message, "recoverable": recoverable}, &out)
}
