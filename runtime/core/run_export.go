package core

// RunExport is a flow run with all that its next process reads of it: what
// "flowlite flow-run export" writes, and flowtest.Replay reads.
type RunExport struct {
	FlowRun  *FlowRun          `json:"flow_run"`
	TaskRuns []*TaskRun        `json:"task_runs"`
	Inputs   map[string]string `json:"inputs,omitempty"`  // answers to pauses
	Results  map[string]JSON   `json:"results,omitempty"` // those too large for a state, by their keys
}

// ResultKey is where a result is stored that is too large for its state; empty
// if the state has it.
func (s *State) ResultKey() string {
	if s == nil {
		return ""
	}
	data := s.Data.Map()
	if data["type"] != "flowlite" {
		return ""
	}
	key, _ := data["key"].(string)
	return key
}
