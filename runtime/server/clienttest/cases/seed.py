"""Fills a Prefect server with something of everything; the import is tested against it."""

import asyncio

from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.automations import Automation
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import Secret
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.filesystems import LocalFileSystem
from prefect.variables import Variable


@task
def add(a, b):
    return a + b


@flow
def child():
    return add(1, 2)


@flow
def etl(n: int = 2):
    get_run_logger().info("hello from etl")
    create_markdown_artifact("# hi", key="report")
    return child() + add(n, 1)


@flow
def broken():
    raise ValueError("no good")


async def configure():
    async with get_client() as client:
        await client.create_concurrency_limit(tag="slow", concurrency_limit=5)
        for name, decay in (("db", 0.0), ("rate", 0.5)):
            await client._client.post("/v2/concurrency_limits/", json={"name": name, "limit": 3, "slot_decay_per_second": decay})
        for name in ("procs", "boxes"):
            await client.create_work_pool(WorkPoolCreate(name=name, type="process" if name == "procs" else "docker"))
        await client.create_work_queue(name="high", work_pool_name="procs", priority=1, concurrency_limit=2)
        flow_id = await client.create_flow(etl)
        deployment_id = await client.create_deployment(
            flow_id=flow_id, name="nightly", work_pool_name="procs", work_queue_name="high", entrypoint="etl.py:etl", parameters={"n": 4},
            tags=["t1"], description="every night", concurrency_limit=2, parameter_openapi_schema={"type": "object", "properties": {"n": {"type": "integer"}}},
            schedules=[{"schedule": CronSchedule(cron="0 3 * * *", timezone="Europe/Paris"), "active": False}])
    return deployment_id


if __name__ == "__main__":
    etl(3)
    try:
        broken()
    except ValueError:
        pass
    Secret(value="s3cr3t").save("tok")
    SlackWebhook(url="https://hooks.example.invalid/x").save("chan")
    LocalFileSystem(basepath="/tmp/x").save("files")
    Variable.set("env", {"stage": "prod"}, tags=["x"])
    deployment_id = asyncio.run(configure())
    Automation(
        name="again", trigger=EventTrigger(expect={"prefect.flow-run.Failed"}, match_related={"prefect.resource.id": f"prefect.deployment.{deployment_id}"}, posture=Posture.Reactive, threshold=1),
        actions=[RunDeployment(deployment_id=deployment_id)]).create()
