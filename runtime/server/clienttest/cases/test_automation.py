"""Automations: made, listed, fired."""

import uuid

import pytest
import yaml
from conftest import cli, deploy, eventually
from prefect import flow
from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.actions import DoNothing, PauseWorkPool, RunDeployment
from prefect.events.schemas.automations import EventTrigger, Posture


def trigger(event, **more):
    return EventTrigger(expect={event}, posture=Posture.Reactive, threshold=1, **more)


def executed(api, automation):
    return api.events(f"prefect.automation.{automation.id}", "prefect.automation.action.executed")


@pytest.fixture
def event(name):
    return "case." + name


def emit(event, **resource):
    emit_event(event, resource={"prefect.resource.id": "case." + uuid.uuid4().hex, **resource})


def test_create_and_read(name, event):
    made = Automation(name=name, trigger=trigger(event), actions=[DoNothing()]).create()
    read = Automation.read(id=made.id)
    assert read.name == name and read.enabled and read.trigger.expect == {event}
    assert Automation.read(name=name).id == made.id


def test_update(name, event):
    a = Automation(name=name, trigger=trigger(event), actions=[DoNothing()]).create()
    a.name = name + "-b"
    a.description = "changed"
    a.update()
    assert Automation.read(id=a.id).description == "changed"


def test_disable_and_enable(name, event):
    a = Automation(name=name, trigger=trigger(event), actions=[DoNothing()]).create()
    a.disable()
    assert Automation.read(id=a.id).enabled is False
    a.enable()
    assert Automation.read(id=a.id).enabled is True


def test_delete(api, name, event):
    a = Automation(name=name, trigger=trigger(event), actions=[DoNothing()]).create()
    assert a.delete() is True
    api("GET", f"/automations/{a.id}", status=404)


def test_commands(name, event):
    a = Automation(name=name, trigger=trigger(event), actions=[DoNothing()]).create()
    assert name in cli("automation", "ls")
    assert event in cli("automation", "inspect", name)
    cli("automation", "pause", name)
    assert Automation.read(id=a.id).enabled is False
    cli("automation", "resume", name)
    assert Automation.read(id=a.id).enabled is True
    cli("automation", "delete", name, input="y\n")
    assert name not in cli("automation", "ls")


def test_create_from_file(name, event, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump({"name": name, "trigger": {"type": "event", "posture": "Reactive", "expect": [event], "threshold": 1}, "actions": [{"type": "do-nothing"}]}))
    cli("automation", "create", "--from-file", path)
    assert Automation.read(name=name).trigger.expect == {event}


def test_fires(api, name, event):
    a = Automation(name=name, trigger=trigger(event), actions=[DoNothing()]).create()
    emit(event)
    (e,) = eventually(lambda: executed(api, a), 30)
    assert e["payload"]["action_type"] == "do-nothing"
    assert api.events(f"prefect.automation.{a.id}", "prefect.automation.triggered")


def test_threshold(api, name, event):
    a = Automation(name=name, trigger=EventTrigger(expect={event}, posture=Posture.Reactive, threshold=3, within=60), actions=[DoNothing()]).create()
    emit(event)
    emit(event)
    emit(event)
    eventually(lambda: len(executed(api, a)) == 1, 30)


def test_match_on_labels(api, name, event):
    a = Automation(name=name, trigger=trigger(event, match={"colour": "red"}), actions=[DoNothing()]).create()
    emit(event, colour="blue")
    emit(event, colour="red")
    eventually(lambda: executed(api, a), 30)
    (t,) = api.events(f"prefect.automation.{a.id}", "prefect.automation.triggered")
    assert t["payload"]["triggering_event"]["resource"]["colour"] == "red"


def test_disabled_does_not_fire(api, name, event):
    off = Automation(name=name, trigger=trigger(event), actions=[DoNothing()], enabled=False).create()
    on = Automation(name=name + "-on", trigger=trigger(event), actions=[DoNothing()]).create()
    emit(event)
    eventually(lambda: executed(api, on), 30)
    assert not executed(api, off)


def test_run_deployment(api, project, pool, name, event):
    full = deploy(project, pool, "flows.py:adder", name=name)
    d = api.get(f"/deployments/name/{full}")
    Automation(name=name, trigger=trigger(event), actions=[RunDeployment(deployment_id=d["id"], parameters={"a": 11})]).create()
    emit(event)
    (run,) = eventually(lambda: api.post("/flow_runs/filter", {"deployments": {"id": {"any_": [d["id"]]}}}), 30)
    assert run["parameters"]["a"] == 11 and run["created_by"]["type"] == "AUTOMATION"


def test_run_deployment_with_a_template(api, project, pool, name, event):
    full = deploy(project, pool, "flows.py:broken", name=name)
    d = api.get(f"/deployments/name/{full}")
    Automation(name=name, trigger=trigger(event), actions=[RunDeployment(deployment_id=d["id"], parameters={"message": {"__prefect_kind": "jinja", "template": "it was {{ event.event }}"}})]).create()
    emit(event)
    (run,) = eventually(lambda: api.post("/flow_runs/filter", {"deployments": {"id": {"any_": [d["id"]]}}}), 30)
    assert run["parameters"]["message"] == f"it was {event}"


def test_pause_work_pool(api, pool, name, event):
    pool_id = api.get(f"/work_pools/{pool}")["id"]
    Automation(name=name, trigger=trigger(event), actions=[PauseWorkPool(source="selected", work_pool_id=pool_id)]).create()
    emit(event)
    eventually(lambda: api.get(f"/work_pools/{pool}")["is_paused"], 30)


def test_on_a_flow_run(api, name):
    a = Automation(name=name, trigger=EventTrigger(expect={"prefect.flow-run.Failed"}, match_related={"prefect.resource.name": name, "prefect.resource.role": "flow"}, posture=Posture.Reactive, threshold=1), actions=[DoNothing()]).create()

    @flow(name=name)
    def f():
        raise ValueError("no good")

    f(return_state=True)
    eventually(lambda: executed(api, a), 30)


def test_trigger_of_a_deployment(api, project, pool, name, event):
    (project / "prefect.yaml").write_text(yaml.safe_dump({"name": "p", "deployments": [{
        "name": name, "entrypoint": "flows.py:adder", "work_pool": {"name": pool},
        "triggers": [{"type": "event", "expect": [event], "parameters": {"a": 77}}]}]}))
    cli("--no-prompt", "deploy", "--all", cwd=project)
    d = api.get(f"/deployments/name/adder/{name}")
    assert len(api.get(f"/automations/related-to/prefect.deployment.{d['id']}")) == 1
    cli("--no-prompt", "deploy", "--all", cwd=project)
    assert len(api.get(f"/automations/related-to/prefect.deployment.{d['id']}")) == 1
    emit(event)
    (run,) = eventually(lambda: api.post("/flow_runs/filter", {"deployments": {"id": {"any_": [d["id"]]}}}), 30)
    assert run["parameters"]["a"] == 77


def test_read_by_name(name, event):
    Automation(name=name, trigger=trigger(event), actions=[DoNothing()]).create()
    with get_client(sync_client=True) as client:
        assert [a.name for a in client.read_automations_by_name(name)] == [name]


def test_bad_trigger_is_refused(api, name):
    api("POST", "/automations/", {"name": name, "trigger": {"type": "event", "posture": "Whenever"}, "actions": [{"type": "do-nothing"}]}, status=422)
