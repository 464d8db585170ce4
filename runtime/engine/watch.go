package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// watchDelay lets short runs end before anything watches over them.
const watchDelay = 200 * time.Millisecond

// watch ends the flow's context when the run is cancelled, suspended or ended
// from outside.
func (r *run) watch(ctx context.Context, end context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithValue(ctx, scopeKey{}, (*scope)(nil)))
	t := time.AfterFunc(watchDelay, func() {
		for ctx.Err() == nil {
			r.mu.Lock()
			known := r.stateID
			r.mu.Unlock()
			now, err := r.e.o.WaitFlowRun(ctx, r.rec.ID, known, 30)
			switch {
			case ctx.Err() != nil:
				return
			case core.IsNotFound(err):
				end(errAborted)
				return
			case err != nil:
				_ = r.e.clock.Sleep(ctx, time.Second)
				continue
			}
			switch {
			case now.StateType == core.Cancelling, now.StateType == core.Cancelled:
				end(ErrCancelled)
				return
			case now.StateType.Final():
				end(errAborted)
				return
			case now.StateType == core.Pending:
				end(ErrLeaseLost) // another process has claimed it
				return
			case now.StateType == core.Paused && now.State != nil && now.State.Details.PauseReschedule:
				end(ErrSuspended)
				return
			case now.StateType == core.Scheduled && now.StateID != known && now.StateName != core.NameAwaitingRetry:
				end(errAborted)
				return
			}
			r.mu.Lock()
			r.stateID = now.StateID
			r.mu.Unlock()
		}
	})
	return func() {
		t.Stop()
		cancel()
	}
}

// record writes an engine's own line about an error into the run's logs.
func (e *Engine) record(ctx context.Context, what string, err error) {
	msg := what + ": " + text(err)
	if p, ok := err.(*PanicError); ok { //nolint:errorlint // just made
		msg += "\n" + string(p.Stack)
	}
	e.say(ctx, slog.LevelError, msg)
}

func (e *Engine) warn(ctx context.Context, msg string) { e.say(ctx, slog.LevelWarn, msg) }

func (e *Engine) say(ctx context.Context, l slog.Level, msg string) {
	if s := scopeOf(ctx); s != nil {
		s.run.log(s, l, msg)
	}
	e.slog.Log(context.WithoutCancel(context.WithValue(ctx, scopeKey{}, (*scope)(nil))), l, msg)
}
