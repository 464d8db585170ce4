//go:build unix

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// A deployment made in one place runs where its worker has a copy of the
// project: in the worker's --work-dir, or where working_dir says.
func TestDeployedHereRunElsewhere(t *testing.T) {
	p := newCommand(t, t.TempDir(), "server", "start")
	p.start()
	t.Cleanup(func() { p.kill(syscall.SIGTERM) })
	here, there := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	if out, err := exec.Command("go", "build", "-o", filepath.Join(here, "bin", "etl"), "../../testdata/program").CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	file := "deployments:\n- name: filed\n  entrypoint: bin/etl:ends\n  parameters: {how: return}\n- name: placed\n  entrypoint: bin/etl:ends\n  parameters: {how: return}\n" +
		"  work_pool: {job_variables: {working_dir: " + there + "}}\n"
	if err := os.WriteFile(filepath.Join(here, "flowlite.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	p.says(here, 0, "", "work-pool", "create", "--type", "process", "default")
	p.says(here, 0, "working directory", "deploy", "bin/etl:ends", "-n", "typed", "--param", "how=return")
	p.says(here, 0, "", "deploy", filepath.Join(here, "bin", "etl")+":ends", "-n", "absolute", "--param", "how=return")
	p.says(filepath.Dir(here), 0, "", "deploy", "--all", "--config", filepath.Join(here, "flowlite.yaml"))
	program := exec.Command("bin/etl", "deploy") // the SDK's way
	program.Dir, program.Env = here, p.env
	if out, err := program.CombinedOutput(); err != nil || !strings.Contains(string(out), "ends/local") {
		t.Fatal(err, string(out))
	}
	p.says(t.TempDir(), 0, "is outside of", "deploy", filepath.Join(here, "bin", "etl")+":ends", "-n", "outside", "--param", "how=return", "--dry-run")
	if err := os.Rename(here, there); err != nil { // nothing of the first place is left
		t.Fatal(err)
	}
	names := []string{"typed", "absolute", "filed", "placed", "local"}
	for _, name := range names {
		work := there
		if name == "placed" {
			work = t.TempDir()
		}
		args := []string{"deployment", "run", "ends/" + name}
		if name == "local" {
			args = append(args, "-p", "how=return")
		}
		p.says(work, 0, "", args...)
		p.says(t.TempDir(), 0, "executed 1 run", "worker", "start", "--pool", "default", "--work-dir", work, "--run-once")
		var d core.Deployment
		if err := p.call("GET", "/deployments/name/ends/"+name, nil, &d); err != nil || core.Deref(d.Entrypoint) != "bin/etl:ends" || core.Deref(d.Path) != "." {
			t.Errorf("%s: entrypoint %s, path %s, %v", name, core.Deref(d.Entrypoint), core.Deref(d.Path), err)
		}
		var runs []core.FlowRun
		filter := map[string]any{"deployments": map[string]any{"id": map[string]any{"any_": []core.UUID{d.ID}}}}
		if err := p.call("POST", "/flow_runs/filter", filter, &runs); err != nil || len(runs) != 1 || runs[0].StateType != core.Completed {
			t.Errorf("%s: %+v, %v", name, runs, err)
		}
	}

	// What was deployed with an absolute path goes on.
	var d core.Deployment
	if err := p.call("GET", "/deployments/name/ends/typed", nil, &d); err != nil {
		t.Fatal(err)
	}
	if err := p.call("PATCH", "/deployments/"+d.ID.String(), map[string]any{"path": there}, nil); err != nil {
		t.Fatal(err)
	}
	p.says(there, 0, "", "deployment", "run", "ends/typed")
	p.says(t.TempDir(), 0, "executed 1 run", "worker", "start", "--pool", "default", "--run-once")
	p.says(there, 0, "Completed", "flow-run", "ls", "--deployment", "ends/typed")

	// A worker without the project says what it lacks.
	p.says(there, 0, "", "deployment", "run", "ends/filed")
	p.says(t.TempDir(), 0, "executed 1 run", "worker", "start", "--pool", "default", "--run-once")
	p.says(there, 0, "set the worker's working directory or the job variable working_dir", "flow-run", "ls", "--deployment", "ends/filed", "-o", "json")
}

// A deploy clears the pull steps of an earlier one, and says so.
func TestDeployClearsPullSteps(t *testing.T) {
	p := newCommand(t, t.TempDir(), "server", "start")
	p.start()
	t.Cleanup(func() { p.kill(syscall.SIGTERM) })
	here := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(here, "etl"), "../../testdata/program").CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	p.says(here, 0, "", "work-pool", "create", "--type", "process", "default")
	p.says(here, 0, "", "deploy", "etl:ends", "-n", "x", "--param", "how=return")
	var d core.Deployment
	read := func() {
		t.Helper()
		if err := p.call("GET", "/deployments/name/ends/x", nil, &d); err != nil {
			t.Fatal(err)
		}
	}
	read()
	steps := []any{map[string]any{"prefect.deployments.steps.git_clone": map[string]any{"repository": "https://example.com/x.git"}}}
	if err := p.call("PATCH", "/deployments/"+d.ID.String(), map[string]any{"pull_steps": steps}, nil); err != nil {
		t.Fatal(err)
	}
	// A Go flow's code is not fetched: the run says so before anything else is done.
	p.says(here, 0, "", "deployment", "run", "ends/x")
	p.says(here, 0, "executed 1 run", "worker", "start", "--pool", "default", "--run-once")
	p.says(here, 0, "the deployment has pull steps", "flow-run", "ls", "--deployment", "ends/x", "-o", "json")
	p.says(here, 0, "ends/x has pull steps, which a deploy clears", "deploy", "etl:ends", "-n", "x", "--param", "how=return", "--dry-run")
	if read(); d.Fetches() == "" {
		t.Error("a dry run cleared the pull steps")
	}
	p.says(here, 0, "ends/x has pull steps, which a deploy clears", "deploy", "etl:ends", "-n", "x", "--param", "how=return")
	if read(); d.Fetches() != "" {
		t.Errorf("pull steps after the deploy: %s", d.PullSteps)
	}
	p.says(here, 0, "", "deployment", "run", "ends/x")
	p.says(here, 0, "executed 1 run", "worker", "start", "--pool", "default", "--run-once")
	p.says(here, 0, "Completed", "flow-run", "ls", "--deployment", "ends/x")
}
