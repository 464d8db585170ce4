package engine

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// CreateWebhook makes a webhook of the run around ctx, or of the run with this ID
// outside of one. The n-th one of this content that a flow, or a call of a task, makes
// is the same one in whatever process and attempt.
func CreateWebhook(ctx context.Context, o core.Orchestrator, of core.UUID, c core.WebhookCreate) (*core.CreatedWebhook, error) {
	c.ID = core.NewID()
	if s := scopeOf(ctx); s != nil {
		if err := left(ctx); err != nil {
			return nil, err
		}
		content := c
		content.ID = core.UUID{}
		c.ID = s.onceID("webhook/" + of.String() + "/" + digest(core.ToJSON(content)))
	}
	return ask(ctx, func() (*core.CreatedWebhook, error) { return o.CreateWebhook(ctx, of, c) })
}
