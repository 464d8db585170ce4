"""The flows of {{name}}. `flowlite up` deploys what is here, and deploys it
again when a file changes. It needs Prefect: pip install prefect"""

from prefect import flow, get_run_logger, task


@task(retries=2, retry_delay_seconds=5)
def greet(name: str) -> str:
    get_run_logger().info("greeting %s", name)
    return f"Hello, {name}!"


@flow
def hello(name: str = "world") -> str:
    """Greets somebody."""
    return greet(name)
