package core

import "encoding/json"

// Automation does its actions when its trigger fires.
type Automation struct {
	ID               UUID                `json:"id"`
	Created          Time                `json:"created"`
	Updated          Time                `json:"updated"`
	Name             string              `json:"name"`
	Description      string              `json:"description"`
	Enabled          bool                `json:"enabled"`
	Tags             Tags                `json:"tags"`
	Trigger          *Trigger            `json:"trigger"`
	Actions          []*AutomationAction `json:"actions"`
	ActionsOnTrigger []*AutomationAction `json:"actions_on_trigger"`
	ActionsOnResolve []*AutomationAction `json:"actions_on_resolve"`
	OwnerResource    string              `json:"-"` // deleted with it
}

// Resource is the id of the automation in events.
func (a *Automation) Resource() string { return "prefect.automation." + a.ID.String() }

// AutomationWrite is what creates an automation, or replaces one.
type AutomationWrite struct {
	Name             string              `json:"name"`
	Description      string              `json:"description"`
	Enabled          *bool               `json:"enabled"` // nil: as it is; a new one is enabled
	Tags             Tags                `json:"tags"`
	Trigger          *Trigger            `json:"trigger"`
	Actions          []*AutomationAction `json:"actions"`
	ActionsOnTrigger []*AutomationAction `json:"actions_on_trigger"`
	ActionsOnResolve []*AutomationAction `json:"actions_on_resolve"`
	OwnerResource    *string             `json:"owner_resource"`
}

type AutomationUpdate struct {
	Enabled Opt[bool] `json:"enabled,omitzero"`
}

type AutomationFilter struct {
	Operator Operator    `json:"operator,omitempty"`
	ID       *IDFilter   `json:"id,omitempty"`
	Name     *TextFilter `json:"name,omitempty"`
	Created  *TimeFilter `json:"created,omitempty"`
	Tags     *TagFilter  `json:"tags,omitempty"`
}

// AutomationSorts are the sort orders of automations; the first is the default.
var AutomationSorts = []string{"NAME_ASC", "NAME_DESC", "CREATED_DESC", "UPDATED_DESC"}

// The kinds of trigger, and the two postures of an event trigger: fire when
// the events come, or when they fail to.
const (
	TriggerEvent    = "event"
	TriggerCompound = "compound"
	TriggerSequence = "sequence"

	Reactive  = "Reactive"
	Proactive = "Proactive"
)

// Trigger says when an automation fires: on events, or on the firing of other
// triggers within it.
type Trigger struct {
	Type string `json:"type"`
	ID   UUID   `json:"id"`

	Match        map[string]any `json:"match"`
	MatchRelated JSON           `json:"match_related"` // labels, or a list of them
	After        []string       `json:"after"`
	Expect       []string       `json:"expect"`
	ForEach      []string       `json:"for_each"`
	Posture      string         `json:"posture"`
	Threshold    *int64         `json:"threshold"` // nil only before it is checked
	Within       *Seconds       `json:"within"`

	Triggers []*Trigger `json:"triggers"`
	Require  JSON       `json:"require"` // "all", "any" or a number
}

// MarshalJSON writes the fields that the kind of trigger has.
func (t *Trigger) MarshalJSON() ([]byte, error) {
	m := map[string]any{"type": t.Type, "id": t.ID}
	if t.Type == TriggerEvent {
		m["match"], m["match_related"] = orEmpty(t.Match), t.MatchRelated.OrObject()
		m["after"], m["expect"], m["for_each"] = orNone(t.After), orNone(t.Expect), orNone(t.ForEach)
		m["posture"], m["threshold"], m["within"] = t.Posture, t.Threshold, t.Within
		return json.Marshal(m)
	}
	m["triggers"], m["within"] = orNone(t.Triggers), t.Within
	if t.Type == TriggerCompound {
		m["require"] = t.Require
	}
	return json.Marshal(m)
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// All is the trigger and those within it.
func (t *Trigger) All() []*Trigger {
	all := []*Trigger{t}
	for _, c := range t.Triggers {
		all = append(all, c.All()...)
	}
	return all
}

// AutomationAction is one thing to do when an automation fires.
type AutomationAction struct {
	Type            string  `json:"type"`
	Source          string  `json:"source"` // "selected", or "inferred" from the event
	DeploymentID    UUID    `json:"deployment_id"`
	WorkPoolID      UUID    `json:"work_pool_id"`
	WorkQueueID     UUID    `json:"work_queue_id"`
	AutomationID    UUID    `json:"automation_id"`
	BlockDocumentID UUID    `json:"block_document_id"`
	Parameters      JSON    `json:"parameters"`
	JobVariables    JSON    `json:"job_variables"`
	ScheduleAfter   Seconds `json:"schedule_after"`
	Name            *string `json:"name"`
	State           string  `json:"state"`
	Message         *string `json:"message"`
	Force           bool    `json:"force"`
	Subject         *string `json:"subject"`
	Body            string  `json:"body"`
	Payload         JSON    `json:"payload"` // a text; older clients send an object
}

// ActionFields are the sixteen types of action, and the fields of each beside its type.
var ActionFields = map[string][]string{
	"do-nothing":            {},
	"run-deployment":        {"source", "deployment_id", "parameters", "job_variables"},
	"pause-deployment":      {"source", "deployment_id"},
	"resume-deployment":     {"source", "deployment_id"},
	"cancel-flow-run":       {},
	"change-flow-run-state": {"name", "state", "message"},
	"pause-work-queue":      {"source", "work_queue_id"},
	"resume-work-queue":     {"source", "work_queue_id"},
	"pause-work-pool":       {"source", "work_pool_id"},
	"resume-work-pool":      {"source", "work_pool_id"},
	"pause-automation":      {"source", "automation_id"},
	"resume-automation":     {"source", "automation_id"},
	"suspend-flow-run":      {},
	"resume-flow-run":       {},
	"call-webhook":          {"block_document_id", "payload"},
	"send-notification":     {"block_document_id", "subject", "body"},
}

type plainAction AutomationAction

// MarshalJSON writes the fields that the type of action has.
func (a *AutomationAction) MarshalJSON() ([]byte, error) {
	all, err := json.Marshal((*plainAction)(a))
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(all, &m); err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{"type": m["type"]}
	for _, key := range ActionFields[a.Type] {
		out[key] = m[key]
	}
	if a.ScheduleAfter != 0 {
		out["schedule_after"] = m["schedule_after"]
	}
	if a.Force {
		out["force"] = m["force"]
	}
	return json.Marshal(out)
}

// Target is the id of what the action is to act on; zero where it is inferred.
func (a *AutomationAction) Target() UUID {
	for _, id := range []UUID{a.DeploymentID, a.WorkPoolID, a.WorkQueueID, a.AutomationID, a.BlockDocumentID} {
		if !id.IsZero() {
			return id
		}
	}
	return UUID{}
}

// Bucket counts the events of one trigger, for one set of for_each values,
// within a span of time.
type Bucket struct {
	AutomationID UUID
	TriggerID    UUID
	Key          string // the for_each values as a JSON list
	Start, End   Time
	Count        int64
	LastEvent    JSON // null, or the whole event
}

// Firing is one firing of a trigger.
type Firing struct {
	ID        UUID              `json:"id"`
	TriggerID UUID              `json:"trigger_id"`
	Triggered Time              `json:"triggered"`
	Labels    map[string]string `json:"labels"`
	Event     *Event            `json:"event"` // the last event that led to it
	Within    []*Firing         `json:"within,omitempty"`
}

// ChildFiring is a firing that a compound or sequence keeps until the others come.
type ChildFiring struct {
	AutomationID UUID
	ParentID     UUID // the trigger around
	TriggerID    UUID
	Fired        Time
	Firing       JSON
}

// DueAction is an action of a firing that is still to be done.
type DueAction struct {
	ID           UUID // of this invocation
	AutomationID UUID
	Index        int64
	Action       JSON
	Firing       JSON
	Triggered    Time
	Due          Time // not before; while it is done, when it is taken for lost
	Attempts     int64
}
