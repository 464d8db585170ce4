package main

import (
	"encoding/json"
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
)

type flowRunSendCmd struct {
	runRef
	Topic string `arg:"" help:"topic that the flow receives from"`
	Value string `arg:"" name:"json" help:"JSON|@file|-"`
}

func (c *flowRunSendCmd) Help() string {
	return "The message is stored, and the flow receives it when it asks for the next message to the topic. " +
		`A text is JSON, too: '"yes"'. To a Python flow, the topic is the key_prefix of receive_input.`
}

func (c *flowRunSendCmd) Run(a *app) error {
	r, _, err := a.flowRun(c.ID)
	if err != nil {
		return err
	}
	value, err := a.readText(c.Value)
	if err != nil {
		return err
	}
	if !json.Valid(value) {
		return badUsage("the message is not JSON; pass a text in double quotes: %s", core.ShellWord(string(core.ToJSON(c.Value))))
	}
	m, err := a.api.patient.SendMessage(a.ctx, r.ID, core.MessageCreate{Topic: c.Topic, Value: value})
	if err != nil {
		return a.api.explain(err)
	}
	_, err = fmt.Fprintln(a.out.Out, m.ID)
	return err
}
