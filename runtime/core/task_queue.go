package core

// QueuedTaskRun is a background task run that waits for a task worker.
type QueuedTaskRun struct {
	TaskRunID UUID
	TaskKey   string
	Due       Time
}

// TaskWorker is a process that has subscribed to background task runs.
type TaskWorker struct {
	Identifier string   `json:"identifier"`
	TaskKeys   []string `json:"task_keys"`
	Timestamp  Time     `json:"timestamp"` // when it was last seen
}
