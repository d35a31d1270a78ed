"""What was said to whom, and what is stuck."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.delivery.models import Mail, ParkedJob
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action, check
from portal.terms import MailState


@dataclass(frozen=True, slots=True)
class MailLine:
    """One mail of the list."""

    id: UUID
    kind: str
    to_address: str
    to_name: str
    state: MailState
    attempts: int
    not_before: datetime | None
    last_error: str
    transport: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailBody:
    """One mail with what it is made from."""

    line: MailLine
    context: dict[str, Any]
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ParkedLine:
    """One job that was given up."""

    job_id: int
    name: str
    attempts: int
    reason: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much mail waits, since when, and how much was given up."""

    queued: int
    oldest: datetime | None
    failed: int
    parked_jobs: int


_LINE = (
    Mail.id,
    Mail.kind,
    Mail.to_address,
    Mail.to_name,
    Mail.state,
    Mail.attempts,
    Mail.not_before,
    Mail.last_error,
    Mail.transport,
    Mail.created_at,
    Mail.sent_at,
)


def mails(tx: Tx, *, limit: int = 100, state: MailState | None = None) -> Sequence[MailLine]:
    """Return the newest mails first.

    :raises Forbidden: if the actor may not read mail.
    """
    check(tx.actor, Action.MAIL_READ, None)
    statement = sa.select(*_LINE).order_by(Mail.created_at.desc(), Mail.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(Mail.state == state)
    return [MailLine(*row) for row in tx.session.execute(statement)]


def mail(tx: Tx, mail_id: UUID) -> MailBody:
    """Return one mail.

    :raises NotFound: if there is none; :raises Forbidden: if the actor may not read mail.
    """
    check(tx.actor, Action.MAIL_READ, None)
    line = tx.session.execute(sa.select(*_LINE).where(Mail.id == mail_id)).first()
    if line is None:
        raise NotFound
    made_from = tx.session.execute(sa.select(Mail.context, Mail.user_id).where(Mail.id == mail_id)).one()
    return MailBody(MailLine(*line), *made_from)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one mail: where it stands, since when, and why if it did not arrive."""

    state: MailState
    at: datetime
    bounced: bool
    reason: str


def fates(tx: Tx, keys: Collection[str]) -> Mapping[str, Fate]:
    """Return what became of the mails of these dedupe keys.

    Mails beyond the actor's vendor are hidden by the database.
    """
    if not keys:
        return {}
    statement = sa.select(
        Mail.dedupe_key, Mail.state, Mail.created_at, Mail.sent_at, Mail.bounced_at, Mail.bounce_reason, Mail.last_error
    ).where(Mail.dedupe_key.in_(keys))
    return {
        row.dedupe_key: Fate(
            row.state,
            row.bounced_at or row.sent_at or row.created_at,
            row.bounced_at is not None,
            row.bounce_reason or row.last_error,
        )
        for row in tx.session.execute(statement)
    }


def parked(tx: Tx, *, limit: int = 50) -> Sequence[ParkedLine]:
    """Return the jobs that were given up, newest first.

    :raises Forbidden: if the actor may not read mail.
    """
    check(tx.actor, Action.MAIL_READ, None)
    statement = (
        sa.select(ParkedJob.job_id, ParkedJob.name, ParkedJob.attempts, ParkedJob.reason, ParkedJob.parked_at)
        .order_by(ParkedJob.parked_at.desc(), ParkedJob.job_id.desc())
        .limit(limit)
    )
    return [ParkedLine(*row) for row in tx.session.execute(statement)]


def backlog(tx: Tx) -> Backlog:
    """Return what waits and what was given up.

    :raises Forbidden: if the actor may not read mail.
    """
    check(tx.actor, Action.MAIL_READ, None)
    row = tx.session.execute(
        sa.select(
            sa.func.count().filter(Mail.state == MailState.QUEUED),
            sa.func.min(Mail.created_at).filter(Mail.state == MailState.QUEUED),
            sa.func.count().filter(Mail.state == MailState.FAILED),
            sa.select(sa.func.count()).select_from(ParkedJob).scalar_subquery(),
        ).where(Mail.state != MailState.SENT)
    ).one()
    return Backlog(*row)
