"""What is looked at by night: whether the trail is whole, and whether the keys will still sign and open tomorrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.audit import service as audit
from portal.identity.models import ServiceClient
from portal.jobs import recipients
from portal.jobs.tools import House, Job, Pace
from portal.kernel import signing
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.kernel.logging import logger
from portal.kernel.signing import Signer
from portal.terms import Role

log = logger(__name__)

VERIFY = "verify_trail"
KEYS = "watch_keys"
STAGES = (30, 7, 1, -1)
"""How many days before its end it is said of a key; and once after."""


def verify_trail(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Check the whole chain; if it is broken, program admins and auditors hear of it at once (ux.md, e-mail 27)."""
    with house.ledger.begin(system(VERIFY)) as tx:
        end = audit.head(tx)
        found = audit.verify(tx)
    if not found:
        log.info("trail is whole", events=end.seq)
        return
    log.error("trail is broken", events=end.seq, flaws=len(found), first=found[0].sentence)
    with house.ledger.begin(system(VERIFY)) as tx:
        context = {"at": tx.now, "flaws": len(found), "first": found[0].seq, "events": end.seq}
        people = recipients.of_lab(tx, {Role.PROGRAM_ADMIN, Role.AUDITOR})
        stem = f"chain_broken:{tx.now.date().isoformat()}:{found[0].seq}:{len(found)}"
        recipients.tell(tx, people, "chain_broken", context, stem)


def watch_keys(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Say of each key and token that it ends in 30, 7 and 1 days, and that it has ended (ux.md, e-mail 26)."""
    now = house.instant()
    signer, reason = _signer(house)
    with house.ledger.begin(system(KEYS)) as tx:
        people = recipients.of_lab(tx, {Role.PROGRAM_ADMIN})
        for stem, context in (*_signing(signer, reason, now), *_tokens(tx, now)):
            recipients.tell(tx, people, "key_failing", context, stem)


def _signer(house: House) -> tuple[Signer, str]:
    """Return the keys as they are on the disk now, and why they cannot be read."""
    try:
        return signing.load(house.signing_keys), ""
    except (OSError, ValueError, KeyError, TypeError) as failure:
        log.error("signing keys cannot be read", reason=type(failure).__name__)
        return Signer(()), "The key file cannot be read."


def _signing(signer: Signer, reason: str, now: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not any(each.not_before <= now < each.not_after for each in signer.keys):
        if not reason:
            reason = (
                "The key file holds no key." if not signer.keys else "Every key in the file has ended or is to come."
            )
        yield f"signing_keys:none:{now.date().isoformat()}", {"ends_on": None, "reason": reason}
        return
    end = _covered_until(signer, now)
    stage, left = stage_of(end.date(), now.date())
    if stage is not None:
        yield f"signing_keys:{end.isoformat()}:{stage}", {"ends_on": end.date(), "days_left": left}


def _covered_until(signer: Signer, now: datetime) -> datetime:
    """Return until when there is always a key in force, from now on."""
    end = now
    for key in signer.keys:
        if key.not_before <= end:
            end = max(end, key.not_after)
    return end


def _tokens(tx: Tx, now: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
    statement = (
        sa.select(ServiceClient.id, ServiceClient.name, ServiceClient.expires_at)
        .where(
            ServiceClient.disabled_at.is_(None),
            ServiceClient.expires_at <= now + timedelta(days=max(STAGES)),
            ServiceClient.expires_at > now - timedelta(days=max(STAGES)),
        )
        .order_by(ServiceClient.expires_at, ServiceClient.id)
    )
    for client_id, name, expires_at in tx.session.execute(statement):
        ends_on = expires_at.astimezone(UTC).date()
        stage, left = stage_of(ends_on, now.date()) if expires_at > now else (-1, -1)
        if stage is not None:
            yield f"client:{client_id}:{stage}", {"client": name, "ends_on": ends_on, "days_left": left}


def stage_of(ends_on: date, today: date) -> tuple[int | None, int]:
    """Return which stage a key has reached, the nearest to its end, and how many days are left."""
    left = (ends_on - today).days
    return next((each for each in sorted(STAGES) if left <= each), None), left


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (Job(VERIFY, verify_trail, cron=pace.verify_cron), Job(KEYS, watch_keys, cron=pace.keys_cron))
