package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// CreateFlowRunInput returns ENotFound for an unknown run, EConflict for a taken key.
// What Prefect's send_input sends is a message, also to a flow in Go.
func (s *Service) CreateFlowRunInput(ctx context.Context, flowRunID core.UUID, key, value, sender string) error {
	if key == "" {
		return core.InvalidField("key", "the key of an input must not be empty")
	}
	in := &core.FlowRunInput{FlowRunID: flowRunID, Key: key, Value: value}
	if sender != "" {
		in.Sender = &sender
	}
	topic, id := core.MessageOf(key)
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, flowRunID)
		if err != nil {
			return err
		}
		if _, err := tx.FlowRunInput(ctx, flowRunID, key); err == nil {
			return core.Errorf(core.EConflict, "A flow run input with this key already exists.")
		}
		out.Run(flowRunID)
		in.ID, in.Created, in.Updated = core.NewID(), s.now(), s.now()
		if topic == "" {
			return tx.InsertFlowRunInput(ctx, in)
		}
		if err := s.checkWaiting(ctx, tx, flowRunID); err != nil {
			return err
		}
		m := &core.RunMessage{ID: id, Created: s.now(), Topic: topic, Value: core.JSON(value), Sender: in.Sender}
		if err := tx.InsertMessage(ctx, flowRunID, m); err != nil {
			return err
		}
		return s.wakeForMessage(ctx, tx, out, run, topic)
	})
}

// FlowRunInput is the value under a key; ENotFound if there is none.
func (s *Service) FlowRunInput(ctx context.Context, flowRunID core.UUID, key string) (string, error) {
	in, err := s.store.FlowRunInput(ctx, flowRunID, key)
	if err != nil {
		return "", err
	}
	return in.Value, nil
}

// DeleteFlowRunInput returns ENotFound if there is none.
func (s *Service) DeleteFlowRunInput(ctx context.Context, flowRunID core.UUID, key string) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if _, err := tx.FlowRunInput(ctx, flowRunID, key); err != nil {
			return err
		}
		return tx.DeleteFlowRunInput(ctx, flowRunID, key)
	})
}
