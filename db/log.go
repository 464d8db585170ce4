package db

import (
	"context"
	"encoding/binary"
	"slices"

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
	if err := t.lockLogs(ctx, logs); err != nil {
		return err
	}
	for len(logs) > 0 {
		part := logs[:min(len(logs), logBatch)]
		if len(part) < logBatch { // lists of any length share a few statements
			n := 1
			for n*2 <= len(part) {
				n *= 2
			}
			part = part[:n]
		}
		logs = logs[len(part):]
		if err := t.insertLogs(ctx, part); err != nil {
			return t.err(err, "Log")
		}
	}
	return nil
}

// lockLogs makes the lines of a run become visible in the order of their
// numbers: whoever follows a log asks for what comes after the last one seen,
// and would never see a line that was numbered early and committed late.
func (t *tx) lockLogs(ctx context.Context, logs []*core.Log) error {
	if t.pipe == nil {
		return nil // SQLite has one writer
	}
	var keys []int64
	for _, l := range logs {
		if key := int64(binary.BigEndian.Uint64(l.FlowRunID[8:])); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys) // one order for all, or two could wait for each other
	return t.err(t.later("Log", anyRows).exec(ctx, queries.LockLogs(keys)), "Log")
}

const logBatch = 64

func (t *tx) insertLogs(ctx context.Context, logs []*core.Log) error {
	rows := make([][]any, len(logs))
	for i, l := range logs {
		if l.ID.IsZero() {
			l.ID = core.NewID()
		}
		if l.Created == 0 {
			l.Created = core.Now()
		}
		if l.Timestamp == 0 {
			l.Timestamp = l.Created
		}
		rows[i] = []any{l.ID, l.Created, l.Name, l.Level, l.Message, l.Timestamp, l.FlowRunID, l.TaskRunID}
	}
	seqs := make([]int64, 0, len(logs))
	err := t.dyn.rows(ctx, queries.AddLogs(t.d, rows), func(scan func(...any) error) error {
		var n int64
		if err := scan(&n); err != nil {
			return err
		}
		seqs = append(seqs, n)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(seqs) // numbers are given in the order of the rows, but may come in another
	for i, n := range seqs {
		logs[i].Seq = n
	}
	return nil
}
