"""The supervisor brings back what dies, stops in order, leaves nothing behind, and says plainly why it cannot start."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal import supervisor
from portal.kernel.launch.refusal import LaunchRefused

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
APPLICATION = """
import os, signal, sys, time
import psycopg
from flask import Flask

app = Flask("small")
URL = os.environ["GATEHOUSE_DATABASE_URL"].replace("+psycopg", "")


@app.get("/health/live")
def live() -> str:
    return "ok"


@app.get("/rows")
def rows() -> str:
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("INSERT INTO visits VALUES (1)")
        return str(connection.execute("SELECT count(*) FROM visits").fetchone()[0])


@app.get("/slow")
def slow() -> str:
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("SELECT pg_sleep(1)")
    return "done"


@app.get("/asleep")
def asleep() -> str:
    sleepers = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with psycopg.connect(URL, autocommit=True) as connection:
        return str(connection.execute(sleepers).fetchone()[0])


@app.cli.command("init")
def init() -> None:
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visits (n int)")


@app.cli.command("worker")
def worker() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("worker finished its job"))
    print(f"worker is process {os.getpid()}", flush=True)
    while True:
        signal.pause()
"""
DRIVER = """
import sys
from pathlib import Path
from portal.settings import Settings
from portal.supervisor import serve
port, var, project = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
base_url = f"http://127.0.0.1:{port}"
sys.exit(serve(Settings(port=port, var_dir=var, base_url=base_url, web_workers=1), project=project))
"""


def until(condition: Callable[[], bool], what: str, patience: float = 20.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree(pid: int) -> dict[int, str]:
    """Return the living descendants of a process and what each runs."""
    parents, commands = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(entry.name)] = int(parent)
                commands[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    found: dict[int, str] = {}
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        found |= {child: commands[child] for child in fresh}
    return found


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def drive(port: int, var: Path, project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(port), str(var), str(project)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


class Running:
    """A supervisor in a process of its own, on a small application."""

    def __init__(self, folder: Path, port: int) -> None:
        (folder / "app.py").write_text(APPLICATION)
        self.folder, self.port = folder, port
        self.output = folder / "output.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DRIVER, str(port), str(folder / "var"), str(folder)],
                cwd=PROJECT,
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, sentence: str) -> None:
        until(lambda: sentence in self.said() or self.process.poll() is not None, sentence)
        assert sentence in self.said()

    def get(self, path: str) -> str | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.read().decode() if answer.status == http.HTTPStatus.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def child(self, word: str) -> int:
        return next(pid for pid, command in sorted(tree(self.process.pid).items()) if word in command)


@contextlib.contextmanager
def started(folder: Path, port: int) -> Iterator[Running]:
    """A supervisor with all its children up; whatever the test did to it, nothing of it stays."""
    it = Running(folder, port)
    try:
        it.wait_for("ready at")
        it.wait_for("worker is process")
        yield it
    finally:
        it.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            it.process.wait(20)
        it.process.kill()
        it.process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("running"), free_port()) as it:
        yield it


def test_what_is_killed_comes_back_and_what_was_stored_is_there(running: Running) -> None:
    assert running.get("/rows") == "1"

    os.kill(running.child("postgres -D"), signal.SIGKILL)
    running.wait_for("recovered in")
    assert running.get("/rows") == "2"

    os.kill(running.child("granian"), signal.SIGKILL)
    running.wait_for("web        stopped by itself (SIGKILL)")
    until(lambda: running.get("/rows") == "3", "the web to be back")

    os.kill(running.child("app worker"), signal.SIGKILL)
    until(lambda: running.said().count("worker is process") == 2, "the worker to be back")


def test_a_second_start_on_one_folder_is_told_who_runs(running: Running) -> None:
    second = drive(free_port(), running.folder / "var", running.folder)

    assert second.returncode == 1
    assert second.stderr == (
        f"Gatehouse already runs on this folder (process {running.process.pid}, http://127.0.0.1:{running.port}): "
        "stop it, or choose another folder: make run VAR=/other/folder PORT=8001\n"
    )


def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with started(tmp_path, free_port()) as killed:
        everything = tree(killed.process.pid)
        assert len(everything) > 5

        killed.process.kill()
        killed.process.wait()

        until(lambda: not any(map(alive, everything)), "the children to follow")


def test_an_orderly_stop_finishes_requests_and_jobs_and_ends_with_the_database(tmp_path: Path) -> None:
    with started(tmp_path, free_port()) as stopped, ThreadPoolExecutor(1) as elsewhere:
        everything = tree(stopped.process.pid)
        slow = elsewhere.submit(stopped.get, "/slow")
        until(lambda: stopped.get("/asleep") == "1", "the slow request to begin")

        stopped.process.terminate()

        assert slow.result(20) == "done"
        assert stopped.process.wait(20) == 0
        assert "worker finished its job" in stopped.said()
        assert not [command for pid, command in everything.items() if alive(pid)]
        assert (tmp_path / "var" / "postgres.log").read_text().rstrip().endswith("database system is shut down")


def test_a_port_in_use_is_one_sentence_with_another_to_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(LaunchRefused) as refusal:
            supervisor.require_port(port, patience=0)

    assert str(refusal.value) == f"Port {port} is in use. Choose another: make run PORT={port + 1}"


def test_an_application_that_cannot_start_ends_the_start_with_its_own_words(tmp_path: Path) -> None:
    broken = APPLICATION.replace("CREATE TABLE IF NOT EXISTS visits (n int)", "NONSENSE")
    (tmp_path / "app.py").write_text(broken)

    done = drive(free_port(), tmp_path / "var", tmp_path)

    assert done.returncode == 1
    assert 'syntax error at or near "NONSENSE"' in done.stderr
    assert "init       did not finish (exit code 1); the lines above say why" in done.stdout


def test_one_death_is_mended_at_once_and_many_ever_slower() -> None:
    assert supervisor.pause_before_restart([100.0], 100.0) == 0
    assert supervisor.pause_before_restart([99.0, 100.0], 100.0) == 0.5
    assert supervisor.pause_before_restart([97.0, 98.0, 99.0, 100.0], 100.0) == 2
    assert supervisor.pause_before_restart([100.0] * 30, 100.0) == 30
    assert supervisor.pause_before_restart([10.0, 20.0, 100.0], 100.0) == 0


def test_five_deaths_within_a_minute_are_too_often() -> None:
    assert supervisor.too_often([60.0, 61.0, 62.0, 63.0, 64.0], 64.0)
    assert not supervisor.too_often([1.0, 61.0, 62.0, 63.0, 64.0], 64.0)
