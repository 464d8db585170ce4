package commit

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/flowlite/flowlite/runtime/core"
)

// WriteEvents stores events and publishes those that were new. If one cannot be
// stored, the others are: the error, which log has, is that of the first that failed.
func (w *Writer) WriteEvents(ctx context.Context, log *slog.Logger, events []*core.Event) error {
	if len(events) == 0 {
		return nil
	}
	err := w.Write(ctx, func(_ core.Tx, out *Outbox) error {
		out.Event(events...)
		return nil
	})
	switch {
	case err == nil:
		return nil
	case core.CodeOf(err) == core.EUnavailable || ctx.Err() != nil:
		log.Error("events not written", "count", len(events), "error", err)
		return err
	case len(events) == 1:
		log.Error("event not written", "event", events[0].Event, "id", events[0].ID, "error", err)
		return err
	}
	err = nil
	for _, e := range events {
		one := w.WriteEvents(ctx, log, []*core.Event{e})
		if core.CodeOf(one) == core.EUnavailable || ctx.Err() != nil {
			return one
		}
		err = cmp.Or(err, one)
	}
	return err
}
