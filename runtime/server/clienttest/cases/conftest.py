"""What all cases share: the command line, the API, patience, and the report to Go."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

import httpx
import pytest
from prefect.testing.cli import invoke_and_assert

VERSION = os.environ["FLOWLITE_CASES_VERSION"]
API = os.environ["PREFECT_API_URL"]
NEW = VERSION != "3.4.9"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def pytest_runtest_logreport(report):
    # a case is its call; setup and teardown are told of only when they fail
    if report.when != "call" and report.outcome == "passed":
        return
    with open(os.environ["FLOWLITE_CASES_REPORT"], "a") as f:
        name = report.nodeid.split("::")[-1].removeprefix("test_")
        if report.when != "call":
            name += "/" + report.when
        text = report.longreprtext if report.outcome != "skipped" else str(report.longrepr[2])
        if report.outcome == "failed" and not report.longreprtext.startswith("INTERNAL"):
            text += "\n" + "\n".join(f"--- {k}\n{v}" for k, v in report.sections)
        f.write(json.dumps({"name": name, "outcome": report.outcome, "seconds": report.duration, "text": text}) + "\n")


def cli(*args, code=0, input=None, cwd="."):
    """Runs `prefect ARGS` in this process and returns what it printed."""
    if len(args) == 1:
        args = args[0].split()
    with contextlib.chdir(cwd):
        result = invoke_and_assert([str(a) for a in args], expected_code=None, user_input=input, echo=False)
    out = result.stdout
    with contextlib.suppress(ValueError):  # 3.4.9 does not always keep stderr apart
        out += result.stderr or ""
    out = ESCAPES.sub("", out)
    assert result.exit_code == code, f"prefect {' '.join(map(str, args))}: exit code {result.exit_code}\n{out}"
    return out


def run(*args, code=0, cwd=None, env=None, timeout=60):
    """Runs `prefect ARGS` as a process of its own."""
    done = subprocess.run(["prefect", *map(str, args)], cwd=cwd, env={**os.environ, **(env or {})}, timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == code, done.stdout
    return done.stdout


def eventually(fn, timeout=20.0, every=0.1):
    """Calls fn until it returns something true, and returns that; an assertion that fails is tried again."""
    end = time.monotonic() + timeout
    while True:
        try:
            if value := fn():
                return value
            error = AssertionError(f"still {value!r} after {timeout} s")
        except (AssertionError, IndexError, KeyError) as e:
            error = e
        if time.monotonic() > end:
            raise error
        time.sleep(every)


@contextlib.contextmanager
def process(*args, cwd=None, log=None, env=None):
    """A client process that lives while the block runs; yields a function that returns what it printed so far."""
    path = Path(log or f"/tmp/flowlite-case-{uuid.uuid4()}.log")
    with open(path, "w") as f:
        p = subprocess.Popen([str(a) for a in args], cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT)
    try:
        text = lambda: path.read_text()
        text.process = p
        yield text
    finally:
        if p.poll() is None:
            p.send_signal(signal.SIGINT)
            try:
                p.wait(40)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if log is None:
            path.unlink(missing_ok=True)


def kill_flow(run_id):
    """Ends the process that executes a flow run, as the kernel does when memory runs out."""
    wanted = f"PREFECT__FLOW_RUN_ID={run_id}".encode()

    def found():
        for environ in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if wanted in environ.read_bytes().split(b"\0"):
                    return int(environ.parent.name)

    os.kill(eventually(found), signal.SIGKILL)


def worker(pool, *args, **kw):
    return process("prefect", "worker", "start", "--pool", pool, *args, **kw)


class Api:
    """The raw API, for what the client has no call for."""

    def __init__(self):
        self.http = httpx.Client(base_url=API, timeout=20)

    def __call__(self, method, path, body=None, status=None, **kw):
        res = self.http.request(method, API + path, json=body, **kw)
        ok = res.status_code == status if status else res.status_code < 300
        assert ok, f"{method} {path}: {res.status_code} {res.text}"
        return res.json() if res.content and "json" in res.headers.get("content-type", "") else res.text

    def get(self, path, **kw):
        return self("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self("POST", path, body if body is not None else {}, **kw)

    def runs(self, **flow_runs):
        return self.post("/flow_runs/filter", {"flow_runs": flow_runs, "sort": "EXPECTED_START_TIME_ASC"})

    def logs(self, run_id):
        rows = self.post("/logs/filter", {"logs": {"flow_run_id": {"any_": [str(run_id)]}}, "sort": "TIMESTAMP_ASC"})
        return [r["message"] for r in rows]

    def events(self, resource, *names):
        f = {"filter": {"resource": {"id": [resource]}, "order": "ASC"}, "limit": 50}
        if names:
            f["filter"]["event"] = {"name": list(names)}
        return self.post("/events/filter", f)["events"]

    def run_state(self, run_id):
        return self.get(f"/flow_runs/{run_id}")["state"]

    def wait(self, run_id, *types, timeout=45):
        def there():
            state = self.run_state(run_id)
            assert state["type"] in types, state
            return state
        return eventually(there, timeout)


@pytest.fixture(scope="session")
def api():
    return Api()


@pytest.fixture
def name(request):
    """A name that no other case has."""
    return "c-" + request.node.name.removeprefix("test_").split("[")[0].replace("_", "-")[:30] + "-" + uuid.uuid4().hex[:6]


FLOWS = Path(__file__).parent / "flows.py"


@pytest.fixture
def project(tmp_path):
    """A folder with flows.py in it, as a user's checkout."""
    shutil.copy(FLOWS, tmp_path / "flows.py")
    return tmp_path


@pytest.fixture
def pool(api, name):
    api.post("/work_pools/", {"name": name, "type": "process"})
    return name


def deploy(project, pool, entrypoint, *args, name="dev"):
    """`prefect deploy`; returns flow/deployment."""
    flow = entrypoint.split(":")[1].replace("_", "-")
    out = cli("--no-prompt", "deploy", f"flows.py:{entrypoint.split(':')[1]}", "-n", name, "-p", pool, *args, cwd=project)
    assert f"'{flow}/{name}'" in out, out
    return f"{flow}/{name}"


def new_id(text):
    return re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", text).group(0)
