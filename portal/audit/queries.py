"""Events of the trail as the lab's page shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.audit.models import AuditCheckpoint, AuditEvent
from portal.audit.rules import GENESIS, Checkpoint
from portal.kernel.ledger import Tx

PAGE = 40


def factor_of(tx: Tx, session_id: UUID) -> str:
    """Return the kind of factor that was given last in a session, at its sign-in or later; nothing if none is known."""
    statement = (
        sa.select(AuditEvent.payload)
        .where(
            AuditEvent.fact.in_(["signed_in", "stepped_up"]),
            # Whoever signs in is nobody yet, so the event of the sign-in itself has no person as its actor.
            AuditEvent.payload.contains(str(session_id), autoescape=True),
        )
        .order_by(AuditEvent.seq.desc())
        .limit(1)
    )
    payload = tx.session.execute(statement).scalar_one_or_none()
    return str(json.loads(payload).get("factor", "")) if payload is not None else ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: by who acted, what happened, whose vendor and when. ``actor_kind`` finds the system's own acts.

    ``fact`` is one kind of event, ``facts`` any of several; both empty are all.
    """

    actor_id: UUID | None = None
    actor_kind: str = ""
    fact: str = ""
    facts: tuple[str, ...] = ()
    vendor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event. ``payload`` is the fact as it was written; ``link`` and ``hash`` are its place in the chain."""

    seq: int
    at: datetime
    fact: str
    payload: dict[str, Any]
    actor_kind: str
    actor_id: UUID | None
    actor_label: str
    vendor_id: UUID | None
    previous_hash: str
    hash: str


def _where(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.actor_id is not None:
        yield AuditEvent.actor_id == wanted.actor_id
    if wanted.actor_kind:
        yield AuditEvent.actor_kind == wanted.actor_kind
    if wanted.fact:
        yield AuditEvent.fact == wanted.fact
    if wanted.facts:
        yield AuditEvent.fact.in_(wanted.facts)
    if wanted.vendor_id is not None:
        yield AuditEvent.vendor_id == wanted.vendor_id
    if wanted.since is not None:
        yield AuditEvent.at >= wanted.since
    if wanted.until is not None:
        yield AuditEvent.at < wanted.until


def events(
    tx: Tx, wanted: Wanted, *, before: int | None = None, after: int | None = None, limit: int = PAGE
) -> Sequence[EventLine]:
    """Return the wanted events, the newest first; ``before`` goes on below a number, ``after`` is oldest first."""
    statement = sa.select(AuditEvent).where(*_where(wanted)).limit(limit)
    if before is not None:
        statement = statement.where(AuditEvent.seq < before)
    if after is not None:
        statement = statement.where(AuditEvent.seq > after).order_by(AuditEvent.seq)
    else:
        statement = statement.order_by(AuditEvent.seq.desc())
    return [
        EventLine(
            seq=row.seq,
            at=row.at,
            fact=row.fact,
            payload=json.loads(row.payload),
            actor_kind=row.actor_kind,
            actor_id=row.actor_id,
            actor_label=row.actor_label,
            vendor_id=row.vendor_id,
            previous_hash=row.previous_hash.hex(),
            hash=row.hash.hex(),
        )
        for row in tx.session.execute(statement).scalars()
    ]


def end_of(tx: Tx, seq: int) -> Checkpoint:
    """Return how the chain ended at a number, as stored; the beginning for 0."""
    found = tx.session.execute(sa.select(AuditEvent.hash).where(AuditEvent.seq == seq)).scalar_one_or_none()
    return Checkpoint(seq, found) if found is not None else Checkpoint(0, GENESIS)


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """The newest signed statement of the chain's length."""

    seq: int
    made_at: datetime


def last_checkpoint(tx: Tx) -> CheckpointLine | None:
    """Return the newest checkpoint, if one was ever made."""
    statement = (
        sa.select(AuditCheckpoint.seq, AuditCheckpoint.made_at)
        .order_by(AuditCheckpoint.seq.desc(), AuditCheckpoint.made_at.desc())
        .limit(1)
    )
    row = tx.session.execute(statement).one_or_none()
    return CheckpointLine(*row) if row else None
