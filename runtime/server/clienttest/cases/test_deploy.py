"""`prefect deploy` and what is done with deployments."""

import pytest
import yaml
from conftest import cli, deploy, eventually, new_id
from prefect.client.orchestration import get_client


def read(api, full):
    return api.get(f"/deployments/name/{full}")


def test_deploy(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    d = read(api, full)
    assert d["work_pool_name"] == pool and d["work_queue_name"] == "default" and d["entrypoint"] == "flows.py:adder"
    assert d["parameter_openapi_schema"]["properties"]["a"]["default"] == 1 and d["enforce_parameter_schema"] is True
    assert d["description"] == "Adds." and d["status"] == "NOT_READY" and d["schedules"] == []


def test_deploy_twice_is_one(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    first = read(api, full)
    deploy(project, pool, "flows.py:adder", "--tag", "new", name=name)
    again = read(api, full)
    assert again["id"] == first["id"] and again["tags"] == ["new"]


def test_deploy_to_missing_pool(project, name):
    out = cli("--no-prompt", "deploy", "flows.py:adder", "-n", name, "-p", "nowhere-" + name, code=1, cwd=project)
    assert "nowhere" in out


def test_deploy_with_everything(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", "-q", "fast", "-t", "a", "-t", "b", "--param", "a=5", "--version", "v7", "-jv", '{"env": {"X": "1"}}', "-d", "words", "-cl", "2", name=name)
    d = read(api, full)
    assert d["work_queue_name"] == "fast" and d["tags"] == ["a", "b"] and d["parameters"] == {"a": 5}
    assert d["version"] == "v7" and d["job_variables"] == {"env": {"X": "1"}} and d["description"] == "words"
    assert d["global_concurrency_limit"]["limit"] == 2


@pytest.mark.parametrize("flag,value,kind,expect", [
    ("--cron", "0 9 * * 1-5", "cron", "0 9 * * 1-5"),
    ("--interval", "3600", "interval", 3600.0),
    ("--rrule", "FREQ=DAILY;BYHOUR=9;BYMINUTE=30", "rrule", "FREQ=DAILY;BYHOUR=9;BYMINUTE=30"),
])
def test_schedule(api, project, pool, name, flag, value, kind, expect):
    full = deploy(project, pool, "flows.py:adder", flag, value, "--timezone", "Europe/Berlin", name=name)
    (s,) = read(api, full)["schedules"]
    assert (str(s["schedule"][kind]).endswith(expect) if kind == "rrule" else s["schedule"][kind] == expect)  # 3.8.8 puts a DTSTART before it
    assert s["schedule"]["timezone"] == "Europe/Berlin" and s["active"] is True

    def planned():
        runs = api.post("/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}})
        return len(runs) >= 3 and runs
    run = eventually(planned)[0]
    assert run["auto_scheduled"] and run["state_name"] == "Scheduled" and "auto-scheduled" in run["tags"]


def test_several_schedules(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", "--cron", "0 1 * * *", "--cron", "0 2 * * *", "--interval", "7200", name=name)
    assert len(read(api, full)["schedules"]) == 3
    full = deploy(project, pool, "flows.py:adder", "--cron", "0 3 * * *", name=name)
    assert [s["schedule"]["cron"] for s in read(api, full)["schedules"]] == ["0 3 * * *"]


def test_bad_cron(project, pool, name):
    out = cli("--no-prompt", "deploy", "flows.py:adder", "-n", name, "-p", pool, "--cron", "every day", code=1, cwd=project)
    assert "cron" in out.lower()


def test_schedule_commands(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    assert "Created deployment schedule" in cli("deployment", "schedule", "create", full, "--interval", "600")
    assert "interval: 0:10:00" in cli("deployment", "schedule", "ls", full)
    (s,) = read(api, full)["schedules"]
    cli("deployment", "schedule", "pause", full, s["id"])
    assert read(api, full)["schedules"][0]["active"] is False
    cli("deployment", "schedule", "resume", full, s["id"])
    assert read(api, full)["schedules"][0]["active"] is True
    cli("deployment", "schedule", "create", full, "--cron", "5 4 * * *")
    assert len(read(api, full)["schedules"]) == 2
    cli("deployment", "schedule", "delete", full, s["id"], "-y")
    assert len(read(api, full)["schedules"]) == 1
    cli("deployment", "schedule", "clear", full, "-y")
    assert read(api, full)["schedules"] == []


def test_schedule_replace(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", "--cron", "0 1 * * *", name=name)
    cli("deployment", "schedule", "create", full, "--rrule", "FREQ=HOURLY", "--replace", "-y")
    (s,) = read(api, full)["schedules"]
    assert s["schedule"]["rrule"].endswith("FREQ=HOURLY")


def test_pausing_removes_planned_runs(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", "--interval", "3600", name=name)
    d = read(api, full)
    planned = lambda: api.post("/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}})
    eventually(lambda: len(planned()) >= 3)
    with get_client(sync_client=True) as client:
        client.pause_deployment(d["id"]) if hasattr(client, "pause_deployment") else api.post(f"/deployments/{d['id']}/pause_deployment")
    assert planned() == [] and read(api, full)["paused"] is True
    api.post(f"/deployments/{d['id']}/resume_deployment")
    eventually(lambda: len(planned()) >= 3)


def test_ls_and_inspect(project, pool, name):
    full = deploy(project, pool, "flows.py:adder", "--tag", "shown", name=name)
    assert full in cli("deployment", "ls")
    out = cli("deployment", "inspect", full)
    assert name in out and pool in out and "flows.py:adder" in out and "shown" in out


def test_inspect_unknown():
    assert "not found" in cli("deployment", "inspect", "no/such", code=1)


def test_delete(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", "--interval", "3600", name=name)
    eventually(lambda: api.post("/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}}))
    assert "Deleted deployment" in cli("deployment", "delete", full)
    api("GET", f"/deployments/name/{full}", status=404)
    assert api.post("/deployments/filter", {"deployments": {"name": {"any_": [name]}}}) == []


def test_run_command(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    out = cli("deployment", "run", full, "-p", "a=4", "--tag", "manual", "--flow-run-name", "by hand")
    (run,) = api.post("/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}})
    assert run["id"] in out and run["parameters"] == {"a": 4} and run["name"] == "by hand" and run["tags"] == ["manual"]
    assert run["state_type"] == "SCHEDULED" and run["work_queue_name"] == "default" and run["work_pool_name"] == pool


def test_run_start_in(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    assert "(in 1 hour" in cli("deployment", "run", full, "--start-in", "2 hours")
    (run,) = api.post("/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}})
    assert run["state_name"] == "Scheduled" and run["next_scheduled_start_time"] > run["created"]


def test_run_with_unknown_parameter(project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    out = cli("deployment", "run", full, "-p", "nope=4", code=1)
    assert "nope" in out


def test_run_with_wrong_type(project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    out = cli("deployment", "run", full, "-p", 'a="many"', code=1)
    assert "many" in out


def test_run_with_job_variables(api, project, pool, name):
    full = deploy(project, pool, "flows.py:adder", name=name)
    cli("deployment", "run", full, "-jv", "working_dir=/tmp")
    (run,) = api.post("/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}})
    assert run["job_variables"] == {"working_dir": "/tmp"}


def test_prefect_yaml(api, project, pool, name):
    (project / "prefect.yaml").write_text(yaml.safe_dump({"name": "p", "deployments": [
        {"name": f"{name}-1", "entrypoint": "flows.py:adder", "work_pool": {"name": pool}, "schedules": [{"cron": "0 7 * * *", "slug": "morning", "parameters": {"a": 7}}]},
        {"name": f"{name}-2", "entrypoint": "flows.py:child", "work_pool": {"name": pool}, "concurrency_limit": {"limit": 3, "collision_strategy": "CANCEL_NEW"}},
    ]}))
    cli("--no-prompt", "deploy", "--all", cwd=project)
    (s,) = read(api, f"adder/{name}-1")["schedules"]
    assert s["slug"] == "morning" and s["parameters"] == {"a": 7}
    two = read(api, f"child/{name}-2")
    assert two["concurrency_options"]["collision_strategy"] == "CANCEL_NEW" and two["global_concurrency_limit"]["limit"] == 3


def test_flow_ls(project, pool, name):
    deploy(project, pool, "flows.py:says_env", name=name)
    assert "says-env" in cli("flow", "ls")


def test_run_deployment_function(api, project, pool, name):
    from prefect.deployments import run_deployment

    full = deploy(project, pool, "flows.py:adder", name=name)
    run = run_deployment(full, parameters={"a": 8}, timeout=0, idempotency_key=name, tags=["x"])
    again = run_deployment(full, parameters={"a": 8}, timeout=0, idempotency_key=name)
    assert run.id == again.id and run.state.is_scheduled()
    assert api.get(f"/flow_runs/{run.id}")["parameters"] == {"a": 8}


def test_deploy_method(api, pool, name):
    from prefect import flow

    f = flow.from_source(source=str(__import__("pathlib").Path(__file__).parent), entrypoint="flows.py:adder")
    deployment_id = f.deploy(name=name, work_pool_name=pool, build=False, push=False, print_next_steps=False, parameters={"b": 9}, cron="1 1 * * *")
    d = api.get(f"/deployments/{deployment_id}")
    assert d["parameters"] == {"b": 9} and d["schedules"][0]["schedule"]["cron"] == "1 1 * * *" and d["pull_steps"]
