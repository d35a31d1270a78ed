"""One mail of a simple kind, and what lies in the queue."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

from portal.delivery import service
from portal.delivery.models import Mail
from portal.kernel.actor import system
from portal.wiring import House

JOB = "count"
SIGN_IN: dict[str, Any] = {
    "kind": "new_sign_in",
    "to_address": "ada@acme.example",
    "to_name": "Ada Okafor",
    "context": {"at": "2026-11-24T09:00:00Z", "device": "Firefox on Linux"},
    "dedupe_key": "sign-in:1",
}


def queue_mail(house: House, **changes: Any) -> None:
    """Queue one mail."""
    with house.ledger.begin(system("test")) as tx:
        service.send(tx, **{**SIGN_IN, **changes})


def mails(house: House) -> list[Mail]:
    """Return all mails, by address and kind."""
    with house.ledger.begin(system("test")) as tx:
        return list(tx.session.execute(sa.select(Mail).order_by(Mail.to_address, Mail.kind, Mail.id)).scalars())


def only_mail(house: House) -> Mail:
    """Return the one mail there is."""
    (mail,) = mails(house)
    return mail


def owner(house: House) -> psycopg.Connection[Any]:
    """Return a connection of the queue's owner."""
    return psycopg.connect(house.database_url.replace("+psycopg", ""), autocommit=True)


def jobs_of(house: House) -> list[tuple[str, dict[str, Any], str]]:
    """Return name, arguments and status of every job, in order."""
    with owner(house) as connection:
        return connection.execute("SELECT task_name, args, status::text FROM procrastinate_jobs ORDER BY id").fetchall()
