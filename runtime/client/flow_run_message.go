package client

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// SendMessage can be sent again: the message's ID tells what is there.
func (c *Client) SendMessage(ctx context.Context, flowRunID core.UUID, m core.MessageCreate) (out *core.RunMessage, err error) {
	if m.ID.IsZero() {
		m.ID = core.NewID()
	}
	return out, c.post(ctx, run(flowRunID, "/messages"), m, &out)
}

// CreateWebhook can be sent again: the webhook's ID tells what is there.
func (c *Client) CreateWebhook(ctx context.Context, flowRunID core.UUID, w core.WebhookCreate) (out *core.CreatedWebhook, err error) {
	if w.ID.IsZero() {
		w.ID = core.NewID()
	}
	return out, c.post(ctx, run(flowRunID, "/webhooks"), w, &out)
}

// ReceiveMessage can be sent again: a call gets the same message each time.
func (c *Client) ReceiveMessage(ctx context.Context, flowRunID core.UUID, r core.MessageRequest) (out *core.RunMessage, err error) {
	return out, c.post(ctx, run(flowRunID, "/messages/wait"), r, &out)
}
