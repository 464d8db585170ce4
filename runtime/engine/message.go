package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// ErrNoMessage is a time-out, too: errors.Is tells both.
var ErrNoMessage = fmt.Errorf("no message arrived: %w", ErrTimedOut)

// Send sends a message to a run. The n-th message of this content that a flow, or
// a call of a task, sends is sent once, in whatever process and attempt.
func Send(ctx context.Context, o core.Orchestrator, to core.UUID, topic string, value core.JSON) error {
	c := core.MessageCreate{ID: core.NewID(), Topic: topic, Value: value}
	if s := scopeOf(ctx); s != nil {
		if err := left(ctx); err != nil {
			return err
		}
		c.ID = s.onceID("message/" + to.String() + "/" + topic + "/" + digest(value))
		c.Sender = "prefect.flow-run." + s.run.rec.ID.String()
	}
	ctx = core.WithRunToken(ctx, core.UUID{}) // that of the sender is not the receiver's
	_, err := ask(ctx, func() (*core.RunMessage, error) { return o.SendMessage(ctx, to, c) })
	return err
}

// Receive returns the next message to topic, as it is stored.
func Receive(ctx context.Context, topic string, schema func() core.JSON, timeout time.Duration) (core.JSON, error) {
	won, err := await(ctx, core.ReceiveTask+topic, []Case{{Topic: topic, Schema: schema}, {Timer: true, After: timeout}})
	if err == nil && won.Case == 1 {
		return nil, fmt.Errorf("topic %s: %w within %s", topic, ErrNoMessage, max(0, timeout))
	}
	return won.Value, err
}
