package core

import (
	"testing"
	"time"
)

func TestLogEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []Log
		want  time.Duration
	}{
		{"a Go flow", []Log{{Name: "flow", Message: "Finished in state"}}, 400 * time.Millisecond},
		{"no lines", nil, 400 * time.Millisecond},
		{"Prefect, at it", []Log{{Name: prefectRuns, Message: "Beginning flow run"}, {Name: "prefect.task_runs", Message: "Finished in state Completed()"}}, 3 * time.Second},
		{"Prefect, all said", []Log{{Name: prefectRuns, Message: "Beginning"}, {Name: prefectRuns, Message: "Finished in state Completed()"}}, 0},
		{"Prefect, a second attempt", []Log{{Name: prefectRuns, Message: "Finished in state Failed()"}, {Name: prefectRuns, Message: "Beginning"}}, 3 * time.Second},
	} {
		var e LogEnd
		for _, l := range c.lines {
			e.See(&l)
		}
		if got := e.Grace(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
