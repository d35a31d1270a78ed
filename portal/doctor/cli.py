"""flask doctor."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.doctor.findings import Level, as_json, lines, worst
from portal.doctor.round import examine

if TYPE_CHECKING:
    from portal.wiring import House


@click.command("doctor")
@click.option("--deep", is_flag=True, help="Verify the whole trail too.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
@with_appcontext
def doctor_command(deep: bool, machine: bool) -> None:
    """Look at everything this installation stands on; say what is wrong and what to do. Exit 1 if it must be repaired.

    It changes nothing.
    """
    found = examine(cast("House", current_app.extensions["gatehouse"]), deep=deep)
    click.echo(as_json(found) if machine else "\n".join(lines(found)))
    if worst(found) is Level.FAIL:
        sys.exit(1)
