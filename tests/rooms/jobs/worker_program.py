"""A worker with a quick pace and jobs that a test can watch through a door."""

from __future__ import annotations

import os
import signal
import socket
import sys

import sqlalchemy as sa

from portal.delivery import service
from portal.jobs.mail import JOBS as MAIL
from portal.jobs.tools import House, Job, Pace
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.settings import Settings
from portal.wiring import House as TheHouse
from tests.rooms.delivery.world import SIGN_IN


def knock(house: House, *, what: str) -> None:
    """Queue a mail under a key of its own, then wait at the door."""
    with house.ledger.begin(system("knock")) as tx:
        service.send(tx, **{**SIGN_IN, "dedupe_key": what})
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["DOOR"])
        line.sendall(what.encode())
        line.recv(10)


def poison(house: House, *, what: str) -> None:
    """Fail each time."""
    raise ValueError(f"{what} cannot be done")


def deadly(house: House, *, what: str) -> None:
    """Take the worker down."""
    os.kill(os.getpid(), signal.SIGKILL)


def tick(house: House, *, timestamp: int) -> None:
    """Write down when it was due, and who did it."""
    with house.ledger.begin(system("tick")) as tx:
        tx.session.execute(sa.text("INSERT INTO tick VALUES (:due, :pid)"), {"due": timestamp, "pid": os.getpid()})


JOBS = [*MAIL, Job("knock", knock), Job("poison", poison), Job("deadly", deadly)]
if os.environ.get("TICK"):
    JOBS.append(Job("tick", tick, cron="* * * * * *"))
QUICK = Pace(beat=0.3, dead_after=1.5, poll=0.2, drain=30.0, stalled_cron="* * * * * *")

if __name__ == "__main__":
    from portal.jobs import app as queue

    queue.FIRST_WAIT = queue.FIRST_WAIT / 100
    sys.exit(0 if run_worker(TheHouse(Settings.from_env()), pace=QUICK, jobs=JOBS) else 1)
