"""A real worker process: killed in the middle, stopped gracefully, two at once, poison parked."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from portal.delivery import service
from portal.delivery.models import ParkedJob
from portal.kernel.actor import system
from portal.wiring import House
from tests.conftest import SECRET
from tests.rooms.delivery.world import jobs_of, mails, owner, queue_mail

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("worker_program.py")
PATIENCE = 60.0


class Door:
    """Where jobs of the worker program say what they do and wait to be let through: a socket, so nobody sleeps."""

    def __init__(self, folder: Path) -> None:
        """Listen."""
        self.path = str(folder / "door")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(20)
        self._listener.settimeout(PATIENCE)

    def visitor(self) -> tuple[str, socket.socket]:
        """Wait for the next job; return what it says and its line, by which it is let through."""
        line, _ = self._listener.accept()
        line.settimeout(PATIENCE)
        return line.recv(200).decode(), line

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """The door of this test's workers."""
    made = Door(tmp_path)
    yield made
    made.close()


@pytest.fixture
def worker(house: House, door: Door, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start worker processes on the test's database; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "GATEHOUSE_DATABASE_URL": house.database_url,
                "GATEHOUSE_SECRET_KEY": SECRET,
                "GATEHOUSE_VAR": str(tmp_path / "var"),
                "DOOR": door.path,
                **environment,
            },
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def enqueue(house: House, name: str, **args: Any) -> None:
    with house.ledger.begin(system("test")) as tx:
        service.enqueue(tx, name, **args)


def until(house: House, statement: str, wanted: Callable[[Any], bool]) -> Any:
    """Return the value once it is as wanted: at each notice of the queue, and after a third of a second."""
    with owner(house) as connection:
        connection.execute("LISTEN procrastinate_any_queue_v1")
        for _look in range(200):
            value = connection.execute(statement.encode()).fetchone()
            if value is not None and wanted(value[0]):
                return value[0]
            list(connection.notifies(timeout=0.3, stop_after=1))
    raise AssertionError(f"this never came to be as wanted: {statement}")


def test_a_job_cut_short_by_kill_9_runs_again_and_its_effect_is_there_once(house, door, worker) -> None:
    enqueue(house, "knock", what="first")
    first = worker()
    _said, _line = door.visitor()
    first.kill()
    first.wait()

    worker()
    said, line = door.visitor()
    line.sendall(b"go")

    assert said == "first"
    until(house, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'knock' AND status = 'succeeded'", bool)
    assert len(mails(house)) == 1


def test_a_poison_job_is_parked_with_its_reason_while_others_go_on(house, door, worker) -> None:
    enqueue(house, "poison", what="bad")
    enqueue(house, "knock", what="good")
    worker()

    said, line = door.visitor()
    line.sendall(b"go")

    assert said == "good"
    until(house, "SELECT count(*) FROM parked_job", bool)
    with house.ledger.begin(system("test")) as tx:
        parked = tx.session.execute(sa.select(ParkedJob)).scalar_one()
    assert (parked.name, parked.args, parked.attempts) == ("poison", {"what": "bad"}, 3)
    assert parked.reason == "ValueError: bad cannot be done"
    until(house, "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'poison'", lambda s: s == "failed")


def test_a_job_that_kills_its_worker_each_time_is_parked_too(house, door, worker) -> None:
    enqueue(house, "deadly", what="x")
    for _ in range(3):
        assert worker().wait(PATIENCE) == -signal.SIGKILL
    worker()

    until(house, "SELECT count(*) FROM parked_job", bool)

    with house.ledger.begin(system("test")) as tx:
        parked = tx.session.execute(sa.select(ParkedJob)).scalar_one()
    assert (parked.name, parked.reason) == ("deadly", "The worker stopped 3 times in the middle of it.")


def test_sigterm_lets_the_job_in_hand_finish(house, door, worker) -> None:
    enqueue(house, "knock", what="in hand")
    process = worker()
    _said, line = door.visitor()

    process.send_signal(signal.SIGTERM)
    line.sendall(b"go")

    assert process.wait(PATIENCE) == 0
    assert [status for name, _args, status in jobs_of(house) if name == "knock"] == ["succeeded"]
    assert len(mails(house)) == 1


def test_two_workers_and_two_schedulers_do_a_thing_by_the_clock_once(house, door, worker) -> None:
    with owner(house) as connection:
        connection.execute("CREATE TABLE tick (due bigint, pid int)")
        connection.execute("GRANT SELECT, INSERT ON tick TO gatehouse_app")
    worker(TICK="1")
    worker(TICK="1")

    until(house, "SELECT count(*) FROM tick", lambda count: count >= 4)

    with owner(house) as connection:
        twice = connection.execute("SELECT due FROM tick GROUP BY due HAVING count(*) > 1").fetchall()
    assert twice == []


def test_a_worker_that_loses_all_its_connections_goes_on(house, door, worker) -> None:
    enqueue(house, "knock", what="before")
    process = worker()
    _said, line = door.visitor()
    line.sendall(b"go")
    until(house, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'knock' AND status = 'succeeded'", bool)
    with owner(house) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gateho%'"
        )

    house.engine.dispose()
    enqueue(house, "knock", what="after")
    said, line = door.visitor()
    line.sendall(b"go")

    assert said == "after"
    assert process.poll() is None


def test_what_a_living_worker_finished_without_being_able_to_say_so_is_taken_up_again(house, door, worker) -> None:
    enqueue(house, "knock", what="lost")
    with owner(house) as connection:
        connection.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 hour')")
        connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
        )
        connection.execute("UPDATE procrastinate_events SET at = now() - interval '16 minutes' WHERE type = 'started'")
    worker()

    said, line = door.visitor()
    line.sendall(b"go")

    assert said == "lost"


def test_the_flask_command_sends_what_waits(house, tmp_path) -> None:
    queue_mail(house)

    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "worker", "--once"],
        cwd=ROOT,
        env={
            **os.environ,
            "GATEHOUSE_DATABASE_URL": house.database_url,
            "GATEHOUSE_SECRET_KEY": SECRET,
            "GATEHOUSE_VAR": str(tmp_path / "var"),
        },
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 0
    assert [mail.state for mail in mails(house)] == ["sent"]
