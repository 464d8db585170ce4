"""Looking after runs: `prefect flow-run`, `prefect task-run`, `prefect flow`, states set by hand."""

import asyncio
import datetime
import inspect
import uuid

import pytest
from conftest import cli, deploy, eventually
from prefect import flow, get_run_logger, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.deployments import run_deployment
from prefect.states import Cancelling, Failed, Running, Scheduled
from prefect.transactions import transaction


@pytest.fixture
def done(name):
    """The id of a run that has completed, with logs."""
    @task
    def t():
        get_run_logger().info("in the task")

    @flow(name=name)
    def f():
        for i in range(25):
            get_run_logger().info("line %d", i)
        t()

    return str(f(return_state=True).state_details.flow_run_id)


@pytest.fixture
def waiting(project, pool, name):
    """The id of a run that waits for a worker."""
    return str(run_deployment(deploy(project, pool, "flows.py:adder", name=name), timeout=0).id)


@pytest.fixture
def client():
    with get_client(sync_client=True) as c:
        yield c


def all_sent(api, run):
    """Waits for the last lines of done: the client sends them after it has ended."""
    eventually(lambda: sum("Finished in state" in l for l in api.logs(run)) == 2)  # the task's and the run's


def test_ls(api, done):
    name = api.get(f"/flow_runs/{done}")["name"]
    assert name in cli("flow-run", "ls", "--limit", "20")


def test_ls_by_flow_and_state(api, done, name):
    run = api.get(f"/flow_runs/{done}")["name"]
    assert run in cli("flow-run", "ls", "--flow-name", name, "--state", "Completed")
    assert run not in cli("flow-run", "ls", "--flow-name", name, "--state", "Failed")
    assert run in cli("flow-run", "ls", "--flow-name", name, "--state-type", "COMPLETED")


def test_inspect(done):
    out = cli("flow-run", "inspect", done)
    assert done in out and "COMPLETED" in out.upper()


def test_inspect_unknown():
    assert "not found" in cli("flow-run", "inspect", str(uuid.uuid4()), code=1)


def test_logs(api, done):
    all_sent(api, done)
    out = cli("flow-run", "logs", done)
    assert "line 0" in out and "line 24" in out and out.index("line 0") < out.index("line 24")


def test_logs_head_tail_reverse(api, done):
    all_sent(api, done)
    head = cli("flow-run", "logs", done, "--head", "--num-logs", "5")
    assert "line 2" in head and "line 24" not in head
    tail = cli("flow-run", "logs", done, "--tail", "--num-logs", "3")
    assert "line 1 " not in tail and "Finished in state" in tail
    back = cli("flow-run", "logs", done, "--reverse")
    assert back.index("line 24") < back.index("line 3")


def test_delete(api, done):
    # A line on its way would come after the run is gone, as with Prefect's server.
    all_sent(api, done)
    cli("flow-run", "delete", done, input="y\n")
    api("GET", f"/flow_runs/{done}", status=404)
    assert api.logs(done) == []


def test_delete_unknown():
    assert "not found" in cli("flow-run", "delete", str(uuid.uuid4()), input="y\n", code=1)


def test_cancel_scheduled(api, waiting):
    cli("flow-run", "cancel", waiting)
    assert api.run_state(waiting)["type"] == "CANCELLED"


def test_cancel_finished(done):
    assert "unable to be cancelled" in cli("flow-run", "cancel", done, code=1)


def test_task_run_commands(api, done):
    row = eventually(lambda: api.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [done]}}}))[0]
    assert row["name"] in cli("task-run", "ls")
    assert row["id"] in cli("task-run", "inspect", row["id"])
    eventually(lambda: "in the task" in cli("task-run", "logs", row["id"]))


def test_force_states(client, api, done):
    result = client.set_flow_run_state(done, Failed(message="by hand"), force=True)
    assert result.status.value == "ACCEPT" and api.run_state(done)["message"] == "by hand"


def test_terminal_is_not_cancelled(client, done):
    assert client.set_flow_run_state(done, Cancelling()).status.value == "ABORT"


def test_retry_by_state(client, api, waiting):
    client.set_flow_run_state(waiting, Running(), force=True)
    client.set_flow_run_state(waiting, Failed())
    result = client.set_flow_run_state(waiting, Scheduled())
    assert result.status.value == "ACCEPT" and api.run_state(waiting)["type"] == "SCHEDULED"
    assert api.get(f"/flow_runs/{waiting}")["empirical_policy"]["retry_type"] == "reschedule"


def test_running_too_early_waits(client, api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    run = run_deployment(full, timeout=0, scheduled_time=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))
    result = client.set_flow_run_state(run.id, Running())
    assert result.status.value == "WAIT" and 3500 < result.details.delay_seconds <= 3600


def test_filter_by_the_client(client, done, name):
    runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.COMPLETED]))), limit=200)
    assert done in {str(r.id) for r in runs}


def test_rename_and_tag(client, api, done):
    client.update_flow_run(done, name="renamed", tags=["x"])
    run = api.get(f"/flow_runs/{done}")
    assert run["name"] == "renamed" and run["tags"] == ["x"]


def test_labels(client, api, done):
    client.update_flow_run_labels(done, {"team": "blue"})
    labels = api.get(f"/flow_runs/{done}")["labels"]
    assert labels["team"] == "blue" and labels["prefect.flow.id"]


def test_flow_ls_and_delete(client, api, done, name):
    assert name in cli("flow", "ls")
    flow_id = api.get(f"/flow_runs/{done}")["flow_id"]
    client.delete_flow(flow_id)
    api("GET", f"/flows/{flow_id}", status=404)
    api("GET", f"/flow_runs/{done}", status=404)


def test_created_by_the_client(client, name):
    @flow(name=name)
    def f(x): ...

    run = client.create_flow_run(f, parameters={"x": 1}, tags=["made"])
    assert run.state.is_pending() and run.parameters == {"x": 1} and run.tags == ["made"]


def test_result_survives(name, tmp_path):
    @flow(name=name, persist_result=True)
    def f():
        return {"a": [1, 2]}

    state = f(return_state=True)
    with get_client(sync_client=True) as client:
        again = client.read_flow_run(state.state_details.flow_run_id).state
    result = again.result()
    if inspect.isawaitable(result):
        async def main():
            return await result
        result = asyncio.run(main())
    assert result == {"a": [1, 2]}


def test_transaction_rolls_back(api, name):
    undone = []

    @task
    def write():
        return "written"

    @write.on_rollback
    def undo(txn):
        undone.append(True)

    @flow(name=name)
    def f():
        with transaction():
            write()
            raise ValueError("no good")

    assert f(return_state=True).is_failed() and undone == [True]
