package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Who watches a retry sees the lines of the new attempt, not those of the last.
func TestRetryShowsItsOwnLines(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, gate := gated(t)
	close(gate)
	bin := buildProgram(t)
	run := func(args ...string) string {
		cmd := exec.Command(bin, args...)
		cmd.Env = append(os.Environ(), "FLOWLITE_API_URL="+api)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %s, %v", args, out, err)
		}
		return string(out)
	}
	run("deployment", "run", "gates/local", "--flow-run-name", "twice", "--watch")
	if out := run("flow-run", "retry", "twice", "--fresh", "--watch"); strings.Count(out, "passed 0") != 1 || !strings.Contains(out, "Completed") {
		t.Errorf("the second attempt: %s", out)
	}
	if out := run("logs", "twice"); strings.Count(out, "passed 0") != 2 {
		t.Errorf("both attempts: %s", out)
	}
}
