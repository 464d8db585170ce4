package orchestrate

import (
	"context"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// persistReports writes the events of reports and publishes them.
func (s *Service) persistReports(ctx context.Context, reports []*core.TaskRunReport) error {
	events := make([]*core.Event, 0, len(reports))
	for _, r := range reports {
		events = append(events, s.taskRunEvents(ctx, r)...)
	}
	return s.commit.WriteEvents(ctx, s.log, events)
}

// taskRunEvents is what a Prefect client would have sent for where the report
// ends. States that the task passed through within one report are in its
// history, but are no events: they were over before anybody could hear of them,
// and each event costs several rows.
func (s *Service) taskRunEvents(ctx context.Context, r *core.TaskRunReport) []*core.Event {
	t, n := r.TaskRun, len(r.States)
	if n == 0 {
		return nil
	}
	var about []map[string]string
	if !t.FlowRunID.IsZero() {
		run := s.flowRunNames(ctx, t.FlowRunID)
		about = append(about, core.RelatedResource("flow-run", t.FlowRunID, "flow-run", run.name))
		if !run.parent.IsZero() {
			about = append(about, core.RelatedResource("flow", run.parent, "flow", s.flowNames(ctx, s.store, run.parent).name))
		}
	}
	for _, tag := range t.Tags {
		about = append(about, map[string]string{"prefect.resource.id": "prefect.tag." + tag, "prefect.resource.role": "tag"})
	}
	var before *core.State
	if n > 1 {
		before = r.States[n-2]
	}
	e := taskRunEvent(t, taskRunPayload(t), before, r.States[n-1], about)
	// Nothing may wait for an event that never was.
	e.Follows = core.UUID{}
	return []*core.Event{e}
}

func (s *Service) flowRunNames(ctx context.Context, id core.UUID) names {
	return s.names.get(id, func() (names, error) {
		run, err := s.store.FlowRun(ctx, id)
		if err != nil {
			return names{}, err
		}
		return names{name: run.Name, parent: run.FlowID}, nil
	})
}

type taskState struct {
	Type    core.StateType `json:"type"`
	Name    string         `json:"name"`
	Message string         `json:"message"`
	Details struct{}       `json:"state_details"`
	Data    core.JSON      `json:"data"`
}

func taskSummary(s *core.State) *taskState {
	if s == nil {
		return nil
	}
	// Results stay in the state: events are kept longer and read by more.
	return &taskState{Type: s.Type, Name: s.Name, Message: core.CutText(core.Deref(s.Message), 100_000)}
}

type taskRunPayloadOf struct {
	Name              string             `json:"name"`
	TaskKey           string             `json:"task_key"`
	DynamicKey        string             `json:"dynamic_key"`
	CacheKey          *string            `json:"cache_key,omitempty"`
	RunCount          int64              `json:"run_count"`
	FlowRunRunCount   int64              `json:"flow_run_run_count"`
	Tags              core.Tags          `json:"tags"`
	Policy            core.TaskRunPolicy `json:"empirical_policy"`
	StartTime         core.Time          `json:"start_time,omitzero"`
	EndTime           core.Time          `json:"end_time,omitzero"`
	TotalRunTime      float64            `json:"total_run_time"`
	ExpectedStartTime core.Time          `json:"expected_start_time"`
}

func taskRunPayload(t *core.TaskRun) core.JSON {
	return core.ToJSON(taskRunPayloadOf{
		Name: t.Name, TaskKey: t.TaskKey, DynamicKey: t.DynamicKey, CacheKey: t.CacheKey, RunCount: t.RunCount,
		FlowRunRunCount: t.FlowRunRunCount, Tags: t.Tags, Policy: t.EmpiricalPolicy, StartTime: t.StartTime,
		EndTime: t.EndTime, TotalRunTime: t.TotalRunTime, ExpectedStartTime: t.ExpectedStartTime,
	})
}

func taskRunEvent(t *core.TaskRun, record core.JSON, before, st *core.State, about []map[string]string) *core.Event {
	e := &core.Event{
		ID: st.ID, Occurred: st.Timestamp, Received: core.Now(), Event: "prefect.task-run." + st.Name,
		Resource: map[string]string{
			"prefect.resource.id":     "prefect.task-run." + t.ID.String(),
			"prefect.resource.name":   t.Name,
			"prefect.run-count":       strconv.FormatInt(t.RunCount, 10),
			"prefect.state-message":   core.CutText(core.Deref(st.Message), 10_000),
			"prefect.state-name":      st.Name,
			"prefect.state-timestamp": st.Timestamp.Time().Format("2006-01-02T15:04:05.000000+00:00"),
			"prefect.state-type":      string(st.Type),
			"prefect.orchestration":   "client",
		},
		Related: about,
	}
	payload := struct {
		Intended  intended   `json:"intended"`
		TaskRun   core.JSON  `json:"task_run"`
		Initial   *taskState `json:"initial_state"`
		Validated *taskState `json:"validated_state"`
	}{intended{To: st.Type}, record, taskSummary(before), taskSummary(st)}
	if before != nil {
		e.Follows = before.ID
		payload.Intended.From = &before.Type
	}
	e.Payload = core.ToJSON(payload)
	return e
}
