package core

type Flow struct {
	ID      UUID   `json:"id"`
	Created Time   `json:"created"`
	Updated Time   `json:"updated"`
	Name    string `json:"name"`
	Tags    Tags   `json:"tags"`
	Labels  JSON   `json:"labels"`
}

type FlowCreate struct {
	Name   string `json:"name"`
	Tags   Tags   `json:"tags,omitempty"`
	Labels JSON   `json:"labels,omitempty"`
}

type FlowUpdate struct {
	Tags Opt[Tags] `json:"tags,omitzero"`
}

type FlowFilter struct {
	Operator   Operator              `json:"operator,omitempty"`
	ID         *IDFilter             `json:"id,omitempty"`
	Deployment *FlowDeploymentFilter `json:"deployment,omitempty"`
	Name       *TextFilter           `json:"name,omitempty"`
	Tags       *TagFilter            `json:"tags,omitempty"`
}

// FlowDeploymentFilter: IsNull selects flows without deployments.
type FlowDeploymentFilter struct {
	Operator Operator `json:"operator,omitempty"`
	IsNull   *bool    `json:"is_null_,omitempty"`
}

// FlowSorts are the sort orders of flows; the first is the default.
var FlowSorts = []string{"NAME_ASC", "NAME_DESC", "CREATED_DESC", "UPDATED_DESC"}
