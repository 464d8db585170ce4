package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

// flowRunMessages are sent to runs while they execute, wait, or are suspended.
// Prefect's clients send the same as inputs whose keys end with a UUID.
func (a *API) flowRunMessages() group {
	return group{"/flow_runs/{id}/messages", []op{
		route("POST", "", http.StatusCreated, a.sendMessage, need("topic")).runs(),
		post("/wait", a.receiveMessage, need("topics")).ownRun(),
	}}
}

// flowRunWebhooks are URLs that send one message each; see webhooks.
func (a *API) flowRunWebhooks() group {
	return group{"/flow_runs/{id}/webhooks", []op{
		route("POST", "", http.StatusCreated, a.createWebhook, need("topic")).ownRun(),
	}}
}

func (a *API) createWebhook(ctx context.Context, in *change[core.WebhookCreate]) (*core.CreatedWebhook, error) {
	w, err := a.Runs.CreateWebhook(ctx, in.ID, in.Body)
	return w, named("Flow run", err)
}

func (a *API) sendMessage(ctx context.Context, in *change[core.MessageCreate]) (*core.RunMessage, error) {
	m, err := a.Runs.SendMessage(ctx, in.ID, in.Body)
	return m, named("Flow run", err)
}

// receiveMessage answers null if no message arrived in time.
func (a *API) receiveMessage(ctx context.Context, in *change[core.MessageRequest]) (*core.RunMessage, error) {
	m, err := a.Runs.ReceiveMessage(ctx, in.ID, in.Body)
	return m, named("Flow run", err)
}
