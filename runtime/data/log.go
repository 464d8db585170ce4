package data

import (
	"context"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// maxLogMessage is how much of one line is kept.
const maxLogMessage = 1 << 20

// WriteLogs stores lines in one commit and passes them to live tails. A line
// that is too long is cut and says so; bytes that are not UTF-8 are replaced,
// and the values of Secret blocks and the credentials of flow runs are masked.
func (s *Logs) WriteLogs(ctx context.Context, logs []core.LogCreate) error {
	if len(logs) == 0 {
		return nil
	}
	now := s.now()
	mask := s.masker.Masker(ctx)
	rows := make([]core.Log, len(logs))
	list := make([]*core.Log, len(logs))
	for i, c := range logs {
		rows[i] = core.Log{
			ID: core.NewID(), Created: now, Updated: now, Name: core.CleanText(c.Name), Level: c.Level,
			Message: cleanMessage(c.Message), Timestamp: c.Timestamp, FlowRunID: c.FlowRunID, TaskRunID: c.TaskRunID,
		}
		if mask != nil {
			rows[i].Message = mask.Replace(rows[i].Message)
		}
		rows[i].Message = core.MaskRunAuth(rows[i].Message)
		if rows[i].Timestamp.IsZero() {
			rows[i].Timestamp = now
		}
		list[i] = &rows[i]
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		out.Logs(list)
		return tx.InsertLogs(ctx, list)
	})
}

// RunLogs are entries of a flow run in the order of arrival, from offset on.
func (s *Logs) RunLogs(ctx context.Context, flowRunID core.UUID, offset, limit int) ([]*core.Log, error) {
	f := &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{flowRunID}}}
	return s.store.Logs(ctx, f, core.Page{Sort: "SEQ_ASC", Offset: offset, Limit: limit})
}

func cleanMessage(m string) string {
	if len(m) > maxLogMessage {
		m = m[:maxLogMessage]
		for len(m) > 0 && !utf8.RuneStart(m[len(m)-1]) {
			m = m[:len(m)-1]
		}
		m += "… (cut: a log message may have 1 MB)"
	}
	return core.CleanText(m)
}
