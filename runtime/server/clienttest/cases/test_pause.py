"""Pause, suspend and resume, with and without typed input."""

from pathlib import Path

import pytest
from conftest import FLOWS, cli, deploy, eventually, worker
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.flow_runs import resume_flow_run


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    import shutil

    folder = tmp_path_factory.mktemp("project")
    shutil.copy(FLOWS, folder / "flows.py")
    cli("work-pool", "create", "pausing", "--type", "process")
    with worker("pausing", cwd=folder) as text:
        eventually(lambda: "started!" in text(), 40)
        yield folder


def start(api, work, entry, name, state="PAUSED", **parameters):
    run_id = str(run_deployment(deploy(work, "pausing", f"flows.py:{entry}", name=name), parameters=parameters, timeout=0).id)
    api.wait(run_id, state)
    return run_id


def test_pause_and_resume(api, work, name):
    run_id = start(api, work, "pauses", name)
    assert api.run_state(run_id)["name"] == "Paused"
    assert resume_flow_run(run_id) is None
    api.wait(run_id, "COMPLETED")
    eventually(lambda: "resumed" in api.logs(run_id))


def test_typed_input(api, work, name):
    run_id = start(api, work, "asks", name)
    details = api.run_state(run_id)["state_details"]
    keyset = eventually(lambda: api.run_state(run_id)["state_details"]["run_input_keyset"])
    schema = eventually(lambda: api.get(f"/flow_runs/{run_id}/input/{keyset['schema']}"))
    assert "approved" in schema
    eventually(lambda: "Go on?" in api.get(f"/flow_runs/{run_id}/input/{keyset['description']}"))
    assert details["pause_timeout"]
    resume_flow_run(run_id, run_input={"approved": True, "by": "ann"})
    api.wait(run_id, "COMPLETED")
    eventually(lambda: "approved True by ann" in api.logs(run_id))


def test_wrong_input_is_refused(api, work, name):
    run_id = start(api, work, "asks", name)
    keyset = eventually(lambda: api.run_state(run_id)["state_details"]["run_input_keyset"])
    eventually(lambda: api.get(f"/flow_runs/{run_id}/input/{keyset['schema']}"))
    with get_client(sync_client=True) as client:
        result = client.resume_flow_run(run_id, run_input={"approved": "not a yes or no"})
        assert result.status.value in ("REJECT", "ABORT") and "approved" in str(result.details.reason), result
        assert api.run_state(run_id)["type"] == "PAUSED"
        assert client.resume_flow_run(run_id, run_input={"approved": False}).status.value == "ACCEPT"
    api.wait(run_id, "COMPLETED")


def test_pause_times_out(api, work, name):
    run_id = start(api, work, "asks", name, timeout=3)
    api.wait(run_id, "FAILED")


def test_suspend_and_resume(api, work, name):
    run_id = start(api, work, "suspends", name)
    assert api.run_state(run_id)["name"] == "Suspended"
    eventually(lambda: api.run_state(run_id)["state_details"]["run_input_keyset"])
    pid = int(str(api.get(f"/flow_runs/{run_id}")["infrastructure_pid"]).split(":")[-1])
    eventually(lambda: not Path(f"/proc/{pid}").exists())  # the worker must have let go of the run
    with get_client(sync_client=True) as client:
        assert client.resume_flow_run(run_id, run_input={"approved": True, "by": "bob"}).status.value == "ACCEPT"
    api.wait(run_id, "COMPLETED", timeout=60)
    eventually(lambda: "approved True by bob" in api.logs(run_id))


def test_cancel_while_suspended(api, work, name):
    run_id = start(api, work, "suspends", name)
    cli("flow-run", "cancel", run_id)
    assert api.run_state(run_id)["type"] == "CANCELLED"


def test_resume_what_is_not_paused(api, name):
    from prefect import flow

    @flow(name=name)
    def f(): ...

    run_id = f(return_state=True).state_details.flow_run_id
    with get_client(sync_client=True) as client:
        result = client.resume_flow_run(run_id)
    assert result.status.value == "ABORT" and "not paused" in result.details.reason


def test_send_and_receive_input(api, name):
    import threading
    import time

    from prefect import flow
    from prefect.input import receive_input, send_input
    from prefect.runtime import flow_run

    @flow(name=name)
    def f():
        run_id = flow_run.id

        def later():
            time.sleep(0.5)
            send_input("hello", flow_run_id=run_id)

        threading.Thread(target=later).start()
        return receive_input(str, timeout=20, poll_interval=0.5, flow_run_id=run_id).next()

    assert f() == "hello"
