"""Events: emitted, stored, streamed."""

import asyncio
import json
import uuid

from conftest import eventually, process
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.clients import get_events_client, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.events.schemas.events import Event, Resource


def resource():
    return {"prefect.resource.id": f"case.{uuid.uuid4()}", "kind": "test"}


def test_emit(api):
    r = resource()
    event = emit_event("case.happened", resource=r, payload={"n": [1, 2]}, related=[{"prefect.resource.id": "other", "prefect.resource.role": "friend"}])
    (stored,) = eventually(lambda: api.events(r["prefect.resource.id"]))
    assert stored["id"] == str(event.id) and stored["payload"] == {"n": [1, 2]} and stored["resource"]["kind"] == "test"
    assert stored["related"][0]["prefect.resource.role"] == "friend"


def test_emit_big(api):
    r = resource()
    emit_event("case.big", resource=r, payload={"text": "x" * 500_000})
    (stored,) = eventually(lambda: api.events(r["prefect.resource.id"]))
    assert len(stored["payload"]["text"]) == 500_000


def test_filter_by_prefix_and_label(api):
    r = resource()
    for n in ("case.a.one", "case.a.two", "case.b"):
        emit_event(n, resource=r)
    eventually(lambda: len(api.events(r["prefect.resource.id"])) == 3)
    f = {"filter": {"event": {"prefix": ["case.a."]}, "resource": {"id": [r["prefect.resource.id"]], "labels": {"kind": "te*"}}, "order": "ASC"}}
    assert {e["event"] for e in api.post("/events/filter", f)["events"]} == {"case.a.one", "case.a.two"}


def test_paging(api):
    r = resource()
    async def main():
        async with get_events_client() as c:
            for i in range(25):
                await c.emit(Event(event="case.page", resource=Resource(r), payload={"i": i}))
    asyncio.run(main())
    eventually(lambda: len(api.events(r["prefect.resource.id"])) == 25)
    page = api.post("/events/filter", {"filter": {"resource": {"id": [r["prefect.resource.id"]]}, "order": "ASC"}, "limit": 10})
    assert page["total"] == 25
    seen = [e["payload"]["i"] for e in page["events"]]
    while page["next_page"]:
        page = api.http.get(page["next_page"]).json()
        seen += [e["payload"]["i"] for e in page["events"]]
    assert seen == list(range(25))


def test_subscriber_hears_live(api):
    r = resource()

    async def main():
        f = EventFilter(event=EventNameFilter(prefix=["case.live"]), resource=EventResourceFilter(id=[r["prefect.resource.id"]]))
        async with get_events_subscriber(filter=f) as sub, get_events_client() as c:
            for i in range(3):
                await c.emit(Event(event=f"case.live.{i}", resource=Resource(r)))
            await c.emit(Event(event="case.other", resource=Resource(r)))
            got = []
            while len(got) < 3:
                got.append((await asyncio.wait_for(anext(sub), 20)).event)
            return got

    assert asyncio.run(main()) == ["case.live.0", "case.live.1", "case.live.2"]


def test_subscriber_is_told_what_was(api):
    r = resource()
    emit_event("case.before", resource=r)
    eventually(lambda: api.events(r["prefect.resource.id"]))

    async def main():
        async with get_events_subscriber(filter=EventFilter(resource=EventResourceFilter(id=[r["prefect.resource.id"]]))) as sub:
            return (await asyncio.wait_for(anext(sub), 20)).event

    assert asyncio.run(main()) == "case.before"


def test_stream_command(api):
    r = resource()
    with process("prefect", "event", "stream", "--format", "json") as text:
        def heard():
            emit_event("case.streamed", resource=r)
            lines = [json.loads(l) for l in text().splitlines() if l.startswith("{")]
            return any(l["resource"]["prefect.resource.id"] == r["prefect.resource.id"] for l in lines)
        eventually(heard, 40, every=0.5)


def test_run_events_have_related(api, name):
    @flow(name=name)
    def f(): ...

    run_id = str(f(return_state=True).state_details.flow_run_id)
    done = eventually(lambda: api.events(f"prefect.flow-run.{run_id}", "prefect.flow-run.Completed"))[0]
    (flow_resource,) = [r for r in done["related"] if r["prefect.resource.role"] == "flow"]
    assert flow_resource["prefect.resource.name"] == name and done["resource"]["prefect.state-type"] == "COMPLETED"


def test_posted_events(api):
    r = resource()
    event = Event(event="case.posted", resource=Resource(r)).model_dump(mode="json")
    api("POST", "/events", [event], status=204)
    api("POST", "/events", [event], status=204)  # known by its id
    eventually(lambda: len(api.events(r["prefect.resource.id"])) == 1)


def test_wait_for_flow_run(api, name):
    from prefect.flow_runs import wait_for_flow_run

    @flow(name=name)
    def f(): ...

    async def main():
        async with get_client() as client:
            run = await client.create_flow_run(f)
            async def finish():
                from prefect.states import Completed
                await asyncio.sleep(0.5)
                await client.set_flow_run_state(run.id, Completed(), force=True)
            done, _ = await asyncio.gather(wait_for_flow_run(run.id, timeout=20), finish())
            return done

    assert asyncio.run(main()).state.is_completed()
