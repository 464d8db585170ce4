package client

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (c *Client) Why(ctx context.Context, id core.UUID) (out *core.Why, err error) {
	return out, c.get(ctx, run(id, "/why"), &out)
}

func (c *Client) CancelFlowRun(ctx context.Context, id core.UUID) (out *core.OrchestrationResult, err error) {
	// Sent again, it is the same request: a second one ends the run without its clean-up.
	return out, c.post(ctx, run(id, "/cancel"), map[string]core.UUID{"transition_id": core.NewID()}, &out)
}

// ResumeFlowRun gives a paused run its input (nil: none was asked for).
func (c *Client) ResumeFlowRun(ctx context.Context, id core.UUID, input core.JSON) (out *core.OrchestrationResult, err error) {
	return out, c.post(ctx, run(id, "/resume"), map[string]core.JSON{"run_input": input}, &out)
}

// RetryFlowRun runs a finished run again; fresh repeats its finished tasks too.
func (c *Client) RetryFlowRun(ctx context.Context, id core.UUID, fresh bool) (out *core.OrchestrationResult, err error) {
	return out, c.post(ctx, run(id, "/retry"), map[string]bool{"fresh": fresh}, &out)
}

func (c *Client) SuspendFlowRun(ctx context.Context, id core.UUID) (out *core.OrchestrationResult, err error) {
	return out, c.post(ctx, run(id, "/suspend"), nil, &out)
}

func (c *Client) DeleteFlowRun(ctx context.Context, id core.UUID) error {
	return c.call(ctx, "DELETE", run(id, ""), nil, nil)
}
