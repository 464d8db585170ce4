package flowlite

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"time"

	"github.com/flowlite/flowlite/runtime/engine"
)

// Causes of a run's context's end, as context.Cause tells them; a replayed
// error is one of them where the first was.
var (
	ErrCancelled  = engine.ErrCancelled
	ErrTimedOut   = engine.ErrTimedOut
	ErrLeaseLost  = engine.ErrLeaseLost
	ErrUnanswered = engine.ErrUnanswered
	ErrSuspended  = engine.ErrSuspended
	ErrStopped    = engine.ErrStopped
)

// ErrCodeChanged is the error of a task call that a person chose to fail because
// a completed call may be the same one with an input of another type.
var ErrCodeChanged = engine.ErrCodeChanged

// Info is what code can know of the run it is part of.
type Info struct {
	RunID        string
	RunName      string
	Flow         string
	DeploymentID string // empty: none
	TaskRunID    string // empty in the flow itself
	TaskRunName  string
	Parameters   json.RawMessage // of the flow
	Attempt      int             // of the task, or of the flow in the flow itself; from 1
	Scheduled    time.Time       // when the run was to start
	Tags         []string

	key string
}

// Current tells of the run around ctx; the zero Info outside of one.
func Current(ctx context.Context) Info {
	i, ok := engine.Current(ctx)
	if !ok {
		return Info{}
	}
	r := i.FlowRun
	info := Info{RunID: r.ID.String(), RunName: r.Name, Flow: i.Flow, Parameters: json.RawMessage(r.Parameters), Attempt: i.Attempt,
		Scheduled: r.ExpectedStartTime.Time(), Tags: r.Tags, key: engine.IdempotencyKey(ctx)}
	if !r.DeploymentID.IsZero() {
		info.DeploymentID = r.DeploymentID.String()
	}
	if i.TaskRun != nil {
		info.TaskRunID, info.TaskRunName = i.TaskRun.ID.String(), i.TaskRun.Name
	}
	return info
}

// IdempotencyKey is the same in every attempt of this task call: handed to
// another system, it makes the task's effect happen once.
func (i Info) IdempotencyKey() string { return i.key }

// Logger returns a logger for the log of the run that ctx belongs to. Its
// records also go to slog's default logger.
func Logger(ctx context.Context) *slog.Logger {
	return slog.New(boundHandler{LogHandler(slog.Default().Handler()), ctx})
}

// LogHandler returns a handler that writes records made within a run to the
// run's log, and then hands all records to next, which may be nil. A program
// that installs it need not use Logger:
//
//	slog.SetDefault(slog.New(flowlite.LogHandler(slog.NewTextHandler(os.Stderr, nil))))
//
// Give SetDefault a handler of your own, as here: that of an untouched
// slog.Default writes to package log, which SetDefault leads back to slog.
//
// A record is of a run if its context is: slog.InfoContext(ctx, …). [Main]
// installs the handler itself. In a process that a worker started, records of
// runs do not go to next, because the worker stores its output as well.
func LogHandler(next slog.Handler) slog.Handler { return engine.NewHandler(next, launched()) }

// boundHandler logs as if in ctx, also where the caller gives none.
type boundHandler struct {
	slog.Handler
	ctx context.Context
}

func (h boundHandler) Enabled(_ context.Context, l slog.Level) bool {
	return h.Handler.Enabled(h.ctx, l)
}

func (h boundHandler) Handle(_ context.Context, r slog.Record) error {
	return h.Handler.Handle(h.ctx, r)
}

func (h boundHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return boundHandler{h.Handler.WithAttrs(a), h.ctx}
}

func (h boundHandler) WithGroup(name string) slog.Handler {
	return boundHandler{h.Handler.WithGroup(name), h.ctx}
}

// launched: a worker started this process and keeps its output as logs, so a
// run's logs must not appear there a second time.
func launched() bool { return os.Getenv("FLOWLITE_FLOW_RUN_ID") != "" }
