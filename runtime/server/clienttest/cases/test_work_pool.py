"""Work pools and queues from the command line."""

import json

from conftest import cli, deploy, eventually
from prefect.deployments import run_deployment


def test_create(api, name):
    out = cli("work-pool", "create", name, "--type", "process")
    assert f"Created work pool '{name}'" in out
    pool = api.get(f"/work_pools/{name}")
    assert pool["type"] == "process" and pool["status"] == "NOT_READY" and not pool["is_paused"]
    assert "command" in pool["base_job_template"]["variables"]["properties"]


def test_create_twice(name):
    cli("work-pool", "create", name, "--type", "process")
    assert "already exists" in cli("work-pool", "create", name, "--type", "process", code=1)


def test_create_overwrites(api, name):
    cli("work-pool", "create", name, "--type", "process")
    cli("work-pool", "create", name, "--type", "process", "--paused", "--overwrite")
    assert api.get(f"/work_pools/{name}")["is_paused"] is True


def test_ls_and_inspect(pool):
    assert pool in cli("work-pool", "ls")
    out = cli("work-pool", "inspect", pool)
    assert pool in out and "process" in out
    assert json.loads(cli("work-pool", "inspect", pool, "-o", "json"))["name"] == pool


def test_inspect_unknown():
    assert "not found" in cli("work-pool", "inspect", "no-such-pool", code=1)


def test_pause_and_resume(api, pool):
    cli("work-pool", "pause", pool)
    assert api.get(f"/work_pools/{pool}")["status"] == "PAUSED"
    cli("work-pool", "resume", pool)
    assert api.get(f"/work_pools/{pool}")["status"] == "NOT_READY"


def test_concurrency_limit(api, pool):
    cli("work-pool", "set-concurrency-limit", pool, "7")
    assert api.get(f"/work_pools/{pool}")["concurrency_limit"] == 7
    cli("work-pool", "clear-concurrency-limit", pool)
    assert api.get(f"/work_pools/{pool}")["concurrency_limit"] is None


def test_update(api, pool, tmp_path):
    template = cli("work-pool", "get-default-base-job-template", "--type", "process")
    (tmp_path / "t.json").write_text(template)
    cli("work-pool", "update", pool, "--description", "for all", "--concurrency-limit", "3", "--base-job-template", tmp_path / "t.json")
    p = api.get(f"/work_pools/{pool}")
    assert p["description"] == "for all" and p["concurrency_limit"] == 3 and p["base_job_template"] == json.loads(template)


def test_delete(api, pool):
    cli("work-pool", "delete", pool, input="y\n")
    api("GET", f"/work_pools/{pool}", status=404)


def test_preview(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    run = run_deployment(full, timeout=0)
    out = cli("work-pool", "preview", pool)
    assert str(run.id) in out or run.name in out


def test_reserved_name():
    out = cli("work-pool", "create", "prefect-pool", "--type", "process", code=1)
    assert "prefect-pool" in out or "reserved" in out


def test_queue_create_and_ls(api, pool):
    out = cli("work-queue", "create", "fast", "--pool", pool, "--limit", "4", "--priority", "1")
    assert "fast" in out
    queues = api.post(f"/work_pools/{pool}/queues/filter")
    assert [(q["name"], q["priority"]) for q in queues] == [("fast", 1), ("default", 2)] and queues[0]["concurrency_limit"] == 4
    out = cli("work-queue", "ls", "--pool", pool)
    assert "fast" in out and "default" in out


def test_queue_create_twice(pool):
    cli("work-queue", "create", "fast", "--pool", pool)
    assert "already exists" in cli("work-queue", "create", "fast", "--pool", pool, code=1)


def test_queue_pause_and_resume(api, pool):
    cli("work-queue", "create", "slow", "--pool", pool)
    cli("work-queue", "pause", "slow", "--pool", pool)
    assert api.get(f"/work_pools/{pool}/queues/slow")["status"] == "PAUSED"
    cli("work-queue", "resume", "slow", "--pool", pool)
    assert api.get(f"/work_pools/{pool}/queues/slow")["is_paused"] is False


def test_queue_limit(api, pool):
    cli("work-queue", "set-concurrency-limit", "default", "2", "--pool", pool)
    assert api.get(f"/work_pools/{pool}/queues/default")["concurrency_limit"] == 2
    cli("work-queue", "clear-concurrency-limit", "default", "--pool", pool)
    assert api.get(f"/work_pools/{pool}/queues/default")["concurrency_limit"] is None


def test_queue_inspect_and_delete(api, pool):
    cli("work-queue", "create", "gone", "--pool", pool)
    assert "gone" in cli("work-queue", "inspect", "gone", "--pool", pool)
    cli("work-queue", "delete", "gone", "--pool", pool, input="y\n")
    api("GET", f"/work_pools/{pool}/queues/gone", status=404)


def test_queue_preview(project, pool, name):
    full = deploy(project, pool, "flows.py:adder", "-q", "fast", name=name)
    run = run_deployment(full, timeout=0)
    out = cli("work-queue", "preview", "fast", "--pool", pool)
    assert str(run.id) in out or run.name in out


def test_deleting_a_pool_frees_its_deployments(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    cli("work-pool", "delete", pool, input="y\n")
    d = api.get(f"/deployments/name/{full}")
    assert d["work_pool_name"] is None and d["work_queue_name"] is None
