"""Asking for a later due date, and the lab's answer: it agrees to a day, or declines with words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments import rules
from portal.assessments.facts import MoreTimeAgreed, MoreTimeAsked, MoreTimeDeclined
from portal.assessments.models import Assessment, MoreTime
from portal.identity.models import UserAccount
from portal.kernel.database import constraint_of
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import ANSWERABLE_STATES, MoreTimeState
from portal.vendors.checks import line

ANSWERED: Final = said("This request was answered already. Nothing was changed.")
MOST_MORE: Final = timedelta(days=366)
"""How far after today a wished day can lie."""


@dataclass(frozen=True, slots=True)
class MoreTimeLine:
    """One request as both sides read it. ``due_on`` is the day it was due when it was asked."""

    id: UUID
    assessment_id: UUID
    due_on: date
    wished_on: date
    reason: str
    asked_by: str
    asked_at: datetime
    state: MoreTimeState
    agreed_on: date | None
    words: str
    answered_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it waits for the lab."""
        return self.state is MoreTimeState.OPEN


def ask_more_time(tx: Tx, *, assessment: Assessment, wished_on: date | None, reason: str) -> MoreTime:
    """Ask the lab for a later due date. There is at most one open request of an assessment.

    :raises Forbidden: if the actor may not.
    :raises Refused: with the problems of wished_on and reason.
    :raises Conflict: if it is not answered any more, or a request waits already.
    """
    policy.check(tx.actor, Action.MORE_TIME_ASK, assessment)
    # Held, so that what is signed or cancelled in this moment is not asked for.
    tx.session.refresh(assessment, with_for_update={"read": True})
    if not rules.is_answerable(assessment.state):
        raise Conflict(rules.not_now(assessment.state), current={"state": assessment.state.value})
    why = line(reason)
    problems: dict[str, list[str]] = {}
    if wrong := _wrong_day(wished_on, assessment.due_on, tx.now.date()):
        problems["wished_on"] = [wrong]
    if not why:
        problems["reason"] = [said("Say what the time is needed for")]
    elif len(why) > rules.MAX_REASON:
        problems["reason"] = [_too_long(why)]
    if problems or wished_on is None:
        raise Refused(problems=problems)
    row = MoreTime(
        id=tx.new_id(),
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        due_on=assessment.due_on,
        wished_on=wished_on,
        reason=why,
        asked_by=tx.actor.id,
        asked_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as failure:
        if constraint_of(failure) != "uq_more_time_open":
            raise
        raise Conflict(said("More time was asked for already, and the request waits for an answer.")) from None
    tx.record(
        MoreTimeAsked(
            request_id=row.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            due_on=row.due_on,
            wished_on=wished_on,
            reason=why,
        )
    )
    return row


def agree_more_time(tx: Tx, *, assessment: Assessment, request_id: UUID, until: date | None, words: str = "") -> None:
    """Move the due date, as was asked or to another day.

    :raises Forbidden: if the actor may not.
    :raises Refused: with the problems of until and words.
    :raises Conflict: if the request was answered already, or the assessment is not answered any more.
    """
    policy.check(tx.actor, Action.MORE_TIME_ANSWER, assessment)
    row = _open(tx, assessment, request_id)
    said_with_it = line(words)
    problems: dict[str, list[str]] = {}
    if wrong := _wrong_day(until, row.due_on, tx.now.date()):
        problems["until"] = [wrong]
    if len(said_with_it) > rules.MAX_REASON:
        problems["words"] = [_too_long(said_with_it)]
    if problems or until is None:
        raise Refused(problems=problems)
    was = assessment.due_on
    _answer(tx, row, {"state": MoreTimeState.AGREED, "agreed_on": until, "words": said_with_it})
    if not swap(tx, assessment, expect={"state": sorted(ANSWERABLE_STATES)}, change={"due_on": until}):
        raise Conflict(rules.not_now(assessment.state), current={"state": assessment.state.value})
    tx.record(
        MoreTimeAgreed(
            request_id=row.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            was_due_on=was,
            due_on=until,
        )
    )


def decline_more_time(tx: Tx, *, assessment: Assessment, request_id: UUID, words: str) -> None:
    """Leave the due date as it is, and say why.

    :raises Forbidden: if the actor may not.
    :raises Refused: without words.
    :raises Conflict: if the request was answered already.
    """
    policy.check(tx.actor, Action.MORE_TIME_ANSWER, assessment)
    row = _open(tx, assessment, request_id)
    why = line(words)
    if not why:
        raise Refused(problems={"words": ["Say why. The vendor reads this"]})
    if len(why) > rules.MAX_REASON:
        raise Refused(problems={"words": [_too_long(why)]})
    _answer(tx, row, {"state": MoreTimeState.DECLINED, "words": why})
    tx.record(
        MoreTimeDeclined(
            request_id=row.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            due_on=assessment.due_on,
            reason=why,
        )
    )


def more_time_of(tx: Tx, assessment: Assessment) -> MoreTimeLine | None:
    """Return the newest request of an assessment, if more time was ever asked for."""
    statement = _lines().where(MoreTime.assessment_id == assessment.id)
    newest = statement.order_by(MoreTime.asked_at.desc(), MoreTime.id.desc()).limit(1)
    row = tx.session.execute(newest).one_or_none()
    return None if row is None else MoreTimeLine(*row)


def more_time_waiting(tx: Tx, vendor_id: UUID) -> dict[UUID, MoreTimeLine]:
    """Return the requests of a vendor that wait for the lab, by assessment."""
    statement = _lines().where(MoreTime.vendor_id == vendor_id, MoreTime.state == MoreTimeState.OPEN)
    statement = statement.join(Assessment, Assessment.id == MoreTime.assessment_id).where(
        Assessment.state.in_(sorted(ANSWERABLE_STATES))
    )
    ordered = statement.order_by(MoreTime.asked_at, MoreTime.id).limit(200)
    return {row.assessment_id: MoreTimeLine(*row) for row in tx.session.execute(ordered)}


def _lines() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        MoreTime.id,
        MoreTime.assessment_id,
        MoreTime.due_on,
        MoreTime.wished_on,
        MoreTime.reason,
        sa.func.coalesce(UserAccount.full_name, ""),
        MoreTime.asked_at,
        MoreTime.state,
        MoreTime.agreed_on,
        MoreTime.words,
        MoreTime.answered_at,
    ).outerjoin(UserAccount, UserAccount.id == MoreTime.asked_by)


def _wrong_day(day: date | None, due_on: date, today: date) -> str:
    """Return what is wrong with a new due date; nothing if it can be one."""
    if day is None:
        return said("Enter the day you need")
    if day <= due_on:
        return said("The day must be after the one it is due on now, %(day)s", day=due_on)
    if day <= today:
        return said("The day must be after today")
    if day - today > MOST_MORE:
        return said("The day must be within one year")
    return ""


def _too_long(text: str) -> str:
    return said(
        "Shorten this to %(most)s characters; it has %(now)s", most=f"{rules.MAX_REASON:,}", now=f"{len(text):,}"
    )


def _open(tx: Tx, assessment: Assessment, request_id: UUID) -> MoreTime:
    statement = sa.select(MoreTime).where(MoreTime.assessment_id == assessment.id, MoreTime.id == request_id)
    row = get_one(tx, statement)
    if row is None or row.state is not MoreTimeState.OPEN:
        raise Conflict(ANSWERED)
    if not rules.is_answerable(assessment.state):
        raise Conflict(rules.not_now(assessment.state), current={"state": assessment.state.value})
    return row


def _answer(tx: Tx, row: MoreTime, change: dict[str, object]) -> None:
    answered = {**change, "answered_by": tx.actor.id, "answered_at": tx.now}
    if not swap(tx, row, expect={"state": MoreTimeState.OPEN}, change=answered):
        raise Conflict(ANSWERED)
