"""flowlite's side of a Python flow run: `python runner.py MODE`.

run       executes the run of PREFECT__FLOW_RUN_ID with the Prefect engine
serve     a warm parent: has imported Prefect, and forks a child for each run
describe  reads the flow files that stdin lists, without running them; JSON in and out
"""

import os
import sys

# The worker takes a line that begins so as the reason of an end, not as a log.
MARK = "\x1eflowlite: "


def last_words(text):
    sys.stderr.write(MARK + " ".join(str(text).split())[:2000] + "\n")
    sys.stderr.flush()


def missing(exc):
    version = ".".join(str(n) for n in sys.version_info[:3])
    if isinstance(exc, ModuleNotFoundError) and exc.name == "prefect":
        return (
            f"{sys.executable} (Python {version}) has no Prefect; install it: {sys.executable} -m pip install prefect, "
            "or name another interpreter: the job variable python, or FLOWLITE_PYTHON"
        )
    return f"{sys.executable} (Python {version}) cannot import Prefect: {type(exc).__name__}: {exc}"


def import_prefect():
    """Imports what every run needs, and nothing of the user's: neither this
    file's folder nor the current one is a place to look for Prefect's imports."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if p and os.path.abspath(p) not in (here, os.getcwd())]
    import prefect  # noqa: F401
    import prefect.engine  # noqa: F401
    import prefect.flow_engine  # noqa: F401
    import prefect.main  # noqa: F401
    import prefect.task_engine  # noqa: F401


def prefer_readable_results(flow, flow_run):
    """A caller in Go reads the result from its file, so the run that it made
    keeps its results, as JSON where that can be. What the user set, in whatever
    way, stays; and so does all of every other run: a task whose result is kept
    is not executed again by a retry, which its author may not expect."""
    if (flow_run.labels or {}).get("flowlite.caller") != "go":
        return
    import logging

    from prefect.settings import get_current_settings

    said = get_current_settings().results.model_fields_set
    if flow.persist_result is not None or "persist_by_default" in said:
        return
    flow.persist_result = True
    if flow.result_serializer is None and "default_serializer" not in said:
        # Not the setting: it is also that of the parameters of background tasks.
        flow.result_serializer = "json"
    # Nobody asked for it, so nobody need hear of each result that JSON cannot say.
    logging.getLogger("prefect.task_runs").addFilter(
        lambda record: "error while serializing result for transaction" not in record.getMessage()
    )


def quiet_console():
    """What goes to the API as a run's log is not printed too: the worker makes
    logs of all output, and each line would come twice."""
    import logging

    told = set()

    def wanted(record):
        exc = record.exc_info and record.exc_info[1]
        if record.name.startswith(("prefect.flow_runs", "prefect.task_runs")):
            if exc is not None:
                told.add(id(exc))
            return False
        if record.name == "EventsWorker" or "APILogWorker" in record.name:
            return False  # a word on what is left to send at the end
        if record.name.startswith("prefect.") and "older version of Prefect than your client" in record.getMessage():
            return False  # flowlite serves newer clients too
        ours = record.name == "prefect.engine" and exc is not None
        return not (ours and (id(exc) in told or not isinstance(exc, Exception)))

    from prefect.settings import get_current_settings

    if get_current_settings().logging.to_api.enabled:
        for handler in logging.getLogger().handlers + logging.getLogger("prefect").handlers:
            handler.addFilter(wanted)


def hand_over_logs():
    """Log lines go to the worker as they are made, and not to the API in
    batches: what a dying process has written can still be read."""
    import json
    import socket
    import threading

    try:
        fd = int(os.environ.pop("FLOWLITE_LOG_FD"))
        os.set_inheritable(fd, False)
        sock = socket.socket(fileno=fd)
    except (KeyError, ValueError, OSError):
        return  # no such worker, or a shell in between made something else of the descriptor
    from prefect.logging.handlers import APILogWorker

    to_api, owner, lock = APILogWorker.instance, os.getpid(), threading.Lock()

    class Worker:
        def send(self, log):
            line = json.dumps({k: v for k, v in log.items() if k != "__payload_size__"}).encode() + b"\n"
            try:
                with lock:
                    sock.sendall(line)
            except OSError:
                to_api().send(log)

    to_worker = Worker()
    # A process that the flow forked has no share in the lock.
    APILogWorker.instance = lambda *args: to_worker if os.getpid() == owner else to_api(*args)


class Stopped(BaseException):
    """SIGTERM outside of the engine's own handling."""


def on_sigterm(*_):
    from prefect.exceptions import TerminationSignal

    # The engine, which has a handler of its own while a flow runs, sends the
    # signal once more when it has dealt with it.
    if not isinstance(sys.exc_info()[1], TerminationSignal):
        raise Stopped()


def send_swallowed_again():
    """A signal that arrives while a finalizer runs is raised in there, where
    Python prints and forgets it: a cancelled run would go on until it is killed."""
    import signal
    import threading

    from prefect.exceptions import TerminationSignal

    say = sys.unraisablehook

    def swallowed(unraisable):
        if isinstance(unraisable.exc_value, (TerminationSignal, Stopped)):
            # Not at once: this, too, runs within the finalizer.
            again = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
            again.daemon = True
            again.start()
        else:
            say(unraisable)

    sys.unraisablehook = swallowed


def cancelling(flow_run_id):
    from prefect.client.orchestration import get_client

    try:
        state = get_client(sync_client=True).read_flow_run(flow_run_id).state
        return state is not None and (state.is_cancelling() or state.is_cancelled())
    except Exception:
        return False


def cancel_rather_than_crash(flow_run_id):
    """The engine calls every SIGTERM a crash, whatever it becomes on its way up.
    One that the worker sent because the run is being cancelled ends in CANCELLED."""
    from prefect import flow_engine

    original = getattr(flow_engine, "exception_to_crashed_state", None)
    if original is None:
        return  # the worker sets it after us

    async def state_of(exc, *args, **kwargs):
        from prefect.client.orchestration import get_client
        from prefect.states import Cancelled

        try:
            async with get_client() as client:
                run = await client.read_flow_run(flow_run_id)
            if run.state is not None and run.state.is_cancelling():
                return Cancelled(message="cancelled; the process was told to end")
        except Exception:
            pass  # what follows meets the same server and can tell better
        return await original(exc, *args, **kwargs)

    flow_engine.exception_to_crashed_state = state_of


def cancellation_hooks(flow, flow_run, logger):
    hooks = getattr(flow, "on_cancellation_hooks", None) or []
    if not hooks:
        return
    import asyncio
    import inspect

    from prefect.client.orchestration import get_client

    flow_run = get_client(sync_client=True).read_flow_run(flow_run.id)
    for hook in hooks:
        name = getattr(hook, "__name__", type(hook).__name__)
        logger.info(f"Running hook {name!r} in response to entering state 'Cancelling'")
        try:
            result = hook(flow, flow_run, flow_run.state)
            if inspect.isawaitable(result):
                asyncio.run(_await(result))
        except Exception:
            logger.error(f"An error was encountered while running hook {name!r}", exc_info=True)


async def _await(it):
    return await it


def execute():
    """What `python -m prefect.engine` does, for both lines of Prefect 3."""
    import signal
    from uuid import UUID

    import prefect.engine as engine
    from prefect.exceptions import TerminationSignal
    from prefect.flow_engine import flow_run_logger, load_flow, load_flow_run, run_flow

    signal.signal(signal.SIGTERM, on_sigterm)
    send_swallowed_again()
    flow_run_id = UUID(os.environ["PREFECT__FLOW_RUN_ID"])
    sys.argv = ["prefect.engine", str(flow_run_id)]
    sys.path.insert(0, os.getcwd())
    take_headers()
    quiet_console()
    hand_over_logs()
    cancel_rather_than_crash(flow_run_id)
    fence(flow_run_id)
    flow = flow_run = logger = None
    try:
        with engine.handle_engine_signals(flow_run_id):
            flow_run = load_flow_run(flow_run_id=flow_run_id)
            logger = flow_run_logger(flow_run=flow_run)
            try:
                flow = load_flow(flow_run)
            except Exception:
                logger.error("Unexpected exception encountered when trying to load flow", exc_info=True)
                raise
            prefer_readable_results(flow, flow_run)
            with run_metrics(flow_run, flow):
                drive(run_flow(flow, flow_run=flow_run, error_logger=logger))
    except (TerminationSignal, Stopped, SystemExit) as exc:
        # Prefect 3.8 makes an exit of a signal whose outcome it has reported.
        if not isinstance(exc, SystemExit) or isinstance(exc.__context__, (TerminationSignal, Stopped)):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if flow is not None and cancelling(flow_run_id):
                cancellation_hooks(flow, flow_run, logger)
            last_words("the process was told to end (SIGTERM)")
            sys.exit(143)
        if exc.code not in (None, 0):
            why = exc.__context__
            last_words(f"{type(why).__name__}: {why}" if why is not None else f"exit code {exc.code}")
        raise


def take_headers():
    """The credentials of the run are in a header that is set for it alone. The
    settings of a fork are those of its parent, which had no run."""
    text = os.environ.get("PREFECT_CLIENT_CUSTOM_HEADERS")
    if not text:
        return
    import json

    from prefect.settings import get_current_settings

    settings = get_current_settings()
    settings.client.custom_headers.update(json.loads(text))
    # What is not marked as set is left out where settings are copied.
    settings.client.model_fields_set.add("custom_headers")
    settings.model_fields_set.add("client")


def fence(flow_run_id):
    """The state of this run is set with the token of the worker's lease: a
    server refuses it once the run was given to another process, or stopped. A
    worker that was frozen may still have a process that knows nothing of it."""
    token = os.environ.get("FLOWLITE_RUN_TOKEN")
    if not token:
        return
    from prefect.client import base

    path = f"/flow_runs/{flow_run_id}/set_state"

    def fenced(send):
        def with_token(self, request, *args, **kwargs):
            if request.url.path.endswith(path):
                request.headers["Flowlite-Run-Token"] = token
            return send(self, request, *args, **kwargs)

        return with_token

    for client in (base.PrefectHttpxAsyncClient, base.PrefectHttpxSyncClient):
        client.send = fenced(client.send)


def drive(result):
    """An asynchronous flow has its loop on the main thread, where SIGTERM arrives."""
    import asyncio
    import inspect

    async def each(it):
        async for _ in it:
            pass

    if inspect.isasyncgen(result):
        asyncio.run(each(result))
    elif inspect.isgenerator(result):
        for _ in result:
            pass
    elif inspect.iscoroutine(result):
        asyncio.run(result)


def run_metrics(flow_run, flow):
    try:
        from prefect._internal.metrics import RunMetrics
    except ImportError:
        import contextlib

        return contextlib.nullcontext()
    return RunMetrics(flow_run, flow)


def watch_stdin():
    """The worker holds the other end: its death must be ours, because another
    one may already have the run. Linux has a signal for it."""
    import threading

    def wait():
        while os.read(0, 1024):
            pass
        os._exit(137)

    threading.Thread(target=wait, daemon=True).start()


def run():
    try:
        import_prefect()
    except Exception as exc:
        last_words(missing(exc))
        sys.exit(78)
    if sys.platform == "linux":
        no_input()
    else:
        watch_stdin()
    execute()


# What the first seconds of a run import one after the other.
SOON = (
    "anyio._backends._asyncio encodings.idna prefect.client.orchestration prefect.deployments prefect.futures "
    "prefect.states prefect.task_runners prefect.utilities.visualization prefect.variables pydantic.v1 rich._emoji_codes"
)


def serve():
    """Forks a child for each request, and tells of its end. The parent never
    runs a thread, nor any code of the user's. Only the child returns."""
    import gc
    import importlib
    import json
    import random
    import select
    import signal
    import socket
    import warnings

    sock = socket.socket(fileno=3)

    def say(**what):
        sock.send(json.dumps(what).encode())

    try:
        import_prefect()
    except Exception as exc:
        say(error=missing(exc))
        sys.exit(78)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in SOON.split():
            try:
                importlib.import_module(name)
            except Exception:
                pass  # another version of Prefect; the run imports what it needs
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    import prefect

    no_input()
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page in each child
    parent = os.getpid()
    wake, alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    home = os.path.dirname(os.path.dirname(os.path.abspath(prefect.__file__)))
    say(ready=True, threads=len(os.listdir("/proc/self/task")), packages=home)
    runs = {}
    while True:
        ready = select.select([sock, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
            while runs:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid in runs:
                    say(id=runs.pop(pid), status=status)
        if sock not in ready:
            continue
        data, fds, _, _ = socket.recv_fds(sock, 1 << 18, 4)
        if not data:
            os._exit(0)
        request = json.loads(data)
        try:
            pid = os.fork()
        except OSError as exc:
            pid = -1
            say(id=request["id"], error=f"fork: {exc}")
        if pid == 0:
            prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(137)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setpgid(0, 0)
            os.dup2(fds[0], 1)
            os.dup2(fds[1], 2)
            sock.close()  # it was 3
            if len(fds) > 2:
                os.dup2(fds[2], 3, inheritable=False)
            for fd in (*fds, wake, alarm):
                if fd != 3:
                    os.close(fd)
            os.environ.update(request["env"])
            os.chdir(request["dir"])
            random.seed()
            return
        for fd in fds:
            os.close(fd)
        if pid > 0:
            try:
                os.setpgid(pid, pid)  # whoever is first: a signal to the group may come at once
            except OSError:
                pass
            runs[pid] = request["id"]
            say(id=request["id"], pid=pid)


def flows_of(path):
    """The flows that a file declares, by reading it."""
    import ast

    with open(path, encoding="utf-8") as f:
        tree = ast.parse(f.read(), path)
    deco, modules = set(), set()  # names of prefect.flow, and of prefect
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in ("prefect", "prefect.flows"):
            deco.update(a.asname or a.name for a in node.names if a.name == "flow")
        elif isinstance(node, ast.Import):
            modules.update(a.asname or a.name for a in node.names if a.name == "prefect")

    def is_flow(node):
        if isinstance(node, ast.Attribute):
            return node.attr == "flow" and isinstance(node.value, ast.Name) and node.value.id in modules
        return isinstance(node, ast.Name) and node.id in deco

    def said(call, key):
        for k in call.keywords if isinstance(call, ast.Call) else ():
            if k.arg == key and isinstance(k.value, ast.Constant) and isinstance(k.value.value, str):
                return k.value.value
        return ""

    def expressions(call):
        """What the decorator says otherwise than by a text; ** has no key."""
        for k in call.keywords if isinstance(call, ast.Call) else ():
            if k.arg in (None, "name", "version", "description") and not isinstance(k.value, ast.Constant):
                yield k.arg, k.value

    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name.startswith("_"):
            continue
        for d in node.decorator_list:
            if is_flow(d.func if isinstance(d, ast.Call) else d):
                yield {
                    "file": path,
                    "function": node.name,
                    "name": said(d, "name") or node.name.replace("_", "-"),
                    "version": said(d, "version"),
                    "description": said(d, "description") or ast.get_docstring(node) or "",
                    "expressions": list(expressions(d)),
                }


def evaluate(flow, expressions):
    """Fills in what a decorator says by expressions, in the way that Prefect
    does it: imports, definitions and assignments of the file are executed."""
    import ast

    from prefect.utilities.importtools import safe_load_namespace

    with open(flow["file"], encoding="utf-8") as f:
        namespace = safe_load_namespace(f.read(), filepath=flow["file"])
    for key, node in expressions:
        try:
            value = eval(compile(ast.Expression(node), flow["file"], "eval"), namespace)
            said = {key: value} if key else {k: value.get(k) for k in ("name", "version", "description")}
            if not isinstance(said.get("name") or "", str):
                raise TypeError(f"{said['name']!r} is not a text")
        except Exception as exc:
            if key in (None, "name"):
                flow["error"] = (
                    f"the name of flow {flow['function']} is an expression that cannot be evaluated without running the file "
                    f"({type(exc).__name__}: {exc}); write the name as a text"
                )
            continue  # the other two may be left out
        flow.update({k: str(v) for k, v in said.items() if v})


def json_input():
    import json

    return json.load(sys.stdin)


def describe(paths):
    """Lists the flows of files. Only types and defaults of parameters are
    evaluated, in the way that Prefect does it for code it cannot run."""
    import json
    import warnings

    found, failed = [], []
    for path in paths:
        try:
            found.extend(flows_of(path))
        except (SyntaxError, ValueError, OSError) as exc:
            failed.append({"file": path, "error": f"{type(exc).__name__}: {exc}"})
    out = os.dup(1)
    os.dup2(2, 1)  # what an import prints is no part of the answer
    if found:
        try:
            import_prefect()
        except Exception as exc:
            last_words(missing(exc))
            sys.exit(78)
        from prefect.utilities.callables import parameter_schema_from_entrypoint

        warnings.simplefilter("ignore")
        sys.path.insert(0, os.getcwd())
        for flow in found:
            expressions = flow.pop("expressions")
            if expressions:
                evaluate(flow, expressions)
            if "error" in flow:
                continue
            try:
                schema = parameter_schema_from_entrypoint(f"{flow['file']}:{flow['function']}")
                flow["parameter_openapi_schema"] = schema.model_dump_for_openapi()
            except Exception as exc:
                flow["error"] = f"parameters of {flow['function']}: {type(exc).__name__}: {exc}"
    os.write(out, json.dumps({"flows": found, "failed": failed}).encode())


def no_input():
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


if __name__ == "__main__":
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    sys.argv = sys.argv[:1] + sys.argv[2:]
    if mode == "serve":
        serve()
        execute()
    else:
        {"run": run, "describe": lambda: describe(json_input())}[mode]()
