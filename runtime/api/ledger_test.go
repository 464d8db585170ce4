package api

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// noStore answers nothing: for what is refused before the store is asked.
type noStore struct{ core.Store }

func bare(c Config) *API {
	c.Service, c.Store = orchestrate.New(orchestrate.Config{Store: noStore{}}), noStore{}
	return New(c)
}

// missing are the peer's operations that flowlite does not serve yet.
var missing = []string{
	"/automations", "/block_", "/saved_searches", "/task_workers", "/templates",
	"GET /api/flow_runs/{}/graph", "GET /api/flow_runs/{}/graph-v2", "POST /api/flow_runs/lateness",
	"POST /api/events/count-by/{}", "/api/concurrency_limits/",
}

var param = regexp.MustCompile(`\{[^}]*\}`)

// TestOperations is the coverage ledger: operations.golden lists what is
// served, and whatever of the peer is not in it must be a known gap.
func TestOperations(t *testing.T) {
	var lines []string
	served := map[string]bool{}
	for _, o := range bare(Config{}).ops {
		lines = append(lines, fmt.Sprintf("%s %s %d", o.Method, o.Path, o.Status))
		served[o.Method+" "+param.ReplaceAllString(o.Path, "{}")] = true
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/operations.golden"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("operations differ from %s; run with UPDATE_GOLDEN=1 and look at the diff", golden)
	}
	peer, err := os.ReadFile("testdata/peer_operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	// One pattern takes these two, since they overlap.
	served["GET /api/work_queues/name/{}"], served["GET /api/work_queues/{}/status"] = true, true
	for line := range strings.Lines(string(peer)) {
		f := strings.Fields(line)
		key := f[0] + " " + param.ReplaceAllString(f[1], "{}")
		known := slices.ContainsFunc(missing, func(m string) bool { return m == key || strings.HasPrefix(m, "/") && strings.Contains(key, m) })
		if !served[key] && !known {
			t.Errorf("the peer serves %s, we do not, and it is no known gap", key)
		}
	}
}
