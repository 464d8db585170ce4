package core

import (
	"encoding/json"
	"slices"
	"strings"
)

// StateType is what the engine decides by; a state's name is for people.
type StateType string

const (
	Scheduled  StateType = "SCHEDULED"
	Pending    StateType = "PENDING"
	Running    StateType = "RUNNING"
	Paused     StateType = "PAUSED"
	Cancelling StateType = "CANCELLING"
	Completed  StateType = "COMPLETED"
	Failed     StateType = "FAILED"
	Cancelled  StateType = "CANCELLED"
	Crashed    StateType = "CRASHED"
)

// State names that rules look at; any text may be a name.
const (
	NameLate                    = "Late"
	NameAwaitingRetry           = "AwaitingRetry"
	NameAwaitingConcurrencySlot = "AwaitingConcurrencySlot"
	NameResuming                = "Resuming"
	NameRetrying                = "Retrying"
	NameRerunning               = "Rerunning"
	NameSuspended               = "Suspended"
	NameNotReady                = "NotReady"
	NameCached                  = "Cached"
	NameTimedOut                = "TimedOut"
	NameSkipped                 = "Skipped"
	NameUndoFailed              = "UndoFailed"
	NameAwaitingMessage         = "AwaitingMessage"
)

// StateTypes is every type, in the order of a run's life.
var StateTypes = []StateType{Scheduled, Pending, Running, Paused, Cancelling, Completed, Failed, Cancelled, Crashed}

// UnmarshalJSON refuses what is no state type.
func (t *StateType) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if *t = StateType(s); s != "" && !t.Valid() {
		return Errorf(EInvalid, "the state type %s does not exist", s)
	}
	return nil
}

func (t StateType) Valid() bool {
	return slices.Contains(StateTypes, t)
}

// Final: COMPLETED, FAILED, CANCELLED, CRASHED.
func (t StateType) Final() bool {
	return t == Completed || t == Failed || t == Cancelled || t == Crashed
}

// Name is the type's default state name: "Completed" for COMPLETED.
func (t StateType) Name() string {
	if t == "" {
		return ""
	}
	return string(t[:1]) + strings.ToLower(string(t[1:]))
}

// State is one entry of a run's history. (run, timestamp) is unique.
type State struct {
	ID        UUID         `json:"id"`
	Type      StateType    `json:"type"`
	Name      string       `json:"name"`
	Timestamp Time         `json:"timestamp"`
	Message   *string      `json:"message"`
	Data      JSON         `json:"data"`
	Details   StateDetails `json:"state_details"`
}

// StateDetails is stored and returned whole; null where unset.
type StateDetails struct {
	FlowRunID         UUID              `json:"flow_run_id"`
	TaskRunID         UUID              `json:"task_run_id"`
	ChildFlowRunID    UUID              `json:"child_flow_run_id"`
	ScheduledTime     Time              `json:"scheduled_time"`
	CacheKey          *string           `json:"cache_key"`
	CacheExpiration   Time              `json:"cache_expiration"`
	Deferred          bool              `json:"deferred"`
	UntrackableResult bool              `json:"untrackable_result"`
	PauseTimeout      Time              `json:"pause_timeout"`
	PauseReschedule   bool              `json:"pause_reschedule"`
	PauseKey          *string           `json:"pause_key"`
	RunInputKeyset    map[string]string `json:"run_input_keyset"`
	RefreshCache      *bool             `json:"refresh_cache"`
	Retriable         *bool             `json:"retriable"`
	TransitionID      UUID              `json:"transition_id"`
	TaskParametersID  UUID              `json:"task_parameters_id"`
	TraceParent       *string           `json:"traceparent"`
	// Wakes marks what flowlite's own engine waits for: its run is woken to see a
	// time-out or a cancellation, instead of being ended from outside.
	Wakes bool `json:"wakes,omitempty"`
	// Topics are those that a run or a call of its flow waits for a message to.
	Topics []string `json:"topics,omitempty"`
	// TopicSchemas are the JSON schemas of messages to these topics, as they are
	// stored (see WrapMessage), where they are known.
	TopicSchemas map[string]JSON `json:"topic_schemas,omitempty"`
}

// StateCreate is a proposed state: id and timestamp are the server's to give.
type StateCreate struct {
	Type    StateType    `json:"type"`
	Name    string       `json:"name,omitempty"`
	Message *string      `json:"message,omitempty"`
	Data    JSON         `json:"data,omitempty"`
	Details StateDetails `json:"state_details"`
	// RenewsSlot says that the client renews the lease of the deployment's slot
	// that it is given with PENDING.
	RenewsSlot bool `json:"-"`
}

// State gives a proposal its id and timestamp.
func (c StateCreate) State(now Time) *State {
	s := &State{ID: NewID(), Type: c.Type, Name: c.Name, Timestamp: now, Message: c.Message, Data: c.Data, Details: c.Details}
	if s.Name == "" {
		s.Name = c.Type.Name()
	}
	if s.Data.IsNull() {
		s.Data = nil
	}
	s.Details.CacheKey, s.Details.PauseKey = Given(s.Details.CacheKey), Given(s.Details.PauseKey)
	if s.Type == Scheduled && s.Details.ScheduledTime == 0 {
		s.Details.ScheduledTime = now
	}
	return s
}

// ResponseStatus says what became of a proposed state.
type ResponseStatus string

const (
	Accept ResponseStatus = "ACCEPT"
	Reject ResponseStatus = "REJECT"
	Wait   ResponseStatus = "WAIT"
	Abort  ResponseStatus = "ABORT"
)

// OrchestrationResult answers a proposed state. State is the state that holds
// now, written or kept; nil only where a resume was aborted.
type OrchestrationResult struct {
	State   *State         `json:"state"`
	Status  ResponseStatus `json:"status"`
	Details ResultDetails  `json:"details"`
	Written bool           `json:"-"` // a state was written: 201, else 200
}

type ResultDetails struct {
	Type         string  `json:"type"` // accept_details, reject_details, wait_details, abort_details
	Reason       *string `json:"reason,omitempty"`
	DelaySeconds *int64  `json:"delay_seconds,omitempty"`
}

// UnansweredKey stands among the pause keys of a run if nobody answered the
// pause in time. Like these, it holds until the run is retried.
func UnansweredKey(pause string) string { return pause + ":unanswered" }
