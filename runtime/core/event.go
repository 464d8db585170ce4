package core

import (
	"cmp"
	"encoding/json"
)

// Event says what happened to a resource. Labels are strings;
// "prefect.resource.id" is always there.
type Event struct {
	ID       UUID                `json:"id"`
	Occurred Time                `json:"occurred"`
	Event    string              `json:"event"`
	Resource map[string]string   `json:"resource"`
	Related  []map[string]string `json:"related"`
	Payload  JSON                `json:"payload"`
	Follows  UUID                `json:"follows"`
	Received Time                `json:"received,omitzero"`
}

func (e *Event) ResourceID() string { return e.Resource["prefect.resource.id"] }

// Check returns EInvalid for a text that is too long, or JSON that cannot be stored.
func (e *Event) Check() error {
	return cmp.Or(MaxEventName.Check(e.Event), MaxEventResourceID.Check(e.ResourceID()), CheckJSON(e.Payload))
}

type EventFilter struct {
	Occurred    *EventOccurred  `json:"occurred,omitempty"`
	Event       *EventName      `json:"event,omitempty"`
	Resource    *EventResource  `json:"resource,omitempty"`
	AnyResource *EventResources `json:"any_resource,omitempty"`
	Related     *EventResources `json:"related,omitempty"`
	ID          *EventIDs       `json:"id,omitempty"`
	Order       string          `json:"order,omitempty"` // DESC (default) or ASC
	Text        *Search         `json:"text,omitempty"`
	Before      *EventKey       `json:"-"` // only what comes after it in the order DESC
}

// EventKey is the place of an event in the order of time.
type EventKey struct {
	Occurred Time
	ID       UUID
}

type EventOccurred struct {
	Since Time `json:"since"`
	Until Time `json:"until"`
}

type EventName struct {
	Prefix        []string `json:"prefix"`
	ExcludePrefix []string `json:"exclude_prefix"`
	Name          []string `json:"name"`
	ExcludeName   []string `json:"exclude_name"`
}

type EventResource struct {
	ID       []string       `json:"id"`
	IDPrefix []string       `json:"id_prefix"`
	Labels   map[string]any `json:"labels"`
	Distinct bool           `json:"distinct,omitempty"`
}

// EventResources takes one filter or a list of them (any matches).
type EventResources []EventRelated

func (r *EventResources) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*r = make(EventResources, 1)
		return json.Unmarshal(b, &(*r)[0])
	}
	return json.Unmarshal(b, (*[]EventRelated)(r))
}

type EventRelated struct {
	ID               []string       `json:"id"`
	IDPrefix         []string       `json:"id_prefix"`
	Role             []string       `json:"role"`
	ResourcesInRoles [][2]string    `json:"resources_in_roles"`
	Labels           map[string]any `json:"labels"`
}

type EventIDs struct {
	ID []UUID `json:"id"`
}

// What events are counted by.
const (
	CountByEvent    = "event"
	CountByResource = "resource"
	CountByTime     = "time"
)

// EventCount is how many events have a value, and when the first and the last occurred.
type EventCount struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Count int64  `json:"count"`
	Start Time   `json:"start_time"`
	End   Time   `json:"end_time"`
}

// RelatedResource is a resource in a role of an event.
func RelatedResource(kind string, id UUID, role, name string) map[string]string {
	return map[string]string{
		"prefect.resource.id": "prefect." + kind + "." + id.String(), "prefect.resource.role": role, "prefect.resource.name": name,
	}
}
