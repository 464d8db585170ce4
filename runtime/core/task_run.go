package core

import (
	"cmp"
	"encoding/json"
)

// TaskRun is one call of a task within a flow run, or of a background task.
type TaskRun struct {
	ID                      UUID          `json:"id"`
	Created                 Time          `json:"created"`
	Updated                 Time          `json:"updated"`
	Name                    string        `json:"name"`
	FlowRunID               UUID          `json:"flow_run_id"`
	TaskKey                 string        `json:"task_key"`
	DynamicKey              string        `json:"dynamic_key"`
	CacheKey                *string       `json:"cache_key"`
	CacheExpiration         Time          `json:"cache_expiration"`
	TaskVersion             *string       `json:"task_version"`
	EmpiricalPolicy         TaskRunPolicy `json:"empirical_policy"`
	Tags                    Tags          `json:"tags"`
	Labels                  JSON          `json:"labels"`
	StateID                 UUID          `json:"state_id"`
	TaskInputs              JSON          `json:"task_inputs"`
	StateType               StateType     `json:"state_type"`
	StateName               string        `json:"state_name"`
	RunCount                int64         `json:"run_count"`
	FlowRunRunCount         int64         `json:"flow_run_run_count"`
	ExpectedStartTime       Time          `json:"expected_start_time"`
	NextScheduledStartTime  Time          `json:"next_scheduled_start_time"`
	StartTime               Time          `json:"start_time"`
	EndTime                 Time          `json:"end_time"`
	TotalRunTime            float64       `json:"total_run_time"`
	EstimatedRunTime        float64       `json:"estimated_run_time"`
	EstimatedStartTimeDelta float64       `json:"estimated_start_time_delta"`
	State                   *State        `json:"state"`

	StateTimestamp Time `json:"-"`
}

type TaskRunPolicy struct {
	MaxRetries        int64    `json:"max_retries"`
	RetryDelaySeconds float64  `json:"retry_delay_seconds"`
	Retries           *int64   `json:"retries"`
	RetryDelay        JSON     `json:"retry_delay"` // number or list of numbers, seconds
	RetryJitterFactor *float64 `json:"retry_jitter_factor"`
}

type TaskRunCreate struct {
	ID              UUID           `json:"id"`
	State           *StateCreate   `json:"state,omitempty"`
	Name            string         `json:"name,omitempty"`
	FlowRunID       UUID           `json:"flow_run_id"`
	TaskKey         string         `json:"task_key"`
	DynamicKey      string         `json:"dynamic_key"`
	CacheKey        *string        `json:"cache_key,omitempty"`
	CacheExpiration Time           `json:"cache_expiration"`
	TaskVersion     *string        `json:"task_version,omitempty"`
	EmpiricalPolicy *TaskRunPolicy `json:"empirical_policy,omitempty"`
	Tags            Tags           `json:"tags,omitempty"`
	Labels          JSON           `json:"labels,omitempty"`
	TaskInputs      JSON           `json:"task_inputs,omitempty"`
}

type TaskRunUpdate struct {
	Name Opt[string] `json:"name,omitzero"`
}

// TaskRunReport is what an executing engine says of a task run: its record and
// the states entered since the last report, oldest first. The record's state
// columns are those of the last state. Reports may come late, twice or out of
// order; the newest state timestamp wins.
type TaskRunReport struct {
	TaskRun *TaskRun
	States  []*State
	// Fields the report carries, by JSON name; nil means all. A Python event
	// carries some, and the others keep what is stored.
	Fields map[string]bool
	// Events as they came over the wire, one per state; nil when made by us.
	Events []*Event
}

// Check returns EInvalid for a text that is too long, or JSON that cannot be stored.
func (r *TaskRunReport) Check() error {
	err := r.TaskRun.Check()
	for _, s := range r.States {
		err = cmp.Or(err, MaxStateName.Check(s.Name), CheckJSON(s.Data), MaxTaskCacheKey.CheckPtr(s.Details.CacheKey))
	}
	return err
}

// CompensateTask begins the names of the task runs that register the undos of a
// flow.
const CompensateTask = "compensate "

// ReceiveTask begins the names of the task runs that receive a message: a topic follows.
const ReceiveTask = "receive "

// Labels of a task run in which a Go flow keeps the input of the call, so that a
// later version of its code recognizes the call.
const (
	InputLabel      = "flowlite.input"
	EndingLabel     = "flowlite.ending"     // how the flow ended whose undos run
	ParametersLabel = "flowlite.parameters" // of a subflow
	// InputTypeLabel is a digest of the input's type, where the input is not stored.
	InputTypeLabel = "flowlite.input_type"
)

// Input is what a Go flow called the task or subflow with; nil if that is not
// stored.
func (t *TaskRun) Input() JSON {
	labels := t.Labels.Map()
	for _, name := range []string{InputLabel, ParametersLabel} {
		if s, ok := labels[name].(string); ok && json.Valid([]byte(s)) {
			return JSON(s)
		}
	}
	return nil
}

// Check returns EInvalid for a text that is too long, or JSON that cannot be stored.
func (t *TaskRun) Check() error {
	err := cmp.Or(MaxTaskKey.Check(t.TaskKey), MaxTaskDynamicKey.Check(t.DynamicKey), MaxTaskCacheKey.CheckPtr(t.CacheKey),
		MaxStateName.Check(t.StateName), CheckJSON(t.TaskInputs), CheckJSON(t.Labels))
	if t.State != nil {
		err = cmp.Or(err, MaxStateName.Check(t.State.Name), CheckJSON(t.State.Data))
	}
	return err
}

type TaskRunFilter struct {
	Operator          Operator      `json:"operator,omitempty"`
	ID                *IDFilter     `json:"id,omitempty"`
	Name              *TextFilter   `json:"name,omitempty"`
	Tags              *TagFilter    `json:"tags,omitempty"`
	State             *StateFilter  `json:"state,omitempty"`
	StartTime         *TimeFilter   `json:"start_time,omitempty"`
	EndTime           *TimeFilter   `json:"end_time,omitempty"`
	ExpectedStartTime *TimeFilter   `json:"expected_start_time,omitempty"`
	SubflowRuns       *ExistsFilter `json:"subflow_runs,omitempty"`
	FlowRunID         *IDFilter     `json:"flow_run_id,omitempty"`
}

// TaskRunSorts are the sort orders of task runs; the first is the default.
var TaskRunSorts = []string{
	"ID_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC",
	"NAME_ASC", "NAME_DESC", "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC", "DURATION_DESC", "DURATION_ASC",
}
