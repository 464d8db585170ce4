package server

import (
	"context"
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

const authorizedSource = `import json, os, subprocess, sys
from prefect import flow, get_run_logger, pause_flow_run, runtime, task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.deployments import run_deployment
from prefect.events import emit_event
from prefect.exceptions import PrefectHTTPStatusError
from prefect.variables import Variable

def cleaned(flow, run, state):
    print("hook of", state.name)

@task
def double(n):
    return n * 2

@flow
def inner(n: int):
    return double(n)

def environment():
    return json.dumps(dict(os.environ))

@flow(log_prints=True, on_cancellation=[cleaned])
def waiter():
    import time
    print("waiting")
    time.sleep(600)

@flow
async def async_waiter():
    import asyncio
    await asyncio.sleep(600)

@flow(log_prints=True, retries=1)
def everything():
    if runtime.flow_run.run_count == 1:
        raise ValueError(environment())
    print("printed", environment())
    get_run_logger().info("logged %s", environment())
    os.write(1, ("written " + environment() + "\n").encode())
    assert inner(2) == 4
    assert double.submit(5).result() == 10
    double.delay(6)
    Variable.set("v", "1", overwrite=True)
    assert Variable.get("v") == "1"
    Variable.unset("v")
    create_markdown_artifact(key="k", markdown="text")
    update_progress_artifact(create_progress_artifact(progress=0.0), progress=50.0)
    assert Secret.load("word").get() == "hidden-from-all"
    with concurrency("slots", occupy=1):
        pass
    rate_limit("rates")
    emit_event("mine", resource={"prefect.resource.id": "me"})
    assert run_deployment("inner/local", parameters={"n": 3}).state.is_completed()
    alone = run_deployment("waiter/local", timeout=0, as_subflow=False)
    with get_client(sync_client=True) as client:
        client._client.post(f"/flow_runs/{alone.id}/cancel")
        for method, path in (("POST", "/work_pools/"), ("DELETE", f"/flow_runs/{alone.id}"), ("POST", f"/flow_runs/{os.environ['OTHER']}/set_state")):
            try:
                client._client.request(method, path, json={"name": "q", "state": {"type": "FAILED"}})
            except PrefectHTTPStatusError as exc:
                assert exc.response.status_code == 403 and "The credentials of" in exc.response.text, exc.response.text
            else:
                raise AssertionError(f"{method} {path} is not refused")
    inside = "from prefect import flow\n@flow\ndef f(): return 1\nassert f() == 1"
    subprocess.run([sys.executable, "-c", inside], check=True)
    pause_flow_run(timeout=60, poll_interval=1)
`

// TestPythonFlowsWithRunAuth runs flows that use what Prefect offers with nothing
// but the credentials of their run.
func TestPythonFlowsWithRunAuth(t *testing.T) {
	ofPython(t, true, func(t *testing.T, venv string, forks bool) {
		const auth = "admin:a-long-secret"
		for _, name := range core.WithheldNames() {
			t.Setenv(name, "withheld-"+name)
		}
		t.Setenv("PREFECT_CLIENT_CUSTOM_HEADERS", `{"X-Of-The-User":"1"}`)
		s, reports, dir := pythonServer(t, venv, func(c *Config) { c.NoFork, c.AuthString = !forks, auth })
		put(t, filepath.Join(dir, "flows/all.py"), authorizedSource)
		nextReport(t, reports, "the flows", func(FlowsReport) bool {
			_, err := s.Store().DeploymentByName(t.Context(), "everything", "local")
			return err == nil
		})
		everythingPython(t, s, auth)
		cancelPython(t, s)
	})
}

func everythingPython(t *testing.T, s *Server, auth string) {
	ctx := context.Background()
	if _, err := s.Service().CreateSecret(ctx, "word", core.JSON(`"hidden-from-all"`)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []core.GlobalConcurrencyLimitCreate{{Name: "slots", Limit: 1}, {Name: "rates", Limit: 10, SlotDecayPerSecond: 10}} {
		if _, err := s.Service().CreateGlobalLimit(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	other := claimed(t, s)
	run := begin(t, s, "everything", core.DeploymentFlowRunCreate{JobVariables: core.ToJSON(map[string]any{"env": map[string]any{"OTHER": other.FlowRun.ID}})})
	run = until(t, s, run, is(core.Paused))
	if _, err := s.Service().ResumeFlowRun(ctx, run.ID, nil); err != nil {
		t.Fatal(err)
	}
	run = until(t, s, run, is(core.Completed))
	for _, how := range []string{"printed", "logged", "written"} {
		untilLog(t, s, run, how, func(l string) bool { return strings.HasPrefix(l, how+" {") })
	}
	raw := base64.StdEncoding.EncodeToString
	for _, line := range logsOf(t, s, run) {
		for _, secret := range []string{"a-long-secret", raw([]byte(auth)), "flr_", raw([]byte("run:fl")), "withheld", "hidden-from-all"} {
			if at := strings.Index(line, secret); at >= 0 {
				t.Errorf("a log shows %q: %s", secret, line[max(0, at-200):min(len(line), at+200)])
			}
		}
		if how, _, _ := strings.Cut(line, " {"); slices.Contains([]string{"printed", "logged", "written"}, how) {
			for _, want := range []string{`"FLOWLITE_AUTH_STRING": "`, "PREFECT_CLIENT_CUSTOM_HEADERS", "Basic *", "X-Of-The-User"} {
				if !strings.Contains(line, want) {
					t.Errorf("%s: the environment lacks %s", how, want)
				}
			}
		}
	}
	states, err := s.Store().FlowRunStates(ctx, run.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range states {
		if m := core.Deref(st.Message); strings.Contains(m, "flr_") || strings.Contains(m, "a-long-secret") {
			t.Errorf("a state's message shows credentials: %s", m)
		}
	}
	untilStored(t, s, &core.EventFilter{Event: &core.EventName{Name: []string{"mine"}}}, 1)
	untilStored(t, s, &core.EventFilter{Event: &core.EventName{Name: []string{"prefect.task-run.Completed"}}}, 3)
}

// untilStored waits for events: clients send them when they find the time.
func untilStored(t *testing.T, s *Server, f *core.EventFilter, n int64) {
	t.Helper()
	sub := s.bus.Subscribe(core.TopicEvent, "", 64)
	defer sub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30e9)
	defer cancel()
	for {
		got, err := s.Store().CountEvents(ctx, f)
		if err != nil {
			t.Fatalf("%d of %d events %+v: %v", got, n, f.Event, err)
		}
		if got >= n {
			return
		}
		select {
		case <-sub.C():
		case <-ctx.Done():
		}
	}
}
