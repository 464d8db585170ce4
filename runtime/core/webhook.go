package core

import "time"

// Bounds of webhooks.
const (
	MaxWebhooks           = 1000     // of one run
	MaxWebhookDescription = 16 << 10 // bytes
	MaxWebhookLife        = 90 * 24 * time.Hour
	WebhookLife           = 7 * 24 * time.Hour // if none is given
)

// Webhook is a URL that sends one message to a flow run without other credentials.
type Webhook struct {
	ID          UUID   `json:"id"`
	FlowRunID   UUID   `json:"flow_run_id"`
	Topic       string `json:"topic"`
	Description string `json:"description"`
	Created     Time   `json:"created"`
	Expires     Time   `json:"expires"`
	Used        Time   `json:"used"`

	Value     JSON   `json:"-"` // the message; nil: the one that is posted
	TokenHash string `json:"-"`
	Sealed    string `json:"-"` // the encrypted token; empty once it is used
}

// WebhookCreate asks for a webhook. One that is asked for again under its ID is the
// same one.
type WebhookCreate struct {
	ID          UUID    `json:"id,omitzero"` // zero: a new one
	Topic       string  `json:"topic"`
	Description string  `json:"description"`     // what the page of the URL says; may be empty
	Value       JSON    `json:"value,omitempty"` // the message; empty: the one that is posted
	ExpiresIn   Seconds `json:"expires_in"`      // 0: WebhookLife
}

// CreatedWebhook is a webhook with its URL, which cannot be read later.
type CreatedWebhook struct {
	Webhook
	URL string `json:"url"`
}
