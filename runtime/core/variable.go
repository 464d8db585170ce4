package core

type Variable struct {
	ID      UUID   `json:"id"`
	Created Time   `json:"created"`
	Updated Time   `json:"updated"`
	Name    string `json:"name"`
	Value   JSON   `json:"value"` // any JSON of at most 5000 bytes
	Tags    Tags   `json:"tags"`
}

type VariableCreate struct {
	Name  string    `json:"name"`
	Value Opt[JSON] `json:"value,omitzero"`
	Tags  Tags      `json:"tags,omitempty"`
}

type VariableUpdate struct {
	Name  Opt[string] `json:"name,omitzero"`
	Value Opt[JSON]   `json:"value,omitzero"`
	Tags  Opt[Tags]   `json:"tags,omitzero"`
}

type VariableFilter struct {
	Operator Operator    `json:"operator,omitempty"`
	ID       *IDFilter   `json:"id,omitempty"`
	Name     *TextFilter `json:"name,omitempty"`
	Tags     *TagFilter  `json:"tags,omitempty"`
}

// VariableSorts are the sort orders of variables; the first is the default.
var VariableSorts = []string{"NAME_ASC", "NAME_DESC", "CREATED_DESC", "UPDATED_DESC"}
