package orchestrate

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// RecordTaskRuns applies what engines say of their task runs, all in one
// commit. A report whose flow run is not known (its own creation may still be
// on the way) does not hold up the others: it is tried again for a while.
// One that cannot be recorded does not hold up the others either: the error is
// that of the first such report, after all others were written.
// Returns ELeaseLost if the caller's token is not that of the reported runs.
func (s *Service) RecordTaskRuns(ctx context.Context, reports []*core.TaskRunReport) error {
	if len(reports) == 0 {
		return nil
	}
	s.blocks.MaskReports(ctx, reports)
	reports = mergeReports(reports)
	err := s.record(ctx, reports)
	if !blamesReport(ctx, err) {
		return err
	}
	var later []*core.TaskRunReport
	var first error
	for _, r := range reports {
		one := err
		if len(reports) > 1 {
			one = s.record(ctx, []*core.TaskRunReport{r})
		}
		switch {
		case core.CodeOf(one) == core.EConflict:
			later = append(later, r)
		case blamesReport(ctx, one):
			s.log.Error("task run not recorded", "task_run", r.TaskRun.ID, "flow_run", r.TaskRun.FlowRunID, "error", one)
			first = cmp.Or(first, one)
		case one != nil:
			return one
		}
	}
	s.recordLater(later)
	return first
}

// blamesReport: the error is of one of the reports, and not of the database or
// of the caller.
func blamesReport(ctx context.Context, err error) bool {
	code := core.CodeOf(err)
	return err != nil && code != core.EUnavailable && code != core.ELeaseLost && ctx.Err() == nil
}

func (s *Service) record(ctx context.Context, reports []*core.TaskRunReport) error {
	r := &recording{reports: reports, token: core.RunToken(ctx)}
	now := s.now()
	for _, report := range reports {
		completeReport(report, now)
		if id := report.TaskRun.FlowRunID; !id.IsZero() && !slices.Contains(r.runs, id) {
			r.runs = append(r.runs, id)
		}
	}
	var err error
	if s.store.Shared() && r.joins() {
		err = s.recordings.Do(ctx, r)
	} else {
		err = s.writeRecordings(ctx, []*recording{r})
	}
	if err != nil {
		return err
	}
	if reports = withoutEvents(reports); len(reports) > 0 && !s.events.add(reports) {
		return s.persistReports(ctx, reports)
	}
	return nil
}

// withoutEvents are the reports whose events are still to be made.
func withoutEvents(reports []*core.TaskRunReport) []*core.TaskRunReport {
	return slices.DeleteFunc(slices.Clone(reports), func(r *core.TaskRunReport) bool { return r.Events != nil })
}

// completeReport fills what a reporter need not say.
func completeReport(r *core.TaskRunReport, now core.Time) {
	t := r.TaskRun
	for _, st := range r.States {
		if st.ID.IsZero() {
			st.ID = core.NewID()
		}
		if st.Name == "" {
			st.Name = st.Type.Name()
		}
		st.Details.FlowRunID, st.Details.TaskRunID = t.FlowRunID, t.ID
	}
	slices.SortStableFunc(r.States, func(a, b *core.State) int { return int(a.Timestamp - b.Timestamp) })
	for i, st := range r.States {
		if i > 0 && st.Timestamp <= r.States[i-1].Timestamp {
			st.Timestamp = r.States[i-1].Timestamp + 1
		}
	}
	if n := len(r.States); n > 0 {
		last := r.States[n-1]
		t.State, t.StateID, t.StateType, t.StateName, t.StateTimestamp = last, last.ID, last.Type, last.Name, last.Timestamp
	}
	if t.Created == 0 {
		t.Created = now
	}
	if t.Updated == 0 {
		t.Updated = now
	}
	if t.ExpectedStartTime == 0 && len(r.States) > 0 {
		t.ExpectedStartTime = r.States[0].Timestamp
	}
	t.Labels, t.TaskInputs = t.Labels.OrObject(), t.TaskInputs.OrObject()
}

// mergeReports joins the reports of one task run, so that a batch of its
// events is one write: the newest says how it stands.
func mergeReports(reports []*core.TaskRunReport) []*core.TaskRunReport {
	if len(reports) == 1 {
		return reports
	}
	at := make(map[core.UUID]int, len(reports))
	merged := make([]*core.TaskRunReport, 0, len(reports))
	for _, r := range reports {
		i, ok := at[r.TaskRun.ID]
		if !ok {
			at[r.TaskRun.ID] = len(merged)
			merged = append(merged, r)
			continue
		}
		if joined, ok := join(merged[i], r); ok {
			merged[i] = joined
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// join fails where the newer report leaves out fields that the older one has.
func join(a, b *core.TaskRunReport) (*core.TaskRunReport, bool) {
	if len(a.States) == 0 || len(b.States) == 0 {
		return nil, false
	}
	if a.States[len(a.States)-1].Timestamp > b.States[len(b.States)-1].Timestamp {
		a, b = b, a
	}
	if b.Fields != nil {
		if a.Fields == nil {
			return nil, false
		}
		for f := range a.Fields {
			if !b.Fields[f] {
				return nil, false
			}
		}
	}
	if (a.Events == nil) != (b.Events == nil) {
		return nil, false
	}
	return &core.TaskRunReport{
		TaskRun: b.TaskRun, Fields: b.Fields,
		States: append(slices.Clone(a.States), b.States...), Events: append(slices.Clone(a.Events), b.Events...),
	}, true
}

// RecordEvents records the task runs that events of executing clients report, and
// returns the events that report none.
func (s *Service) RecordEvents(ctx context.Context, events []*core.Event) (rest []*core.Event, err error) {
	var reports []*core.TaskRunReport
	for _, e := range events {
		if !isTaskRunEvent(e) {
			rest = append(rest, e)
			continue
		}
		r, err := reportOf(e)
		if err != nil {
			s.log.Warn("task-run event left out of the record", "event", e.ID, "resource", e.ResourceID(), "error", err)
			rest = append(rest, e)
			continue
		}
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		return rest, nil
	}
	s.blocks.MaskReports(ctx, reports)
	return rest, s.RecordTaskRuns(ctx, reports)
}

func isTaskRunEvent(e *core.Event) bool {
	return strings.HasPrefix(e.Event, "prefect.task-run") && e.Resource["prefect.orchestration"] == "client"
}

// reportOf reads a task-run event as a client sends it.
func reportOf(e *core.Event) (*core.TaskRunReport, error) {
	var p struct {
		TaskRun   json.RawMessage `json:"task_run"`
		Validated *struct {
			Type    core.StateType    `json:"type"`
			Name    string            `json:"name"`
			Message *string           `json:"message"`
			Data    core.JSON         `json:"data"`
			Details core.StateDetails `json:"state_details"`
		} `json:"validated_state"`
	}
	if err := json.Unmarshal(e.Payload, &p); err != nil {
		return nil, err
	}
	if len(p.TaskRun) == 0 || p.Validated == nil || !p.Validated.Type.Valid() {
		return nil, core.Errorf(core.EInvalid, "the payload needs task_run and validated_state")
	}
	t := &core.TaskRun{}
	if err := json.Unmarshal(p.TaskRun, t); err != nil {
		return nil, err
	}
	var keys map[string]json.RawMessage
	_ = json.Unmarshal(p.TaskRun, &keys)
	fields := make(map[string]bool, len(keys))
	for k := range keys {
		fields[k] = true
	}
	var err error
	if t.ID.IsZero() {
		if t.ID, err = core.ParseUUID(strings.TrimPrefix(e.ResourceID(), "prefect.task-run.")); err != nil {
			return nil, err
		}
		if t.ID.IsZero() {
			return nil, core.Errorf(core.EInvalid, "the event names no task run")
		}
	}
	for _, r := range e.Related {
		if id, ok := strings.CutPrefix(r["prefect.resource.id"], "prefect.flow-run."); ok && r["prefect.resource.role"] == "flow-run" {
			if t.FlowRunID, err = core.ParseUUID(id); err != nil {
				return nil, err
			}
			break
		}
	}
	if t.TaskKey == "" {
		return nil, core.Errorf(core.EInvalid, "the payload's task_run has no task_key")
	}
	st := &core.State{ID: e.ID, Type: p.Validated.Type, Name: p.Validated.Name, Timestamp: e.Occurred,
		Message: p.Validated.Message, Data: p.Validated.Data, Details: p.Validated.Details}
	if st.Data.IsNull() {
		st.Data = nil
	}
	return &core.TaskRunReport{TaskRun: t, States: []*core.State{st}, Fields: fields, Events: []*core.Event{e}}, nil
}

// How often, and after what pauses, a report is tried again.
var recordAgain = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// recordLater tries reports again in the background and gives up at Stop.
func (s *Service) recordLater(reports []*core.TaskRunReport) {
	if len(reports) == 0 {
		return
	}
	s.events.background(func(quit <-chan struct{}) {
		for _, pause := range recordAgain {
			select {
			case <-time.After(pause):
			case <-quit:
				return
			}
			var left []*core.TaskRunReport
			for _, r := range reports {
				if err := s.record(context.Background(), []*core.TaskRunReport{r}); core.CodeOf(err) == core.EConflict {
					left = append(left, r)
				}
			}
			if reports = left; len(reports) == 0 {
				return
			}
		}
		for _, r := range reports {
			s.log.Warn("task run not recorded: its flow run is unknown, or its key is taken",
				"task_run", r.TaskRun.ID, "flow_run", r.TaskRun.FlowRunID, "task_key", r.TaskRun.TaskKey)
		}
	})
}
