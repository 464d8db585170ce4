"""`prefect worker start` executes what is deployed."""



import pytest
from conftest import FLOWS, cli, deploy, eventually, run, worker
from prefect.deployments import run_deployment


@pytest.fixture(scope="module")
def work(api, tmp_path_factory):
    """A pool with a worker that lives as long as the module."""
    import shutil

    folder = tmp_path_factory.mktemp("project")
    shutil.copy(FLOWS, folder / "flows.py")
    pool = "worker-pool"
    cli("work-pool", "create", pool, "--type", "process")
    log = folder / "worker.log"
    with worker(pool, "--name", "first", cwd=folder, log=log) as text:
        eventually(lambda: "started!" in text(), 30)
        yield folder, pool, text


def start(api, work, entry, name, *args, **parameters):
    folder, pool, _ = work
    full = deploy(folder, pool, f"flows.py:{entry}", *args, name=name)
    return str(run_deployment(full, parameters=parameters, timeout=0).id)


def test_runs_a_deployment(api, work, name):
    run_id = start(api, work, "adder", name, a=2, b=3)
    api.wait(run_id, "COMPLETED")
    states = [s["name"] for s in api.get(f"/flow_run_states/?flow_run_id={run_id}")]
    assert [s for s in states if s != "Submitting"] == ["Scheduled", "Pending", "Running", "Completed"]  # 3.8.8 names that step
    r = api.get(f"/flow_runs/{run_id}")
    assert r["infrastructure_pid"] and r["labels"]["prefect.worker.name"] == "first" and r["labels"]["prefect.work-pool.name"] == work[1]

    def told():
        lines = api.logs(run_id)
        assert "adding 2 and 3" in lines and "printed line" in lines and "Finished in state Completed()" in lines, lines
        assert any("submitting flow run" in l for l in lines), lines
        return True
    eventually(told)


def test_pool_and_worker_are_ready(api, work):
    def ready():
        assert api.get(f"/work_pools/{work[1]}")["status"] == "READY"
        (w,) = api.post(f"/work_pools/{work[1]}/workers/filter")
        assert w["name"] == "first" and w["status"] == "ONLINE"
        return True
    eventually(ready)
    assert "first" in str(api.post(f"/work_pools/{work[1]}/workers/filter"))


def test_deployment_becomes_ready(api, work, name):
    start(api, work, "child", name)
    eventually(lambda: api.get(f"/deployments/name/child/{name}")["status"] == "READY")


def test_failed_flow(api, work, name):
    run_id = start(api, work, "broken", name, message="deployed no good")
    state = api.wait(run_id, "FAILED")
    assert "deployed no good" in state["message"]


def test_crashed_process(api, work, name):
    run_id = start(api, work, "dies", name)
    state = api.wait(run_id, "CRASHED")
    assert "exit" in state["message"].lower() or "code" in state["message"].lower(), state


def test_environment_of_the_job(api, work, name):
    run_id = start(api, work, "says_env", name, "-jv", '{"env": {"GREETING": "hello from the pool"}}')
    api.wait(run_id, "COMPLETED")
    eventually(lambda: any("GREETING is hello from the pool" in l for l in api.logs(run_id)))


def test_cancel(api, work, name):
    run_id = start(api, work, "sleeper", name)
    api.wait(run_id, "RUNNING")
    assert "successfully scheduled for cancellation" in cli("flow-run", "cancel", run_id)
    state = api.wait(run_id, "CANCELLED", timeout=60)
    assert state["name"] == "Cancelled"
    names = [s["name"] for s in api.get(f"/flow_run_states/?flow_run_id={run_id}")]
    assert names[-2:] == ["Cancelling", "Cancelled"], names


def test_retry_of_flow(api, work, name):
    run_id = start(api, work, "second_time", name)
    api.wait(run_id, "COMPLETED")
    assert api.get(f"/flow_runs/{run_id}")["run_count"] == 2


def test_subflow(api, work, name):
    run_id = start(api, work, "parent", name, n=4)
    api.wait(run_id, "COMPLETED")
    (down,) = api.runs(parent_flow_run_id={"any_": [run_id]})
    assert down["state_type"] == "COMPLETED" and down["parameters"] == {"n": 4}


def test_watch(api, work, name):
    folder, pool, _ = work
    full = deploy(folder, pool, "flows.py:adder", name=name)
    out = run("deployment", "run", full, "--watch", cwd=folder)
    assert "finished successfully" in out, out


def test_watch_failure(api, work, name):
    folder, pool, _ = work
    full = deploy(folder, pool, "flows.py:broken", name=name)
    out = run("deployment", "run", full, "--watch", code=1, cwd=folder)
    assert "Failed" in out


def test_run_deployment_waits(work, name):
    folder, pool, _ = work
    full = deploy(folder, pool, "flows.py:adder", name=name)
    done = run_deployment(full, parameters={"a": 1}, timeout=60, poll_interval=0.5)
    assert done.state.is_completed()


def test_paused_pool_waits(api, work, name):
    folder, pool, _ = work
    cli("work-pool", "pause", pool)
    try:
        run_id = start(api, work, "child", name)
        assert cli("work-pool", "inspect", pool)
        assert api.run_state(run_id)["type"] == "SCHEDULED" and api.get(f"/work_pools/{pool}")["status"] == "PAUSED"
    finally:
        cli("work-pool", "resume", pool)
    api.wait(run_id, "COMPLETED")


def test_run_once(api, project, pool, name):
    full = deploy(project, pool, "flows.py:child", name=name)
    run_id = str(run_deployment(full, timeout=0).id)
    run("worker", "start", "--pool", pool, "--run-once", cwd=project)
    api.wait(run_id, "COMPLETED")


def test_worker_makes_the_pool(api, name, project):
    run("worker", "start", "--pool", name, "--type", "process", "--run-once", cwd=project)
    pool = api.get(f"/work_pools/{name}")
    assert pool["type"] == "process" and pool["base_job_template"]["variables"]


def test_work_queue_of_worker(api, project, pool, name):
    cli("work-queue", "create", "only", "--pool", pool)
    first = str(run_deployment(deploy(project, pool, "flows.py:child", "-q", "only", name=name), timeout=0).id)
    other = str(run_deployment(deploy(project, pool, "flows.py:adder", name=name), timeout=0).id)
    run("worker", "start", "--pool", pool, "-q", "only", "--run-once", cwd=project)
    api.wait(first, "COMPLETED")
    assert api.run_state(other)["type"] == "SCHEDULED"


def test_flow_run_execute(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    run_id = str(run_deployment(full, parameters={"a": 40}, timeout=0).id)
    run("flow-run", "execute", run_id, cwd=project)
    assert api.run_state(run_id)["type"] == "COMPLETED"
