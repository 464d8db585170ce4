package clienttest

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// supported are the clients that flowlite is held against; CI must have each.
var supported = []string{"3.4.9", "3.8.8"}

// prefect is a virtualenv with one version of the client.
type prefect struct{ version, dir string }

func (p prefect) bin(name string) string { return filepath.Join(p.dir, "bin", name) }

func clients(t *testing.T) []prefect {
	t.Helper()
	if testing.Short() {
		t.Skip("runs real Prefect clients; left out with -short")
	}
	var all []prefect
	for _, dir := range filepath.SplitList(os.Getenv("FLOWLITE_TEST_PREFECT")) {
		p := prefect{dir: dir}
		out, err := exec.Command(p.bin("python"), "-c", "import importlib.metadata as m; print(m.version('prefect'))").Output()
		if err != nil {
			t.Fatalf("FLOWLITE_TEST_PREFECT: %s has no Prefect client: %v", dir, err)
		}
		p.version = strings.TrimSpace(string(out))
		all = append(all, p)
	}
	if os.Getenv("CI") != "" {
		for _, v := range supported {
			if !slices.ContainsFunc(all, func(p prefect) bool { return p.version == v }) {
				t.Fatalf("CI is set, but FLOWLITE_TEST_PREFECT holds no client %s", v)
			}
		}
	}
	if len(all) == 0 {
		t.Skip("FLOWLITE_TEST_PREFECT names no virtualenv with a Prefect client; `bash .ci/check clients` makes one for each version")
	}
	return all
}

var allPlaces = flag.Bool("clienttest.all", false, "every client at every place, instead of each feature with each client and on each database once")

func TestClient(t *testing.T) {
	all := clients(t)
	files, err := filepath.Glob("cases/test_*.py")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases:", err)
	}
	for i, file := range files {
		feature := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "test_"), ".py")
		for _, m := range matches(t, all, i) {
			t.Run(feature+"/"+m.place.name+"/"+m.version, func(t *testing.T) {
				t.Parallel()
				runCases(t, m.prefect, m.start(t), file)
			})
		}
	}
}

type match struct {
	prefect
	place
}

// matches of the nth feature. A case costs seconds of client, so each feature
// meets each client and each database once, by turns with one server and two.
func matches(t *testing.T, all []prefect, n int) (chosen []match) {
	t.Helper()
	sqlite, postgres, split := places(t)
	if *allPlaces || len(all) < 2 || postgres.start == nil {
		for _, p := range all {
			for _, at := range []place{sqlite, postgres, split} {
				if at.start != nil {
					chosen = append(chosen, match{p, at})
				}
			}
		}
		return chosen
	}
	shared := postgres
	if n%4 >= 2 && split.start != nil {
		shared = split
	}
	return []match{{all[n%2], sqlite}, {all[(n+1)%2], shared}}
}

// runCases runs one file of cases against a server of its own.
func runCases(t *testing.T, p prefect, apiURL, file string) {
	began := time.Now()
	cases, out, err := pytest(t, p, apiURL, file)
	t.Logf("%d cases in %s", len(cases), time.Since(began).Round(100*time.Millisecond))
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Logf("%.2f s", c.Seconds)
			switch c.Outcome {
			case "passed":
			case "skipped":
				t.Skip(c.Text)
			default:
				t.Error(c.Text)
			}
		})
	}
	if err != nil && (!t.Failed() || len(cases) == 0) {
		t.Errorf("pytest: %v\n%s", err, out)
	}
}

// environment is what a user sets to point a client at flowlite, and what makes
// tests quick and quiet.
func environment(t *testing.T, p prefect, apiURL string) []string {
	home := t.TempDir()
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "PREFECT_") || strings.HasPrefix(s, "FLOWLITE_") })
	return append(env,
		"PATH="+filepath.Join(p.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+home, "PREFECT_HOME="+filepath.Join(home, ".prefect"), "PREFECT_API_URL="+apiURL,
		"DO_NOT_TRACK=1", "PREFECT_SERVER_ANALYTICS_ENABLED=false", "NO_COLOR=1", "TERM=dumb", "COLUMNS=250", "PYTHONUNBUFFERED=1",
		"PREFECT_WORKER_QUERY_SECONDS=1", "PREFECT_RUNNER_POLL_FREQUENCY=1", "PREFECT_LOGGING_TO_API_BATCH_INTERVAL=0.3",
		"PYTHONDONTWRITEBYTECODE=1", "FLOWLITE_CASES_VERSION="+p.version)
}

func command(t *testing.T, limit time.Duration, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
