package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func (r *reader) StreamEntries(ctx context.Context, flowRunID core.UUID, key string, from int64, limit int) ([]*core.StreamEntry, error) {
	rows, err := r.q.ListFlowRunStreamEntries(ctx, row.ListFlowRunStreamEntriesParams{FlowRunID: flowRunID, Key: key, FromNumber: from,
		Lim: lim(limit)})
	if err != nil {
		return nil, r.err(err, "Stream")
	}
	out := make([]*core.StreamEntry, len(rows))
	for i, x := range rows {
		out[i] = &core.StreamEntry{Number: x.Number, Created: x.Created, Value: core.JSON(x.Value)}
	}
	return out, nil
}

func (r *reader) Streams(ctx context.Context, flowRunID core.UUID) ([]core.StreamInfo, error) {
	rows, err := r.q.ListFlowRunStreams(ctx, row.ListFlowRunStreamsParams{FlowRunID: flowRunID})
	out := make([]core.StreamInfo, len(rows))
	for i, x := range rows {
		out[i] = core.StreamInfo{Key: x.Key, Entries: x.Entries}
	}
	return out, r.err(err, "Stream")
}

func (t *tx) AppendStream(ctx context.Context, flowRunID core.UUID, key string, now core.Time, a core.StreamAppend) (int64, error) {
	if err := core.MaxStreamKey.Check(key); err != nil {
		return 0, err
	}
	if err := core.MaxStreamSource.Check(a.Source); err != nil {
		return 0, err
	}
	number, err := t.q.FlowRunStreamNumber(ctx, row.FlowRunStreamNumberParams{FlowRunID: flowRunID, Key: key, Source: a.Source,
		Ordinal: a.Ordinal})
	if err == nil || !core.IsNotFound(t.err(err, "Stream")) {
		return number, t.err(err, "Stream")
	}
	number, err = t.q.LastFlowRunStreamNumber(ctx, row.LastFlowRunStreamNumberParams{FlowRunID: flowRunID, Key: key})
	if err != nil && !core.IsNotFound(t.err(err, "Stream")) {
		return 0, t.err(err, "Stream")
	}
	number++
	return number, t.err(t.q.InsertFlowRunStreamEntry(ctx, row.InsertFlowRunStreamEntryParams{FlowRunID: flowRunID, Key: key, Number: number,
		Created: now, Source: a.Source, Ordinal: a.Ordinal, Value: string(a.Value)}), "Stream")
}
