package flowlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Webhook says what a URL of [WebhookURL] sends.
type Webhook struct {
	Topic string // that the flow receives from
	// Value is the message. If it is nil, the message is what is posted to the URL.
	Value any
	// Description is what the page of the URL tells the person who opens it.
	Description string
	// Expires is how long the URL works: 7 days if it is 0, and at most 90 days.
	Expires time.Duration
}

// WebhookURL makes a URL that sends one message to the run that ctx belongs to,
// without other credentials. A POST delivers the message, exactly once; a GET shows a
// page with a button, so that a program that only looks at a link sends nothing.
//
// A process that continues the run gets the same URL: the n-th one that the flow, or a
// call of a task, makes for a Webhook is the same one. Whoever has the URL can send:
// call WebhookURL in the task that delivers it, so that it is not stored as an
// input or a result. The server must be reachable by its public URL.
//
// It returns ErrInvalid if a bound is exceeded: 64 KiB of JSON for a value, 1,000
// webhooks of a run.
func WebhookURL(ctx context.Context, w Webhook) (string, error) {
	info, ok := engine.Current(ctx)
	if !ok {
		return "", fmt.Errorf("make a webhook: %w", sentinel(core.Errorf(core.EInvalid,
			"the context does not belong to a run: call this in a flow or a task, or use the WebhookURL of a Run")))
	}
	o, err := orchestrator(ctx)
	if err != nil {
		return "", fmt.Errorf("make a webhook: %w", err)
	}
	return webhookURL(ctx, o, info.FlowRun.ID, w)
}

// WebhookURL makes a URL that sends one message to the run, as the function WebhookURL
// does. Outside of runs, each call makes another one.
func (r *Run[R]) WebhookURL(ctx context.Context, w Webhook) (string, error) {
	return webhookURL(ctx, r.s.Orchestrator(), r.s.Run.ID, w)
}

func webhookURL(ctx context.Context, o core.Orchestrator, id core.UUID, w Webhook) (string, error) {
	c := core.WebhookCreate{Topic: w.Topic, Description: w.Description, ExpiresIn: core.Seconds(w.Expires.Seconds())}
	var err error
	if w.Value != nil {
		if c.Value, err = json.Marshal(w.Value); err != nil {
			err = core.Errorf(core.EInvalid, "the value cannot be encoded as JSON: %w", err)
		}
	}
	if err == nil {
		var made *core.CreatedWebhook
		if made, err = engine.CreateWebhook(ctx, o, id, c); err == nil {
			return made.URL, nil
		}
	}
	return "", fmt.Errorf("make a webhook of run %s: %w", id, sentinel(err))
}
