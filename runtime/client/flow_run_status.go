package client

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func statusPath(flowRunID core.UUID, key string) string {
	return run(flowRunID, "/status/"+core.PathSegment(key))
}

// SetStatus can be sent again: the attempt and ordinal tell what is there.
func (c *Client) SetStatus(ctx context.Context, flowRunID core.UUID, key string, s core.StatusSet) error {
	return c.post(ctx, statusPath(flowRunID, key), s, nil)
}

// FlowRunStatus returns ENotFound if nothing was set under the key.
func (c *Client) FlowRunStatus(ctx context.Context, flowRunID core.UUID, key string) (out *core.FlowRunStatus, err error) {
	return out, c.get(ctx, statusPath(flowRunID, key), &out)
}
