package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func webhookOf(x row.FlowRunWebhook) *core.Webhook {
	w := &core.Webhook{ID: x.ID, FlowRunID: x.FlowRunID, Topic: x.Topic, Description: x.Description, Created: x.Created, Expires: x.Expires,
		Used: x.Used, TokenHash: x.TokenHash, Sealed: x.Sealed}
	if x.Value != "" {
		w.Value = core.JSON(x.Value)
	}
	return w
}

func (r *reader) Webhook(ctx context.Context, id core.UUID) (*core.Webhook, error) {
	x, err := r.q.GetFlowRunWebhook(ctx, row.GetFlowRunWebhookParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Webhook")
	}
	return webhookOf(x), nil
}

func (r *reader) WebhookByToken(ctx context.Context, tokenHash string) (*core.Webhook, error) {
	x, err := r.q.GetFlowRunWebhookByToken(ctx, row.GetFlowRunWebhookByTokenParams{TokenHash: tokenHash})
	if err != nil {
		return nil, r.err(err, "Webhook")
	}
	return webhookOf(x), nil
}

func (r *reader) CountWebhooks(ctx context.Context, flowRunID core.UUID) (int64, error) {
	n, err := r.q.CountFlowRunWebhooks(ctx, row.CountFlowRunWebhooksParams{FlowRunID: flowRunID})
	return n, r.err(err, "Webhook")
}

func (t *tx) InsertWebhook(ctx context.Context, w *core.Webhook) error {
	if err := core.MaxWebhookToken.Check(w.TokenHash); err != nil {
		return err
	}
	return t.err(t.q.InsertFlowRunWebhook(ctx, row.InsertFlowRunWebhookParams{ID: w.ID, FlowRunID: w.FlowRunID, TokenHash: w.TokenHash,
		Sealed: w.Sealed, Topic: w.Topic, Description: w.Description, Value: string(w.Value), Created: w.Created, Expires: w.Expires}), "Webhook")
}

func (t *tx) UseWebhook(ctx context.Context, id core.UUID, now core.Time) error {
	n, err := t.q.UseFlowRunWebhook(ctx, row.UseFlowRunWebhookParams{ID: id, Used: now})
	return t.one(n, err, "Webhook")
}
