"""flask mail: what mail servers say after they took a mail."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import AppGroup

from portal.delivery import bounces, service
from portal.kernel.actor import system

if TYPE_CHECKING:
    from portal.wiring import House

mail = AppGroup("mail", help="What became of mail after a server took it.")
ACTOR = system("mail report")


@mail.command("report")
def report() -> None:
    """Read one delivery report from standard input: the pipe of the mail server for the address of the sender.

    What is no report of a failure, or of no mail of ours, is passed over: a bounce must not bounce.
    """
    house = cast("House", current_app.extensions["gatehouse"])
    found = bounces.read_report(sys.stdin.buffer.read(bounces.MOST_BYTES))
    noted = 0
    for each in found:
        with house.ledger.begin(ACTOR) as tx:
            noted += service.bounced(tx, each.mail_id, reason=each.reason)
    click.echo(f"{noted} mail noted as not delivered." if noted else "Nothing to note.")


@mail.command("bounced")
@click.argument("address")
@click.option("--reason", default="the mail server gave it back", show_default=True, help="In the server's words.")
def bounced(address: str, reason: str) -> None:
    """Note by hand that the newest mail to ADDRESS came back."""
    house = cast("House", current_app.extensions["gatehouse"])
    with house.ledger.begin(ACTOR) as tx:
        newest = service.newest_sent(tx, address.strip().lower())
        noted = newest is not None and service.bounced(tx, newest, reason=reason)
    if not noted:
        raise click.ClickException(f"No mail to {address} was sent and is not noted already.")
    click.echo("Noted as not delivered.")


commands = (mail,)
