"""`flow.serve()` and `prefect flow serve`: a process that deploys and executes its own runs."""

import pytest
from conftest import FLOWS, cli, eventually, kill_flow, process
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment

SERVE = """
from flows import adder, sleeper
from prefect import serve
serve(adder.to_deployment("{name}", interval=3600, tags=["served"]), sleeper.to_deployment("{name}"))
"""


@pytest.fixture(scope="module")
def served(api, tmp_path_factory):
    import shutil

    folder = tmp_path_factory.mktemp("served")
    shutil.copy(FLOWS, folder / "flows.py")
    (folder / "main.py").write_text(SERVE.format(name="served"))
    with process("python", "main.py", cwd=folder) as text:
        def there():
            return [d for d in api.post("/deployments/filter") if d["name"] == "served"]
        eventually(lambda: len(there()) == 2, 40)
        text.there = there
        yield text


def test_is_deployed(api, served):
    d = api.get("/deployments/name/adder/served")
    assert d["work_pool_name"] is None and d["tags"] == ["served"] and d["schedules"][0]["schedule"]["interval"] == 3600
    assert d["paused"] is False


def test_runs(api, served):
    run = run_deployment("adder/served", parameters={"a": 20, "b": 2}, timeout=60, poll_interval=0.5)
    assert run.state.is_completed()
    eventually(lambda: "adding 20 and 2" in api.logs(run.id))
    assert api.get("/deployments/name/adder/served")["status"] == "READY"


def test_cancel(api, served):
    run_id = str(run_deployment("sleeper/served", timeout=0).id)
    api.wait(run_id, "RUNNING")
    cli("flow-run", "cancel", run_id)
    api.wait(run_id, "CANCELLED", timeout=60)


def test_killed_process(api, served):
    run_id = str(run_deployment("sleeper/served", timeout=0).id)
    api.wait(run_id, "RUNNING")
    kill_flow(run_id)
    api.wait(run_id, "CRASHED")


def test_is_paused_at_the_end(api, tmp_path, name):
    import shutil

    shutil.copy(FLOWS, tmp_path / "flows.py")
    with process("prefect", "flow", "serve", "flows.py:child", "--name", name, "--interval", "3600", cwd=tmp_path):
        d = eventually(lambda: [d for d in api.post("/deployments/filter") if d["name"] == name], 40)[0]
        eventually(lambda: len(api.post("/flow_runs/filter", {"deployments": {"id": {"any_": [d["id"]]}}})) >= 3)
        # It serves from its first poll on; before that, Ctrl-C may end 3.8.8 without a pause.
        eventually(lambda: api.get(f"/deployments/{d['id']}")["status"] == "READY")
    eventually(lambda: api.get(f"/deployments/{d['id']}")["paused"])
    assert api.post("/flow_runs/filter", {"deployments": {"id": {"any_": [d["id"]]}}}) == []
