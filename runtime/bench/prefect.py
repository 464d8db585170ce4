"""The same Prefect client against a Prefect server and against flowlite, on this machine.

    python runtime/bench/prefect.py PATH_TO_FLOWLITE     # with the python of a virtualenv that has prefect==3.4.9

Prints wall time, server CPU and memory of each: a flow of 50 tasks, 50 submitted tasks, 20 flow runs in a row;
then how long a run of a deployment takes from its creation to Running through a process pool: with Prefect's
worker on either server, and with flowlite's own.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROUNDS = 3
LOAD = """
import sys, time
from prefect import flow, task

@task
def noop(): ...

@flow
def fifty():
    for _ in range(50): noop()

@flow
def submitted():
    for f in [noop.submit() for _ in range(50)]: f.wait()

@flow
def empty(): ...

empty()
for name, work in (("50 tasks", fifty), ("50 submitted tasks", submitted), ("20 flow runs", lambda: [empty() for _ in range(20)])):
    for _ in range(int(sys.argv[1])):
        began = time.perf_counter()
        work()
        print(f"@{name}={time.perf_counter() - began}", flush=True)
"""

POOL = """
import sys, time
from pathlib import Path
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment

Path("pool.py").write_text("from prefect import flow\\n@flow\\ndef started(): ...\\n")
flow.from_source(source=str(Path.cwd()), entrypoint="pool.py:started").deploy("bench", work_pool_name="bench", print_next_steps=False)
with get_client(sync_client=True) as client:
    for _ in range(int(sys.argv[1])):
        run = run_deployment("started/bench", timeout=0, as_subflow=False)
        end = time.monotonic() + 120
        while not (run := client.read_flow_run(run.id)).state.is_final():
            if time.monotonic() > end:
                sys.exit(f"the run is still {run.state.name} after two minutes")
            time.sleep(0.05)
        if not run.state.is_completed():
            sys.exit(f"the run ended {run.state.name}: {run.state.message}")
        print(f"@start={(run.start_time - run.created).total_seconds()}", flush=True)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(pid):
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [p for c in children for p in tree(int(c))]


def cpu_seconds(pid):
    total = 0
    for p in tree(pid):
        fields = Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory_mb(pid):
    lines = (l for p in tree(pid) for l in Path(f"/proc/{p}/status").read_text().splitlines())
    return sum(int(l.split()[1]) for l in lines if l.startswith("VmRSS")) / 1024


def median(times):
    return sorted(times)[len(times) // 2]


def client(code, env, cwd):
    """Runs code with the client; the seconds that it printed, by what they are of."""
    out = subprocess.run([sys.executable, "-c", code, str(ROUNDS)], env=env, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout
    times = {}
    for line in out.splitlines():
        if line.startswith("@"):
            what, _, seconds = line[1:].partition("=")
            times.setdefault(what, []).append(float(seconds))
    return times


def starts(name, worker, env, cwd):
    """Prints how long runs of a deployment took from creation to Running."""
    process = subprocess.Popen(worker, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        times = client(POOL, env, cwd)["start"]
        print(f"{name}: creation to Running, first {times[0]:.2f} s, median of the others {median(times[1:]):.2f} s", flush=True)
    finally:
        pids = tree(process.pid)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # Prefect's worker may wait for something that does not come
            for pid in pids:
                subprocess.run(["kill", "-9", str(pid)], stderr=subprocess.DEVNULL)
            process.wait()


def measure(name, command, port, own_worker=None):
    home = tempfile.mkdtemp()
    api = f"http://127.0.0.1:{port}/api"
    env = {**os.environ, "PREFECT_HOME": home, "FLOWLITE_HOME": home, "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    server = subprocess.Popen(command, env=env, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(api + "/health", timeout=2)
                break
            except OSError:
                time.sleep(0.1)
        env |= {"PREFECT_API_URL": api, "FLOWLITE_API_URL": api, "PREFECT_LOGGING_LEVEL": "WARNING"}
        before = cpu_seconds(server.pid)
        times = client(LOAD, env, home)
        time.sleep(2)  # what came late is the server's work too
        wall = ", ".join(f"{what} {median(ts):.2f} s" for what, ts in times.items())
        cpu, rss = (cpu_seconds(server.pid) - before) / ROUNDS, memory_mb(server.pid)
        print(f"{name}: {wall}; server CPU {cpu:.2f} s a round, memory {rss:.0f} MB", flush=True)
        prefect = [sys.executable, "-m", "prefect"]
        subprocess.run([*prefect, "work-pool", "create", "--type", "process", "bench"], env=env, cwd=home, check=True, stdout=subprocess.DEVNULL)
        starts(f"{name}, Prefect's worker", [*prefect, "worker", "start", "--pool", "bench"], env, home)
        if own_worker:
            starts(f"{name}, its own worker", [*own_worker, "--python", sys.executable], env, home)
        return cpu, rss
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    flowlite = str(Path(sys.argv[1]).resolve())
    port = free_port()
    prefect = measure("Prefect ", [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)], port)
    port = free_port()
    ours = measure("flowlite", [flowlite, "server", "start", "--port", str(port)], port, [flowlite, "worker", "start", "--pool", "bench"])
    print(f"flowlite takes 1/{prefect[0] / max(ours[0], 0.01):.0f} of the CPU and 1/{prefect[1] / ours[1]:.1f} of the memory")
