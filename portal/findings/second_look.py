"""Asking somebody who took no part to look at a decision again. The gate does not change by asking."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments.queries import OutcomeLine
from portal.findings.facts import SecondLookAsked
from portal.findings.models import SecondLook
from portal.kernel.database import constraint_of
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import SecondAnswer

WINDOW = timedelta(days=21)
"""How long after it was told a vendor can ask (design 04: decided on 18 December, ask before 8 January)."""
WORKING_DAYS = 5
MAX_REASON = 4_000


@dataclass(frozen=True, slots=True)
class SecondLookLine:
    """A second look as pages show it; ``answer`` is None until it is answered."""

    id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    outcome_id: UUID
    reason: str
    findings: tuple[str, ...]
    asked_by_name: str
    asked_at: datetime
    due_on: date
    answer: SecondAnswer | None
    words: str
    answered_by_name: str
    answered_at: datetime | None
    anew_id: UUID | None
    row_version: int


def line_of(row: SecondLook) -> SecondLookLine:
    """Return a stored second look as pages show it."""
    names = {name: getattr(row, name) for name in SecondLookLine.__dataclass_fields__}
    return SecondLookLine(**{**names, "findings": tuple(row.findings)})


def of_outcome(tx: Tx, outcome_id: UUID) -> SecondLookLine | None:
    """Return the second look that was asked for at an outcome, if one was. The caller holds the outcome."""
    row = get_one(tx, sa.select(SecondLook).where(SecondLook.outcome_id == outcome_id))
    return None if row is None else line_of(row)


def last_day(published_at: datetime) -> date:
    """Return the last day on which a second look at an outcome can be asked for."""
    return (published_at + WINDOW).date() - timedelta(days=1)


def answer_by(day: date) -> date:
    """Return the day by which a wish of this day is answered: five working days on."""
    left = WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


def ask(tx: Tx, *, outcome: OutcomeLine, reason: str, about: Collection[str] = ()) -> SecondLookLine:
    """Ask for a second look at a decision: once, and in time.

    :param about: the findings it is about, as F-1; none for the decision as a whole.
    :raises Forbidden: if the actor may not ask.
    :raises Refused: with the problems of reason and about.
    :raises Conflict: if it was asked already, or the time for it is over.
    """
    policy.check(tx.actor, Action.SECOND_LOOK_ASK, outcome)
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    words = reason.strip()
    problems: dict[str, list[str]] = {}
    if not words:
        problems["reason"] = [said("Say what we got wrong, and why")]
    elif len(words) > MAX_REASON:
        problems["reason"] = [
            said(
                "Keep it under %(most)s characters; this is %(count)s", most=f"{MAX_REASON:,}", count=f"{len(words):,}"
            )
        ]
    known = {str(each.get("name")) for each in outcome.body.get("findings") or ()}
    if not set(about) <= known:
        problems["about"] = [said("Choose among the findings of this decision")]
    if problems:
        raise Refused(problems=problems)
    if of_outcome(tx, outcome.id) is not None:
        raise _asked_already()
    if tx.now.date() > last_day(outcome.published_at):
        raise Conflict(said("The time to ask for a second look at this decision is over. Nothing was sent."))
    row = SecondLook(
        id=tx.new_id(),
        vendor_id=outcome.vendor_id,
        assessment_id=outcome.assessment_id,
        revision=outcome.revision,
        outcome_id=outcome.id,
        reason=words,
        findings=sorted(set(about)),
        asked_by=tx.actor.id,
        asked_by_name=tx.actor.name,
        asked_at=tx.now,
        due_on=answer_by(tx.now.date()),
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as failure:
        if constraint_of(failure) != "uq_second_look_outcome_id":
            raise
        raise _asked_already() from None
    tx.record(SecondLookAsked(row.id, row.vendor_id, row.assessment_id, row.revision, row.outcome_id))
    return line_of(row)


def _asked_already() -> Conflict:
    return Conflict(said("A second look at this decision was asked for already. It is asked for once."))
