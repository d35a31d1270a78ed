"""Putting a review before named lead approvers: with a reason and a day, while nothing changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments.facts import AssessmentWithdrawn
from portal.assessments.models import Assessment
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.reviews import duties, reviewing, rules
from portal.reviews.facts import DecisionConfirmed, EscalationEnded, ReviewEscalated, ReviewReturned
from portal.reviews.models import Escalation, EscalationPerson, Review
from portal.terms import AssessmentState, EscalationEnd, Role
from portal.vendors.models import Vendor

MAX_REASON: Final = 4_000
LATEST: Final = timedelta(days=30)
NOT_NOW = "This does not wait for a decision. Nothing was escalated."
OVER = "This escalation ended already. Nothing was changed."


@dataclass(frozen=True, slots=True)
class EscalationLine:
    """One review that is or was put before lead approvers, for pages."""

    id: UUID
    review_id: UUID
    vendor_id: UUID
    vendor: str
    title: str
    tier: int
    reason: str
    due_on: date
    raised_by: UUID
    raised_by_name: str
    raised_at: datetime
    to: tuple[UUID, ...]
    to_names: tuple[str, ...]
    ended_how: EscalationEnd | None
    ended_at: datetime | None
    ended_by_name: str
    answer: str
    row_version: int

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.ended_how is None


def get_escalation(tx: Tx, escalation_id: UUID, action: Action) -> Escalation:
    """Return an escalation that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    """
    row = tx.session.get(Escalation, escalation_id)
    if row is None or tx.actor.is_vendor:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def could_be_asked(tx: Tx, review: Review) -> Sequence[duties.Signer]:
    """Return the other active lead approvers, those who could take it first, with what ties the rest to the vendor."""
    vendor = reviewing.vendor_of(tx, review)
    others = [each for each in people.lab_people_with(tx, Role.LEAD_APPROVER) if each.id != tx.actor.id]
    as_seen = duties.candidates(tx, others, vendor) if others else {}
    found = [
        duties.Signer(
            each.id,
            each.full_name,
            each.title,
            rules.interests(as_seen[each.id], vendor.name, vendor.mail_domains),
        )
        for each in others
    ]
    return sorted(found, key=lambda each: bool(each.bars))


def escalate(tx: Tx, *, review: Review, to: Iterable[UUID], reason: str, due_on: date | None) -> Escalation:
    """Put a finished review before lead approvers. The review stays undecided, and the gate answers as before.

    :raises Forbidden: for anybody but its reviewer and lead approvers, and if they are tied to the vendor (S3).
    :raises Refused: with the problems of to, reason and due_on.
    :raises Conflict: if it does not wait for a decision, or is escalated already.
    """
    policy.check(tx.actor, Action.DECISION_PREPARE, review)
    vendor = reviewing.vendor_of(tx, review)
    duties.refuse_tied(tx, vendor, "Somebody else decides.")
    assessment = reviewing.hold(tx, review)
    policy.check(tx.actor, Action.DECISION_PREPARE, review)
    if assessment.state is not AssessmentState.RECOMMENDED or review.closed_at is not None or tx.actor.id is None:
        raise Conflict(NOT_NOW, current=reviewing.current(review, assessment))
    named, words = sorted(set(to)), reason.strip()
    problems = _problems(tx, vendor, named, words, due_on)
    if problems or due_on is None:
        raise Refused(problems=problems)
    row = Escalation(
        id=tx.new_id(),
        vendor_id=review.vendor_id,
        assessment_id=review.assessment_id,
        review_id=review.id,
        reason=words,
        due_on=due_on,
        raised_by=tx.actor.id,
        raised_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError:
        raise Conflict("This review is escalated already. Look at it again.", current={"state": "escalated"}) from None
    tx.session.add_all(
        EscalationPerson(escalation_id=row.id, person_id=each, vendor_id=row.vendor_id) for each in named
    )
    tx.session.flush()
    tx.record(ReviewEscalated(row.id, row.vendor_id, row.assessment_id, row.review_id, tuple(named), due_on))
    return row


def _problems(tx: Tx, vendor: Vendor, named: Collection[UUID], words: str, due_on: date | None) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    known = people.people(tx, named)
    if not named:
        problems["to"] = ["Choose at least one lead approver"]
    for each in named:
        person = known.get(each)
        if person is None or not person.is_active or Role.LEAD_APPROVER not in person.roles or each == tx.actor.id:
            problems["to"] = ["Choose lead approvers from the list"]
        elif bars := rules.interests(duties.candidate(tx, person, vendor), vendor.name, vendor.mail_domains):
            problems["to"] = [f"{person.full_name} {rules.sentence(bars)}. Choose somebody else"]
    if not words:
        problems["reason"] = ["Say what you cannot decide, and what you need from them"]
    elif len(words) > MAX_REASON:
        problems["reason"] = [f"Keep it under {MAX_REASON:,} characters; this is {len(words):,}"]
    today = tx.now.date()
    if due_on is None:
        problems["due_on"] = ["Enter by when you need an answer"]
    elif not today <= due_on <= today + LATEST:
        problems["due_on"] = [f"Enter a day from today on, {LATEST.days} days ahead at most"]
    return problems


def hand_back(tx: Tx, *, escalation: Escalation, answer: str) -> None:
    """Give it back with words, as one of those whom it was put before. Who raised it decides, or asks again.

    :raises Forbidden: for anybody else.
    :raises Refused: without words.
    :raises Conflict: if it ended already.
    """
    if tx.actor.id not in _to(tx, [escalation.id]).get(escalation.id, ()):
        raise Forbidden("Who was asked hands it back. Who raised it can take it back.")
    words = answer.strip()
    if not words:
        raise Refused(problems={"answer": ["Say what you think. Whoever raised it reads this"]})
    if len(words) > MAX_REASON:
        raise Refused(problems={"answer": [f"Keep it under {MAX_REASON:,} characters; this is {len(words):,}"]})
    _end(tx, escalation, EscalationEnd.HANDED_BACK, answer=words)


def take_back(tx: Tx, *, escalation: Escalation) -> None:
    """Take it back, as the one who raised it.

    :raises Forbidden: for anybody else.
    :raises Conflict: if it ended already.
    """
    if tx.actor.id is None or tx.actor.id != escalation.raised_by:
        raise Forbidden("Who raised it takes it back. Who was asked hands it back.")
    _end(tx, escalation, EscalationEnd.TAKEN_BACK)


def end_decided(tx: Tx, fact: DecisionConfirmed) -> None:
    """DecisionConfirmed: it was decided, so it waits for nobody any more."""
    _end_of_assessment(tx, fact.assessment_id, EscalationEnd.DECIDED)


def end_over(tx: Tx, fact: ReviewReturned | AssessmentWithdrawn) -> None:
    """ReviewReturned, AssessmentWithdrawn: there is nothing to decide any more."""
    _end_of_assessment(tx, fact.assessment_id, EscalationEnd.OVER)


def _end_of_assessment(tx: Tx, assessment_id: UUID, how: EscalationEnd) -> None:
    statement = sa.select(Escalation).where(Escalation.assessment_id == assessment_id, Escalation.ended_at.is_(None))
    for row in tx.session.execute(statement).scalars().all():
        _end(tx, row, how, late=True)


def _end(tx: Tx, row: Escalation, how: EscalationEnd, *, answer: str = "", late: bool = False) -> None:
    change = {
        "ended_at": tx.now,
        "ended_how": how,
        "ended_by": tx.actor.id,
        "answer": answer,
        "row_version": row.row_version + 1,
    }
    if swap(tx, row, expect={"ended_at": None}, change=change):
        tx.record(EscalationEnded(row.id, row.vendor_id, row.assessment_id, row.review_id, how.value))
    elif not late:
        raise Conflict(OVER, current={"state": row.ended_how.value if row.ended_how else "open"})


def open_escalation(tx: Tx, review_id: UUID) -> EscalationLine | None:
    """Return the escalation of a review that waits, if there is one."""
    found = _lines(tx, Escalation.review_id == review_id, Escalation.ended_at.is_(None))
    return found[0] if found else None


def escalation_line(tx: Tx, escalation_id: UUID) -> EscalationLine | None:
    """Return one escalation for pages and mails, also one that ended."""
    found = _lines(tx, Escalation.id == escalation_id)
    return found[0] if found else None


def last_escalation(tx: Tx, review_id: UUID) -> EscalationLine | None:
    """Return the newest escalation of a review, also one that ended."""
    found = _lines(tx, Escalation.review_id == review_id)
    return found[-1] if found else None


def escalated(tx: Tx) -> list[EscalationLine]:
    """Return every escalation that waits, the one due first first.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    return sorted(_lines(tx, Escalation.ended_at.is_(None)), key=lambda each: (each.due_on, each.raised_at, each.id))


def escalated_to(tx: Tx, person_id: UUID | None) -> list[EscalationLine]:
    """Return the escalations that wait for one person, the one due first first."""
    return [each for each in escalated(tx) if person_id in each.to]


def _lines(tx: Tx, *where: sa.ColumnElement[bool]) -> list[EscalationLine]:
    statement = (
        sa.select(Escalation, Vendor.name, Assessment.title, Assessment.tier)
        .join(Vendor, Vendor.id == Escalation.vendor_id)
        .join(Assessment, Assessment.id == Escalation.assessment_id)
        .where(*where)
        .order_by(Escalation.raised_at, Escalation.id)
        .limit(500)
    )
    rows = tx.session.execute(statement).all()
    to = _to(tx, [row.id for row, *_ in rows])
    wanted = {each for row, *_ in rows for each in (row.raised_by, row.ended_by, *to.get(row.id, ()))}
    names = people.people(tx, wanted)

    def name(person_id: UUID | None) -> str:
        return names[person_id].full_name if person_id is not None and person_id in names else ""

    return [
        EscalationLine(
            id=row.id,
            review_id=row.review_id,
            vendor_id=row.vendor_id,
            vendor=vendor,
            title=title,
            tier=tier,
            reason=row.reason,
            due_on=row.due_on,
            raised_by=row.raised_by,
            raised_by_name=name(row.raised_by),
            raised_at=row.raised_at,
            to=to.get(row.id, ()),
            to_names=tuple(filter(None, map(name, to.get(row.id, ())))),
            ended_how=row.ended_how,
            ended_at=row.ended_at,
            ended_by_name=name(row.ended_by),
            answer=row.answer,
            row_version=row.row_version,
        )
        for row, vendor, title, tier in rows
    ]


def _to(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    if not ids:
        return {}
    statement = (
        sa.select(EscalationPerson.escalation_id, EscalationPerson.person_id)
        .where(EscalationPerson.escalation_id.in_(ids))
        .order_by(EscalationPerson.escalation_id, EscalationPerson.person_id)
    )
    found: dict[UUID, tuple[UUID, ...]] = {}
    for row in tx.session.execute(statement):
        found[row.escalation_id] = (*found.get(row.escalation_id, ()), row.person_id)
    return found
