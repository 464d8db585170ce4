package main

import (
	"encoding/json"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

type flowRunWebhookCmd struct {
	runRef
	Topic   string        `arg:"" help:"topic that the flow receives from"`
	Value   string        `placeholder:"JSON|@file|-" help:"Message that the URL sends (default: what is posted to it)"`
	About   string        `placeholder:"TEXT" help:"Text on the page of the URL"`
	Expires time.Duration `default:"168h" placeholder:"DURATION" help:"Time until the URL stops working, at most 2160h (90 days)"`
}

func (c *flowRunWebhookCmd) Help() string {
	return "The URL sends one message to the flow run, without other credentials: " +
		"a POST delivers the message, a GET shows a page with a button. " +
		"It begins with the public URL of the server, and is not shown again."
}

func (c *flowRunWebhookCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	create := core.WebhookCreate{Topic: c.Topic, Description: c.About, ExpiresIn: core.Seconds(c.Expires.Seconds())}
	if c.Value != "" {
		value, err := a.readText(c.Value)
		if err != nil {
			return err
		}
		if !json.Valid(value) {
			return badUsage("the message is not JSON; pass a text in double quotes: %s", core.ShellWord(string(core.ToJSON(c.Value))))
		}
		create.Value = core.JSON(value)
	}
	w, err := a.api.patient.CreateWebhook(a.ctx, r.ID, create)
	if err != nil {
		return a.api.explain(err)
	}
	return a.out.Value(core.ToJSON(w), w.URL, w.URL)
}
