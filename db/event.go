package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func eventOf(e *row.Event) *core.Event {
	x := &core.Event{ID: e.ID, Occurred: e.Occurred, Event: e.Event, Payload: e.Payload, Follows: e.Follows, Received: e.Received}
	decode(e.Resource, &x.Resource)
	decode(e.Related, &x.Related)
	return x
}

func (r *reader) Events(ctx context.Context, f *core.EventFilter, p core.Page) ([]*core.Event, error) {
	ids, err := r.ids(ctx, queries.Events(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.Event, error) {
		rows, err := r.q.ListEventsByIDs(ctx, row.ListEventsByIDsParams{Ids: ids})
		return rows, r.err(err, "Event")
	}, eventOf, func(e *row.Event) core.UUID { return e.ID })
}

func (r *reader) CountEvents(ctx context.Context, f *core.EventFilter) (int64, error) {
	return r.count(ctx, queries.Events(r.d, f, nil))
}

func (r *reader) EventCounts(
	ctx context.Context,
	f *core.EventFilter,
	by string,
	pivot core.Time,
	width int64,
) (counts []core.EventCount, err error) {
	err = r.dyn.rows(ctx, queries.EventCounts(r.d, f, by, pivot, width), func(scan func(...any) error) error {
		var c core.EventCount
		if err := scan(&c.Value, &c.Label, &c.Count, &c.Start, &c.End); err != nil {
			return err
		}
		counts = append(counts, c)
		return nil
	})
	return counts, r.err(err, "Event")
}

func (t *tx) InsertEvents(ctx context.Context, events []*core.Event) ([]*core.Event, error) {
	if err := checkEvents(events); err != nil {
		return nil, err
	}
	written := make([]int64, len(events))
	for i, e := range events {
		n, err := t.promise(promise{noun: "Event", rows: anyRows, got: &written[i]}).InsertEvent(ctx, insertEvent(e))
		if err != nil {
			return nil, t.err(err, "Event")
		}
		written[i] = n
	}
	if t.pipe != nil {
		if err := t.pipe.flush(ctx); err != nil {
			return nil, t.err(err, "Event")
		}
	}
	var fresh []*core.Event
	for i, e := range events {
		if written[i] > 0 {
			fresh = append(fresh, e)
		}
	}
	return fresh, nil
}

func (t *tx) AddEvents(ctx context.Context, events []*core.Event) error {
	if err := checkEvents(events); err != nil {
		return err
	}
	if len(events) == 1 {
		_, err := t.later("Event", anyRows).InsertEvent(ctx, insertEvent(events[0]))
		return t.err(err, "Event")
	}
	rows := make([][]any, len(events))
	for i, e := range events {
		rows[i] = values(insertEvent(e))
	}
	return t.addMany(ctx, "Event", rows, queries.AddEvents)
}

func checkEvents(events []*core.Event) error {
	for _, e := range events {
		if err := e.Check(); err != nil {
			return err
		}
	}
	return nil
}

func insertEvent(e *core.Event) row.InsertEventParams {
	if e.Received == 0 {
		e.Received = core.Now()
	}
	all := core.JSON("[")
	for i, r := range e.Related {
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, labelsJSON(r)...)
	}
	return row.InsertEventParams{
		ID: e.ID, Occurred: e.Occurred, Received: e.Received, Event: e.Event, EventResourceID: e.ResourceID(),
		Resource: labelsJSON(e.Resource), Related: append(all, ']'), Payload: e.Payload.OrObject(), Follows: e.Follows,
	}
}

func (t *tx) DeleteEvents(ctx context.Context, before core.Time, limit int) (int64, error) {
	n, err := t.q.DeleteEvents(ctx, row.DeleteEventsParams{CutoffTime: before, Lim: lim(limit)})
	return n, t.err(err, "Event")
}
