package core

type Artifact struct {
	ID          UUID    `json:"id"`
	Created     Time    `json:"created"`
	Updated     Time    `json:"updated"`
	Key         *string `json:"key"`
	Type        *string `json:"type"` // markdown, table, link, progress, image, result
	Description *string `json:"description"`
	Data        JSON    `json:"data"`
	Metadata    JSON    `json:"metadata_"`
	FlowRunID   UUID    `json:"flow_run_id"`
	TaskRunID   UUID    `json:"task_run_id"`

	// Of an ArtifactCall.
	Call    *string `json:"-"`
	Attempt int64   `json:"-"`
	Updates int64   `json:"-"`
}

// ArtifactCall tells which call of a run's code creates an artifact. A replay of the
// call gets the artifact that is there; another attempt updates it if the content
// differs.
type ArtifactCall struct {
	Call    *string `json:"call,omitempty"` // within the flow run; nil: of none
	Attempt int64   `json:"attempt,omitempty"`
	Updates int64   `json:"updates,omitempty"` // that the attempt has made
}

type ArtifactCreate struct {
	ID          UUID    `json:"id"`
	Key         *string `json:"key,omitempty"`
	Type        *string `json:"type,omitempty"`
	Description *string `json:"description,omitempty"`
	Data        JSON    `json:"data,omitempty"`
	Metadata    JSON    `json:"metadata_,omitempty"`
	FlowRunID   UUID    `json:"flow_run_id"`
	TaskRunID   UUID    `json:"task_run_id"`
	ArtifactCall
}

type ArtifactUpdate struct {
	Data        Opt[JSON]   `json:"data,omitzero"`
	Description Opt[string] `json:"description,omitzero"`
	Metadata    Opt[JSON]   `json:"metadata_,omitzero"`
	// Of a run's code: Updates numbers the update among those of an attempt, from 1.
	// One that was made before, or that a later one has overtaken, changes nothing.
	ArtifactCall
}

// ArtifactCollection is the latest artifact of a key; its id is its own.
type ArtifactCollection struct {
	ID          UUID    `json:"id"`
	Created     Time    `json:"created"`
	Updated     Time    `json:"updated"`
	Key         string  `json:"key"`
	LatestID    UUID    `json:"latest_id"`
	Type        *string `json:"type"`
	Description *string `json:"description"`
	Data        JSON    `json:"data"`
	Metadata    JSON    `json:"metadata_"`
	FlowRunID   UUID    `json:"flow_run_id"`
	TaskRunID   UUID    `json:"task_run_id"`
}

// ArtifactFilter serves artifacts and collections; LatestID is for the latter.
type ArtifactFilter struct {
	Operator  Operator    `json:"operator,omitempty"`
	ID        *IDFilter   `json:"id,omitempty"`
	LatestID  *IDFilter   `json:"latest_id,omitempty"`
	Key       *TextFilter `json:"key,omitempty"`
	FlowRunID *IDFilter   `json:"flow_run_id,omitempty"`
	TaskRunID *IDFilter   `json:"task_run_id,omitempty"`
	Type      *TextFilter `json:"type,omitempty"`
	// Of keeps the artifacts of flow runs and task runs that pass. Work pools and
	// queues in it are not looked at.
	Of Filters `json:"-"`
}

// ArtifactSorts are the sort orders of artifacts; the first is the default.
var ArtifactSorts = []string{"ID_DESC", "CREATED_DESC", "UPDATED_DESC", "KEY_ASC", "KEY_DESC"}
