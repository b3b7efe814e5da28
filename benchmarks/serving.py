"""A server of either product under load: the same raw HTTP for both, each client a process of its own."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

RUNS = "/api/2.0/mlflow/runs"
_CLIENTS = 4


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """One connection that is kept alive while it is used: servers close those that idle (MLflow's after 5 s)."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._used = time.monotonic()

    def send(self, path: str, body: dict[str, object] | bytes, method: str = "POST") -> dict:
        """Send JSON and return the answer. Raises on any status but 200."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if time.monotonic() - self._used > 1:
            self._connection.close()  # the next request opens it anew
        self._connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        content = answer.read()
        self._used = time.monotonic()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {content[:300]!r}")
        return json.loads(content)

    def experiment(self) -> str:
        """Make an experiment; return its id."""
        name = f"load-{os.getpid()}-{time.time_ns()}"
        return self.send("/api/2.0/mlflow/experiments/create", {"name": name})["experiment_id"]

    def run(self, experiment: str) -> str:
        """Make a run; return its id."""
        made = self.send(f"{RUNS}/create", {"experiment_id": experiment, "start_time": 1})
        return made["run"]["info"]["run_id"]


@contextmanager
def server(command: list[str], port: int) -> Iterator[dict[str, float]]:
    """Start a server; yield the seconds until it answers, its processes and their memory (MiB)."""
    begin = time.perf_counter()
    with Path("server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(process, port, begin + 300)
        yield {"seconds": time.perf_counter() - begin, **_footprint(process.pid)}
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, until: float) -> None:
    while time.perf_counter() < until and process.poll() is None:
        try:
            Client(port).send("/api/2.0/mlflow/experiments/search", {"max_results": 1})
            return
        except (OSError, http.client.HTTPException, RuntimeError, ValueError):
            time.sleep(0.02)
    raise RuntimeError(Path("server.log").read_text()[-2000:])


def _footprint(pid: int) -> dict[str, float]:
    """Processes of the group of a server, and the memory that is theirs alone or their share of it."""
    members = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if os.getpgid(int(folder.name)) == pid:
                    members.append(folder)
            except ProcessLookupError:
                continue
    shares = [
        int(line.split()[1])
        for folder in members
        for line in (folder / "smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    ]
    return {"processes": len(members), "memory": sum(shares) / 1024}


Work = Callable[[Client, str, int], None]


def log_batches(client: Client, experiment: str, count: int) -> None:
    """Send batches of 100 metrics to a run of one's own."""
    run = client.run(experiment)
    for step in range(count):
        metrics = [
            {"key": f"m{k}", "value": k / (step + 1), "timestamp": 1_780_000_000_000, "step": step}
            for k in range(100)
        ]
        client.send(f"{RUNS}/log-batch", {"run_id": run, "metrics": metrics})


def log_metrics(client: Client, experiment: str, count: int) -> None:
    """Send one metric at a time to a run of one's own."""
    run = client.run(experiment)
    for step in range(count):
        point = {"key": "loss", "value": 1 / (step + 1), "timestamp": 1_780_000_000_000}
        client.send(f"{RUNS}/log-metric", {"run_id": run, "step": step, **point})


def search_runs(client: Client, experiment: str, count: int) -> None:
    """Ask for the first 100 runs of an experiment."""
    body = json.dumps({"experiment_ids": [experiment], "max_results": 100}).encode()
    for _ in range(count):
        assert len(client.send(f"{RUNS}/search", body)["runs"]) == 100


def _client(port: int, work: Work, experiment: str, count: int, barrier) -> None:
    client = Client(port)
    work(client, experiment, 3)
    barrier.wait()
    work(client, experiment, count)


def rate(port: int, work: Work, experiment: str, count: int, clients: int = _CLIENTS) -> float:
    """Requests a second of some clients at once, ``count`` requests each; any error ends it."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(clients + 1)
    arguments = (port, work, experiment, count, barrier)
    workers = [context.Process(target=_client, args=arguments) for _ in range(clients)]
    for worker in workers:
        worker.start()
    try:
        barrier.wait(120)
        begin = time.perf_counter()
        for worker in workers:
            worker.join()
    except threading.BrokenBarrierError:
        raise RuntimeError("a client failed before it began") from None
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a client failed")
    return clients * count / (time.perf_counter() - begin)
