"""What Prefect offers, in one file that runs on flowlite unchanged.

    prefect deploy flows/all_functionalities.py:etl -n etl-dev -p dev-pool
    prefect deployment run etl/etl-dev --watch

`flowlite up` deploys each flow here as NAME/local. Nothing needs to be set up;
these make more of it:

    prefect variable set etl_city Lisbon
    flowlite secret set warehouse-key s3cr3t
    prefect gcl create warehouse --limit 2
    python flows/all_functionalities.py        # serves the background task
"""

import json
import random
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Literal, Optional

from pydantic import BaseModel, Field

from prefect import flow, get_run_logger, pause_flow_run, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.blocks.system import Secret
from prefect.concurrency.sync import concurrency
from prefect.input import RunInput
from prefect.tasks import task_input_hash
from prefect.transactions import transaction
from prefect.variables import Variable


class Options(BaseModel):
    """Becomes a form in the UI, and is checked before the run starts."""

    rows: int = Field(default=6, ge=1, le=1000, description="how many readings")
    unit: Literal["celsius", "fahrenheit"] = "celsius"


# Retries: the first attempt fails one time in two.
@task(retries=5, retry_delay_seconds=0.2, tags=["network"])
def extract(city: str, rows: int) -> list[float]:
    if random.random() < 0.5:
        raise ConnectionError(f"the station of {city} does not answer")
    return [round(random.uniform(-5, 35), 1) for _ in range(rows)]


# Caching: the same input is computed once an hour, in whatever run.
@task(cache_key_fn=task_input_hash, cache_expiration=timedelta(hours=1), persist_result=True)
def factor(unit: str) -> float:
    return 1.8 if unit == "fahrenheit" else 1.0


@task(task_run_name="convert {celsius}")
def convert(celsius: float, by: float) -> float:
    return round(celsius * by + (32 if by != 1 else 0), 1)


# A sub-flow: a run of its own within the run that calls it.
@flow(log_prints=True)
def convert_readings(readings: list[float], unit: str = "celsius") -> dict[str, float]:
    by = factor(unit)
    values = convert.map(readings, by=by).result()  # mapping: one task run for each reading
    print(f"converted {len(values)} readings to {unit}")
    return {"lowest": min(values), "mean": round(sum(values) / len(values), 1), "highest": max(values)}


@task
def write(file: str, text: str) -> str:
    Path(file).write_text(text)
    return file


@write.on_rollback
def remove(txn) -> None:
    Path(txn.get("file")).unlink(missing_ok=True)


@task
def check(file: str) -> None:
    if "mean" not in json.loads(Path(file).read_text()):
        raise ValueError(f"{file} has no mean")


# Concurrency: at most so many runs at once as the global limit `warehouse` says.
@task
def load(summary: dict[str, float], key: Optional[str]) -> str:
    file = str(Path(tempfile.gettempdir()) / "flowlite-all-functionalities.json")
    with concurrency("warehouse", occupy=1):
        # A transaction: where the check fails, what was written is removed again.
        with transaction() as txn:
            txn.set("file", file)
            write(file, json.dumps(summary))
            check(file)
    get_run_logger().info("loaded %s", "with a key" if key else "without a key")
    return file


# A background task: .delay() hands it to whoever serves it, now or later.
@task(log_prints=True)
def notify(text: str) -> str:
    print(f"notification: {text}")
    return text


def secret(name: str) -> Optional[str]:
    try:
        return Secret.load(name).get()
    except ValueError:  # there is none of that name
        return None


@flow(log_prints=True, retries=1, description="Reads, converts and loads readings; touches all that a flow can do.")
def etl(city: Optional[str] = None, options: Options = Options(), notify_later: bool = False) -> dict[str, float]:
    city = city or Variable.get("etl_city", default="Berlin")
    print(f"readings of {city}")
    readings = extract(city, options.rows)
    summary = convert_readings(readings, options.unit)
    file = load(summary, secret("warehouse-key"))
    create_table_artifact([summary], key="readings", description=f"Readings of {city}")
    create_markdown_artifact(f"# {city}\n\n{len(readings)} readings, written to `{file}`", key="summary")
    if notify_later:
        notify.delay(f"{city}: mean {summary['mean']}")
    return summary


class Decision(RunInput):
    """What is asked of a person."""

    publish: bool
    note: str = ""


# A pause with typed input: the run waits until somebody answers, in the UI or
# with `flowlite flow-run resume RUN --publish true`.
@flow(log_prints=True)
def review(title: str = "Quarterly report", timeout: int = 3600) -> str:
    decision = pause_flow_run(wait_for_input=Decision.with_initial_data(description=f"Publish **{title}**?", publish=True), timeout=timeout)
    print(f"{title}: {'published' if decision.publish else 'withdrawn'} {decision.note}".strip())
    return "published" if decision.publish else "withdrawn"


if __name__ == "__main__":
    from prefect.task_worker import serve

    serve(notify)
