package core

// Graph is a flow run with its task runs and sub-flow runs as a UI draws it.
type Graph struct {
	StartTime Time            `json:"start_time"`
	EndTime   Time            `json:"end_time"`
	Roots     []UUID          `json:"root_node_ids"`
	Nodes     []GraphEntry    `json:"nodes"` // by start
	Artifacts []GraphArtifact `json:"artifacts"`
	States    []GraphState    `json:"states"`
}

// GraphEntry is a pair in JSON: the node's id and the node.
type GraphEntry struct{ *GraphNode }

func (e GraphEntry) MarshalJSON() ([]byte, error) {
	return ToJSON([]any{e.ID, e.GraphNode}), nil
}

type GraphNode struct {
	Kind          string          `json:"kind"` // flow-run, task-run
	ID            UUID            `json:"id"`
	Label         string          `json:"label"`
	StateType     StateType       `json:"state_type"`
	StartTime     Time            `json:"start_time"`
	EndTime       Time            `json:"end_time"`
	Parents       []GraphEdge     `json:"parents"`
	Children      []GraphEdge     `json:"children"`
	Encapsulating []GraphEdge     `json:"encapsulating"`
	Artifacts     []GraphArtifact `json:"artifacts"`
}

type GraphEdge struct {
	ID UUID `json:"id"`
}

type GraphArtifact struct {
	ID       UUID    `json:"id"`
	Created  Time    `json:"created"`
	Key      *string `json:"key"`
	Type     *string `json:"type"`
	IsLatest bool    `json:"is_latest"`
	Data     JSON    `json:"data"` // of progress artifacts only
}

type GraphState struct {
	ID        UUID      `json:"id"`
	Timestamp Time      `json:"timestamp"`
	Type      StateType `json:"type"`
	Name      string    `json:"name"`
}

// TaskRunInput is what a task run was called with: another run's result.
type TaskRunInput struct {
	Type string `json:"input_type"` // task_run, flow_run, parameter, constant
	ID   UUID   `json:"id"`
}

// Dependency is a task run and what it depends on.
type Dependency struct {
	ID                UUID           `json:"id"`
	Name              string         `json:"name"`
	Upstream          []TaskRunInput `json:"upstream_dependencies"`
	State             *State         `json:"state"`
	ExpectedStartTime Time           `json:"expected_start_time"`
	StartTime         Time           `json:"start_time"`
	EndTime           Time           `json:"end_time"`
	TotalRunTime      float64        `json:"total_run_time"`
	EstimatedRunTime  float64        `json:"estimated_run_time"`
	UntrackableResult bool           `json:"untrackable_result"`
}
