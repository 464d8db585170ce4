package api

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/runtime/core"
)

// noStore answers nothing: for what is refused before the store is asked.
type noStore struct{ core.Store }

func bare(c Config) *API {
	s := local.New(local.Config{Store: noStore{}})
	c.Runs, c.Limits, c.Blocks, c.Automations, c.Store = s.Service, s.Limits, s.Blocks, s.Automations, StoreOf(noStore{})
	c.Variables, c.Artifacts, c.SavedSearches, c.Logs = s.Variables, s.Artifacts, s.SavedSearches, s.Logs
	return New(c)
}

var param = regexp.MustCompile(`\{[^}]*\}`)

// TestOperations is the coverage ledger: operations.golden lists what is
// served, gaps.golden, one by one, what the peer serves and flowlite does not.
func TestOperations(t *testing.T) {
	var lines []string
	served := map[string]bool{}
	for _, o := range bare(Config{}).ops {
		lines = append(lines, fmt.Sprintf("%s %s %d", o.Method, o.Path, o.Status))
		served[o.Method+" "+param.ReplaceAllString(o.Path, "{}")] = true
	}
	slices.Sort(lines)
	compare(t, "testdata/operations.golden", strings.Join(lines, "\n")+"\n")
	peer, err := os.ReadFile("testdata/peer_operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	// One pattern takes these two, since they overlap.
	served["GET /api/work_queues/name/{}"], served["GET /api/work_queues/{}/status"] = true, true
	var gaps []string
	for line := range strings.Lines(string(peer)) {
		f := strings.Fields(line)
		if key := f[0] + " " + param.ReplaceAllString(f[1], "{}"); !served[key] {
			gaps = append(gaps, key)
		}
	}
	slices.Sort(gaps)
	compare(t, "testdata/gaps.golden", strings.Join(gaps, "\n")+"\n")
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
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
}

// TestReachOfRuns lists what the credentials of a flow run reach. A line that is
// added to runs.golden opens an operation to the code of every flow.
func TestReachOfRuns(t *testing.T) {
	var lines []string
	for _, o := range bare(Config{}).Operations() {
		if o.Runs != "" {
			lines = append(lines, o.Method+" "+o.Path+": "+o.Runs)
		}
	}
	slices.Sort(lines)
	compare(t, "testdata/runs.golden", strings.Join(lines, "\n")+"\n")
}
