"""Flows that the cases deploy, as a user's checkout would hold them."""

import os
import time

from prefect import flow, get_run_logger, pause_flow_run, suspend_flow_run, task
from prefect.input import RunInput


@task
def add_task(a: int, b: int) -> int:
    return a + b


@flow(log_prints=True)
def adder(a: int = 1, b: int = 2) -> int:
    """Adds."""
    get_run_logger().info("adding %d and %d", a, b)
    print("printed line")
    return add_task(a, b)


@flow
def broken(message: str = "no good"):
    raise ValueError(message)


@flow
def sleeper(seconds: float = 60):
    print("sleeping")
    time.sleep(seconds)


@flow
def dies():
    os._exit(3)


@flow(log_prints=True)
def says_env():
    print("GREETING is", os.environ.get("GREETING"))


class Answer(RunInput):
    approved: bool
    by: str = "nobody"


@flow(log_prints=True)
def asks(timeout: int = 60):
    answer = pause_flow_run(wait_for_input=Answer.with_initial_data(description="Go on?", approved=False), timeout=timeout, poll_interval=1)
    print(f"approved {answer.approved} by {answer.by}")
    return answer.approved


@flow(log_prints=True, persist_result=True)
def suspends():
    print("before")
    answer = suspend_flow_run(wait_for_input=Answer, timeout=120)
    print(f"approved {answer.approved} by {answer.by}")


@flow(log_prints=True)
def pauses():
    pause_flow_run(timeout=60, poll_interval=1)
    print("resumed")


@flow
def child(n: int = 1):
    return n + 1


@flow
def parent(n: int = 1):
    return child(n)


@flow(retries=1, retry_delay_seconds=0.1, log_prints=True)
def second_time():
    from prefect.runtime import flow_run

    print("attempt", flow_run.run_count)
    if flow_run.run_count < 2:
        raise ValueError("first time")
