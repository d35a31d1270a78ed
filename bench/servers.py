"""Servers under measurement: each a granian of its own, its CPU time read from its process tree."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Request:
    """One request that is sent over and over."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[], bytes] | None = None
    """Called anew for each sending, so that a write can differ from the one before."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a round cost: CPU milliseconds a request, requests a second, and the slowest one in a hundred (ms)."""

    cpu: float
    rate: float
    p99: float


@dataclass(slots=True)
class Server:
    """A running server and the processes whose time counts."""

    port: int
    process: subprocess.Popen[bytes]
    also: tuple[int, ...] = ()

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server's tree and of what works for it (its database)."""
        total = 0.0
        for pid in (self.process.pid, *self.also):
            try:
                parent = psutil.Process(pid)
                tree = [parent, *parent.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
            for each in tree:
                try:
                    times = each.cpu_times()
                    total += times.user + times.system
                except psutil.NoSuchProcess:
                    continue
        return total


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    target: str, environment: Mapping[str, str], *, also: tuple[int, ...] = (), workers: int = 2
) -> Iterator[Server]:
    """Run a WSGI application (module:name) for as long as the block lasts."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", "2"),
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "5"),
        *("--no-ws", "--http", "1", "--log-level", "warning", target),
    ]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait(port, process)
        yield Server(port, process, also)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not answer within a minute")


def drive(server: Server, request: Request, *, count: int, connections: int = 4) -> Reading:
    """Send the request ``count`` times over a few kept connections and read what it cost the server.

    :raises RuntimeError: if an answer is not a success.
    """
    taken: list[float] = []
    wrong: list[int] = []

    def work(share: int) -> None:
        connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
        for _ in range(share):
            began = time.perf_counter()
            body = request.body() if request.body else None
            connection.request(request.method, request.path, body=body, headers=dict(request.headers))
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - began)
            if not 200 <= answer.status < 300:
                wrong.append(answer.status)
        connection.close()

    before, began = server.cpu_seconds(), time.perf_counter()
    threads = [threading.Thread(target=work, args=(count // connections,)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent, lasted = server.cpu_seconds() - before, time.perf_counter() - began
    if wrong:
        raise RuntimeError(f"{request.method} {request.path.split('?')[0]} answered {sorted(set(wrong))}")
    taken.sort()
    return Reading(spent / len(taken) * 1000, len(taken) / lasted, taken[int(len(taken) * 0.99) - 1] * 1000)
