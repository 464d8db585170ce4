"""The same Prefect client against a Prefect server and against flowlite, on this machine.

    python bench/prefect.py PATH_TO_FLOWLITE     # with the python of a virtualenv that has prefect==3.4.9

Prints wall time, server CPU and memory of each: a flow of 50 tasks, 50 submitted tasks, 20 flow runs in a row.
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
        print(f"{name}={time.perf_counter() - began}", flush=True)
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


def measure(name, command, env, port):
    home = tempfile.mkdtemp()
    env = {**os.environ, "PREFECT_HOME": home, "FLOWLITE_HOME": home, "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", **env}
    server = subprocess.Popen(command, env=env, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        api = f"http://127.0.0.1:{port}/api"
        for _ in range(600):
            try:
                urllib.request.urlopen(api + "/health", timeout=2)
                break
            except OSError:
                time.sleep(0.1)
        before = cpu_seconds(server.pid)
        out = subprocess.run([sys.executable, "-c", LOAD, str(ROUNDS)], env={**env, "PREFECT_API_URL": api, "PREFECT_LOGGING_LEVEL": "WARNING"}, stdout=subprocess.PIPE, text=True, check=True).stdout
        time.sleep(2)  # what came late is the server's work too
        times = {}
        for line in out.splitlines():
            what, _, seconds = line.partition("=")
            times.setdefault(what, []).append(float(seconds))
        wall = ", ".join(f"{what} {sorted(ts)[len(ts) // 2]:.2f} s" for what, ts in times.items())
        cpu, rss = (cpu_seconds(server.pid) - before) / ROUNDS, memory_mb(server.pid)
        print(f"{name}: {wall}; server CPU {cpu:.2f} s a round, memory {rss:.0f} MB", flush=True)
        return cpu, rss
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    flowlite = str(Path(sys.argv[1]).resolve())
    port = free_port()
    prefect = measure("Prefect ", [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)], {}, port)
    port = free_port()
    ours = measure("flowlite", [flowlite, "server", "start", "--port", str(port)], {}, port)
    print(f"flowlite takes 1/{prefect[0] / max(ours[0], 0.01):.0f} of the CPU and 1/{prefect[1] / ours[1]:.0f} of the memory")
