"""tell_mornings: on a working day, at the hour that each chose, what waits for a reviewer (ux.md, e-mail 19)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.delivery import preferences
from portal.delivery import service as delivery
from portal.delivery.channels import Channel, Group, last_cut
from portal.delivery.mails.queue import QueueDigest
from portal.findings.models import Finding, SecondLook
from portal.jobs import recipients
from portal.jobs.recipients import Recipient
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.kernel.words import in_zone, zone_of
from portal.reviews import second_look
from portal.reviews.models import Decision, DecisionSignature, Review, Snooze
from portal.reviews.rules import after_working_days
from portal.terms import AssessmentState, DecisionState, FindingState, RemedyAct, Role

TELL = "tell_mornings"
LATEST = timedelta(hours=12)
"""How long after its hour a digest is still worth sending; a house that slept for a day sends that of today."""
_SATURDAY = 5
_JUDGED = (AssessmentState.SUBMITTED, AssessmentState.IN_REVIEW)


def tell_mornings(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Write to each reviewer and lead approver whose hour has come, if anything waits; once for a day."""
    actor = system(TELL)
    with house.ledger.begin(actor) as tx:
        people = recipients.of_lab(tx, {Role.REVIEWER, Role.LEAD_APPROVER})
    for person in people:
        with house.ledger.begin(actor) as tx:
            _tell(tx, person)


def _tell(tx: Tx, person: Recipient) -> None:
    wishes = preferences.wishes(tx, person.id)
    channel = wishes.channel(Group.MORNING)
    if channel is Channel.OFF:
        return
    zone = zone_of(recipients.reader_of(tx, person.id).zone)
    weekly = channel is Channel.WEEKLY
    cut = last_cut(tx.now, zone, wishes.hour, weekly=weekly)
    day = in_zone(cut, zone).date()
    if tx.now - cut > LATEST or day.weekday() >= _SATURDAY:
        return
    found = waiting_for(tx, person, weekly=weekly, now=in_zone(tx.now, zone))
    if found is None:
        return
    delivery.send(
        tx,
        kind="queue_digest",
        to_address=person.email,
        to_name=person.full_name,
        user_id=person.id,
        context={name: getattr(found, name) for name in found.__struct_fields__},
        dedupe_key=f"queue_digest:{person.id}:{day.isoformat()}",
        at_once=True,
    )


def waiting_for(tx: Tx, person: Recipient, *, weekly: bool, now: datetime) -> QueueDigest | None:
    """Return what waits for a person; None if nothing does. What they put aside until later does not wait."""
    aside = sa.exists().where(Snooze.review_id == Review.id, Snooze.ended_at.is_(None), Snooze.until > tx.now)
    ours = (
        sa.select(Review)
        .join(Assessment, Assessment.id == Review.assessment_id)
        .where(Review.closed_at.is_(None), Assessment.state.in_(_JUDGED), ~aside)
    )
    tomorrow = datetime.combine(after_working_days(now, 1).date(), time.max, tzinfo=now.tzinfo)
    late, soon = Review.due_at < tx.now, sa.and_(Review.due_at >= tx.now, Review.due_at <= tomorrow)
    mine = ours.where(Review.reviewer_id == person.id)
    free = ours.where(Review.reviewer_id.is_(None))
    reviews = Role.REVIEWER in person.roles
    found = QueueDigest(
        on=now.date(),
        mine=_count(tx, mine),
        overdue=_count(tx, mine.where(late)),
        soon=_count(tx, mine.where(soon)),
        unclaimed=_count(tx, free) if reviews else 0,
        late_unclaimed=_count(tx, free.where(late)) if reviews else 0,
        to_sign=_to_sign(tx, person) if Role.LEAD_APPROVER in person.roles else 0,
        proofs=_proofs(tx, person.id),
        second_looks=_second_looks(tx, person.id),
        weekly=weekly,
    )
    waits = (found.mine, found.unclaimed, found.to_sign, found.proofs, found.second_looks)
    return found if any(waits) else None


def _count(tx: Tx, statement: sa.Select[Review]) -> int:
    return tx.session.execute(sa.select(sa.func.count()).select_from(statement.subquery())).scalar_one()


def _to_sign(tx: Tx, person: Recipient) -> int:
    """Count the proposals that this person was asked to sign, or anybody may; not their own, nor those they signed."""
    signed = sa.exists().where(DecisionSignature.decision_id == Decision.id, DecisionSignature.signer_id == person.id)
    statement = sa.select(sa.func.count()).where(
        Decision.state == DecisionState.PROPOSED,
        Decision.proposed_by != person.id,
        sa.or_(Decision.asked_id.is_(None), Decision.asked_id == person.id),
        ~signed,
    )
    return tx.session.execute(statement).scalar_one()


def _proofs(tx: Tx, person_id: UUID) -> int:
    """Count the findings with proof to look at in the assessments that this person reviewed last."""
    newest = (
        sa.select(Review.reviewer_id)
        .where(Review.assessment_id == Finding.assessment_id)
        .order_by(Review.revision.desc())
        .limit(1)
        .correlate(Finding)
        .scalar_subquery()
    )
    statement = sa.select(sa.func.count()).where(
        Finding.state == FindingState.OPEN, Finding.remedy == RemedyAct.SENT, newest == person_id
    )
    return tx.session.execute(statement).scalar_one()


def _second_looks(tx: Tx, person_id: UUID) -> int:
    waiting = tx.session.execute(
        sa.select(SecondLook).where(SecondLook.answer.is_(None)).order_by(SecondLook.due_on, SecondLook.id).limit(50)
    ).scalars()
    return sum(person_id not in second_look.people_of(tx, look) for look in waiting)


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (Job(TELL, tell_mornings, cron=pace.digest_cron),)
