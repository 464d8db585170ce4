"""Concurrency limits: of tags, global ones, rates, and of deployments."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest
from conftest import NEW, cli, deploy, eventually
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import concurrency as aconcurrency
from prefect.concurrency.asyncio import rate_limit as arate_limit
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.runtime import task_run as runtime_run
from prefect.states import Completed, Pending, Running


@pytest.fixture
def limit(api, name):
    """Makes a global limit with the case's name."""
    def make(n, **more):
        api.post("/v2/concurrency_limits/", {"name": name, "limit": n, **more})
        return name
    return make


def active(api, name):
    return api.get(f"/v2/concurrency_limits/{name}")["active_slots"]


class Meter:
    """How many are inside at once, at most."""

    def __init__(self):
        self.now = self.most = self.times = 0
        self.lock = threading.Lock()

    def __enter__(self):
        with self.lock:
            self.now += 1
            self.times += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1


# Tags


def test_tag_limit_by_command(name):
    assert name in cli("concurrency-limit", "create", name, "3")
    assert name in cli("concurrency-limit", "inspect", name)
    assert "Concurrency Limits" in cli("concurrency-limit", "ls")
    assert "reset" in cli("concurrency-limit", "reset", name).lower()
    cli("--no-prompt", "concurrency-limit", "delete", name)
    assert "No concurrency limit found" in cli("concurrency-limit", "inspect", name, code=1)
    cli("--no-prompt", "concurrency-limit", "delete", name, code=1)


def test_tag_limit_is_changed(api, name):
    cli("concurrency-limit", "create", name, "3")
    cli("concurrency-limit", "create", name, "5")
    assert api.get(f"/concurrency_limits/tag/{name}")["concurrency_limit"] == 5


def test_tag_limit_by_client(name):
    async def go():
        async with get_client() as client:
            made = await client.create_concurrency_limit(tag=name, concurrency_limit=2)
            read = await client.read_concurrency_limit_by_tag(name)
            listed = await client.read_concurrency_limits(limit=200, offset=0)
            await client.reset_concurrency_limit_by_tag(name)
            await client.delete_concurrency_limit_by_tag(name)
            return made, read, listed
    made, read, listed = asyncio.run(go())
    assert made == read.id and read.active_slots == [] and name in [l.tag for l in listed]


def test_tagged_tasks_wait_for_each_other(api, name):
    """The one that waits asks again after 30 s (3.4.9)."""
    cli("concurrency-limit", "create", name, "1")
    meter = Meter()

    @task(tags=[name])
    def slow():
        with meter:
            time.sleep(1)

    @flow(name=name)
    def f():
        for future in [slow.submit() for _ in range(2)]:
            future.result()

    f()
    assert meter.times == 2 and meter.most == 1
    eventually(lambda: api.get(f"/concurrency_limits/tag/{name}")["active_slots"] == [])


def test_a_running_task_holds_the_slot(api, name):
    cli("concurrency-limit", "create", name, "2")
    seen = []

    @task(tags=[name])
    def looks():
        seen.extend(api.get(f"/concurrency_limits/tag/{name}")["active_slots"])
        return runtime_run.id

    @flow(name=name)
    def f():
        return looks()

    assert [str(f())] == seen


def test_a_failed_task_gives_the_slot_back(api, name):
    cli("concurrency-limit", "create", name, "1")

    @task(tags=[name], retries=1)
    def breaks():
        raise ValueError("no good")

    @flow(name=name)
    def f():
        breaks()

    with pytest.raises(ValueError):
        f()
    eventually(lambda: api.get(f"/concurrency_limits/tag/{name}")["active_slots"] == [])


def test_a_tag_limit_of_zero_fails_the_task(name):
    cli("concurrency-limit", "create", name, "0")

    @task(tags=[name])
    def never():
        raise AssertionError("it ran")

    @flow(name=name)
    def f():
        never()

    with pytest.raises(Exception, match="Unable to acquire"):
        f()


# Global limits


def test_global_limit_by_command(name):
    assert name in cli("gcl", "create", name, "--limit", "2")
    assert "limit=2" in cli("gcl", "inspect", name)
    cli("gcl", "update", name, "--limit", "4")
    cli("gcl", "update", name, "--active-slots", "1")
    out = cli("gcl", "inspect", name)
    assert "limit=4" in out and "active_slots=1" in out
    cli("gcl", "disable", name)
    assert "already disabled" in cli("gcl", "disable", name, code=1)
    cli("gcl", "enable", name)
    assert "Global Concurrency Limits" in cli("gcl", "ls")
    assert "already exists" in cli("gcl", "create", name, "--limit", "2", code=1)
    cli("--no-prompt", "gcl", "delete", name)
    assert "not found" in cli("gcl", "inspect", name, code=1)


def test_concurrency(api, limit):
    name, meter = limit(1), Meter()

    @task
    def limited():
        with concurrency(name), meter:
            time.sleep(0.3)

    @flow(name=name)
    def f():
        for future in [limited.submit() for _ in range(3)]:
            future.result()

    f()
    assert meter.times == 3 and meter.most == 1 and active(api, name) == 0


def test_concurrency_in_async_code(api, limit):
    name, meter = limit(2), Meter()

    @task
    async def limited():
        async with aconcurrency(name):
            with meter:
                await asyncio.sleep(0.3)

    @flow(name=name)
    async def f():
        await asyncio.gather(*[limited() for _ in range(4)])

    asyncio.run(f())
    assert meter.times == 4 and meter.most <= 2 and active(api, name) == 0


def test_concurrency_occupies_what_it_says(api, limit):
    name = limit(5)
    with concurrency(name, occupy=3):
        assert active(api, name) == 3
    assert active(api, name) == 0


def test_an_error_gives_the_slot_back(api, limit):
    name = limit(1)
    with pytest.raises(ZeroDivisionError), concurrency(name):
        1 / 0  # noqa: B018
    assert active(api, name) == 0


def test_several_limits_at_once(api, limit, name):
    limit(1)
    api.post("/v2/concurrency_limits/", {"name": name + "-b", "limit": 2})
    with concurrency([name, name + "-b", "unknown-" + name]):
        assert active(api, name) == 1 and active(api, name + "-b") == 1
    assert active(api, name) == 0 and active(api, name + "-b") == 0


def test_more_than_the_limit_is_refused(limit):
    name = limit(2)
    with pytest.raises(Exception, match="Unable to acquire"), concurrency(name, occupy=3):
        pass


def test_waiting_ends(limit):
    name = limit(1)
    with concurrency(name), pytest.raises(TimeoutError), concurrency(name, timeout_seconds=1):
        raise AssertionError("two are inside")


def test_strict_wants_the_limit_to_exist(name):
    with concurrency("no-" + name):
        pass
    with pytest.raises(Exception, match="does not exist|do not exist|strict"), concurrency("no-" + name, strict=True):
        pass


def test_an_inactive_limit_lets_all_in(api, limit):
    name = limit(1)
    api("PATCH", f"/v2/concurrency_limits/{name}", {"active": False})
    with concurrency(name), concurrency(name, timeout_seconds=5):
        pass


def test_concurrency_events(api, limit):
    name = limit(1)

    @flow(name=name)
    def f():
        with concurrency(name):
            pass

    f()
    resource = "prefect.concurrency-limit." + api.get(f"/v2/concurrency_limits/{name}")["id"]
    eventually(lambda: len(api.events(resource, "prefect.concurrency-limit.acquired", "prefect.concurrency-limit.released")) == 2)


def test_rate_limit(limit):
    name = limit(2, slot_decay_per_second=2.0)
    began = time.monotonic()
    for _ in range(4):
        rate_limit(name)
    # two at once, and one each half second then
    assert time.monotonic() - began > 0.5


def test_rate_limit_in_async_code(limit):
    name = limit(1, slot_decay_per_second=5.0)

    async def go():
        for _ in range(3):
            await arate_limit(name)
    asyncio.run(go())


def test_rate_limit_wants_decay(limit):
    with pytest.raises(Exception, match="Unable to acquire"):
        rate_limit(limit(1))


HOLDER = """
import sys, time
from prefect import flow
from prefect.concurrency.sync import concurrency
@flow
def holds():
    with concurrency(sys.argv[1]{more}):
        print("holding", flush=True)
        time.sleep(600)
holds()
"""


def test_slots_of_a_killed_client_return(api, limit, tmp_path):
    """30 s after its connection broke (3.4.9), or when its lease ends (3.8.8)."""
    name = limit(1)
    script = tmp_path / "holds.py"
    script.write_text(HOLDER.format(more=", lease_duration=60" if NEW else ""))
    p = subprocess.Popen([sys.executable, str(script), name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert "holding" in p.stdout.readline()
        time.sleep(1)  # 3.4.9 says what it holds by an event, a moment later
        assert active(api, name) == 1
    finally:
        p.kill()
        p.wait()
    eventually(lambda: active(api, name) == 0, timeout=75, every=1)


# Deployments


def limited_runs(api, project, pool, name, *args):
    full = deploy(project, pool, "flows.py:adder", "--concurrency-limit", "1", *args, name=name)
    d = api.get(f"/deployments/name/{full}")
    return d, [api.post(f"/deployments/{d['id']}/create_flow_run")["id"] for _ in range(2)]


def propose(run_id, *states):
    """Proposes states as a worker does; returns the answer to the last."""
    async def go():
        async with get_client() as client:
            for state in states:
                result = await client.set_flow_run_state(run_id, state)
            return result
    return asyncio.run(go())


def test_deployment_limit_queues(api, project, pool, name):
    d, (a, b) = limited_runs(api, project, pool, name)
    assert propose(a, Pending()).status.value == "ACCEPT"
    r = propose(b, Pending())
    assert r.status.value == "REJECT" and r.state.name == "AwaitingConcurrencySlot"
    assert r.details.reason == "Deployment concurrency limit reached."
    assert active(api, "deployment:" + d["id"]) == 1
    propose(a, Running(), Completed())
    assert propose(b, Pending()).status.value == "ACCEPT"


def test_deployment_limit_cancels(api, project, pool, name):
    _, (a, b) = limited_runs(api, project, pool, name, "--collision-strategy", "CANCEL_NEW")
    assert propose(a, Pending()).status.value == "ACCEPT"
    assert propose(b, Pending()).state.type.value == "CANCELLED"


@pytest.mark.skipif(not NEW, reason="3.4.9 renews no leases")
def test_deployment_slot_is_leased(api, project, pool, name):
    _, (a, _) = limited_runs(api, project, pool, name)
    lease = propose(a, Pending()).state.state_details.deployment_concurrency_lease_id
    api("POST", f"/v2/concurrency_limits/leases/{lease}/renew", {"lease_duration": 300}, status=204)
