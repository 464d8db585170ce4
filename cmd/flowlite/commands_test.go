package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// makes posts to the server and reads the answer.
func makes[T any](t *testing.T, api, path string, body any) (v T) {
	t.Helper()
	raw, err := newAPI(api, "").call(t.Context(), "POST", path, body)
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// stocked is a server with a deployment, runs, task runs and artifacts.
func stocked(t *testing.T) (served, *core.Deployment, *core.FlowRun) {
	t.Helper()
	api, _ := serving(t)
	makes[*core.WorkPool](t, api, "/work_pools/", map[string]any{"name": "dev", "type": "process"})
	f := makes[*core.Flow](t, api, "/flows/", map[string]any{"name": "shop"})
	d := makes[*core.Deployment](t, api, "/deployments/", map[string]any{"name": "order", "flow_id": f.ID, "work_pool_name": "dev", "enforce_parameter_schema": false})
	r := makes[*core.FlowRun](t, api, "/deployments/"+d.ID.String()+"/create_flow_run", map[string]any{"name": "first"})
	return served{api}, d, r
}

func TestScheduleCommands(t *testing.T) {
	s, _, _ := stocked(t)
	s.says(t, 0, "[]", "deployment", "schedule", "ls", "shop/order", "-o", "json")
	s.says(t, 0, "every 15 min", "deployment", "schedule", "create", "shop/order", "--interval", "15 min")
	id := strings.TrimSpace(s.says(t, 0, "", "deployment", "schedule", "ls", "order", "-o", "name"))
	s.says(t, 0, "Paused", "deployment", "schedule", "pause", "shop/order", id)
	s.says(t, 0, "no", "deployments", "schedules", "ls", "shop/order")
	s.says(t, 0, "Resumed", "deployment", "schedule", "resume", "shop/order", id[:20])
	s.says(t, exitUsage, "--yes", "deployment", "schedule", "create", "shop/order", "--cron", "0 9 * * 1-5", "--replace")
	s.says(t, 0, "0 9,12 * * 1-5", "deployment", "schedule", "create", "shop/order", "--cron", "0 9,12 * * 1-5", "--replace", "-y", "--slug", "days", "--no-active")
	if out := s.says(t, 0, "", "deployment", "schedule", "ls", "shop/order", "-o", "jsonl"); strings.Count(out, "\n") != 1 || !strings.Contains(out, `"active":false`) {
		t.Errorf("replaced by %s", out)
	}
	s.says(t, exitUsage, "15m", "deployment", "schedule", "create", "shop/order", "--interval", "often")
	s.says(t, exitUsage, "timezone", "deployment", "schedule", "create", "shop/order", "--cron", "0 9 * * *", "--timezone", "Berlin")
	s.says(t, exitUsage, "--interval", "deployment", "schedule", "create", "shop/order", "--cron", "0 9 * * *", "--anchor-date", "2026-01-01T00:00:00Z")
	s.says(t, exitUsage, "say when: --cron", "deployment", "schedule", "create", "shop/order")
	s.says(t, exitUsage, "COUNT counts from 1 January 2020", "deployment", "schedule", "create", "shop/order", "--rrule", "FREQ=WEEKLY;COUNT=3")
	s.says(t, exitUsage, "never fires again", "deployment", "schedule", "create", "shop/order", "--rrule", "FREQ=DAILY;UNTIL=20200301T000000Z")
	s.says(t, exitNotFound, "no schedule", "deployment", "schedule", "delete", "shop/order", "nights", "-y")
	s.says(t, 0, "Deleted schedule", "deployment", "schedule", "delete", "shop/order", "days", "-y")
	s.says(t, 0, "Created", "deployment", "schedule", "create", "shop/order", "--rrule", "FREQ=DAILY;BYHOUR=9")
	s.says(t, 0, "Deleted 1 schedule of shop/order", "deployment", "schedule", "clear", "shop/order", "-y")
}

func TestSeveralAtOnce(t *testing.T) {
	s, d, r := stocked(t)
	second := makes[*core.FlowRun](t, s.api, "/deployments/"+d.ID.String()+"/create_flow_run", map[string]any{"name": "second"})
	// One that is not there does not keep the others from being done.
	out := s.says(t, exitNotFound, `no flow run "third"`, "flow-run", "cancel", "first", "third", second.ID.String()[:20])
	if strings.Count(out, "Cancelled") != 2 {
		t.Errorf("cancelled: %s", out)
	}
	for _, id := range []core.UUID{r.ID, second.ID} {
		if got := makes[[]*core.FlowRun](t, s.api, "/flow_runs/filter", map[string]any{"flow_runs": map[string]any{"id": map[string]any{"any_": []core.UUID{id}}}}); got[0].StateType != core.Cancelled {
			t.Errorf("%s is %s", got[0].Name, got[0].StateType)
		}
	}
	var rows []map[string]any
	if out := s.says(t, 0, "", "flow-run", "retry", "first", "second", "-o", "json"); json.Unmarshal([]byte(out), &rows) != nil || len(rows) != 2 {
		t.Errorf("several answers are no list: %s", out)
	}
	s.says(t, exitUsage, "--watch", "flow-run", "retry", "first", "second", "--watch")
	s.says(t, exitUsage, "--yes", "flow-run", "delete", "first")
	if out := s.says(t, 0, "", "flow-run", "delete", "first", "second", "-y", "-o", "name"); strings.Count(out, "\n") != 2 {
		t.Errorf("deleted: %s", out)
	}
	s.says(t, exitNotFound, "no flow run", "flow-run", "inspect", "first")
	s.says(t, 0, "Paused shop/order", "deployment", "pause", "shop/order")
	s.says(t, exitUsage, "--all", "deployment", "delete", "-y")
	s.says(t, 0, "Deleted shop/order", "deployment", "delete", "--all", "-y")
	s.says(t, 0, "no deployments", "deployment", "delete", "--all", "-y")
}

func TestTaskRunCommands(t *testing.T) {
	s, _, r := stocked(t)
	task := makes[*core.TaskRun](t, s.api, "/task_runs/", map[string]any{"name": "pay-0", "task_key": "pay", "dynamic_key": "0", "flow_run_id": r.ID, "state": map[string]any{"type": "RUNNING"}})
	id := task.ID.String()
	if _, err := newAPI(s.api, "").call(t.Context(), "POST", "/logs/", []map[string]any{
		{"name": "x", "level": 20, "message": "of the task", "timestamp": core.Now(), "flow_run_id": r.ID, "task_run_id": id},
		{"name": "x", "level": 20, "message": "of the flow", "timestamp": core.Now(), "flow_run_id": r.ID},
		{"name": "x", "level": 40, "message": "long ago", "timestamp": core.Now().Add(-2 * 3600e9), "flow_run_id": r.ID}}); err != nil {
		t.Fatal(err)
	}
	s.says(t, 0, "pay-0", "task-run", "ls", "--flow-run", "first")
	s.says(t, 0, id, "task-runs", "list", "--state", "running", "-o", "name")
	if out := s.says(t, 0, "[]", "task-run", "ls", "--state", "Failed", "-o", "json"); strings.Contains(out, id) {
		t.Error(out)
	}
	s.says(t, 0, "pay", "task-run", "inspect", id[:22])
	s.says(t, exitNotFound, "no task run", "task-run", "inspect", "0000-dead")
	if out := s.says(t, 0, "of the task", "task-run", "logs", id); strings.Contains(out, "of the flow") {
		t.Errorf("logs of one task: %s", out)
	}
	if out := s.says(t, 0, "of the flow", "logs", "--flow-run", "first", "--since", "1h"); strings.Contains(out, "long ago") {
		t.Errorf("--since 1h: %s", out)
	}
	s.says(t, 0, "of the flow", "logs", "first", "--since", "1h")
	s.says(t, exitUsage, "say whose logs", "logs")
	s.says(t, exitUsage, `--tail: must be a whole number, not "x"`, "logs", "first", "--tail", "x")
	s.says(t, exitUsage, "say whose logs", "logs", "first", "--deployment", "shop/order")
	s.says(t, 0, "long ago", "flow-run", "logs", "first", "--level", "error")
	if out := s.says(t, 0, "", "logs", "--flow-run", "first", "--head", "1"); !strings.Contains(out, "long ago") || strings.Count(out, "\n") != 1 {
		t.Errorf("--head 1: %s", out)
	}
	s.says(t, exitUsage, "--head", "logs", "--flow-run", "first", "--head", "1", "--tail", "1")
	s.says(t, exitNotFound, "has not run yet", "logs", "--deployment", "shop/order")
}

func TestPoolCommands(t *testing.T) {
	s, _, _ := stocked(t)
	api := s.api
	s.says(t, exitUsage, "--type process", "work-pool", "create", "qa")
	s.says(t, 0, "Created qa", "work-pool", "create", "qa", "-t", "process", "--concurrency-limit", "3")
	s.says(t, exitFailed, "--overwrite", "work-pool", "create", "qa", "-t", "process")
	s.says(t, 0, "Updated qa", "work-pool", "create", "qa", "-t", "process", "--overwrite", "--description", "for trying")
	s.says(t, 0, "Paused qa", "work-pool", "pause", "qa")
	s.says(t, 0, "Updated qa", "work-pool", "create", "qa", "-t", "process", "--overwrite")
	s.says(t, 0, `"is_paused": true`, "work-pool", "inspect", "qa", "-o", "json")
	s.says(t, 0, "Resumed qa", "work-pool", "resume", "qa")
	s.says(t, exitFailed, "cannot be changed", "work-pool", "create", "qa", "-t", "docker", "--overwrite")
	s.says(t, 0, `"concurrency_limit": 3`, "work-pool", "inspect", "qa", "-o", "json")
	s.says(t, 0, "to 5", "work-pool", "set-concurrency-limit", "qa", "5")
	s.says(t, 0, "no limit", "work-pool", "clear-concurrency-limit", "qa")
	s.says(t, 0, `"concurrency_limit": null`, "work-pool", "inspect", "qa", "-o", "json")
	s.says(t, exitUsage, "say what to change", "work-pool", "update", "qa")
	file := filepath.Join(t.TempDir(), "template.json")
	s.says(t, 0, "wrote", "work-pool", "get-default-base-job-template", "-f", file)
	s.says(t, 0, "Updated qa", "work-pool", "update", "qa", "--base-job-template", file)
	if err := os.WriteFile(file, []byte(`{"variables":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.says(t, exitUsage, "job_configuration", "work-pool", "update", "qa", "--base-job-template", file)
	s.says(t, 0, `"job_configuration"`, "work-pool", "get-default-base-job-template")
	s.says(t, 0, "first", "work-pool", "preview", "dev")
	s.says(t, 0, "[]", "work-pool", "preview", "qa", "-o", "json")
	s.says(t, exitUsage, "--yes", "work-pool", "clear-runs", "dev", "--state", "scheduled")
	s.says(t, 0, "Deleted 1 run, cancelled 0", "work-pool", "clear-runs", "dev", "--state", "scheduled", "-y")
	s.says(t, exitNotFound, "no flow run", "flow-run", "inspect", "first")
	s.says(t, 0, "Deleted qa", "work-pool", "delete", "qa", "-y")
	s.says(t, exitNotFound, `no work pool "qa"`, "work-pool", "pause", "qa")

	s.says(t, 0, "Created fast in pool dev", "work-queue", "create", "fast", "-p", "dev", "-l", "2", "-q", "1")
	s.says(t, exitFailed, "already", "work-queue", "create", "fast", "-p", "dev")
	s.says(t, 0, "fast", "work-queues", "ls", "-p", "dev", "-o", "name")
	s.says(t, 0, "Paused fast", "work-queue", "pause", "fast")
	s.says(t, 0, `"is_paused": true`, "work-queue", "inspect", "fast", "-p", "dev", "-o", "json")
	s.says(t, 0, "Resumed fast", "work-queue", "resume", "fast", "-p", "dev")
	s.says(t, 0, "to 7", "work-queue", "set-concurrency-limit", "fast", "7")
	s.says(t, 0, "no limit", "work-queue", "clear-concurrency-limit", "fast")
	s.says(t, 0, "[]", "work-queue", "preview", "fast", "-o", "json")
	s.says(t, exitNotFound, "no queue", "work-queue", "inspect", "slow", "-p", "dev")
	makes[*core.WorkPool](t, api, "/work_pools/", map[string]any{"name": "other", "type": "process"})
	s.says(t, 0, "Created fast", "work-queue", "create", "fast", "-p", "other")
	s.says(t, exitUsage, "--pool", "work-queue", "inspect", "fast")
	s.says(t, 0, "Deleted dev/fast", "work-queue", "delete", "fast", "-p", "dev", "-y")
	s.says(t, 0, "[]", "worker", "ls", "-o", "json")
	if _, err := newAPI(api, "").call(t.Context(), "POST", "/work_pools/dev/workers/heartbeat", map[string]any{"name": "w1"}); err != nil {
		t.Fatal(err)
	}
	s.says(t, 0, "w1\n", "worker", "ls", "-o", "name")
	s.says(t, exitNotFound, "did you mean dev?", "worker", "ls", "-p", "dve")
}

func TestArtifactCommands(t *testing.T) {
	s, _, r := stocked(t)
	s.says(t, 0, "[]", "artifact", "ls", "-o", "json")
	for _, text := range []string{"# one", "# two"} {
		makes[*core.Artifact](t, s.api, "/artifacts/", map[string]any{"key": "report", "type": "markdown", "data": text, "flow_run_id": r.ID})
	}
	loose := makes[*core.Artifact](t, s.api, "/artifacts/", map[string]any{"type": "result", "data": 1})
	s.says(t, 0, "report\n", "artifact", "ls", "-o", "name")
	if out := s.says(t, 0, "", "artifacts", "ls", "--all", "-o", "name"); strings.Count(out, "\n") != 3 {
		t.Errorf("all: %s", out)
	}
	out := s.says(t, 0, "", "artifact", "inspect", "report")
	if two, one := strings.Index(out, "# two"), strings.Index(out, "# one"); two < 0 || one < two {
		t.Errorf("the newest first: %s", out)
	}
	s.says(t, 0, `"type": "result"`, "artifact", "inspect", loose.ID.String(), "-o", "json")
	s.says(t, exitNotFound, "no artifact", "artifact", "inspect", "none")
	s.says(t, exitUsage, "either", "artifact", "delete", "-y")
	s.says(t, exitUsage, "--yes", "artifact", "delete", "report")
	s.says(t, 0, "Deleted 2 artifacts of report", "artifact", "delete", "report", "-y")
	s.says(t, 0, "Deleted 1 artifact", "artifact", "delete", "--id", loose.ID.String(), "-y")
	s.says(t, 0, "[]", "artifact", "ls", "--all", "-o", "json")
}

func TestVariableInspect(t *testing.T) {
	api, _ := serving(t)
	s := served{api}
	s.says(t, 0, "Set v", "variable", "set", "v", `{"a":1}`)
	s.says(t, 0, `{"a":1}`, "variable", "inspect", "v")
	s.says(t, 0, "Set v", "variable", "set", "v", "2", "--overwrite", "-t", "kept")
	s.says(t, 0, "Set v", "variable", "set", "v", "3", "--overwrite")
	s.says(t, 0, "kept", "variable", "inspect", "v")
	s.says(t, exitNotFound, "variable ls", "variable", "inspect", "w")
	s.says(t, exitNotFound, "no variable w", "variable", "unset", "w")
}

// Each list answers with data alone in each format, and with nothing or [] when empty.
func TestEveryList(t *testing.T) {
	api, _ := serving(t)
	s := served{api}
	for _, list := range [][]string{
		{"deployment", "ls"}, {"flow", "ls"}, {"flow-run", "ls"}, {"task-run", "ls"}, {"work-queue", "ls", "-p", "default"},
		{"worker", "ls"}, {"variable", "ls"}, {"secret", "ls"}, {"block", "ls"}, {"automation", "ls"}, {"concurrency-limit", "ls"}, {"gcl", "ls"}, {"artifact", "ls"},
		{"block", "type", "ls"}, {"work-pool", "ls"}, {"server", "services", "ls"}, {"profile", "ls"}, {"config", "view"}, {"event", "ls", "-f", "nothing"},
	} {
		if list[0] == "work-queue" {
			list = list[:2]
		}
		var rows []any
		if out := s.says(t, 0, "", append(list, "-o", "json")...); json.Unmarshal([]byte(out), &rows) != nil || rows == nil {
			t.Errorf("%v -o json: %q", list, out)
		}
		for _, format := range []string{"name", "jsonl", "auto"} {
			if out := s.says(t, 0, "", append(list, "-o", format)...); strings.Count(out, "\n") != len(rows) || strings.Contains(out, "\x1b") {
				t.Errorf("%v -o %s of %d: %q", list, format, len(rows), out)
			}
		}
		s.says(t, 0, "", append(list, "-o", "yaml")...)
		if _, out, _ := call(t, api, append(list, "-o", "table", "--color", "always")...); len(rows) > 0 && !strings.Contains(out, "\x1b[2m") {
			t.Errorf("%v --color always has no dim header: %q", list, out)
		}
	}
}

func TestLists(t *testing.T) {
	api, _ := serving(t)
	s := served{api}
	s.says(t, exitUsage, "--limit is from 1 to 200", "flow-run", "ls", "--limit", "0")
	s.says(t, exitUsage, "--limit is from 1 to 200", "variable", "ls", "--limit", "201")
	s.says(t, 0, "did you mean Running?", "flow-run", "ls", "--state", "Runnng")
	s.says(t, 0, "Set v1", "variable", "set", "v1", "1")
	s.says(t, 0, "Set v2", "variable", "set", "v2", "2")
	s.says(t, 0, "--offset 1", "variable", "ls", "--limit", "1", "-o", "name")
	s.says(t, 0, "Created default", "work-pool", "create", "default", "-t", "process")
	s.says(t, exitNotFound, "no work queue nosuch in pool default", "worker", "start", "-p", "default", "-q", "nosuch")
	s.says(t, 0, "flowlite ", "--version")
	s.says(t, 0, "List flow runs", "help", "flow-run", "ls")
	ids := []core.UUID{core.NewID(), core.NewID(), core.NewID()}
	if got := shorts(ids); got[0] == got[1] || got[1] == got[2] || !strings.HasPrefix(ids[0].String(), got[0]) || len(got[0]) < 13 {
		t.Errorf("%q of %q", got, ids)
	}
}

// What Prefect has and flowlite has not is an error that leads on.
func TestLeftOut(t *testing.T) {
	s := served{"http://127.0.0.1:1/api"}
	for _, c := range absent {
		s.says(t, exitUsage, c.hint, strings.Fields(c.words)...)
		s.says(t, exitUsage, c.why, strings.Fields(c.words)...)
	}
	s.says(t, exitUsage, "there is no command flowlite cloud", "cloud", "login", "--key", "x")
}

func TestLengths(t *testing.T) {
	for text, want := range map[string]string{"15m": "15m0s", "1h30m": "1h30m0s", "10 min": "10m0s", "90": "1m30s", "1.5": "1.5s", "2 days": "48h0m0s",
		"1 hour, 5 minutes": "1h5m0s", "500ms": "500ms", "1w": "168h0m0s", "": "", "x": "", "5 parsecs": "", "-5m": "", "5m 3": "", "99999999999999999999h": ""} {
		d, err := parseLength(text)
		if want == "" != (err != nil) || err == nil && d.String() != want {
			t.Errorf("%q is %s, %v; want %s", text, d, err, want)
		}
	}
}

// The file that docs/cli.md shows is one that deploy reads.
func TestDocumentedFile(t *testing.T) {
	doc, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```yaml\n")
	text, _, ok := strings.Cut(text, "```")
	file := filepath.Join(t.TempDir(), "flowlite.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); !ok || err != nil {
		t.Fatal(ok, err)
	}
	t.Setenv("STAGE", "qa")
	f, err := readDeployFile(file)
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := f.choose(file, false, []string{"etl/night*"})
	if err != nil || len(chosen) != 1 {
		t.Fatal(chosen, err)
	}
	s := chosen[0]
	rules, err := s.rules()
	if err != nil || len(rules) != 2 || string(rules[1].Rule) != `{"interval":900}` || core.Deref(rules[1].Slug) != "often" || rules[1].Active.V {
		t.Errorf("schedules: %s, %v", core.ToJSON(rules), err)
	}
	var c core.DeploymentCreate
	if err := s.limits(&c); err != nil || c.ConcurrencyLimit.V != 1 || c.ConcurrencyOptions.V.CollisionStrategy != "CANCEL_NEW" {
		t.Errorf("limits: %+v, %v", c, err)
	}
	if got := string(s.Pool.JobVariables); got != `{"env":{"STAGE":"qa"}}` {
		t.Errorf("job variables: %s", got)
	}
	// Flags go before the file, with --all too.
	if err := (&specFlags{Cron: []string{"0 5 * * *"}, Timezone: "UTC", Tag: []string{"mine"}, Version: "2"}).over(&s); err != nil {
		t.Fatal(err)
	}
	if rules, err := s.rules(); err != nil || len(rules) != 1 || string(rules[0].Rule) != `{"cron":"0 5 * * *","timezone":"UTC"}` || s.Tags[0] != "mine" || s.Version != "2" {
		t.Errorf("flags over the file: %+v, %v", s, err)
	}
}

// A pool of another type can be made, and everything says who serves it.
func TestPoolsOfOtherTypes(t *testing.T) {
	api, _ := serving(t)
	s := served{api}
	s.says(t, 0, "prefect worker start --pool 'my d' --type docker", "work-pool", "create", "my d", "--type", "docker")
	s.says(t, exitFailed, "work pool my d is of type docker", "worker", "start", "--pool", "my d")
	s.says(t, exitFailed, "prefect worker start --pool 'my d' --type docker", "worker", "start", "--pool", "my d", "--run-once")
	s.says(t, exitUsage, "prefect worker start --pool 'my d' --type docker", "worker", "start", "--pool", "my d", "--type", "docker")
	s.says(t, 0, "Only Prefect Cloud executes runs of type ecs:push", "work-pool", "create", "p", "--type", "ecs:push")
	s.says(t, exitFailed, "Only Prefect Cloud", "worker", "start", "--pool", "p")
	s.says(t, 0, "flowlite worker start --pool own", "work-pool", "create", "own", "--type", "process")
}

// What is typed for a parameter or a job variable means what its schema says.
func TestTypedValues(t *testing.T) {
	api, _ := serving(t)
	s := served{api}
	makes[*core.WorkPool](t, api, "/work_pools/", map[string]any{"name": "dev", "type": "process", "base_job_template": core.ProcessTemplate})
	f := makes[*core.Flow](t, api, "/flows/", map[string]any{"name": "shop"})
	schema := core.JSON(`{"type":"object","properties":{"o":{"anyOf":[{"type":"string"},{"type":"null"}]},"n":{"type":"integer"}}}`)
	makes[*core.Deployment](t, api, "/deployments/", map[string]any{"name": "order", "flow_id": f.ID, "work_pool_name": "dev", "parameter_openapi_schema": schema})
	run := func(args ...string) *core.FlowRun {
		t.Helper()
		var r core.FlowRun
		if err := json.Unmarshal([]byte(s.says(t, 0, "", append([]string{"deployment", "run", "shop/order", "-o", "json"}, args...)...)), &r); err != nil {
			t.Fatal(err)
		}
		return &r
	}
	r := run("-p", "o=12", "-p", "n=12", "-j", "command=true", "-j", "name=7", "-j", `env={"A":null,"B":"b"}`)
	if got := r.Parameters.Map(); got["o"] != "12" || got["n"] != json.Number("12") {
		t.Errorf("parameters %s", r.Parameters)
	}
	if got := r.JobVariables.Map(); got["command"] != "true" || got["name"] != "7" {
		t.Errorf("job variables %s", r.JobVariables)
	}
	if r = run("-p", "o=null"); r.Parameters.Map()["o"] != nil {
		t.Errorf("parameters %s", r.Parameters)
	}
	makes[*core.WorkQueue](t, api, "/work_pools/dev/queues/", map[string]any{"name": "fast"})
	first, again, other := run("--key", "k", "--queue", "fast"), run("--key", "k"), run("--key", "")
	if first.ID != again.ID || first.ID == other.ID || core.Deref(first.WorkQueueName) != "fast" || core.Deref(other.WorkQueueName) != "default" {
		t.Error(first, again, other)
	}
	s.says(t, 3, "dev/nothing", "deployment", "run", "shop/order", "--queue", "nothing")
}

func TestFlowRunExport(t *testing.T) {
	s, _, r := stocked(t)
	c := newAPI(s.api, "").once
	if err := c.PutResult(t.Context(), "x/big.json", []byte(`"big"`)); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateFlowRunInput(t.Context(), r.ID, "paused-0-response", `{"approved":true}`, ""); err != nil {
		t.Fatal(err)
	}
	makes[*core.TaskRun](t, s.api, "/task_runs/", map[string]any{"name": "pay-0", "task_key": "pay", "dynamic_key": "0", "flow_run_id": r.ID,
		"labels": map[string]any{core.InputLabel: `{"n":1}`},
		"state":  map[string]any{"type": "COMPLETED", "data": map[string]any{"type": "flowlite", "key": "x/big.json"}}})
	var x core.RunExport
	if err := json.Unmarshal([]byte(s.says(t, 0, "", "flow-run", "export", "first")), &x); err != nil {
		t.Fatal(err)
	}
	if x.FlowRun.ID != r.ID || len(x.TaskRuns) != 1 || string(x.TaskRuns[0].Input()) != `{"n":1}` || string(x.Results["x/big.json"]) != `"big"` ||
		x.Inputs["paused-0-response"] != `{"approved":true}` {
		t.Fatalf("%+v", x)
	}
	s.says(t, exitNotFound, "no flow run", "flow-run", "export", "none")
}

func TestFlowRunStream(t *testing.T) {
	s, _, r := stocked(t)
	c := newAPI(s.api, "").once
	for n, v := range []string{`"one"`, `{"n":2}`} {
		if _, err := c.AppendStream(t.Context(), r.ID, "out", []core.StreamAppend{{Ordinal: int64(n), Value: core.JSON(v)}}); err != nil {
			t.Fatal(err)
		}
	}
	s.says(t, 0, "out\t2\n", "flow-run", "stream", "first")
	if _, err := c.SetFlowRunState(t.Context(), r.ID, core.StateCreate{Type: core.Completed}, true); err != nil {
		t.Fatal(err)
	}
	if got := s.says(t, 0, "", "flow-run", "stream", "first", "out"); got != "\"one\"\n{\"n\":2}\n" {
		t.Errorf("%q", got)
	}
	if got := s.says(t, 0, "", "flow-run", "stream", "first", "out", "--from", "2"); got != "{\"n\":2}\n" {
		t.Errorf("%q", got)
	}
}

func TestFlowRunStatus(t *testing.T) {
	s, _, r := stocked(t)
	c := newAPI(s.api, "").once
	s.says(t, 0, "", "flow-run", "status", "first")
	for key, v := range map[string]string{"phase": `"load"`, "progress": `{"done":2}`} {
		if err := c.SetStatus(t.Context(), r.ID, key, core.StatusSet{Value: core.JSON(v)}); err != nil {
			t.Fatal(err)
		}
	}
	s.says(t, 0, "phase\t\"load\"\t", "flow-run", "status", "first")
	s.says(t, 0, "progress\t{\"done\":2}\t", "flow-run", "status", "first")
	if got := s.says(t, 0, "", "flow-run", "status", "first", "progress"); got != "{\"done\":2}\n" {
		t.Errorf("%q", got)
	}
	if got := s.says(t, 0, "", "flow-run", "status", "first", "-o", "name"); got != "phase\nprogress\n" {
		t.Errorf("%q", got)
	}
	s.says(t, exitNotFound, "no status other", "flow-run", "status", "first", "other")
}

// Each line of a params file is a run, which takes the common parameters that it does
// not have; a bad line creates none.
func TestDeploymentRunParamsFile(t *testing.T) {
	s, _, _ := stocked(t)
	file := filepath.Join(t.TempDir(), "params.jsonl")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runs := func() int { return strings.Count(s.says(t, 0, "", "flow-run", "ls", "--future", "-o", "jsonl"), "\n") }
	many := []string{"deployment", "run", "shop/order", "--params-file", file, "--key", "k", "-p", "a=9", "-p", "c=3"}
	write("{\"a\":1}\n\nnone\n")
	s.says(t, exitUsage, "line 3 is not a JSON object", many...)
	if n := runs(); n != 1 {
		t.Fatal(n, "runs")
	}
	write("{\"a\":1}\n\n  {\"b\":2}\n")
	for range 2 { // the key names the whole call
		s.says(t, 0, "", many...)
		if n := runs(); n != 3 {
			t.Fatal(n, "runs")
		}
	}
	list := s.says(t, 0, "", "flow-run", "ls", "--future", "-o", "jsonl")
	for _, want := range []string{`"parameters":{"a":1,"c":3}`, `"parameters":{"b":2,"a":9,"c":3}`} {
		if !strings.Contains(list, want) {
			t.Errorf("no run has %s: %s", want, list)
		}
	}
	s.says(t, exitUsage, "--params-file", "deployment", "run", "shop/order", "--params-file", file+"x")
}

func TestFlowRunWebhook(t *testing.T) {
	s, _, r := stocked(t)
	url := strings.TrimSpace(s.says(t, 0, "/api/webhooks/", "flow-run", "webhook", "first", "words", "--value", `"yes"`, "--expires", "1h"))
	resp, err := http.Post(url, "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	m, err := newAPI(s.api, "").once.ReceiveMessage(t.Context(), r.ID, core.MessageRequest{Topics: []string{"words"}, By: "t"})
	if err != nil || resp.StatusCode != http.StatusOK || m == nil || string(m.Value) != `{"value":"yes"}` {
		t.Fatal(resp.StatusCode, m, err)
	}
	s.says(t, 2, "pass a text in double quotes", "flow-run", "webhook", "first", "words", "--value", "yes")
	s.says(t, 1, "at most 90 days", "flow-run", "webhook", "first", "words", "--expires", "9999h")
}

func TestFlowRunSend(t *testing.T) {
	s, _, r := stocked(t)
	c := newAPI(s.api, "").once
	s.says(t, 0, "", "flow-run", "send", "first", "words", `"yes"`)
	s.says(t, 0, "", "flow-run", "send", "first", "words", `{"by":"ann"}`)
	for _, want := range []string{`{"value":"yes"}`, `{"by":"ann"}`} {
		m, err := c.ReceiveMessage(t.Context(), r.ID, core.MessageRequest{Topics: []string{"words"}, By: want})
		if err != nil || m == nil || string(m.Value) != want {
			t.Fatal(m, err)
		}
	}
	s.says(t, 2, `pass a text in double quotes: '"yes"'`, "flow-run", "send", "first", "words", "yes")
	s.says(t, 1, "consists of letters", "flow-run", "send", "first", "no topic", "1")
	if _, err := c.SetFlowRunState(t.Context(), r.ID, core.StateCreate{Type: core.Completed}, true); err != nil {
		t.Fatal(err)
	}
	s.says(t, 1, "has ended", "flow-run", "send", "first", "words", "1")
}
