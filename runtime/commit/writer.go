package commit

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config is what a Writer needs. Store, Bus, and Now are required.
type Config struct {
	Store Store
	Bus   core.Bus
	Now   func() core.Time
	// Triggers chooses the events that are queued for automations; nil: none are.
	Triggers Triggers
	// Observer receives what this process has committed; may be nil.
	Observer core.CommitObserver
}

// Store runs transactions.
type Store interface {
	Write(ctx context.Context, fn func(tx core.Tx) error) error
}

// Triggers knows what automations wait for.
type Triggers interface {
	// Concerned returns the events that concern a trigger.
	Concerned(ctx context.Context, r core.AutomationReader, events []*core.Event) ([]*core.Event, error)
}

// Writer runs use cases: one transaction for each, published after its commit.
type Writer struct{ c Config }

// New returns a Writer on c.
func New(c Config) *Writer { return &Writer{c} }

// Operation is what one caller does in a transaction.
type Operation func(tx core.Tx, out *Outbox) error

// Write runs fn in a transaction together with the events that it puts into
// its outbox, and publishes the outbox after the commit. fn may run more than
// once: each time it gets an empty outbox.
func (w *Writer) Write(ctx context.Context, fn func(tx core.Tx, out *Outbox) error) error {
	var out Outbox
	err := w.c.Store.Write(ctx, func(tx core.Tx) error {
		out = Outbox{}
		if err := fn(tx, &out); err != nil {
			return err
		}
		if err := out.writeEvents(ctx, tx); err != nil || len(out.events) == 0 || w.c.Triggers == nil {
			return err
		}
		concerned, err := w.c.Triggers.Concerned(ctx, tx, out.events)
		if err != nil || len(concerned) == 0 {
			return err
		}
		out.triggers = true
		return tx.QueueAutomationEvents(ctx, concerned, w.c.Now())
	})
	if err != nil {
		return err
	}
	if messages := out.messages(); len(messages) > 0 {
		w.c.Bus.Publish(messages...)
	}
	if w.c.Observer != nil && len(out.events) > 0 {
		w.c.Observer.Committed(out.events, out.entered)
	}
	for _, fn := range out.after {
		fn()
	}
	return nil
}

// WriteAll is Write for several operations at once, all or none.
func (w *Writer) WriteAll(ctx context.Context, all []Operation) error {
	return w.Write(ctx, func(tx core.Tx, out *Outbox) error {
		for _, fn := range all {
			if err := fn(tx, out); err != nil {
				return err
			}
		}
		return nil
	})
}
