package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// maxReplayedLogs is how many entries of a run are looked at: of a run that logs
// more, a replay logs the later ones again.
const maxReplayedLogs = 20_000

// loggedLines counts what the flow's code has logged in the attempt that this process
// continues, so that its replay does not log it again.
type loggedLines struct {
	mu    sync.Mutex
	lines map[loggedLine]int
}

type loggedLine struct {
	level   int64
	message string
}

// take reports whether the line of the flow itself is in the log already. A task that
// is executed again logs again.
func (l *loggedLines) take(c core.LogCreate) bool {
	if !c.TaskRunID.IsZero() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := loggedLine{c.Level, c.Message}
	if l.lines[key] == 0 {
		return false
	}
	l.lines[key]--
	return true
}

func (l *loggedLines) set(lines map[loggedLine]int) {
	l.mu.Lock()
	l.lines = lines
	l.mu.Unlock()
}

// readLogged reads what the attempt that this process continues has logged. That it
// cannot be read is no reason to stop the run: lines are then there twice.
func (r *run) readLogged(ctx context.Context) {
	const page = 200
	lines := map[loggedLine]int{}
	before := fmt.Sprintf("attempt %d failed: ", r.rec.RunCount-1)
	for offset := 0; offset < maxReplayedLogs; offset += page {
		logs, err := r.e.o.RunLogs(ctx, r.rec.ID, offset, page)
		if err != nil {
			return
		}
		for _, l := range logs {
			switch {
			case !l.TaskRunID.IsZero():
			case strings.HasPrefix(l.Message, before):
				clear(lines) // of the attempt before
			default:
				lines[loggedLine{l.Level, l.Message}]++
			}
		}
		if len(logs) < page {
			break
		}
	}
	r.logged.set(lines)
}
