"""Background tasks: `.delay()` and `prefect task serve`."""

import textwrap

import pytest
from conftest import eventually, process

TASKS = """
from prefect import flow, task

@task(name="{name}", log_prints=True)
def shout(text: str, n: int = 1):
    print("SAYS", text * n)
    return text.upper()

@task(name="{name}-bad")
def bad():
    raise ValueError("background no good")
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "tasks.py").write_text(TASKS.format(name="shout-case"))
    with process("prefect", "task", "serve", "tasks.py:shout", "tasks.py:bad", cwd=folder) as text:
        import sys

        sys.path.insert(0, str(folder))
        yield text
        sys.path.remove(str(folder))


def state_of(api, future):
    return api.get(f"/task_runs/{future.task_run_id}")["state"]


def test_delay(api, served):
    import tasks

    future = tasks.shout.delay("hello", n=2)
    eventually(lambda: state_of(api, future)["type"] == "COMPLETED", 45)
    names = [s["name"] for s in api.get(f"/task_run_states/?task_run_id={future.task_run_id}")]
    assert names[0] == "Scheduled" and names[-1] == "Completed", names


def test_result_of_a_future(served):
    import tasks

    assert tasks.shout.delay("abc").result(timeout=45) == "ABC"


def test_many(api, served):
    import tasks

    futures = [tasks.shout.delay(f"n{i}") for i in range(10)]
    eventually(lambda: all(state_of(api, f)["type"] == "COMPLETED" for f in futures), 60)


def test_failure(api, served):
    import tasks

    future = tasks.bad.delay()
    state = eventually(lambda: (s := state_of(api, future))["type"] == "FAILED" and s, 45)
    assert "background no good" in state["message"]


def test_queued_before_the_worker(api, tmp_path):
    (tmp_path / "late.py").write_text(textwrap.dedent("""
        from prefect import task

        @task(name="late-case")
        def later(x):
            return x
    """))
    import sys

    sys.path.insert(0, str(tmp_path))
    import late

    future = late.later.delay(1)
    assert state_of(api, future)["type"] == "SCHEDULED"
    with process("prefect", "task", "serve", "late.py:later", cwd=tmp_path):
        eventually(lambda: state_of(api, future)["type"] == "COMPLETED", 45)


def test_task_workers_are_listed(api, served):
    rows = eventually(lambda: api.post("/task_workers/filter", {"task_worker_filter": {"task_keys": []}}) or api.post("/task_workers/filter"))
    assert any("shout" in k for r in rows for k in r["task_keys"])
