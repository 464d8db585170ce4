"""Limits: of tags, of names, of rate, of deployments."""

import asyncio
import threading
import time

import pytest
from conftest import NEW, cli, deploy, eventually
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import concurrency as async_concurrency
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.deployments import run_deployment
from prefect.states import Pending


def limit(api, name, n, **more):
    return api.post("/v2/concurrency_limits/", {"name": name, "limit": n, **more})


def active(api, name):
    return api.get(f"/v2/concurrency_limits/{name}")["active_slots"]


def test_tag_limit_commands(api, name):
    cli("concurrency-limit", "create", name, "3")
    assert name in cli("concurrency-limit", "ls") and "3" in cli("concurrency-limit", "inspect", name)
    assert api.get(f"/concurrency_limits/tag/{name}")["concurrency_limit"] == 3
    cli("concurrency-limit", "create", name, "5")
    assert api.get(f"/concurrency_limits/tag/{name}")["concurrency_limit"] == 5
    cli("concurrency-limit", "reset", name)
    cli("concurrency-limit", "delete", name)
    api("GET", f"/concurrency_limits/tag/{name}", status=404)


def test_tag_limit_holds(api, name):
    api.post("/concurrency_limits/", {"tag": name, "concurrency_limit": 1})
    lock, now, most = threading.Lock(), 0, 0

    @task(tags=[name])
    def t():
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.2)
        with lock:
            now -= 1

    @flow(name=name)
    def f():
        t()
        t()

    f()
    assert most == 1
    eventually(lambda: api.get(f"/concurrency_limits/tag/{name}")["active_slots"] == [])


def test_tag_limit_zero(api, name):
    api.post("/concurrency_limits/", {"tag": name, "concurrency_limit": 0})

    @task(tags=[name])
    def t(): ...

    @flow(name=name)
    def f():
        t()

    with pytest.raises(Exception):
        f()


def test_slots_are_taken_and_freed(api, name):
    limit(api, name, 2)
    with concurrency(name, occupy=2, timeout_seconds=10):
        assert active(api, name) == 2
    eventually(lambda: active(api, name) == 0)


def test_full_limit_times_out(api, name):
    limit(api, name, 1)
    with concurrency(name, timeout_seconds=10):
        with pytest.raises(TimeoutError):
            with concurrency(name, timeout_seconds=1):
                pass
    eventually(lambda: active(api, name) == 0)


def test_waits_for_a_slot(api, name):
    limit(api, name, 1)
    order = []

    def hold():
        with concurrency(name, timeout_seconds=20):
            order.append("first")
            time.sleep(0.5)

    t = threading.Thread(target=hold)
    t.start()
    eventually(lambda: order == ["first"])
    with concurrency(name, timeout_seconds=30):
        order.append("second")
    t.join()
    assert order == ["first", "second"]


def test_several_names(api, name):
    limit(api, name + "-a", 1)
    limit(api, name + "-b", 1)
    with concurrency([name + "-a", name + "-b"], timeout_seconds=10):
        assert active(api, name + "-a") == 1 and active(api, name + "-b") == 1
    eventually(lambda: active(api, name + "-a") + active(api, name + "-b") == 0)


def test_unknown_name_is_granted(name):
    with concurrency(name, timeout_seconds=5):
        pass


def test_strict_unknown_name(name):
    with pytest.raises(Exception, match="[Cc]oncurrency limit"):
        with concurrency(name, timeout_seconds=5, strict=True):
            pass


def test_async(api, name):
    limit(api, name, 3)

    async def main():
        async with async_concurrency(name, occupy=3, timeout_seconds=10):
            return active(api, name)

    assert asyncio.run(main()) == 3
    eventually(lambda: active(api, name) == 0)


def test_error_inside_frees(api, name):
    limit(api, name, 1)
    with pytest.raises(ZeroDivisionError):
        with concurrency(name, timeout_seconds=10):
            1 / 0
    eventually(lambda: active(api, name) == 0)


def test_rate_limit(api, name):
    limit(api, name, 2, slot_decay_per_second=2.0)
    began = time.monotonic()
    for _ in range(4):
        rate_limit(name)
    assert time.monotonic() - began >= 0.4  # two at once, then two a second


def test_rate_limit_needs_decay(api, name):
    limit(api, name, 1)
    with pytest.raises(Exception):
        rate_limit(name, timeout_seconds=2)


def test_gcl_commands(api, name):
    cli("gcl", "create", name, "--limit", "4", "--slot-decay-per-second", "0.5")
    assert name in cli("gcl", "ls") and name in cli("gcl", "inspect", name)
    cli("gcl", "update", name, "--limit", "9")
    cli("gcl", "disable", name)
    row = api.get(f"/v2/concurrency_limits/{name}")
    assert row["limit"] == 9 and row["active"] is False and row["slot_decay_per_second"] == 0.5
    cli("gcl", "enable", name)
    assert api.get(f"/v2/concurrency_limits/{name}")["active"] is True
    cli("gcl", "delete", name, input="y\n")
    api("GET", f"/v2/concurrency_limits/{name}", status=404)


def test_gcl_twice(name):
    cli("gcl", "create", name, "--limit", "1")
    cli("gcl", "create", name, "--limit", "1", code=1)


def test_disabled_limit_grants(api, name):
    limit(api, name, 1, active=False)
    with concurrency(name, timeout_seconds=5), concurrency(name, timeout_seconds=5):
        pass


def claims(api, project, pool, name, strategy):
    """What becomes of two runs of a deployment with one slot, when both are claimed."""
    full = deploy(project, pool, "flows.py:adder", "-cl", "1", "--collision-strategy", strategy, name=name)
    runs = [run_deployment(full, timeout=0) for _ in range(2)]
    with get_client(sync_client=True) as client:
        return runs, [client.set_flow_run_state(r.id, Pending()) for r in runs]


def test_deployment_limit_enqueues(api, project, pool, name):
    runs, (first, second) = claims(api, project, pool, name, "ENQUEUE")
    assert first.status.value == "ACCEPT" and second.status.value == "REJECT"
    assert api.run_state(runs[1].id)["name"] == "AwaitingConcurrencySlot"


def test_deployment_limit_cancels_new(api, project, pool, name):
    runs, (first, second) = claims(api, project, pool, name, "CANCEL_NEW")
    assert first.status.value == "ACCEPT" and api.run_state(runs[1].id)["type"] == "CANCELLED"


@pytest.mark.skipif(not NEW, reason="3.4.9 takes no leases")
def test_lease_ends_with_its_holder(api, name):
    limit(api, name, 1)
    lease = api.post("/v2/concurrency_limits/increment-with-lease", {"names": [name], "slots": 1, "mode": "concurrency", "lease_duration": 60})
    assert active(api, name) == 1
    api("POST", f"/v2/concurrency_limits/leases/{lease['lease_id']}/renew", {"lease_duration": 60}, status=204)
    api("POST", "/v2/concurrency_limits/decrement-with-lease", {"lease_id": lease["lease_id"]}, status=204)
    assert active(api, name) == 0
