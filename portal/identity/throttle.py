"""Counting tries, in the database, so that a restart or a second worker forgets nothing."""

from __future__ import annotations

import hashlib
from datetime import UTC, timedelta
from math import ceil

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from portal.identity.models import Throttle
from portal.identity.rules import Limit
from portal.kernel.errors import TooMany
from portal.kernel.ledger import Tx
from portal.kernel.words import said

LONGEST_WINDOW = timedelta(hours=24)


def sign_in_limits(email: str, address: str) -> list[Limit]:
    """Return what bounds guessing at the door.

    Few tries for one account from one place, more for the account from everywhere (so that a stranger elsewhere does
    not lock its owner out at once), and a bound for the place (ASVS 6.1.1, 6.3.1, 6.6.3).
    """
    who = _mark(email.strip().lower())
    return [
        Limit(f"sign-in:{who}:{_mark(address)}", 10, timedelta(minutes=15)),
        Limit(f"sign-in:{who}", 50, timedelta(hours=1)),
        Limit(f"sign-in:from:{_mark(address)}", 100, timedelta(minutes=15)),
    ]


def step_up_limits(user_id: object) -> list[Limit]:
    """Return what bounds guessing a code, or the present password, inside a session."""
    return [Limit(f"step-up:{user_id}", 10, timedelta(minutes=15))]


def passkey_limits(address: str) -> list[Limit]:
    """Return what bounds passkeys shown at the door from one place: nothing can be guessed, but checking costs."""
    return [Limit(f"passkey:from:{_mark(address)}", 60, timedelta(minutes=15))]


def refusal_limits(user_id: object) -> list[Limit]:
    """Return what bounds the refusals of one person that are written down, so that nobody can flood the trail."""
    return [Limit(f"refused:{user_id}", 120, timedelta(hours=1))]


def mail_limits(email: str, address: str) -> list[Limit]:
    """Return what bounds mails that anybody can cause: resets and renewed invitations."""
    return [
        Limit(f"mail:{_mark(email.strip().lower())}", 3, timedelta(hours=1)),
        Limit(f"mail:from:{_mark(address)}", 30, timedelta(hours=1)),
    ]


def link_limits(address: str) -> list[Limit]:
    """Return what bounds trying one-time links and what is typed behind them."""
    return [Limit(f"link:from:{_mark(address)}", 60, timedelta(minutes=15))]


def count_try(tx: Tx, limits: list[Limit]) -> None:
    """Count one try. Give it a transaction of its own, so that it counts whatever the try itself does.

    :raises TooMany: if any limit is used up, with the time from which it is open again. Refused tries do not count.
    """
    for limit in sorted(limits, key=lambda each: each.key):
        over = Throttle.window_started_at <= tx.now - limit.window
        statement = (
            insert(Throttle)
            .values(key=limit.key, window_started_at=tx.now, count=1)
            .on_conflict_do_update(
                index_elements=[Throttle.key],
                set_={
                    "count": sa.case((over, 1), else_=Throttle.count + 1),
                    "window_started_at": sa.case((over, tx.now), else_=Throttle.window_started_at),
                },
            )
            .returning(Throttle.count, Throttle.window_started_at)
        )
        count, started = tx.session.execute(statement).one()
        if count > limit.times:
            opens = started + limit.window
            # Said to the full minute, rounded up: at 14:52 it is open.
            shown = opens.astimezone(UTC) + timedelta(seconds=59)
            raise TooMany(
                said("Too many codes. Try again at %(time)s UTC.", time=f"{shown:%H:%M}"),
                retry_after=ceil((opens - tx.now).total_seconds()),
            )


def give_back(tx: Tx, limits: list[Limit]) -> None:
    """Take back the try that was counted: it was a right one."""
    tx.session.execute(
        sa.update(Throttle)
        .where(Throttle.key.in_([limit.key for limit in limits]), Throttle.count > 0)
        .values(count=Throttle.count - 1)
    )


def purge(tx: Tx) -> int:
    """Remove counters whose windows are long over; return how many."""
    done = tx.session.execute(
        sa.delete(Throttle).where(Throttle.window_started_at < tx.now - LONGEST_WINDOW).returning(Throttle.key)
    )
    return len(done.all())


def _mark(text: str) -> str:
    # Addresses of people and machines are not kept here in the clear.
    return hashlib.sha256(text.encode()).hexdigest()[:32]
