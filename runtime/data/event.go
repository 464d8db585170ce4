package orchestrate

import (
	"cmp"
	"context"
	"strings"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// maxEventPayload is the peer's limit: larger events are accepted and dropped.
const maxEventPayload = 1_500_000

// EmitEvents stores events that are not known yet and publishes those. Task-run
// events of an executing client also make its task runs. It returns EForbidden if
// the caller may not send some of them; the others are stored.
func (s *Service) EmitEvents(ctx context.Context, events []*core.Event) error {
	sent := len(events)
	events, refused, err := s.PermitEvents(ctx, events)
	if refused != nil {
		s.log.Warn("events refused", "flow_run", core.CallingRun(ctx), "count", sent-len(events), "error", refused)
	}
	if err == nil {
		err = s.emitEvents(ctx, events)
	}
	return cmp.Or(err, refused)
}

func (s *Service) emitEvents(ctx context.Context, events []*core.Event) error {
	now := s.now()
	var plain []*core.Event
	var reports []*core.TaskRunReport
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
		if isTaskRunEvent(e) {
			r, err := reportOf(e)
			if err == nil {
				s.blocks.MaskReports(ctx, []*core.TaskRunReport{r})
				reports = append(reports, r)
				continue
			}
			s.log.Warn("task-run event left out of the record", "event", e.ID, "resource", e.ResourceID(), "error", err)
		}
		if len(e.Payload) > maxEventPayload {
			s.log.Warn("event dropped: it is larger than 1.5 MB", "event", e.Event, "resource", e.ResourceID(), "bytes", len(e.Payload))
			continue
		}
		plain = append(plain, e)
	}
	if len(reports) > 0 {
		if err := s.RecordTaskRuns(ctx, reports); err != nil {
			return err
		}
	}
	if len(plain) == 0 {
		return nil
	}
	return s.insertEvents(ctx, plain)
}

// insertEvents writes events and publishes those that were new. If one cannot
// be written, the others are: the error is that of the first that failed.
func (s *Service) insertEvents(ctx context.Context, events []*core.Event) error {
	err := s.commit.Write(ctx, func(_ core.Tx, out *commit.Outbox) error {
		out.Event(events...)
		return nil
	})
	switch {
	case err == nil:
		return nil
	case core.CodeOf(err) == core.EUnavailable || ctx.Err() != nil:
		s.log.Error("events not written", "count", len(events), "error", err)
		return err
	case len(events) == 1:
		s.log.Error("event not written", "event", events[0].Event, "id", events[0].ID, "error", err)
		return err
	}
	err = nil
	for _, e := range events {
		one := s.insertEvents(ctx, []*core.Event{e})
		if core.CodeOf(one) == core.EUnavailable || ctx.Err() != nil {
			return one
		}
		err = cmp.Or(err, one)
	}
	return err
}

func isTaskRunEvent(e *core.Event) bool {
	return strings.HasPrefix(e.Event, "prefect.task-run") && e.Resource["prefect.orchestration"] == "client"
}
