package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAutomationCommands(t *testing.T) {
	api, _ := serving(t)
	s := served{api}
	file := filepath.Join(t.TempDir(), "a.yaml")
	text := "automations:\n- {name: one, trigger: {type: event, posture: Reactive, expect: [x.y], threshold: 3, within: 60}, actions: [{type: do-nothing}]}\n" +
		"- {name: two, trigger: {type: event, posture: Proactive, expect: [beat], within: 30}, actions: [{type: do-nothing}]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.says(t, 0, "Created one, two", "automation", "create", "-f", file)
	s.says(t, 0, "3 × x.y in 1m0s", "automation", "ls")
	s.says(t, 0, "no beat in 30s", "automation", "inspect", "two")
	s.says(t, 0, "Paused one", "automation", "disable", "one")
	s.says(t, 0, `"enabled": false`, "automation", "inspect", "one", "-o", "json")
	s.says(t, 0, "Resumed one", "automation", "resume", "one")
	s.says(t, exitUsage, "--yes", "automation", "delete", "one")
	s.says(t, 0, "Deleted one", "automation", "delete", "one", "-y")
	s.says(t, exitNotFound, "no automation", "automation", "inspect", "one")
	twice := []string{"automation", "create", "-f", file}
	s.says(t, 0, "Created", twice...)
	s.says(t, exitUsage, `2 automations have the name "two"`, "automation", "inspect", "two")
	s.says(t, exitUsage, "say the id of one: ", "automation", "pause", "two")
	for text, says := range map[string]string{"": "automation 1 is no mapping", "[]": "holds no automation", "- 5": "automation 1 is no mapping"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.says(t, exitUsage, says, twice...)
	}
	if err := os.WriteFile(file, []byte("name: x\ntrigger: {type: event}\nactions: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.says(t, exitFailed, "posture", "automation", "create", "-f", file)
}

func TestEventCommands(t *testing.T) {
	api, _ := serving(t)
	s := served{api}
	s.says(t, 0, "Emitted order.paid", "event", "emit", "order.paid", "--resource", "order.1", "-l", "a=b", "--payload", `{"n":1}`)
	s.says(t, 0, "Emitted other", "event", "emit", "other", "--resource", "x")
	s.says(t, 0, "Emitted order.sent", "event", "emit", "order.sent", "--resource", "order.1")
	s.says(t, 0, "order.paid\torder.1\n", "event", "ls", "-f", "order.*", "--since", "1h")
	if out := s.says(t, 0, "order.sent", "event", "ls", "--resource", "order.1", "--limit", "1", "-o", "json"); strings.Contains(out, "order.paid") {
		t.Error(out)
	}
	out := s.says(t, 0, "order.sent", "event", "stream", "-f", "order.*", "-n", "2")
	if strings.Contains(out, "other") || !strings.Contains(out, "order.paid") {
		t.Errorf("streamed %s", out)
	}
	s.says(t, exitUsage, "JSON object", "event", "emit", "x", "--resource", "y", "--payload", "7")
}

// served is a real server, in this process, for commands to talk to.
type served struct{ api string }

// says runs a command that is to end with code and say want on either output.
func (s served) says(t *testing.T, code int, want string, args ...string) string {
	t.Helper()
	got, stdout, stderr := call(t, s.api, args...)
	if got != code || !strings.Contains(stdout+stderr, want) {
		t.Errorf("%v: exit %d, want %d with %q\n%s%s", args, got, code, want, stdout, stderr)
	}
	return stdout
}
