package server

import (
	"context"
	"flag"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/worker/python"
)

// prefects are virtual environments with real Prefect clients.
func prefects(t testing.TB) []string {
	t.Helper()
	dirs := filepath.SplitList(os.Getenv("FLOWLITE_TEST_PREFECT"))
	if len(dirs) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI is set, but FLOWLITE_TEST_PREFECT names no virtualenv with a Prefect client")
		}
		t.Skip("FLOWLITE_TEST_PREFECT names no virtualenv with a Prefect client; `bash .ci/check clients` makes one for each version")
	}
	return dirs
}

const pythonSource = `import os, sys, time
from prefect import flow, task
from pydantic import BaseModel

class Size(BaseModel):
    rows: int = 3

def cleaned(flow, run, state):
    print("hook of", state.name)

@task
def double(n):
    return n * 2

@flow(description="doubles")
def doubler(n: int, size: Size = Size()):
    """Not this."""
    print("plain output")
    print("env", os.environ.get("WHO"))
    assert os.getcwd() == WORK
    return {"n": double(n), "size": size, "env": os.environ.get("WHO")}

@flow(log_prints=True, on_cancellation=[cleaned])
def waiter():
    print("waiting")
    time.sleep(600)

@flow
async def async_waiter():
    import asyncio
    await asyncio.sleep(600)

@flow
def ends(how: str = "exit"):
    from prefect import get_run_logger
    for n in range(20):
        get_run_logger().info("line %d", n)
    get_run_logger().info("last words")
    if how == "exit":
        os._exit(3)
    if how == "raise":
        raise ValueError("no good")
    if how == "told within a finalizer":
        class Last:
            def __del__(self):
                os.kill(os.getpid(), 15)
                for _ in range(1000):
                    pass
        Last()
        time.sleep(600)
    os.kill(os.getpid(), 9)

@flow(retries=1, retry_delay_seconds=0.5)
def again(then: str = "completes"):
    from prefect import pause_flow_run, runtime
    if runtime.flow_run.run_count == 1:
        raise ValueError("the first time")
    if then == "pauses":
        pause_flow_run(timeout=60, poll_interval=1)

@flow(log_prints=True)
def holder(until: str):
    print("at it")
    while not os.path.exists(until):
        time.sleep(0.05)

@flow
def _private():
    pass
`

// pythonServer is what flowlite up starts, on a folder with the flows above.
func pythonServer(t testing.TB, venv string, change func(*Config)) (s *Server, reports chan FlowsReport, dir string) {
	t.Helper()
	cfg := Config{Port: -1, Home: t.TempDir(), WorkDir: t.TempDir(), DrainGrace: time.Second, Log: slog.New(slog.DiscardHandler), Worker: true, Python: venv, FlowsDir: "flows"}
	dir, err := filepath.EvalSymlinks(cfg.WorkDir)
	if err != nil {
		t.Fatal(err)
	}
	cfg.WorkDir = dir
	t.Setenv("PREFECT_HOME", t.TempDir())
	t.Setenv("PREFECT_LOCAL_STORAGE_PATH", "")
	os.Unsetenv("PREFECT_LOCAL_STORAGE_PATH")
	t.Setenv("PYTHONPYCACHEPREFIX", t.TempDir())
	put(t, filepath.Join(dir, "flows/all.py"), strings.Replace(pythonSource, "WORK", strconv.Quote(dir), 1))
	reports = make(chan FlowsReport, 100)
	cfg.OnFlows = func(r FlowsReport) { reports <- r }
	if change != nil {
		change(&cfg)
	}
	if s, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, reports, dir
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func nextReport(t testing.TB, reports chan FlowsReport, what string, ok func(FlowsReport) bool) FlowsReport {
	t.Helper()
	end := time.NewTimer(90 * time.Second)
	defer end.Stop()
	for {
		select {
		case r := <-reports:
			if ok(r) {
				return r
			}
		case <-end.C:
			t.Fatalf("no report that says: %s", what)
		}
	}
}

// begin makes a run of a deployment.
func begin(t testing.TB, s *Server, flow string, c core.DeploymentFlowRunCreate) *core.FlowRun {
	t.Helper()
	d, err := s.Store().DeploymentByName(context.Background(), flow, "local")
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Service().CreateDeploymentFlowRun(context.Background(), d.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// until waits for a state of the run.
func until(t testing.TB, s *Server, r *core.FlowRun, ok func(*core.FlowRun) bool) *core.FlowRun {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	for !ok(r) {
		now, err := s.Service().WaitFlowRun(ctx, r.ID, r.StateID, 30)
		if err != nil {
			t.Fatalf("%s is %s: %v; logs %q", r.Name, r.StateName, err, logsOf(t, s, r))
		}
		if r = now; r.StateType.Final() && !ok(r) {
			t.Fatalf("%s is %s: %s; logs %q", r.Name, r.StateName, core.Deref(r.State.Message), logsOf(t, s, r))
		}
	}
	return r
}

func is(want core.StateType) func(*core.FlowRun) bool {
	return func(r *core.FlowRun) bool { return r.StateType == want }
}

func logsOf(t testing.TB, s *Server, r *core.FlowRun) (all []string) {
	t.Helper()
	rows, err := s.Store().Logs(context.Background(), &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{r.ID}}}, core.Page{Limit: core.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range rows {
		all = append(all, l.Message)
	}
	return all
}

func statesOf(t testing.TB, s *Server, r *core.FlowRun) (all []string) {
	t.Helper()
	rows, err := s.Store().FlowRunStates(context.Background(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range rows {
		all = append(all, st.Name)
	}
	return all
}

var pythonAll = flag.Bool("python.all", false,
	"run Python flows of each Prefect client in processes that are forked and in new ones, with credentials and without, instead of each of these once for each client")

// forking is by chance, and differs from one client to the next.
var forking = rand.IntN(2)

// ofPython calls do with clients and whether processes are forked. TestPythonFlows and
// TestPythonFlowsWithRunAuth share the combinations, unless -python.all asks both for all.
func ofPython(t *testing.T, credentials bool, do func(t *testing.T, venv string, forks bool)) {
	for i, venv := range prefects(t) {
		for name, forks := range map[string]bool{"warm": true, "plain": false} {
			mine := forks == ((i+forking)%2 == 0) != credentials
			if !mine && !*pythonAll {
				continue
			}
			t.Run(filepath.Base(venv)+"/"+name, func(t *testing.T) { do(t, venv, forks) })
		}
	}
}

func TestPythonFlows(t *testing.T) {
	ofPython(t, false, func(t *testing.T, venv string, forks bool) {
		s, reports, dir := pythonServer(t, venv, func(c *Config) { c.NoFork = !forks })
		r := nextReport(t, reports, "the flows", func(r FlowsReport) bool { return len(r.Deployments) > 0 })
		var names []string
		for _, d := range r.Deployments {
			names = append(names, d.Name+"@"+d.Entrypoint)
		}
		want := []string{"doubler/local@flows/all.py:doubler", "waiter/local@flows/all.py:waiter", "async-waiter/local@flows/all.py:async_waiter", "ends/local@flows/all.py:ends", "again/local@flows/all.py:again", "holder/local@flows/all.py:holder"}
		if !slices.Equal(names, want) || len(r.Problems)+len(r.Hints) != 0 {
			t.Errorf("found %q, problems %v, hints %v", names, r.Problems, r.Hints)
		}
		resultOfPython(t, s)
		cancelPython(t, s)
		lastLinesOfPython(t, s)
		if forks {
			runPython(t, s, reports, dir)
		}
	})
}

// lastLinesOfPython: what a flow logged immediately before its process died is stored.
func lastLinesOfPython(t *testing.T, s *Server) {
	t.Run("the last lines of a dying process", func(t *testing.T) {
		for how, end := range map[string]core.StateType{"exit": core.Crashed, "kill": core.Crashed, "raise": core.Failed} {
			run := until(t, s, begin(t, s, "ends", core.DeploymentFlowRunCreate{Parameters: core.ToJSON(map[string]any{"how": how})}), is(end))
			untilLogged(t, s, run, "last words")
			var got []string
			for _, l := range logsOf(t, s, run) {
				if strings.HasPrefix(l, "line ") || l == "last words" {
					got = append(got, l)
				}
			}
			if len(got) != 21 || got[0] != "line 0" || got[20] != "last words" {
				t.Errorf("%s: %q", how, got)
			}
		}
	})
}

func runPython(t *testing.T, s *Server, reports chan FlowsReport, dir string) {
	ctx := context.Background()
	d, err := s.Store().DeploymentByName(ctx, "doubler", "local")
	if err != nil {
		t.Fatal(err)
	}
	schema := d.ParameterOpenAPISchema.Map()
	if core.Deref(d.Description) != "doubles" || schema["properties"].(map[string]any)["n"].(map[string]any)["type"] != "integer" || schema["definitions"] == nil {
		t.Errorf("deployment %+v, schema %s", d, d.ParameterOpenAPISchema)
	}

	t.Run("output, job variables, code loaded afresh", func(t *testing.T) {
		run := begin(t, s, "doubler", core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"n":1}`), JobVariables: core.JSON(`{"env":{"WHO":"me"}}`)})
		run = until(t, s, run, is(core.Completed))
		if v, err := engine.Unpack(ctx, s.Service(), run.State.Data); err != nil || !v.IsNull() {
			t.Errorf("a result was kept that nobody asked for: %s, %v", v, err)
		}
		untilLogged(t, s, run, "plain output")
		untilLogged(t, s, run, "env me")
		if run.InfrastructurePID == nil {
			t.Error("the run has no process id")
		}
		file := filepath.Join(dir, "flows/all.py")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		put(t, file, strings.Replace(strings.Replace(string(text), "n * 2", "n * 3", 1), "doubles", "triples", 1))
		nextReport(t, reports, "the change", func(r FlowsReport) bool {
			return slices.ContainsFunc(r.Deployments, func(d DeployedFlow) bool { return d.Name == "doubler/local" && d.Changed })
		})
		got, err := engine.RunDeployment(ctx, s.Service(), engine.Deployed{Flow: "doubler", Name: "local", Params: core.JSON(`{"n": 1}`)})
		if err != nil || !strings.Contains(string(got), `"n":3`) {
			t.Errorf("result %s, %v", got, err)
		}
	})
	t.Run("ended", func(t *testing.T) {
		for how, want := range map[string]string{"exit": "process exited with code 3", "kill": "killed (SIGKILL)", "told within a finalizer": "signal"} {
			run := until(t, s, begin(t, s, "ends", core.DeploymentFlowRunCreate{Parameters: core.ToJSON(map[string]any{"how": how})}), is(core.Crashed))
			if !strings.Contains(core.Deref(run.State.Message), want) || slices.Contains(statesOf(t, s, run), core.NameResuming) {
				t.Errorf("%s: %q, states %q", how, core.Deref(run.State.Message), statesOf(t, s, run))
			}
		}
		run := until(t, s, begin(t, s, "ends", core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"how":"raise"}`)}), is(core.Failed))
		if !strings.Contains(core.Deref(run.State.Message), "no good") {
			t.Errorf("message %q", core.Deref(run.State.Message))
		}
	})
	t.Run("killed from outside", func(t *testing.T) {
		run := until(t, s, begin(t, s, "waiter", core.DeploymentFlowRunCreate{}), is(core.Running))
		run = until(t, s, run, func(r *core.FlowRun) bool {
			if r.InfrastructurePID == nil { // noted beside the run's start
				r, _ = s.Store().FlowRun(ctx, r.ID)
			}
			return r.InfrastructurePID != nil
		})
		pid, err := strconv.Atoi(*run.InfrastructurePID)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		until(t, s, run, is(core.Crashed))
	})
	t.Run("within one process: retried, paused and resumed", func(t *testing.T) {
		run := until(t, s, begin(t, s, "again", core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"then":"pauses"}`)}), is(core.Paused))
		if _, err := s.Service().ResumeFlowRun(ctx, run.ID, nil); err != nil {
			t.Fatal(err)
		}
		run = until(t, s, run, is(core.Completed))
		if got := statesOf(t, s, run); slices.Contains(got, core.NameResuming) || !slices.Contains(got, core.NameAwaitingRetry) {
			t.Errorf("states %q", got)
		}
	})
	t.Run("a process whose run was taken from it cannot end it", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "go on")
		run := until(t, s, begin(t, s, "holder", core.DeploymentFlowRunCreate{Parameters: core.ToJSON(map[string]any{"until": file})}), is(core.Running))
		untilLogged(t, s, run, "at it")
		if _, err := s.Service().ReportCrash(ctx, run.ID, "its worker seemed to be gone", false); err != nil {
			t.Fatal(err)
		}
		put(t, file, "")
		untilSaid(t, s, run, "409 Conflict")
		if got := statesOf(t, s, run); !slices.Equal(got, []string{"Scheduled", "Pending", "Running", "Crashed"}) {
			t.Errorf("states %q", got)
		}
	})
	t.Run("named by module, fetched by a pull step", func(t *testing.T) {
		step := func(name string, in map[string]any) core.Opt[core.JSON] {
			return core.Some(core.ToJSON([]any{map[string]any{"prefect.deployments.steps." + name: in}}))
		}
		for name, c := range map[string]core.DeploymentCreate{
			"module":  {Entrypoint: core.Some("flows.all.ends"), Path: core.Some(dir)},
			"fetched": {Entrypoint: core.Some("got/all.py:ends"), PullSteps: step("run_shell_script", map[string]any{"script": "cp -r " + dir + "/flows got"})},
			"cloned":  {Entrypoint: core.Some("flows/all.py:ends"), PullSteps: step("git_clone", map[string]any{"repository": "file://" + repository(t, dir)})},
			"missing": {Entrypoint: core.Some("flows/all.py:ends"), PullSteps: step("git_clone", map[string]any{"repository": "file://" + dir + "/nowhere"})},
			"unknown": {Entrypoint: core.Some("flows/all.py:ends"), PullSteps: step("teleport", map[string]any{"to": "here"})},
		} {
			c.Name, c.FlowID, c.WorkPoolName, c.ParameterOpenAPISchema = name, d.FlowID, core.Some("default"), core.Some(core.JSON(`{}`))
			made, err := s.Service().CreateDeployment(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			run, err := s.Service().CreateDeploymentFlowRun(ctx, made.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"how":"raise"}`)})
			if err != nil {
				t.Fatal(err)
			}
			// A step that cannot be run ends the run before any of its code.
			want, says := core.Failed, "no good"
			if name == "missing" || name == "unknown" {
				want, says = core.Crashed, map[string]string{"missing": "clone", "unknown": "teleport"}[name]
			}
			run = until(t, s, run, is(want))
			if !strings.Contains(core.Deref(run.State.Message), says) || want == core.Crashed && slices.Contains(logsOf(t, s, run), "last words") {
				t.Errorf("%s: message %q", name, core.Deref(run.State.Message))
			}
		}
	})
	t.Run("no such interpreter", func(t *testing.T) {
		run := begin(t, s, "doubler", core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"n":1}`), JobVariables: core.JSON(`{"python":"/no/such/python"}`)})
		run = until(t, s, run, is(core.Crashed))
		if !strings.Contains(core.Deref(run.State.Message), "there is no Python interpreter /no/such/python") {
			t.Errorf("message %q", core.Deref(run.State.Message))
		}
	})
}

// repository is a git repository with the flows of dir.
func repository(t *testing.T, dir string) string {
	t.Helper()
	repo := filepath.Join(t.TempDir(), "repo")
	script := `git init -q "$1" && cp -r "$2/flows" "$1" && cd "$1" && git add flows && git -c user.name=t -c user.email=t@example.com commit -qm flows`
	if out, err := exec.Command("/bin/sh", "-c", script, "sh", repo, dir).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	return repo
}

func resultOfPython(t *testing.T, s *Server) {
	ctx := context.Background()
	t.Run("a caller gets the result", func(t *testing.T) {
		got, err := engine.RunDeployment(ctx, s.Service(), engine.Deployed{Flow: "doubler", Name: "local", Params: core.JSON(`{"n": 21}`)})
		if err != nil || string(got) != `{"env":null,"n":42,"size":{"rows":3}}` {
			t.Errorf("result %s, %v", got, err)
		}
	})
}

// untilLogged waits for a line: what a process prints is shipped on its own way.
func untilLogged(t *testing.T, s *Server, run *core.FlowRun, line string) {
	t.Helper()
	untilLog(t, s, run, line, func(l string) bool { return l == line })
}

// untilSaid waits for a line that has a text in it.
func untilSaid(t *testing.T, s *Server, run *core.FlowRun, text string) {
	t.Helper()
	untilLog(t, s, run, text, func(l string) bool { return strings.Contains(l, text) })
}

func untilLog(t *testing.T, s *Server, run *core.FlowRun, what string, ok func(string) bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !slices.ContainsFunc(logsOf(t, s, run), ok); {
		if time.Now().After(end) {
			t.Fatalf("%q was not logged; logs %q", what, logsOf(t, s, run))
		}
		_, _ = s.Service().WaitFlowRun(context.Background(), run.ID, run.StateID, 0.1)
	}
}

func cancelPython(t *testing.T, s *Server) {
	ctx := context.Background()
	t.Run("cancelled", func(t *testing.T) {
		for _, flow := range []string{"waiter", "async-waiter"} {
			run := until(t, s, begin(t, s, flow, core.DeploymentFlowRunCreate{}), is(core.Running))
			if _, err := s.Service().CancelFlowRun(ctx, run.ID); err != nil {
				t.Fatal(err)
			}
			run = until(t, s, run, is(core.Cancelled))
			if got := statesOf(t, s, run); !slices.Equal(got, []string{"Scheduled", "Pending", "Running", "Cancelling", "Cancelled"}) {
				t.Errorf("%s: states %q", flow, got)
			}
			if flow == "waiter" { // its hook runs after the state is set
				untilLogged(t, s, run, "hook of Cancelled")
			}
		}
	})
}

// TestNoPrefect has an interpreter without Prefect: that is said once, and Go
// flows do not suffer.
func TestNoPrefect(t *testing.T) {
	cfg := testConfig(t)
	interpreter := filepath.Join(t.TempDir(), "python3")
	if err := os.WriteFile(interpreter, []byte("#!/bin/sh\nprintf '\\036flowlite: %s has no Prefect\\n' $0 >&2\nexit 78\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cfg.Worker, cfg.Python, cfg.FlowsDir = true, interpreter, "flows"
	flow := filepath.Join(cfg.WorkDir, "flows", "a.py")
	put(t, flow, "from prefect import flow\n\n@flow\ndef a():\n    pass\n")
	put(t, filepath.Join(cfg.WorkDir, "flows", "b.py"), "# no decorator, though it speaks of a prefect flow\n")
	reports := make(chan FlowsReport, 100)
	cfg.OnFlows = func(r FlowsReport) { reports <- r }
	s := start(t, cfg)
	r := nextReport(t, reports, "the first look", func(FlowsReport) bool { return true })
	want := "Python flows were found (flows/a.py), but " + interpreter + " has no Prefect"
	if len(r.Hints) != 1 || r.Hints[0] != want || len(r.Problems)+len(r.Deployments)+len(r.Gone) != 0 {
		t.Errorf("report %+v, want the hint %q", r, want)
	}
	put(t, flow, "from prefect import flow\n\n@flow\ndef a(n: int):\n    pass\n")
	if r = nextReport(t, reports, "the second look", func(FlowsReport) bool { return true }); len(r.Hints) != 0 {
		t.Errorf("it is said again: %q", r.Hints)
	}

	ctx := context.Background()
	fl, err := s.Service().CreateFlow(ctx, core.FlowCreate{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Service().CreateDeployment(ctx, core.DeploymentCreate{Name: "local", FlowID: fl.ID, WorkPoolName: core.Some("default"), Path: core.Some(cfg.WorkDir),
		Entrypoint: core.Some("flows/a.py:a"), ParameterOpenAPISchema: core.Some(core.JSON(`{}`))})
	if err != nil {
		t.Fatal(err)
	}
	// The run waits for a worker that can start it, and so do those after it.
	run := until(t, s, begin(t, s, "a", core.DeploymentFlowRunCreate{}), func(r *core.FlowRun) bool {
		return r.StateType == core.Scheduled && strings.Contains(core.Deref(r.State.Message), "has no Prefect")
	})
	if !strings.Contains(core.Deref(run.State.Message), interpreter+" ") {
		t.Errorf("message %q", core.Deref(run.State.Message))
	}
	next := begin(t, s, "a", core.DeploymentFlowRunCreate{})
	if n, err := s.worker.RunOnce(ctx); n != 0 || err != nil {
		t.Error("the worker took another run of the deployment that it was not able to start", n, err)
	}
	// A poll that was under way may have taken it, and returns it, too.
	until(t, s, next, func(r *core.FlowRun) bool { return r.StateType == core.Scheduled })
}

// A flow's name may be an expression: it is evaluated, as Prefect does it, or
// the flow is refused; a wrong name is never taken.
func TestPythonNamesByExpression(t *testing.T) {
	source := `import os
from prefect import flow
from names import PREFIX
STAGE = "dev"
OPTIONS = {"name": "from options", "version": "7"}

@flow(name=f"etl-{STAGE}", description="of " + STAGE)
def formatted(): "A docstring."

@flow(name=PREFIX + "-" + str(1 + 1), version=STAGE)
def joined(): pass

@flow(**OPTIONS)
def optioned(): pass

@flow(name="plain", description=nowhere)
def constant(): "Its docstring."

@flow(name=None)
def the_default(): pass

@flow(name=undefined_name)
def broken(): pass

@flow(name=12 * 2)
def number(): pass

if __name__ == "__main__":
    raise SystemExit("the file was run")
`
	for _, venv := range prefects(t) {
		dir := t.TempDir()
		file := filepath.Join(dir, "named.py")
		put(t, file, source)
		put(t, filepath.Join(dir, "names.py"), "PREFIX = 'shop'\n")
		runner, err := python.Runner(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		flows, failed, err := python.Describe(t.Context(), filepath.Join(venv, "bin", "python"), runner, dir, []string{file}, nil)
		if err != nil || len(failed) > 0 {
			t.Fatal(failed, err)
		}
		want := map[string]string{"formatted": "etl-dev||of dev", "joined": "shop-2|dev|", "optioned": "from options|7|", "constant": "plain||Its docstring.", "the_default": "the-default||",
			"broken": "cannot be evaluated", "number": "is not a text"}
		for _, f := range flows {
			got := f.Name + "|" + f.Version + "|" + f.Description
			if f.Error != "" {
				got = f.Error
			}
			if w := want[f.Function]; got != w && (f.Error == "" || !strings.Contains(got, w) || !strings.Contains(got, "write the name as a text")) {
				t.Errorf("%s: %s is %q, want %q", filepath.Base(venv), f.Function, got, w)
			}
			delete(want, f.Function)
		}
		if len(want) > 0 {
			t.Errorf("%s: not found: %v", filepath.Base(venv), want)
		}
	}
}
