package core

// Bounds of the statuses of a flow run.
const (
	MaxStatusValue = 64 << 10 // bytes of JSON
	MaxStatusKeys  = 100      // of one run
)

// FlowRunStatus is the last value that a flow has set under a key, for others to read.
type FlowRunStatus struct {
	Key     string `json:"key"`
	Updated Time   `json:"updated"`
	Value   JSON   `json:"value"`
}

// StatusSet is a value to set. Source, Attempt, and Ordinal tell which call sets it.
// A call that is not later than the last one of its source, by attempt and then by
// ordinal, changes nothing: it is a replay, or was late.
type StatusSet struct {
	Source  string `json:"source"`
	Attempt int64  `json:"attempt"`
	Ordinal int64  `json:"ordinal"`
	Value   JSON   `json:"value"`
}

// CheckStatusKey returns EInvalid for what cannot be the key of a status.
func CheckStatusKey(key string) error {
	if err := checkSegment("key", "the key of a status", key); err != nil {
		return err
	}
	return MaxStatusKey.Check(key)
}
