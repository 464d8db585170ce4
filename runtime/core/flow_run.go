package core

import "math"

// FlowRun is one execution of a flow.
type FlowRun struct {
	ID                       UUID          `json:"id"`
	Created                  Time          `json:"created"`
	Updated                  Time          `json:"updated"`
	Name                     string        `json:"name"`
	FlowID                   UUID          `json:"flow_id"`
	StateID                  UUID          `json:"state_id"`
	DeploymentID             UUID          `json:"deployment_id"`
	DeploymentVersion        *string       `json:"deployment_version"`
	WorkQueueID              UUID          `json:"work_queue_id"`
	WorkQueueName            *string       `json:"work_queue_name"`
	FlowVersion              *string       `json:"flow_version"`
	Parameters               JSON          `json:"parameters"`
	IdempotencyKey           *string       `json:"idempotency_key"`
	Context                  JSON          `json:"context"`
	EmpiricalPolicy          FlowRunPolicy `json:"empirical_policy"`
	Tags                     Tags          `json:"tags"`
	Labels                   JSON          `json:"labels"`
	ParentTaskRunID          UUID          `json:"parent_task_run_id"`
	StateType                StateType     `json:"state_type"`
	StateName                string        `json:"state_name"`
	RunCount                 int64         `json:"run_count"`
	ExpectedStartTime        Time          `json:"expected_start_time"`
	NextScheduledStartTime   Time          `json:"next_scheduled_start_time"`
	StartTime                Time          `json:"start_time"`
	EndTime                  Time          `json:"end_time"`
	TotalRunTime             float64       `json:"total_run_time"`
	EstimatedRunTime         float64       `json:"estimated_run_time"`
	EstimatedStartTimeDelta  float64       `json:"estimated_start_time_delta"`
	AutoScheduled            bool          `json:"auto_scheduled"`
	InfrastructureDocumentID UUID          `json:"infrastructure_document_id"`
	InfrastructurePID        *string       `json:"infrastructure_pid"`
	CreatedBy                *CreatedBy    `json:"created_by"`
	WorkPoolID               UUID          `json:"work_pool_id"`
	WorkPoolName             *string       `json:"work_pool_name"`
	State                    *State        `json:"state"`
	JobVariables             JSON          `json:"job_variables"`
	// Priority orders the due runs of a work queue: higher is claimed first. Prefect
	// has no such field, so it is left out of answers where it is 0.
	Priority int64 `json:"priority,omitzero"`

	StateTimestamp Time    `json:"-"`
	Slot           *string `json:"-"` // of an auto-scheduled run: what its schedule meant
	Recoveries     int64   `json:"-"` // how often a lost process was replaced since the last retry
}

// FlowRunPolicy is empirical_policy: what the retry and pause rules remember.
type FlowRunPolicy struct {
	MaxRetries        int64    `json:"max_retries"`
	RetryDelaySeconds float64  `json:"retry_delay_seconds"`
	Retries           *int64   `json:"retries"`
	RetryDelay        *float64 `json:"retry_delay"`
	PauseKeys         []string `json:"pause_keys"`
	Resuming          bool     `json:"resuming"`
	RetryType         *string  `json:"retry_type"` // in_process, reschedule or null
	// CancelAt is set if the run was cancelled while it had no process: the key of
	// its pause, or empty for a sleep. It is woken once, for its clean-up.
	CancelAt *string `json:"cancel_at,omitempty"`
	// CancelID is the transition of the request that set CancelAt: the same request
	// sent again is not a second one.
	CancelID *UUID `json:"cancel_id,omitempty"`
}

// SetDelay sets the delay between attempts. Prefect clients take only whole
// numbers as retry_delay (a fraction there ends their whole worker), so the
// fraction is kept in retry_delay_seconds, which they ignore.
func (p *FlowRunPolicy) SetDelay(seconds float64) {
	whole := math.Ceil(seconds)
	p.RetryDelay, p.RetryDelaySeconds = &whole, 0
	if whole != seconds {
		p.RetryDelaySeconds = seconds
	}
}

// Delay is the exact delay between attempts, in seconds.
func (p *FlowRunPolicy) Delay() float64 {
	if p.RetryDelay == nil || math.Ceil(p.RetryDelaySeconds) == *p.RetryDelay {
		return p.RetryDelaySeconds
	}
	return *p.RetryDelay
}

type CreatedBy struct {
	ID           UUID    `json:"id"`
	Type         *string `json:"type"`
	DisplayValue *string `json:"display_value"`
}

type FlowRunCreate struct {
	Name                     string         `json:"name,omitempty"`
	FlowID                   UUID           `json:"flow_id"`
	FlowVersion              *string        `json:"flow_version,omitempty"`
	DeploymentID             UUID           `json:"deployment_id"`
	DeploymentVersion        *string        `json:"deployment_version,omitempty"`
	Parameters               JSON           `json:"parameters,omitempty"`
	Context                  JSON           `json:"context,omitempty"`
	ParentTaskRunID          UUID           `json:"parent_task_run_id"`
	InfrastructureDocumentID UUID           `json:"infrastructure_document_id"`
	EmpiricalPolicy          *FlowRunPolicy `json:"empirical_policy,omitempty"`
	Tags                     Tags           `json:"tags,omitempty"`
	Labels                   JSON           `json:"labels,omitempty"`
	IdempotencyKey           *string        `json:"idempotency_key,omitempty"`
	State                    *StateCreate   `json:"state,omitempty"`
	WorkPoolName             *string        `json:"work_pool_name,omitempty"`
	WorkQueueName            *string        `json:"work_queue_name,omitempty"`
	JobVariables             JSON           `json:"job_variables,omitempty"`
	Priority                 int64          `json:"priority,omitzero"`
}

// MaxFlowRunsAtOnce is how many runs one call creates at most.
const MaxFlowRunsAtOnce = 10_000

// HasParameters reports whether the run's parameters are those given; a deployment
// may have added others.
func (r *FlowRun) HasParameters(given JSON) bool {
	have := r.Parameters.Map()
	for key, v := range given.Map() {
		if string(ToJSON(have[key])) != string(ToJSON(v)) {
			return false
		}
	}
	return true
}

// KeyConflict is the error of an idempotency key that belongs to a run with
// parameters other than those given.
func (r *FlowRun) KeyConflict(key string, given JSON) error {
	return Errorf(EConflict, "the idempotency key %q belongs to the run %s with the parameters %s, which are not %s",
		key, r.ID, CutText(string(r.Parameters), 500), CutText(string(given), 500))
}

// FlowRunCreated is what became of one of many runs that were to be created.
type FlowRunCreated struct {
	FlowRunID UUID    `json:"flow_run_id"`
	Status    string  `json:"status"` // CREATED or FAILED
	Error     *string `json:"error"`
	Name      string  `json:"name,omitempty"`
}

// FlowRunsCreated answers the creation of many runs.
type FlowRunsCreated struct {
	Results []FlowRunCreated `json:"results"`
}

// DeploymentFlowRunCreate is the body of create_flow_run.
type DeploymentFlowRunCreate struct {
	State                    *StateCreate   `json:"state,omitempty"`
	Name                     string         `json:"name,omitempty"`
	Parameters               JSON           `json:"parameters,omitempty"`
	EnforceParameterSchema   *bool          `json:"enforce_parameter_schema,omitempty"`
	Context                  JSON           `json:"context,omitempty"`
	InfrastructureDocumentID UUID           `json:"infrastructure_document_id"`
	EmpiricalPolicy          *FlowRunPolicy `json:"empirical_policy,omitempty"`
	Tags                     Tags           `json:"tags,omitempty"`
	IdempotencyKey           *string        `json:"idempotency_key,omitempty"`
	Labels                   JSON           `json:"labels,omitempty"`
	ParentTaskRunID          UUID           `json:"parent_task_run_id"`
	WorkQueueName            *string        `json:"work_queue_name,omitempty"`
	JobVariables             JSON           `json:"job_variables,omitempty"`
	Priority                 int64          `json:"priority,omitzero"`
}

type FlowRunUpdate struct {
	Name              Opt[string]        `json:"name,omitzero"`
	FlowVersion       Opt[string]        `json:"flow_version,omitzero"`
	Parameters        Opt[JSON]          `json:"parameters,omitzero"`
	EmpiricalPolicy   Opt[FlowRunPolicy] `json:"empirical_policy,omitzero"`
	Tags              Opt[Tags]          `json:"tags,omitzero"`
	InfrastructurePID Opt[string]        `json:"infrastructure_pid,omitzero"`
	JobVariables      Opt[JSON]          `json:"job_variables,omitzero"`
	Priority          Opt[int64]         `json:"priority,omitzero"`
}

type FlowRunFilter struct {
	Operator               Operator     `json:"operator,omitempty"`
	ID                     *IDFilter    `json:"id,omitempty"`
	Name                   *TextFilter  `json:"name,omitempty"`
	Tags                   *TagFilter   `json:"tags,omitempty"`
	DeploymentID           *IDFilter    `json:"deployment_id,omitempty"`
	WorkQueueName          *TextFilter  `json:"work_queue_name,omitempty"`
	State                  *StateFilter `json:"state,omitempty"`
	FlowVersion            *TextFilter  `json:"flow_version,omitempty"`
	StartTime              *TimeFilter  `json:"start_time,omitempty"` // of start, else expected start
	EndTime                *TimeFilter  `json:"end_time,omitempty"`
	ExpectedStartTime      *TimeFilter  `json:"expected_start_time,omitempty"`
	NextScheduledStartTime *TimeFilter  `json:"next_scheduled_start_time,omitempty"`
	ParentFlowRunID        *IDFilter    `json:"parent_flow_run_id,omitempty"`
	ParentTaskRunID        *IDFilter    `json:"parent_task_run_id,omitempty"`
	IdempotencyKey         *TextFilter  `json:"idempotency_key,omitempty"`

	CreatedBy *CreatorFilter `json:"created_by,omitempty"`
}

// CreatorFilter asks for what a schedule, an automation or a person made.
type CreatorFilter struct {
	Operator Operator `json:"operator,omitempty"`
	ID       []UUID   `json:"id_"`
	Type     []string `json:"type_"`
	IsNull   *bool    `json:"is_null_,omitempty"`
}

// FlowRunSorts are the sort orders of flow runs; the first is the default.
var FlowRunSorts = []string{
	"ID_DESC", "START_TIME_ASC", "START_TIME_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC",
	"NAME_ASC", "NAME_DESC", "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC",
}

// FlowRunInput is a value sent to a run from outside, such as a resume's form.
type FlowRunInput struct {
	ID        UUID    `json:"id"`
	Created   Time    `json:"created"`
	Updated   Time    `json:"updated"`
	FlowRunID UUID    `json:"flow_run_id"`
	Key       string  `json:"key"`
	Value     string  `json:"value"`
	Sender    *string `json:"sender"`
}

// Why says why a run is not running, the same in UI, CLI and API.
type Why struct {
	FlowRunID UUID      `json:"flow_run_id"`
	State     StateType `json:"state_type"`
	StateName string    `json:"state_name"`
	// Code is running, finished, scheduled, no_worker, no_worker_with_flow,
	// pool_paused, queue_paused, pool_limit, queue_limit, deployment_limit,
	// tag_limit, global_limit, worker_busy, waiting_for_input, waiting_for_message,
	// paused, awaiting_retry, starting, cancelling, no_deployment, or parent.
	Code    string   `json:"code"`
	Message string   `json:"message"` // one sentence
	Hint    string   `json:"hint"`    // what to do, empty if nothing
	HeldBy  []UUID   `json:"held_by"` // the flow runs that hold a full limit, or the parent
	Holders []string `json:"holders"` // their names, in the same order
	Until   Time     `json:"until"`   // when it changes by itself, if known
}

// HistoryQuery buckets runs by expected start time.
type HistoryQuery struct {
	Filters
	Start    Time
	End      Time
	Interval float64 // seconds, at least 1; at most 500 buckets
	Counts   bool    // run time and lateness are not asked for
}

type HistoryBucket struct {
	Start  Time           `json:"interval_start"`
	End    Time           `json:"interval_end"`
	States []HistoryState `json:"states"`
}

type HistoryState struct {
	Type     StateType `json:"state_type"`
	Name     string    `json:"state_name"`
	Count    int64     `json:"count_runs"`
	RunTime  float64   `json:"sum_estimated_run_time"`
	Lateness float64   `json:"sum_estimated_lateness"`
}

// WorkerRun is an entry of the answer to a Prefect worker's poll.
type WorkerRun struct {
	WorkPoolID  UUID     `json:"work_pool_id"`
	WorkQueueID UUID     `json:"work_queue_id"`
	FlowRun     *FlowRun `json:"flow_run"`
}

// ScheduleRange bounds the generation of scheduled runs; zero values take the defaults.
type ScheduleRange struct {
	Start, End       Time
	MinTime          Seconds
	MinRuns, MaxRuns int
}

// PastRun is a run that ended elsewhere, with all that is kept of it.
type PastRun struct {
	FlowRun  *FlowRun   `json:"flow_run"`
	States   []*State   `json:"states"`
	TaskRuns []*TaskRun `json:"task_runs"`
}

// Streams of flow runs: what a flow appends under a key, in order.
const (
	MaxStreamValue   = 64 << 10 // bytes of an entry
	MaxStreamEntries = 100_000  // of one stream
	MaxStreamPage    = 200      // entries that are read at once
)

// StreamAppend is an entry to append. Source and Ordinal say which append of
// which call it is: it is done once.
type StreamAppend struct {
	Source  string `json:"source"`
	Ordinal int64  `json:"ordinal"`
	Value   JSON   `json:"value"`
}

// StreamEntry is an entry of a stream. Numbers begin at 1 and have no gaps.
type StreamEntry struct {
	Number  int64 `json:"number"`
	Created Time  `json:"created"`
	Value   JSON  `json:"value"`
}

// StreamPage has some entries of a stream. Ended says that none follow: the run
// has ended.
type StreamPage struct {
	Entries []*StreamEntry `json:"entries"`
	Ended   bool           `json:"ended"`
}

// StreamInfo names a stream of a run and the number of its last entry.
type StreamInfo struct {
	Key     string `json:"key"`
	Entries int64  `json:"entries"`
}
