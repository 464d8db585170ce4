//go:build unix

package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"regexp"
	"testing"
	"unicode"
)

// What others named, logged or described must not steer the terminal of whoever
// lists it: colors and our own erasing of a line are all that may come through.
func TestHostileTextsOnATerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	api, _ := gated(t)
	const evil = "x\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[1;1H\x1b[8mhidden\u009b6n\u202egpj\u2066\u200f\u061c" +
		"\nFAKE\r\nFAKE\rFAKE\vFAKE\fFAKE\u0085FAKE\u2028FAKE\u2029FAKE\tFAKE"
	post := func(path string, body any) map[string]any {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.Post(api+path, "application/json", bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode >= 300 {
			t.Fatalf("%s: %s", path, res.Status)
		}
		var out map[string]any
		_ = json.NewDecoder(res.Body).Decode(&out)
		return out
	}
	flow := post("/flows/", map[string]any{"name": evil})["id"]
	run := post("/flow_runs/", map[string]any{"flow_id": flow, "name": evil, "tags": []string{evil},
		"state": map[string]any{"type": "FAILED", "message": evil}})["id"].(string)
	post("/logs/", []any{map[string]any{"name": evil, "level": 40, "message": evil, "timestamp": "2026-01-01T00:00:00Z", "flow_run_id": run}})
	post("/artifacts/", map[string]any{"key": "report", "type": "markdown", "data": evil, "description": evil, "flow_run_id": run})
	post("/variables/", map[string]any{"name": "greeting", "value": evil, "tags": []string{evil}})
	post("/events", []any{map[string]any{"id": "0198f6e0-0000-7000-8000-000000000001", "event": evil, "occurred": "2026-01-01T00:00:00Z",
		"resource": map[string]any{"prefect.resource.id": evil, "prefect.resource.name": evil}}})
	bin := buildProgram(t)
	allowed := regexp.MustCompile("\r\x1b\\[K|\x1b\\[[0-79;]*m|\r\n")
	for _, args := range [][]string{
		{"flow-run", "ls"}, {"flow-run", "inspect", run}, {"logs", run}, {"flow", "ls"}, {"flow-run", "why", run},
		{"artifact", "ls"}, {"artifact", "inspect", "report"}, {"variable", "ls"}, {"variable", "get", "greeting"}, {"event", "ls"},
		{"flow-run", "ls", "-o", "yaml"}, {"flow-run", "ls", "-o", "json"},
	} {
		x := onTerminal(t, api, 300, args...)
		<-x.read
		_ = x.cmd.Wait()
		if code := x.cmd.ProcessState.ExitCode(); code == 2 {
			t.Errorf("%v is not a command: %q", args, x.text())
		}
		rest := allowed.ReplaceAllString(x.text(), "")
		for _, r := range rest {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%v prints %q", args, r)
				break
			}
		}
		if fake.MatchString(x.text()) && args[len(args)-1] != "greeting" {
			t.Errorf("%v shows text as a line of its own: %q", args, x.text())
		}
		// The same in a pipe, where escape sequences pass.
		if args[len(args)-2] == "get" || args[len(args)-1] == "json" {
			continue
		}
		piped, err := exec.Command(bin, append(args, "--api-url", api)...).Output()
		if err != nil {
			t.Errorf("%v: %v", args, err)
		}
		if fake.Match(piped) {
			t.Errorf("%v in a pipe shows text as a line or a column of its own: %q", args, piped)
		}
	}
}

// fake is hostile text where a line, or a column of a table, begins.
var fake = regexp.MustCompile(`(?m)(?:^|[\r\v\f\x{85}\x{2028}\x{2029}])FAKE`)
