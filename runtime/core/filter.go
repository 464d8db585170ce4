package core

// Filters follow the API: absent or null does not filter, an empty any_
// matches nothing, an empty all_ everything. Operator says how the fields of
// one filter combine.
type Operator string

const (
	And Operator = "and_"
	Or  Operator = "or_"
)

func (o *Operator) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"and_"`, `"or_"`:
		*o = Operator(b[1 : len(b)-1])
	case "null":
	default:
		return Errorf(EInvalid, "Input should be 'and_' or 'or_'")
	}
	return nil
}

type IDFilter struct {
	Operator Operator `json:"operator,omitempty"`
	Any      []UUID   `json:"any_"`
	NotAny   []UUID   `json:"not_any_"`
	IsNull   *bool    `json:"is_null_,omitempty"`
}

// TextFilter: Like is a case-insensitive substring in which % and _ act as
// wildcards, as in Prefect. In Contains every character stands for itself; it is
// what people type.
type TextFilter struct {
	Operator   Operator `json:"operator,omitempty"`
	Any        []string `json:"any_"`
	NotAny     []string `json:"not_any_"`
	Like       *string  `json:"like_,omitempty"`
	Contains   *string  `json:"-"`
	StartsWith []string `json:"startswith_"`
	IsNull     *bool    `json:"is_null_,omitempty"`
	Exists     *bool    `json:"exists_,omitempty"`
}

// TagFilter: All is a superset test; IsNull means no tags at all.
type TagFilter struct {
	Operator Operator `json:"operator,omitempty"`
	All      []string `json:"all_"`
	Any      []string `json:"any_"`
	IsNull   *bool    `json:"is_null_,omitempty"`
}

// TimeFilter bounds are inclusive.
type TimeFilter struct {
	Before Time  `json:"before_"`
	After  Time  `json:"after_"`
	IsNull *bool `json:"is_null_,omitempty"`
}

type BoolFilter struct {
	Eq *bool `json:"eq_"`
}

type ExistsFilter struct {
	Exists *bool `json:"exists_"`
}

type IntFilter struct {
	Ge     *int64 `json:"ge_,omitempty"`
	Le     *int64 `json:"le_,omitempty"`
	IsNull *bool  `json:"is_null_,omitempty"`
}

type StateFilter struct {
	Operator Operator         `json:"operator,omitempty"`
	Type     *StateTypeFilter `json:"type,omitempty"`
	Name     *TextFilter      `json:"name,omitempty"`
}

type StateTypeFilter struct {
	Any    []StateType `json:"any_"`
	NotAny []StateType `json:"not_any_"`
}

// Filters is the part that list, count, paginate and history bodies share:
// each entity's filter applies to the rows listed or to what they belong to.
type Filters struct {
	Flows       *FlowFilter       `json:"flows,omitempty"`
	FlowRuns    *FlowRunFilter    `json:"flow_runs,omitempty"`
	TaskRuns    *TaskRunFilter    `json:"task_runs,omitempty"`
	Deployments *DeploymentFilter `json:"deployments,omitempty"`
	WorkPools   *WorkPoolFilter   `json:"work_pools,omitempty"`
	WorkQueues  *WorkQueueFilter  `json:"work_pool_queues,omitempty"`
}

// Page is sort, limit and offset of a list. Limit 0 in a Store call means
// MaxLimit; the API answers [] for an explicit 0 itself.
type Page struct {
	Sort   string
	Limit  int
	Offset int
	After  *Cursor // of flow runs: the page begins behind this row
	// MaxBytes bounds the data of a page of artifacts. A larger page is EInvalid
	// and is not read. 0 is no bound.
	MaxBytes int64
}

// Cursor is the place of a row in a sorted list: what it is sorted by, and its
// id. It holds when rows come and go, and is found without counting.
type Cursor struct {
	Time Time
	Name string // in a list sorted by name
	ID   UUID
}

// MaxLimit is the default and the largest page of the API.
const MaxLimit = 200
