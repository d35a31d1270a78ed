"""flask worker."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.jobs.worker import run_worker

if TYPE_CHECKING:
    from portal.wiring import House


@click.command("worker")
@click.option("--once", is_flag=True, help="Stop when no job waits.")
@with_appcontext
def worker_command(once: bool) -> None:
    """Do the jobs: send mail, remind, look after the queue. Start as many of these as you like."""
    house = cast("House", current_app.extensions["gatehouse"])
    if not run_worker(house, once=once):
        sys.exit(1)


commands = (worker_command,)
