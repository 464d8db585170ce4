//go:build unix

package main_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestListsOnTerminal(t *testing.T) {
	api, _ := gated(t)
	for n := range 4 {
		x := onTerminal(t, api, 100, "variable", "set", fmt.Sprintf("a-variable-with-a-long-name-%d", n), strings.Repeat("long ", 40))
		x.ends(0)
	}
	x := onTerminal(t, api, 60, "variable", "ls", "--limit", "3")
	x.ends(0)
	x.shows(`NAME +VALUE`)
	x.shows(`hint: there may be more: flowlite variable ls --limit 3 --offset 3`)
	if !strings.Contains(x.text(), "\x1b[2mNAME") {
		t.Errorf("the header should be dim: %q", x.text())
	}
	for line := range strings.Lines(x.plain()) {
		if n := len([]rune(strings.TrimRight(line, "\r\n"))); n > 60 && !strings.Contains(line, "hint:") {
			t.Errorf("%d wide on a terminal of 60: %q", n, line)
		}
	}
	x = onTerminal(t, api, 60, "variable", "ls", "--limit", "3", "--offset", "3")
	x.ends(0)
	x.shows(`name-3`)
	if strings.Contains(x.plain(), "--offset") {
		t.Errorf("the last page names another: %q", x.plain())
	}
	x = onTerminal(t, api, 60, "variable", "ls", "--color", "never")
	x.ends(0)
	if strings.Contains(x.text(), "\x1b") {
		t.Errorf("--color never: %q", x.text())
	}
	x = onTerminal(t, api, 60, "automation", "ls")
	x.ends(0)
	x.shows("no automations")
}

func TestNoColorOnTerminal(t *testing.T) {
	api, _ := gated(t)
	t.Setenv("FLOWLITE_TEST_NO_COLOR", "1")
	for _, args := range [][]string{{"deployment", "ls"}, {"deployment", "inspect", "nope/nope"}, {"work-pool", "inspect", "default"}} {
		x := onTerminal(t, api, 80, args...)
		<-x.read
		if strings.Contains(x.text(), "\x1b") {
			t.Errorf("%v with NO_COLOR: %q", args, x.text())
		}
	}
}

func TestChangesAskOnTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, gate := gated(t)
	x := onTerminal(t, api, 100, "work-pool", "create", "dev")
	x.shows(`Type of pool \[process\]:`)
	x.types("\n")
	x.ends(0)
	x.shows(`Created dev \(process\)`)
	x.shows(`hint: flowlite worker start --pool dev`)

	x = onTerminal(t, api, 100, "deployment", "run", "gates/local", "--flow-run-name", "held")
	x.ends(0)
	// Following logs ends by Ctrl-C, and the run goes on.
	x = onTerminal(t, api, 100, "flow-run", "logs", "held", "--follow")
	gate <- struct{}{}
	x.shows("passed 0")
	x.types("\x03")
	x.ends(130)

	x = onTerminal(t, api, 100, "work-pool", "clear-runs", "default", "--state", "running")
	x.shows(`Clear 1 run of pool default .*\? \[y/N\]`)
	x.types("n\n")
	x.ends(1)
	x.shows("nothing was changed")
	gate <- struct{}{}
	gate <- struct{}{}
	x = onTerminal(t, api, 100, "flow-run", "watch", "held")
	x.ends(0)
	x.shows("✓ Completed")

	x = onTerminal(t, api, 100, "flow-run", "delete", "held")
	x.shows(`Delete held\? \[y/N\]`)
	x.types("yes\n")
	x.ends(0)
	x.shows("Deleted held")
	x = onTerminal(t, api, 100, "work-pool", "delete", "dev")
	x.shows(`Delete dev, with its queues\? \[y/N\]`)
	x.types("\x04")
	x.ends(1)
	x.shows("nothing was changed")
}
