"""Setting a review aside until a day, with a reason. It comes back by the clock, and the service level goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.kernel.words import day, in_zone, zone_of
from portal.policy import Action
from portal.reviews import reviewing
from portal.reviews.facts import ReviewSnoozed, SnoozeEnded
from portal.reviews.models import Review, Snooze
from portal.terms import AssessmentState

LONGEST: Final = timedelta(days=30)
LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class SnoozeLine:
    """A review that is set aside: until when, why, by whom."""

    id: UUID
    until: datetime
    reason: str
    by: str
    at: datetime


def snoozed(tx: Tx, review: Review) -> SnoozeLine | None:
    """Return how a review is set aside; None if it is not, or its time has passed."""
    row = _open(tx, review)
    if row is None or row.until <= tx.now:
        return None
    person = people.people(tx, [row.snoozed_by]).get(row.snoozed_by)
    return SnoozeLine(row.id, row.until, row.reason, person.full_name if person else "Somebody", row.snoozed_at)


def snooze(tx: Tx, *, review: Review, until: date | None, reason: str, row_version: int | None = None) -> None:
    """Set a review aside until a day begins where the actor is; what was set aside is so until then instead.

    :raises Forbidden: for anybody but its reviewer, who gives out reviews, and where nobody has it any reviewer.
    :raises Refused: with problems at until or reason.
    :raises Conflict: if it changed since the page was opened, or is not being reviewed.
    """
    policy.check(tx.actor, Action.REVIEW_SNOOZE, review)
    zone = zone_of(tx.actor.timezone)
    today = in_zone(tx.now, zone).date()
    problems: dict[str, list[str]] = {}
    if until is None:
        problems["until"] = ["Enter the day on which it comes back, for example 7 12 2026"]
    elif until <= today:
        problems["until"] = ["Choose a day after today"]
    elif until > today + LONGEST:
        problems["until"] = [f"Choose a day up to {day(today + LONGEST, 'en')}"]
    words = reason.strip()
    if not words:
        problems["reason"] = ["Enter why it can wait; your colleagues read this"]
    elif len(words) > LONGEST_REASON:
        problems["reason"] = [f"Use at most {LONGEST_REASON} characters"]
    if problems or until is None:
        raise Refused(problems=problems)
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    assessment = reviewing.hold(tx, review)
    if review.closed_at is not None or assessment.state not in {AssessmentState.SUBMITTED, AssessmentState.IN_REVIEW}:
        raise Conflict(reviewing.not_now(assessment.state), current=reviewing.current(review, assessment))
    reviewing.check_version(review, assessment, row_version)
    _end(tx, review)
    row = Snooze(
        id=tx.new_id(),
        vendor_id=review.vendor_id,
        review_id=review.id,
        until=datetime.combine(until, time(), tzinfo=zone),
        reason=words,
        snoozed_by=tx.actor.id,
        snoozed_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(ReviewSnoozed(row.id, review.id, review.vendor_id, review.assessment_id, row.until))


def wake(tx: Tx, *, review: Review) -> None:
    """Bring a review back before its time.

    :raises Forbidden: for who could not have set it aside.
    :raises Conflict: if it is not set aside.
    """
    policy.check(tx.actor, Action.REVIEW_SNOOZE, review)
    assessment = reviewing.hold(tx, review)
    row = _end(tx, review)
    if row is None:
        raise Conflict("This review is not snoozed any more.", current=reviewing.current(review, assessment))
    tx.record(SnoozeEnded(row.id, review.id, review.vendor_id, review.assessment_id))


def _open(tx: Tx, review: Review) -> Snooze | None:
    return get_one(tx, sa.select(Snooze).where(Snooze.review_id == review.id, Snooze.ended_at.is_(None)))


def _end(tx: Tx, review: Review) -> Snooze | None:
    row = _open(tx, review)
    if row is None:
        return None
    won = swap(tx, row, expect={"ended_at": None}, change={"ended_at": tx.now, "ended_by": tx.actor.id})
    return row if won and row.until > tx.now else None
