package core

import (
	"strings"
	"time"
)

// Log levels are Python's: 10 DEBUG, 20 INFO, 30 WARNING, 40 ERROR, 50 CRITICAL.
type Log struct {
	ID        UUID   `json:"id"`
	Created   Time   `json:"created"`
	Updated   Time   `json:"updated"`
	Name      string `json:"name"`
	Level     int64  `json:"level"`
	Message   string `json:"message"`
	Timestamp Time   `json:"timestamp"`
	FlowRunID UUID   `json:"flow_run_id"`
	TaskRunID UUID   `json:"task_run_id"`

	Seq int64 `json:"-"` // order of arrival: what a live tail continues from
}

type LogCreate struct {
	Name      string `json:"name"`
	Level     int64  `json:"level"`
	Message   string `json:"message"`
	Timestamp Time   `json:"timestamp"`
	FlowRunID UUID   `json:"flow_run_id"`
	TaskRunID UUID   `json:"task_run_id"`
}

// LogSocketEnv names the environment variable by which a worker tells a flow's
// process the file descriptor of the socket that takes its log lines.
const LogSocketEnv = "FLOWLITE_LOG_FD"

// FlowRunEnv names the environment variable by which a worker tells a flow's
// process the descriptor from which it reads its flow run.
const FlowRunEnv = "FLOWLITE_FLOW_RUN_FD"

type LogFilter struct {
	Operator  Operator    `json:"operator,omitempty"`
	Level     *IntFilter  `json:"level,omitempty"`
	Timestamp *TimeFilter `json:"timestamp,omitempty"`
	FlowRunID *IDFilter   `json:"flow_run_id,omitempty"`
	TaskRunID *IDFilter   `json:"task_run_id,omitempty"`
	Text      *Search     `json:"text,omitempty"` // in message and logger name

	AfterSeq  int64 `json:"-"` // only rows that arrived after this one
	BeforeSeq int64 `json:"-"`
}

// LogSorts are the sort orders of logs; the first is the default. The SEQ
// orders, by arrival, are ours: live tails and "load earlier" need them.
var LogSorts = []string{"TIMESTAMP_ASC", "TIMESTAMP_DESC", "SEQ_ASC", "SEQ_DESC"}

// LevelName is the level's word: INFO for 20 to 29.
func LevelName(level int64) string {
	switch {
	case level >= 50:
		return "CRITICAL"
	case level >= 40:
		return "ERROR"
	case level >= 30:
		return "WARNING"
	case level >= 20:
		return "INFO"
	}
	return "DEBUG"
}

// LogEnd sees the lines of a run go by, and knows how long to wait for more
// when the run has ended.
type LogEnd struct{ prefect, said bool }

// prefectRuns is the logger of Prefect's engine. It sends its lines in batches,
// the last of them when the process ends, after the state.
const prefectRuns = "prefect.flow_runs"

func (e *LogEnd) See(l *Log) {
	if l.Name == prefectRuns {
		e.prefect, e.said = true, strings.HasPrefix(l.Message, "Finished in state")
	}
}

// Grace is from the end of the run on.
func (e *LogEnd) Grace() time.Duration {
	switch {
	case e.said:
		return 0
	case e.prefect:
		return 3 * time.Second
	}
	return 400 * time.Millisecond
}
