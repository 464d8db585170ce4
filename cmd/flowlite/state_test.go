package main

import (
	"encoding/json"
	"testing"
)

// TestStateWords: a state may be written in any case, and one that nobody knows
// is pointed at where nothing was found.
func TestStateWords(t *testing.T) {
	got, _ := json.Marshal(stateFilter([]string{"running", "FAILED", "late", "Awaitingretry", "my own"}))
	if want := `{"name":{"any_":["Late","AwaitingRetry","my own"]},"operator":"or_","type":{"any_":["RUNNING","FAILED"]}}`; string(got) != want {
		t.Errorf("%s", got)
	}
	for _, c := range []struct{ state, want string }{
		{"late", "no flow runs"},
		{"Runnng", `no flow runs; "Runnng" is none of the usual states, did you mean Running?`},
		{"archived", `no flow runs; "archived" is none of the usual states`},
	} {
		if got := noRuns("flow runs", []string{c.state}); got != c.want {
			t.Errorf("%s: %s", c.state, got)
		}
	}
}
