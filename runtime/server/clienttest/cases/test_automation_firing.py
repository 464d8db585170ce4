"""Automations that fire, and what they do then."""

import http.server
import json
import threading
import uuid
from datetime import timedelta

import pytest
from conftest import cli, eventually
from prefect import flow
from prefect.automations import Automation
from prefect.blocks.notifications import CustomWebhookNotificationBlock, SlackWebhook
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.events import DeploymentEventTrigger, emit_event
from prefect.events.actions import CallWebhook, ChangeFlowRunState, DoNothing, PauseDeployment, RunDeployment, SendNotification
from prefect.events.schemas.automations import CompoundTrigger, EventTrigger, Posture, SequenceTrigger


def unique(what="auto"):
    return f"{what}-{uuid.uuid4().hex[:8]}"


def reactive(*expect, **more):
    return EventTrigger(**{"expect": set(expect), "posture": Posture.Reactive, "threshold": 1, "within": timedelta(0), **more})


def make(trigger, *actions, name=None):
    return Automation(name=name or unique(), trigger=trigger, actions=list(actions) or [DoNothing()]).create()


def happen(*names, resource="case.thing"):
    for n in names:
        emit_event(n, resource={"prefect.resource.id": resource})


def told(api, automation, event):
    f = {"filter": {"event": {"name": [event]}, "resource": {"id": [f"prefect.automation.{automation.id}"]}, "order": "ASC"}}
    return api.post("/events/filter", f)["events"]


def fired(api, automation, times=1):
    return eventually(lambda: len(told(api, automation, "prefect.automation.triggered")) == times)


@pytest.fixture
def receiver():
    """A server that keeps what it is sent."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            heard.append((self.command, self.path, self.headers.get("X-Case"), body))
            self.send_response(500 if self.path == "/refuse" else 200)
            self.end_headers()

        do_PUT = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.heard, server.url = heard, f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()


def test_reactive(api):
    event = unique("case")
    a = make(reactive(event, match={"prefect.resource.id": "case.*"}))
    happen(event, "case.other")
    happen(event, resource="elsewhere")
    fired(api, a)
    (done,) = eventually(lambda: told(api, a, "prefect.automation.action.executed"))
    assert done["payload"]["action_type"] == "do-nothing"


def test_threshold(api):
    event = unique("case")
    a = make(reactive(event, threshold=3, within=timedelta(seconds=60)))
    happen(event, event)
    marker = make(reactive(event + ".marker"))
    happen(event + ".marker")
    fired(api, marker)
    assert told(api, a, "prefect.automation.triggered") == []
    happen(event)
    fired(api, a)


def test_for_each(api):
    event = unique("case")
    a = make(reactive(event, threshold=2, within=timedelta(seconds=60), for_each={"prefect.resource.id"}))
    for r in ("r.1", "r.2", "r.2"):
        happen(event, resource=r)
    fired(api, a)
    (e,) = told(api, a, "prefect.automation.triggered")
    assert e["payload"]["triggering_labels"] == {"prefect.resource.id": "r.2"}


def test_proactive(api):
    a = make(EventTrigger(expect={"case.never"}, posture=Posture.Proactive, threshold=1, within=timedelta(seconds=10)))
    fired(api, a)
    assert told(api, a, "prefect.automation.triggered")[0]["resource"]["prefect.posture"] == "Proactive"
    a.delete()


def test_compound(api):
    one, two = unique("case"), unique("case")
    a = make(CompoundTrigger(triggers=[reactive(one), reactive(two)], require="all", within=timedelta(seconds=60)))
    happen(two, one)
    fired(api, a)


def test_sequence(api):
    one, two = unique("case"), unique("case")
    a = make(SequenceTrigger(triggers=[reactive(one), reactive(two)], within=timedelta(seconds=60)))
    happen(one, two)
    fired(api, a)


def test_failed_run_starts_a_deployment(api, pool):
    name = unique("fails")

    @flow(name=name)
    def fails():
        raise ValueError("on purpose")

    target = deployed(pool)
    a = make(reactive("prefect.flow-run.Failed", match_related={"prefect.resource.role": "flow", "prefect.resource.name": name}),
             RunDeployment(source="selected", deployment_id=target, parameters={"reason": "{{ flow.name }}: {{ flow_run.state.message }}"}))
    with pytest.raises(ValueError):
        fails()
    (run,) = eventually(lambda: api.post("/flow_runs/filter", {"deployments": {"id": {"any_": [str(target)]}}}))
    assert run["parameters"]["reason"].startswith(f"{name}: Flow run encountered an exception")
    assert run["created_by"]["type"] == "AUTOMATION" and run["created_by"]["id"] == str(a.id)


def deployed(pool, **more):
    with get_client(sync_client=True) as c:
        f = c.create_flow_from_name(unique("acted"))
        return c.create_deployment(flow_id=f, name=unique("d"), work_pool_name=pool, entrypoint="x.py:f",
                                   parameter_openapi_schema={"type": "object", "properties": {"reason": {"type": "string"}}}, **more)


def test_pause_deployment(api, pool):
    event, target = unique("case"), deployed(pool)
    make(reactive(event), PauseDeployment(source="inferred"))
    happen(event, resource=f"prefect.deployment.{target}")
    eventually(lambda: api.get(f"/deployments/{target}")["paused"])


def test_change_flow_run_state(api):
    event = unique("case")
    with get_client(sync_client=True) as c:
        run = c.create_flow_run(flow(name=unique("held"))(lambda: None))
    make(reactive(event), ChangeFlowRunState(state="FAILED", name="Rejected", message="by rule"))
    happen(event, resource=f"prefect.flow-run.{run.id}")
    eventually(lambda: api.get(f"/flow_runs/{run.id}")["state_name"] == "Rejected")


def test_webhook(api, receiver):
    event = unique("case")
    block = Webhook(url=receiver.url + "/hook", method="PUT", headers={"X-Case": "7"}).save(unique("hook"))
    make(reactive(event), CallWebhook(block_document_id=block, payload='{"of": "{{ event.resource.id }}"}'))
    happen(event)
    eventually(lambda: receiver.heard)
    assert receiver.heard == [("PUT", "/hook", "7", '{"of": "case.thing"}')]


def test_notifications(api, receiver):
    event = unique("case")
    slack = SlackWebhook(url=receiver.url + "/slack").save(unique("slack"))
    custom = CustomWebhookNotificationBlock(name="c", url=receiver.url + "/custom", method="POST", json_data={"s": "{{subject}}", "t": "{{tok}}"}, secrets={"tok": "hidden"}).save(unique("custom"))
    a = make(reactive(event), SendNotification(block_document_id=slack, subject="About {{ event.event }}", body="{{ automation.name }}"),
             SendNotification(block_document_id=custom, subject="S", body="B"))
    happen(event)
    eventually(lambda: len(receiver.heard) == 2)
    assert json.loads(receiver.heard[0][3])["text"] == f"About {event}\n\n{a.name}"
    assert json.loads(receiver.heard[1][3]) == {"s": "S", "t": "hidden"}


def test_failed_action_is_told(api, receiver):
    event = unique("case")
    block = Webhook(url=receiver.url + "/refuse").save(unique("hook"))
    a = make(reactive(event), CallWebhook(block_document_id=block, payload="x"))
    happen(event)
    (e,) = eventually(lambda: told(api, a, "prefect.automation.action.failed"))
    assert "500" in e["payload"]["reason"]


def test_triggers_of_a_deployment(api, pool, tmp_path):
    (tmp_path / "acted.py").write_text("from prefect import flow\n\n@flow\ndef acted(reason: str = 'none'):\n    pass\n")
    event, name = unique("case"), unique("trigger")
    trigger = DeploymentEventTrigger(name=name, expect={event}, parameters={"reason": "{{ event.resource.id }}"})
    acted = flow.from_source(source=str(tmp_path), entrypoint="acted.py:acted")
    options = dict(work_pool_name=pool, build=False, push=False, print_next_steps=False, ignore_warnings=True)
    target = acted.deploy(name="d", triggers=[trigger], **options)
    happen(event)
    (run,) = eventually(lambda: api.post("/flow_runs/filter", {"deployments": {"id": {"any_": [str(target)]}}}))
    assert run["parameters"] == {"reason": "case.thing"}
    acted.deploy(name="d", **options)
    assert api.post("/automations/filter", {"automations": {"name": {"any_": [name]}}}) == []


def test_bad_automations_are_refused(api):
    good = {"type": "event", "posture": "Reactive", "expect": ["x"], "threshold": 1, "within": 0}
    for bad in (
        {"name": "x"},
        {"name": "x", "trigger": {"type": "event"}, "actions": [{"type": "do-nothing"}]},
        {"name": "x", "trigger": good, "actions": [{"type": "run-deployment"}]},
        {"name": "x", "trigger": good, "actions": [{"type": "send-notification", "block_document_id": str(uuid.uuid4()), "body": "{{ bad"}]},
    ):
        api("POST", "/automations/", bad, status=422)
