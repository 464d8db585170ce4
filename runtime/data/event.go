package data

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// maxEventPayload is Prefect's limit: larger events are accepted and dropped.
const maxEventPayload = 1_500_000

// EventsConfig is what Events needs. All fields are required.
type EventsConfig struct {
	Commit *commit.Writer
	Runs   Runs
	Log    *slog.Logger
	Now    func() core.Time
}

// Runs knows what the events of clients say of runs.
type Runs interface {
	// PermitEvents returns the events that the caller may send, and EForbidden for
	// the first of the others.
	PermitEvents(ctx context.Context, events []*core.Event) (allowed []*core.Event, refused, err error)
	// RecordEvents records the task runs that events of executing clients report,
	// and returns the events that report none.
	RecordEvents(ctx context.Context, events []*core.Event) (rest []*core.Event, err error)
}

// Events stores the events that clients send.
type Events struct {
	commit *commit.Writer
	runs   Runs
	log    *slog.Logger
	now    func() core.Time
}

// NewEvents returns Events on c.
func NewEvents(c EventsConfig) *Events { return &Events{c.Commit, c.Runs, c.Log, c.Now} }

// EmitEvents stores events that are not known yet and publishes those. Task-run
// events of an executing client also make its task runs. It returns EForbidden if
// the caller may not send some of them; the others are stored.
func (s *Events) EmitEvents(ctx context.Context, events []*core.Event) error {
	sent := len(events)
	events, refused, err := s.runs.PermitEvents(ctx, events)
	if refused != nil {
		s.log.Warn("events refused", "flow_run", core.CallingRun(ctx), "count", sent-len(events), "error", refused)
	}
	if err == nil {
		err = s.emitEvents(ctx, events)
	}
	return cmp.Or(err, refused)
}

func (s *Events) emitEvents(ctx context.Context, events []*core.Event) error {
	now := s.now()
	var checked, plain []*core.Event
	for _, e := range events {
		if err := e.Check(); err != nil {
			s.log.Warn("event refused", "event", e.Event, "id", e.ID, "error", err)
			continue
		}
		if e.ID.IsZero() {
			e.ID = core.NewID()
		}
		if e.Occurred.IsZero() {
			e.Occurred = now
		}
		e.Received = now
		checked = append(checked, e)
	}
	rest, err := s.runs.RecordEvents(ctx, checked)
	if err != nil {
		return err
	}
	for _, e := range rest {
		if len(e.Payload) > maxEventPayload {
			s.log.Warn("event dropped: it is larger than 1.5 MB", "event", e.Event, "resource", e.ResourceID(), "bytes", len(e.Payload))
			continue
		}
		plain = append(plain, e)
	}
	return s.commit.WriteEvents(ctx, s.log, plain)
}
