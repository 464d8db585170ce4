package clienttest

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/importer"
)

// TestImport copies what a real Prefect server holds.
func TestImport(t *testing.T) {
	for _, p := range clients(t) {
		t.Run(p.version, func(t *testing.T) {
			t.Parallel()
			source := startPrefect(t, p)
			seed := command(t, 3*time.Minute, p.bin("python"), "seed.py")
			seed.Dir, seed.Env = "cases", environment(t, p, source)
			if out, err := seed.CombinedOutput(); err != nil {
				t.Fatalf("seed: %v\n%s", err, out)
			}
			target := startServer(t, dbtest.Engines(t)[0])
			from := client.New(client.Config{URL: source, Patience: time.Minute})
			to := client.New(client.Config{URL: target.APIURL(), Patience: -1})
			run := func() map[string]*importer.Part {
				parts, err := importer.Run(t.Context(), importer.Config{From: from, To: to, Since: time.Hour})
				if err != nil {
					t.Fatal(err)
				}
				byKind := map[string]*importer.Part{}
				for _, part := range parts {
					for _, s := range part.Skipped {
						if part.Kind != "flow runs" {
							t.Errorf("skipped %s %s: %s", part.Kind, s.Name, s.Why)
						}
					}
					byKind[part.Kind] = part
				}
				return byKind
			}
			want := map[string]int{"flows": 3, "work pools": 2, "work queues": 3, "variables": 1, "block types": 3, "block documents": 3,
				"concurrency limits": 2, "tag limits": 1, "deployments": 1, "automations": 1, "flow runs": 3}
			for kind, part := range run() {
				if n := part.Created + part.Kept; n != want[kind] {
					t.Errorf("%s: %d created and %d kept, want %d together", kind, part.Created, part.Kept, want[kind])
				}
			}
			for kind, part := range run() {
				if part.Created != 0 || part.Kept != want[kind] {
					t.Errorf("again: %s: %d created and %d kept", kind, part.Created, part.Kept)
				}
			}
			check := command(t, time.Minute, p.bin("python"), "-c", `
from prefect.automations import Automation
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import Secret
from prefect.filesystems import LocalFileSystem
from prefect.variables import Variable
from prefect.client.orchestration import get_client
assert Secret.load("tok").get() == "s3cr3t"
assert SlackWebhook.load("chan").url.get_secret_value() == "https://hooks.example.invalid/x"
assert LocalFileSystem.load("files").basepath == "/tmp/x"
assert Variable.get("env") == {"stage": "prod"}
with get_client(sync_client=True) as client:
    d = client.read_deployment_by_name("etl/nightly")
    assert d.global_concurrency_limit.limit == 2 and d.work_queue_name == "high" and d.parameters == {"n": 4}, d
    assert d.schedules[0].schedule.cron == "0 3 * * *" and d.schedules[0].active is False, d.schedules
    runs = client.read_flow_runs()
    assert sorted(r.state_name for r in runs) == ["Completed", "Completed", "Failed"], runs
a = Automation.read(name="again")
assert a.actions[0].deployment_id == d.id and str(d.id) in str(a.trigger.match_related), a
`)
			check.Env = environment(t, p, target.APIURL())
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("what the client reads: %v\n%s", err, out)
			}
		})
	}
}

// startPrefect starts the server of a client's own version, on SQLite.
func startPrefect(t *testing.T, p prefect) (apiURL string) {
	t.Helper()
	port := bustest.FreePort(t)
	apiURL = "http://127.0.0.1:" + port + "/api"
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, p.bin("prefect"), "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui")
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	cmd.Dir = t.TempDir()
	for _, e := range environment(t, p, apiURL) {
		if !strings.HasPrefix(e, "PREFECT_API_URL=") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "PREFECT_API_DATABASE_CONNECTION_URL=sqlite+aiosqlite:///"+filepath.Join(t.TempDir(), "prefect.db"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	c := client.New(client.Config{URL: apiURL, Patience: 2 * time.Minute})
	if _, err := c.Raw(t.Context(), "GET", "/health", nil); err != nil {
		t.Fatalf("Prefect's server does not start: %v", err)
	}
	return apiURL
}
