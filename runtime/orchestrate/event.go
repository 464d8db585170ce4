package orchestrate

import (
	"context"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// maxEventPayload is the peer's limit: larger events are accepted and dropped.
const maxEventPayload = 1_500_000

// EmitEvents stores events that are not known yet and publishes those. Task-run
// events of an executing client also make its task runs.
func (s *Service) EmitEvents(ctx context.Context, events []*core.Event) error {
	now := s.now()
	var plain []*core.Event
	var reports []*core.TaskRunReport
	for _, e := range events {
		if e.ID.IsZero() {
			e.ID = core.NewID()
		}
		if e.Occurred.IsZero() {
			e.Occurred = now
		}
		e.Received = now
		if isTaskRunEvent(e) {
			if r, err := reportOf(e); err == nil {
				s.maskReports(ctx, []*core.TaskRunReport{r})
				reports = append(reports, r)
				continue
			} else {
				s.log.Warn("task-run event left out of the record", "event", e.ID, "resource", e.ResourceID(), "error", err)
			}
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

// insertEvents writes events and publishes those that were new.
func (s *Service) insertEvents(ctx context.Context, events []*core.Event) error {
	err := s.write(ctx, func(_ core.Tx, out *outbox) error {
		out.event(events...)
		return nil
	})
	if err != nil {
		s.log.Error("events not written", "count", len(events), "error", err)
	}
	return err
}

func isTaskRunEvent(e *core.Event) bool {
	return strings.HasPrefix(e.Event, "prefect.task-run") && e.Resource["prefect.orchestration"] == "client"
}
