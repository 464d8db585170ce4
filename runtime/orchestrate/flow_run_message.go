package orchestrate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// SendMessage stores a message for a run. If the run is suspended until a message
// to the topic arrives, it is scheduled in the same transaction. A message that is
// sent again under its ID is stored once. ENotFound without the run, EConflict if
// it has ended, EInvalid if a bound is exceeded.
func (s *Service) SendMessage(ctx context.Context, flowRunID core.UUID, c core.MessageCreate) (m *core.RunMessage, err error) {
	if c, err = checkMessage(c); err != nil {
		return nil, err
	}
	err = s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		m, err = s.sendMessage(ctx, tx, out, flowRunID, c)
		return err
	})
	return m, err
}

// checkMessage completes a message to send.
func checkMessage(c core.MessageCreate) (core.MessageCreate, error) {
	if err := core.CheckTopic(c.Topic); err != nil {
		return c, err
	}
	if len(c.Value) == 0 {
		c.Value = core.JSON("null")
	}
	if n := len(c.Value); n > core.MaxMessageValue {
		return c, core.InvalidField("value", fmt.Sprintf("the message has %d bytes, at most %d are allowed; "+
			"store a result or an artifact and send its key", n, core.MaxMessageValue))
	}
	if err := core.CheckJSON(c.Value); err != nil {
		return c, core.InvalidField("value", "the message: "+err.Error())
	}
	if c.ID.IsZero() {
		c.ID = core.NewID()
	}
	return c, nil
}

// sendMessage is SendMessage within a transaction.
func (s *Service) sendMessage(
	ctx context.Context, tx messageTx, out *commit.Outbox, flowRunID core.UUID, c core.MessageCreate,
) (*core.RunMessage, error) {
	run, err := tx.LockFlowRun(ctx, flowRunID)
	if err != nil {
		return nil, flowRunError(err, flowRunID)
	}
	m := &core.RunMessage{ID: c.ID, Created: s.now(), Topic: c.Topic, Value: core.WrapMessage(c.Value), Sender: core.Given(&c.Sender)}
	switch old, err := tx.FlowRunInput(ctx, flowRunID, core.MessageKey(c.Topic, c.ID)); {
	case err == nil:
		m.Created = old.Created
		return m, nil
	case !core.IsNotFound(err):
		return nil, err
	}
	if run.StateType.Final() {
		return nil, core.Errorf(core.EConflict, "the run has ended as %s and receives no more messages", run.StateName)
	}
	if err := s.checkWaiting(ctx, tx, flowRunID); err != nil {
		return nil, err
	}
	if err := tx.InsertMessage(ctx, flowRunID, m); err != nil {
		return nil, err
	}
	out.Run(flowRunID)
	return m, s.wakeForMessage(ctx, tx, out, run, c.Topic)
}

// checkWaiting returns EInvalid if a run has as many inputs as it can have.
func (s *Service) checkWaiting(ctx context.Context, tx messageTx, flowRunID core.UUID) error {
	n, err := tx.CountWaitingInputs(ctx, flowRunID)
	if err == nil && n >= core.MaxMessages {
		err = core.InvalidField("topic", fmt.Sprintf("%d messages wait in the run, which is the most that can; "+
			"send more when the flow has received some", core.MaxMessages))
	}
	return err
}

// wakeForMessage schedules a run that is suspended until a message to the topic arrives.
func (s *Service) wakeForMessage(ctx context.Context, tx proposalTx, out *commit.Outbox, run *core.FlowRun, topic string) error {
	if !awaits(run, topic) {
		return nil
	}
	c := core.StateCreate{Type: core.Scheduled, Name: core.NameResuming, Details: core.StateDetails{Wakes: true}}
	// The token is that of the sender, which may be another run.
	_, err := s.proposeFlowState(core.WithRunToken(ctx, core.UUID{}), tx, out, run, c, false)
	return err
}

func awaits(run *core.FlowRun, topic string) bool {
	return run.StateType == core.Scheduled && run.StateName == core.NameAwaitingMessage && run.State != nil &&
		slices.Contains(run.State.Details.Topics, topic)
}

// notBefore makes a run that is about to be suspended until a message arrives due
// at once if one has arrived since its flow asked.
func (s *Service) notBefore(
	ctx context.Context, tx core.FlowRunMessageReader, run *core.FlowRun, c core.StateCreate,
) (core.StateCreate, error) {
	if c.Type != core.Scheduled || c.Name != core.NameAwaitingMessage || len(c.Details.Topics) == 0 {
		return c, nil
	}
	_, err := tx.WaitingMessage(ctx, run.ID, c.Details.Topics)
	switch {
	case err == nil:
		c.Details.ScheduledTime = s.now()
	case core.IsNotFound(err):
		err = nil
	}
	return c, err
}

// ReceiveMessage returns the next message to one of the topics, or nil if none
// arrived within r.Wait. With r.By, the message is given to that call of the flow,
// and it is the same one each time the call asks. ENotFound without the run.
func (s *Service) ReceiveMessage(ctx context.Context, flowRunID core.UUID, r core.MessageRequest) (*core.RunMessage, error) {
	if len(r.Topics) == 0 || len(r.Topics) > core.MaxMessageTopics {
		text := fmt.Sprintf("a receiver has 1 to %d topics; this one has %d", core.MaxMessageTopics, len(r.Topics))
		return nil, core.InvalidField("topics", text)
	}
	for _, topic := range r.Topics {
		if err := core.CheckTopic(topic); err != nil {
			return nil, err
		}
	}
	sub := s.bus.Subscribe(core.TopicRun, flowRunID.String(), 1)
	defer sub.Close()
	deadline := time.NewTimer(min(max(r.Wait.Duration(), 0), maxWait))
	defer deadline.Stop()
	again := time.NewTicker(pollAgain)
	defer again.Stop()
	for {
		m, err := s.receive(ctx, flowRunID, r)
		if m != nil || err != nil {
			return m, err
		}
		if r.Wait <= 0 {
			return nil, nil
		}
	wait:
		select {
		case m, open := <-sub.C():
			if !open {
				return nil, errStopping
			}
			if m.Tasks && sub.Lost() == 0 {
				goto wait // of the flow's steps
			}
		case <-again.C:
		case <-deadline.C:
			return nil, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// receive looks once.
func (s *Service) receive(ctx context.Context, flowRunID core.UUID, r core.MessageRequest) (*core.RunMessage, error) {
	if r.By != "" {
		if m, err := s.store.ReceivedMessage(ctx, flowRunID, r.By); !core.IsNotFound(err) {
			return m, err
		}
	}
	m, err := s.store.WaitingMessage(ctx, flowRunID, r.Topics)
	if core.IsNotFound(err) {
		_, err = s.store.FlowRun(ctx, flowRunID)
		return nil, flowRunError(err, flowRunID)
	}
	if err != nil || r.By == "" {
		return m, err
	}
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, flowRunID)
		if err != nil {
			return flowRunError(err, flowRunID)
		}
		if err := s.checkToken(ctx, tx, run); err != nil {
			return err
		}
		if m, err = tx.ReceivedMessage(ctx, flowRunID, r.By); !core.IsNotFound(err) {
			return err
		}
		if m, err = tx.WaitingMessage(ctx, flowRunID, r.Topics); err != nil {
			return err
		}
		return tx.ReceiveMessage(ctx, flowRunID, m, r.By, s.now())
	})
	if core.IsNotFound(err) { // another call of the flow has it
		return nil, nil
	}
	return m, err
}
