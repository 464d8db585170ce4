package core

// FlowRunTransition is a committed change of a flow run's state.
type FlowRunTransition struct {
	Flow, Pool string // names; Pool is empty without a work pool
	To         StateType
	// Queued is how long the run waited from the time it was due to its first
	// start, and Ran how long it ran. Both are 0 except for the transition that ends
	// the time.
	Queued, Ran Seconds
}

// CommitObserver receives what a process has committed, after the commit. It must
// be quick and safe for concurrent use.
type CommitObserver interface {
	Committed(events []*Event, runs []FlowRunTransition)
}

// LiveFlowRuns are the runs of a flow in a pool that are in one state.
type LiveFlowRuns struct {
	Flow, Pool string // names; Pool is empty without a work pool
	State      StateType
	Name       string // of the state
	Runs       int64
	Due        Time // the earliest time that one of them is or was due
}

// WorkerCount are the workers of a pool that have one status.
type WorkerCount struct {
	Pool, Status string
	Workers      int64
}
