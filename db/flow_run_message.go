package db

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

// messagePage is how many keys are read at once to find one of a topic.
const messagePage = 100

func messageOf(x *row.FlowRunInput) *core.RunMessage {
	topic, id := core.MessageOf(x.Key)
	m := &core.RunMessage{ID: id, Created: x.Created, Topic: topic, Value: core.JSON(x.Value), Sender: x.Sender}
	if !json.Valid(m.Value) { // Prefect's API takes any text for an input
		m.Value = core.WrapMessage(core.ToJSON(x.Value))
	}
	return m
}

func (r *reader) WaitingMessage(ctx context.Context, flowRunID core.UUID, topics []string) (*core.RunMessage, error) {
	next := row.ListFlowRunMessageKeysParams{FlowRunID: flowRunID, Created: 1, AfterID: flowRunID, Lim: 1} // zero is NULL
	for {
		keys, err := r.q.ListFlowRunMessageKeys(ctx, next)
		if err != nil {
			return nil, r.err(err, "Message")
		}
		for _, k := range keys {
			if topic, _ := core.MessageOf(k.Key); topic != "" && slices.Contains(topics, topic) {
				x, err := r.q.GetFlowRunMessage(ctx, row.GetFlowRunMessageParams{ID: k.ID})
				if err != nil {
					return nil, r.err(err, "Message")
				}
				return messageOf(&x), nil
			}
			next.Created, next.AfterID = k.Created, k.ID
		}
		if len(keys) < int(next.Lim) {
			return nil, core.NotFound("Message")
		}
		next.Lim = messagePage // the first is it, nearly always
	}
}

func (r *reader) ReceivedMessage(ctx context.Context, flowRunID core.UUID, by string) (*core.RunMessage, error) {
	x, err := r.q.GetFlowRunMessageBy(ctx, row.GetFlowRunMessageByParams{FlowRunID: flowRunID, ReceivedBy: &by})
	if err != nil {
		return nil, r.err(err, "Message")
	}
	return messageOf(&x), nil
}

func (r *reader) CountWaitingInputs(ctx context.Context, flowRunID core.UUID) (int64, error) {
	n, err := r.q.CountFlowRunMessages(ctx, row.CountFlowRunMessagesParams{FlowRunID: flowRunID})
	return n, r.err(err, "Message")
}

func (t *tx) InsertMessage(ctx context.Context, flowRunID core.UUID, m *core.RunMessage) error {
	last, err := t.q.LastFlowRunMessageTime(ctx, row.LastFlowRunMessageTimeParams{FlowRunID: flowRunID})
	if err != nil && !core.IsNotFound(t.err(err, "Message")) {
		return t.err(err, "Message")
	}
	// The clocks of servers differ, and the order of messages is that of their arrival.
	m.Created = max(m.Created, last+1)
	return t.InsertFlowRunInput(ctx, &core.FlowRunInput{ID: core.NewID(), Created: m.Created, Updated: m.Created, FlowRunID: flowRunID,
		Key: core.MessageKey(m.Topic, m.ID), Value: string(m.Value), Sender: m.Sender})
}

func (t *tx) ReceiveMessage(ctx context.Context, flowRunID core.UUID, m *core.RunMessage, by string, now core.Time) error {
	if err := core.MaxMessageReceiver.Check(by); err != nil {
		return err
	}
	n, err := t.q.ReceiveFlowRunMessage(ctx, row.ReceiveFlowRunMessageParams{FlowRunID: flowRunID, Key: core.MessageKey(m.Topic, m.ID),
		ReceivedBy: &by, Updated: now})
	return t.one(n, err, "Message")
}
