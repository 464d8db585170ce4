"""Flows that run in the user's own process, as `python flow.py` does."""

import asyncio
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from conftest import eventually
from prefect import allow_failure, flow, get_run_logger, tags, task, unmapped
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.context import get_run_context
from prefect.exceptions import FailedRun, ParameterTypeError
from prefect.runtime import flow_run as runtime_run
from prefect.states import Cancelled, Completed, Failed


def the_run(api, flow_name, **more):
    runs = api.post("/flow_runs/filter", {"flows": {"name": {"any_": [flow_name]}}, **more})
    assert len(runs) == 1, [r["name"] for r in runs]
    return runs[0]


def task_runs(api, run_id, n):
    """Task runs arrive as events, in their own time."""
    def there():
        rows = api.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
        assert len(rows) == n and all(r["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") for r in rows), [(r["name"], r["state_name"]) for r in rows]
        return rows if n else True
    return eventually(there)


def test_completes(api, name):
    @flow(name=name)
    def f(x: int, y: str = "b"):
        return x

    assert f(1) == 1
    run = the_run(api, name)
    assert run["state_type"] == "COMPLETED" and run["state_name"] == "Completed"
    assert run["parameters"] == {"x": 1, "y": "b"} and run["run_count"] == 1
    assert run["start_time"] and run["end_time"] and run["total_run_time"] > 0


def test_states_of_a_run(api, name):
    @flow(name=name)
    def f(): ...

    f()
    states = api.get(f"/flow_run_states/?flow_run_id={the_run(api, name)['id']}")
    assert [s["type"] for s in states] == ["PENDING", "RUNNING", "COMPLETED"]


def test_fails(api, name):
    @flow(name=name)
    def f():
        raise ValueError("no good")

    with pytest.raises(ValueError, match="no good"):
        f()
    run = the_run(api, name)
    assert run["state_type"] == "FAILED" and "no good" in run["state"]["message"]


def test_return_state(api, name):
    @flow(name=name)
    def f():
        return Completed(message="said so", name="Fine")

    state = f(return_state=True)
    assert state.is_completed() and state.name == "Fine"
    run = the_run(api, name)
    assert run["state_name"] == "Fine" and run["state"]["message"] == "said so"


def test_returned_failed_state(api, name):
    @flow(name=name)
    def f():
        return Failed(message="by hand")

    assert f(return_state=True).is_failed()
    assert the_run(api, name)["state"]["message"] == "by hand"


def test_returned_cancelled_state(api, name):
    @flow(name=name)
    def f():
        return Cancelled()

    assert f(return_state=True).is_cancelled()
    assert the_run(api, name)["state_type"] == "CANCELLED"


def test_tasks_are_recorded(api, name):
    @task
    def double(x):
        return 2 * x

    @flow(name=name)
    def f():
        return double(1) + double(2)

    assert f() == 6
    rows = task_runs(api, the_run(api, name)["id"], 2)
    assert sorted(r["dynamic_key"][:3] for r in rows) and {r["task_key"].split("-")[0] for r in rows} == {"double"}
    assert all(r["run_count"] == 1 and r["total_run_time"] >= 0 for r in rows)


def test_task_failure(api, name):
    @task
    def bad():
        raise RuntimeError("task no good")

    @flow(name=name)
    def f():
        bad()

    assert f(return_state=True).is_failed()
    (row,) = task_runs(api, the_run(api, name)["id"], 1)
    assert row["state_type"] == "FAILED" and "task no good" in row["state"]["message"]


def test_task_retries(api, name):
    seen = []

    @task(retries=2, retry_delay_seconds=0.05)
    def flaky():
        seen.append(1)
        if len(seen) < 3:
            raise ValueError("not yet")
        return len(seen)

    @flow(name=name)
    def f():
        return flaky()

    assert f() == 3
    (row,) = task_runs(api, the_run(api, name)["id"], 1)
    assert row["run_count"] == 3 and row["empirical_policy"]["retries"] == 2
    names = [s["name"] for s in api.get(f"/task_run_states/?task_run_id={row['id']}")]
    assert names[0] == "Pending" and names[-1] == "Completed" and "Retrying" in names, names


def test_task_retries_with_delay(api, name):
    seen = []

    @task(retries=1, retry_delay_seconds=0.3)
    def flaky():
        seen.append(time.monotonic())
        if len(seen) < 2:
            raise ValueError("not yet")

    @flow(name=name)
    def f():
        flaky()

    f()
    assert seen[1] - seen[0] >= 0.3
    (row,) = task_runs(api, the_run(api, name)["id"], 1)
    assert "AwaitingRetry" in [s["name"] for s in api.get(f"/task_run_states/?task_run_id={row['id']}")]


def test_flow_retries(api, name):
    @flow(name=name, retries=2, retry_delay_seconds=0.1)
    def f():
        if runtime_run.run_count < 3:
            raise ValueError("not yet")
        return runtime_run.run_count

    assert f() == 3
    run = the_run(api, name)
    assert run["run_count"] == 3 and run["state_type"] == "COMPLETED"
    names = [s["name"] for s in api.get(f"/flow_run_states/?flow_run_id={run['id']}")]
    assert names.count("AwaitingRetry") == 2 and names.count("Running") + names.count("Retrying") == 3, names


def test_flow_retries_exhausted(api, name):
    @flow(name=name, retries=1)
    def f():
        raise ValueError("never")

    assert f(return_state=True).is_failed()
    run = the_run(api, name)
    assert run["run_count"] == 2 and run["empirical_policy"]["retries"] == 1


def test_flow_timeout(api, name):
    @flow(name=name, timeout_seconds=0.3)
    def f():
        time.sleep(5)

    with pytest.raises(TimeoutError):
        f()
    run = the_run(api, name)
    assert run["state_type"] == "FAILED" and run["state_name"] == "TimedOut"


def test_task_timeout(api, name):
    @task(timeout_seconds=0.3)
    def slow():
        time.sleep(5)

    @flow(name=name)
    def f():
        slow()

    assert f(return_state=True).is_failed()
    (row,) = task_runs(api, the_run(api, name)["id"], 1)
    assert row["state_name"] == "TimedOut"


def test_cached_task(api, name):
    calls = []

    @task(cache_policy=INPUTS, cache_expiration=timedelta(minutes=5), persist_result=True)
    def once(x):
        calls.append(x)
        return x * 10

    @flow(name=name)
    def f(salt):
        return once(salt), once(salt)

    assert f(name) == (name * 10, name * 10) and len(calls) == 1
    rows = task_runs(api, the_run(api, name)["id"], 2)
    assert sorted(r["state_name"] for r in rows) == ["Cached", "Completed"]


def test_subflow(api, name):
    @flow(name=name + "-child")
    def child(n):
        return n + 1

    @flow(name=name)
    def parent():
        return child(1)

    assert parent() == 2
    up, down = the_run(api, name), the_run(api, name + "-child")
    assert down["parent_task_run_id"]
    (placeholder,) = task_runs(api, up["id"], 1)
    assert placeholder["id"] == down["parent_task_run_id"]
    assert placeholder["state"]["state_details"]["child_flow_run_id"] == down["id"]


def test_subflow_fails(api, name):
    @flow(name=name + "-child")
    def child():
        raise ValueError("child no good")

    @flow(name=name)
    def parent():
        child()

    assert parent(return_state=True).is_failed()
    (placeholder,) = task_runs(api, the_run(api, name)["id"], 1)
    assert placeholder["state_type"] == "FAILED"


def test_parent_filter(api, name):
    @flow(name=name + "-child")
    def child(): ...

    @flow(name=name)
    def parent():
        child()
        child()

    parent()
    up = the_run(api, name)
    assert len(api.runs(parent_flow_run_id={"any_": [up["id"]]})) == 2
    assert len(api.runs(parent_task_run_id={"is_null_": True}, id={"any_": [up["id"]]})) == 1


def test_async_flow(api, name):
    @task
    async def double(x):
        await asyncio.sleep(0)
        return 2 * x

    @flow(name=name)
    async def f():
        return sum(await asyncio.gather(*[double(i) for i in range(5)]))

    assert asyncio.run(f()) == 20
    task_runs(api, the_run(api, name)["id"], 5)


def test_async_subflow_and_generator(api, name):
    @flow(name=name + "-child")
    async def child(n):
        return n + 1

    @flow(name=name)
    async def f():
        return await child(1)

    assert asyncio.run(f()) == 2
    assert the_run(api, name + "-child")["state_type"] == "COMPLETED"


def test_generator_flow(api, name):
    @flow(name=name)
    def f():
        yield 1
        yield 2

    assert list(f()) == [1, 2]
    assert the_run(api, name)["state_type"] == "COMPLETED"


def test_map(api, name):
    @task
    def add(x, y):
        return x + y

    @flow(name=name)
    def f():
        return sum(add.map(range(10), unmapped(1)).result())

    assert f() == 55
    task_runs(api, the_run(api, name)["id"], 10)


def test_submit_and_wait_for(api, name):
    @task
    def one():
        return 1

    @task
    def two(x):
        return x + 1

    @flow(name=name)
    def f():
        a = one.submit()
        b = two.submit(a, wait_for=[a])
        return b.result()

    assert f() == 2
    rows = task_runs(api, the_run(api, name)["id"], 2)
    inputs = {r["task_key"].split("-")[0]: r["task_inputs"] for r in rows}
    first = next(r["id"] for r in rows if r["task_key"].startswith("one"))
    assert [i["id"] for i in inputs["two"]["x"]] == [first] and [i["id"] for i in inputs["two"]["wait_for"]] == [first]


def test_allow_failure(api, name):
    @task
    def bad():
        raise ValueError("no good")

    @task
    def after(x):
        return "went on"

    @flow(name=name)
    def f():
        return after.submit(allow_failure(bad.submit())).result()

    assert f() == "went on"
    rows = task_runs(api, the_run(api, name)["id"], 2)
    assert sorted(r["state_type"] for r in rows) == ["COMPLETED", "FAILED"]


def test_upstream_failure_is_not_ready(api, name):
    @task
    def bad():
        raise ValueError("no good")

    @task
    def after(x): ...

    @flow(name=name)
    def f():
        after.submit(bad.submit()).wait()

    f(return_state=True)
    def there():
        rows = api.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [the_run(api, name)["id"]]}}})
        assert sorted(r["state_name"] for r in rows) == ["Failed", "NotReady"], rows
        return True
    eventually(there)


def test_many_tasks(api, name):
    @task
    def noop(i): ...

    @flow(name=name)
    def f():
        for i in range(100):
            noop(i)

    f()
    task_runs(api, the_run(api, name)["id"], 100)


def test_logs(api, name):
    @task
    def t():
        get_run_logger().warning("from the task")

    @flow(name=name, log_prints=True)
    def f():
        get_run_logger().info("from the flow")
        print("printed")
        t()

    f()
    run = the_run(api, name)
    lines = eventually(lambda: (ls := api.logs(run["id"])) and "Finished in state Completed()" in ls[-1] and ls)
    assert "from the flow" in lines and "printed" in lines and "from the task" in lines
    rows = api.post("/logs/filter", {"logs": {"level": {"ge_": 30}, "flow_run_id": {"any_": [run["id"]]}}})
    assert [r["message"] for r in rows] == ["from the task"] and rows[0]["task_run_id"]


def test_run_name_and_tags(api, name):
    @flow(name=name, flow_run_name="adding {a}")
    def f(a): ...

    with tags("blue", "red"):
        f(3)
    run = the_run(api, name)
    assert run["name"] == "adding 3" and sorted(run["tags"]) == ["blue", "red"]
    assert [r["id"] for r in api.runs(tags={"all_": ["blue"]}, name={"like_": "adding"})] == [run["id"]]


def test_task_run_name_and_tags(api, name):
    @task(task_run_name="item {i}", tags=["green"])
    def t(i): ...

    @flow(name=name)
    def f():
        t(7)

    f()
    (row,) = task_runs(api, the_run(api, name)["id"], 1)
    assert row["name"] == "item 7" and row["tags"] == ["green"]


def test_parameters_are_checked(api, name):
    @flow(name=name)
    def f(x: int): ...

    with pytest.raises(ParameterTypeError):
        f("not a number")
    assert the_run(api, name)["state_type"] == "FAILED"


def test_crash(api, name):
    @flow(name=name)
    def f():
        raise KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        f()
    run = the_run(api, name)
    assert run["state_type"] == "CRASHED" and "Execution was aborted" in run["state"]["message"]


def test_hooks(api, name):
    seen = []

    @flow(name=name, on_completion=[lambda f, run, state: seen.append((run.name, state.type.value))], on_running=[lambda f, run, state: seen.append("running")])
    def f(): ...

    f()
    assert seen == ["running", (the_run(api, name)["name"], "COMPLETED")]


def test_run_context(api, name):
    @flow(name=name)
    def f():
        return get_run_context().flow_run

    run = f()
    assert str(run.id) == the_run(api, name)["id"] and run.name


def test_flow_of_one_name_is_one(api, name):
    @flow(name=name)
    def f(): ...

    f(), f()
    flows = api.post("/flows/filter", {"flows": {"name": {"any_": [name]}}})
    assert len(flows) == 1
    assert len(api.post("/flow_runs/filter", {"flows": {"id": {"any_": [flows[0]["id"]]}}})) == 2


def test_task_alone(api, name):
    code = f"from prefect import task\n@task(name='{name}')\ndef t(x): return x + 1\nassert t(1) == 2"
    subprocess.run([sys.executable, "-c", code], check=True)

    def there():
        (row,) = api.post("/task_runs/filter", {"task_runs": {"name": {"like_": name}}})
        assert row["flow_run_id"] is None and row["state_type"] == "COMPLETED", row
        return row
    eventually(there)


def test_big_parameters(api, name):
    @flow(name=name)
    def f(text: str):
        return len(text)

    assert f("x" * 200_000) == 200_000
    assert len(the_run(api, name)["parameters"]["text"]) == 200_000


def test_read_by_client(name):
    @flow(name=name)
    def f():
        return 1

    state = f(return_state=True)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
        assert run.state.is_completed() and run.estimated_run_time.total_seconds() > 0
        assert client.read_flow(run.flow_id).name == name
        assert [s.type.value for s in client.read_flow_run_states(run.id)] == ["PENDING", "RUNNING", "COMPLETED"]


def test_events_of_a_run(api, name):
    @flow(name=name)
    def f(): ...

    run_id = str(f(return_state=True).state_details.flow_run_id)
    def there():
        events = [e for e in api.events(f"prefect.flow-run.{run_id}") if not e["event"].endswith(".heartbeat")]  # 3.8.8 sends those
        assert [e["event"] for e in events] == ["prefect.flow-run.Pending", "prefect.flow-run.Running", "prefect.flow-run.Completed"]
        return events
    events = eventually(there)
    assert events[1]["follows"] == events[0]["id"] and events[2]["payload"]["validated_state"]["type"] == "COMPLETED"
