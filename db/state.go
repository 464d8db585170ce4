package db

import (
	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func newState(id core.UUID, typ, name string, at core.Time, message *string, data, details core.JSON) *core.State {
	if id.IsZero() {
		return nil
	}
	s := &core.State{ID: id, Type: core.StateType(typ), Name: name, Timestamp: at, Message: message, Data: data}
	decode(details, &s.Details)
	return s
}

func flowRunStateOf(s *row.FlowRunState) *core.State {
	return newState(s.ID, s.Type, s.Name, s.Timestamp, s.Message, s.Data, s.StateDetails)
}

func taskRunStateOf(s *row.TaskRunState) *core.State {
	return newState(s.ID, s.Type, s.Name, s.Timestamp, s.Message, s.Data, s.StateDetails)
}

// sparseDetails is StateDetails without what is null: half of a state's bytes
// are nulls.
type sparseDetails struct {
	FlowRunID         core.UUID         `json:"flow_run_id,omitzero"`
	TaskRunID         core.UUID         `json:"task_run_id,omitzero"`
	ChildFlowRunID    core.UUID         `json:"child_flow_run_id,omitzero"`
	ScheduledTime     core.Time         `json:"scheduled_time,omitzero"`
	CacheKey          *string           `json:"cache_key,omitzero"`
	CacheExpiration   core.Time         `json:"cache_expiration,omitzero"`
	Deferred          bool              `json:"deferred,omitzero"`
	UntrackableResult bool              `json:"untrackable_result,omitzero"`
	PauseTimeout      core.Time         `json:"pause_timeout,omitzero"`
	PauseReschedule   bool              `json:"pause_reschedule,omitzero"`
	PauseKey          *string           `json:"pause_key,omitzero"`
	RunInputKeyset    map[string]string `json:"run_input_keyset,omitzero"`
	RefreshCache      *bool             `json:"refresh_cache,omitzero"`
	Retriable         *bool             `json:"retriable,omitzero"`
	TransitionID      core.UUID         `json:"transition_id,omitzero"`
	TaskParametersID  core.UUID         `json:"task_parameters_id,omitzero"`
	TraceParent       *string           `json:"traceparent,omitzero"`
	Wakes             bool              `json:"wakes,omitzero"`
	Topics            []string          `json:"topics,omitzero"`

	TopicSchemas map[string]core.JSON `json:"topic_schemas,omitzero"`
}

func storedDetails(d core.StateDetails) core.JSON { return core.ToJSON(sparseDetails(d)) }

// estimates of a run, computed at the time of reading.
func estimates(now core.Time, typ core.StateType, at, expected, start core.Time, total float64) (runTime, delta float64) {
	runTime = total
	if typ == core.Running && at != 0 && now > at {
		runTime += now.Sub(at).Seconds()
	}
	switch {
	case expected == 0:
	case start != 0:
		delta = max(0, start.Sub(expected).Seconds())
	case !typ.Final():
		delta = max(0, now.Sub(expected).Seconds())
	}
	return runTime, delta
}
