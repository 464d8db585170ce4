package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func logOf(l *row.Log) *core.Log {
	return &core.Log{
		ID: l.LogID, Created: l.Created, Updated: l.Created, Name: l.Name, Level: l.Level, Message: l.Message,
		Timestamp: l.Timestamp, FlowRunID: l.FlowRunID, TaskRunID: l.TaskRunID, Seq: l.ID,
	}
}

func (r *reader) Logs(ctx context.Context, f *core.LogFilter, p core.Page) ([]*core.Log, error) {
	var seqs []int64
	err := r.dyn.rows(ctx, queries.Logs(r.d, f, &p), func(scan func(...any) error) error {
		var n int64
		if err := scan(&n); err != nil {
			return err
		}
		seqs = append(seqs, n)
		return nil
	})
	if err != nil {
		return nil, r.err(err, "Log")
	}
	return byIDs(seqs, func(ids []int64) ([]row.Log, error) {
		rows, err := r.q.ListLogsByIDs(ctx, row.ListLogsByIDsParams{Ids: ids})
		return rows, r.err(err, "Log")
	}, logOf, func(l *row.Log) int64 { return l.ID })
}

func (r *reader) CountLogs(ctx context.Context, f *core.LogFilter) (int64, error) {
	return r.count(ctx, queries.Logs(r.d, f, nil))
}

func (t *tx) InsertLogs(ctx context.Context, logs []*core.Log) error {
	for _, l := range logs {
		if l.ID.IsZero() {
			l.ID = core.NewID()
		}
		if l.Created == 0 {
			l.Created = core.Now()
		}
		if l.Timestamp == 0 {
			l.Timestamp = l.Created
		}
		seq, err := t.q.InsertLog(ctx, row.InsertLogParams{
			LogID: l.ID, Created: l.Created, Name: l.Name, Level: l.Level, Message: l.Message,
			Timestamp: l.Timestamp, FlowRunID: l.FlowRunID, TaskRunID: l.TaskRunID,
		})
		if err != nil {
			return t.err(err, "Log")
		}
		l.Seq = seq
	}
	return nil
}
