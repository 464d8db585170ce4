package orchestrate

import (
	"context"
	"unicode/utf8"

	"github.com/flowlite/flowlite/runtime/core"
)

// maxLogMessage is how much of one line is kept.
const maxLogMessage = 1 << 20

// WriteLogs stores lines in one commit and passes them to live tails. A line
// that is too long is cut and says so; bytes that are not UTF-8 are replaced,
// and the values of Secret blocks and the credentials of flow runs are masked.
func (s *Service) WriteLogs(ctx context.Context, logs []core.LogCreate) error {
	if len(logs) == 0 {
		return nil
	}
	now := s.now()
	mask := s.masker(ctx)
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
	return s.write(ctx, func(tx core.Tx, out *outbox) error {
		out.logs = list
		return tx.InsertLogs(ctx, list)
	})
}

// byRun groups lines by flow run, each group in the order of arrival.
func byRun(logs []*core.Log) [][]*core.Log {
	if len(logs) == 0 {
		return nil
	}
	same := true
	for _, l := range logs {
		same = same && l.FlowRunID == logs[0].FlowRunID
	}
	if same {
		return [][]*core.Log{logs}
	}
	at := map[core.UUID]int{}
	var groups [][]*core.Log
	for _, l := range logs {
		i, ok := at[l.FlowRunID]
		if !ok {
			i = len(groups)
			at[l.FlowRunID] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], l)
	}
	return groups
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
