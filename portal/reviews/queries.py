"""Reviews as pages list them: one line each, in few statements however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations.models import Attestation
from portal.identity.models import UserAccount
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import rules
from portal.reviews.models import AnswerVerdict, Decision, QueueCard, QueuePlace, Review, Snooze
from portal.reviews.rules import Cursor, Kind, Signal, Sort, Stage, View, Wanted
from portal.scoring.models import ScoreSnapshot
from portal.terms import AssessmentState, Recommendation
from portal.vendors.models import Engagement, Vendor

MOST = 500


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One row of the queue. ``to_read`` of ``asked`` answers are not settled by the revision before."""

    id: UUID
    assessment_id: UUID
    vendor_id: UUID
    vendor: str
    vendor_slug: str
    title: str
    project: str
    tier: int
    kind: Kind
    revision: int
    stage: Stage
    to_read: int
    judged: int
    asked: int
    reviewer_id: UUID | None
    reviewer: str
    opened_at: datetime
    due_at: datetime
    since: datetime
    score_whole: int
    recommendation: Recommendation
    signals: tuple[Signal, ...]
    decision_number: int | None
    row_version: int
    snoozed_until: datetime | None = None
    snooze_reason: str = ""

    @property
    def kind_word(self) -> str:
        """The kind as pages say it."""
        return rules.KIND_WORDS[self.kind]

    @property
    def stage_word(self) -> str:
        """Where it stands, as pages say it."""
        return rules.STAGE_WORDS[self.stage]

    @property
    def is_open(self) -> bool:
        """Whether it is the lab's turn."""
        return self.stage is not Stage.WITH_VENDOR

    @property
    def to_judge(self) -> int:
        """How many answers have no verdict yet."""
        return self.asked - self.judged

    def time_left(self, now: datetime) -> str:
        """The time left until it is due, in words."""
        return rules.time_left(self.due_at, now)

    def overdue(self, now: datetime) -> bool:
        """Whether it is the lab's turn after it was due."""
        return self.is_open and now > self.due_at

    def spent(self, now: datetime) -> int:
        """How much of the time is used, in percent."""
        return rules.spent(self.opened_at, self.due_at, now)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where the rows after them begin; None after the last."""

    lines: Sequence[ReviewLine]
    onward: Cursor | None


def page(tx: Tx, wanted: Wanted, *, after: Cursor | None = None, limit: int = 25) -> Page:
    """Return a page of a list of the queue.

    Its cost is the same wherever the page lies, and however long the list is: the index of the list's order is read
    from the cursor on, and only the rows that are shown are looked up.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    order = _order(wanted.sort)
    statement = (
        _listed(wanted, me=tx.actor.id, now=tx.now)
        .add_columns(QueuePlace.assessment_id, *order)
        .order_by(*order, QueuePlace.assessment_id)
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(
            sa.tuple_(*order, QueuePlace.assessment_id) > sa.tuple_(*_values(wanted.sort, after), after.id)
        )
    rows = tx.session.execute(statement).all()
    found = lines(tx, [row.assessment_id for row in rows[:limit]])
    return Page(found, _cursor(wanted.sort, rows[limit - 1]) if len(rows) > limit else None)


def queue(tx: Tx) -> Sequence[ReviewLine]:
    """Return what is under review, what waits for it or for a decision, and what is back with vendors; first due first.

    :raises Forbidden: if the actor may not read reviews.
    """
    return [
        *page(tx, Wanted(), limit=MOST).lines,
        *page(tx, Wanted(view=View.SNOOZED), limit=MOST).lines,
        *page(tx, Wanted(view=View.VENDOR), limit=MOST).lines,
    ]


def my_reviews(tx: Tx) -> Sequence[ReviewLine]:
    """Return the reviews that the actor has, first due first."""
    return page(tx, Wanted(view=View.MINE), limit=MOST).lines


MOST_COUNTED: Final = 500
"""Counting stops here: "500+" says as much as a larger number, and costs the same however many there are."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a list has, or that it has more than anybody counts."""

    number: int

    @property
    def words(self) -> str:
        """The number as pages say it: "23", "500+"."""
        return f"{MOST_COUNTED}+" if self.number > MOST_COUNTED else str(self.number)


def count(tx: Tx, wanted: Sequence[Wanted]) -> tuple[Sequence[Count], Count]:
    """Return how many rows each of some lists has, and how many reviews are overdue at all; one statement.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    listed = [_listed(each, me=tx.actor.id, now=tx.now) for each in wanted]
    listed.append(_listed(Wanted(), me=tx.actor.id, now=tx.now).where(QueuePlace.due_at < tx.now))
    counts = [
        sa.select(sa.func.count())
        .select_from(each.add_columns(sa.literal(1)).limit(MOST_COUNTED + 1).subquery())
        .scalar_subquery()
        for each in listed
    ]
    *each, overdue = tx.session.execute(sa.select(*counts)).one()
    return [Count(number) for number in each], Count(overdue)


def _listed(wanted: Wanted, *, me: UUID | None, now: datetime) -> sa.Select[Any]:
    """Return the rows of a list: those of its shortest part, as far as they are in the others too."""
    first, *others = wanted.places(me)
    statement = sa.select().select_from(QueuePlace).where(QueuePlace.place == first, QueuePlace.live)
    if wanted.view is View.SNOOZED:
        statement = statement.where(QueuePlace.snoozed_until > now)
    elif wanted.view is not View.VENDOR:
        statement = statement.where(sa.or_(QueuePlace.snoozed_until.is_(None), QueuePlace.snoozed_until <= now))
    for place in others:
        other = aliased(QueuePlace)
        statement = statement.where(
            sa.exists().where(other.assessment_id == QueuePlace.assessment_id, other.place == place, other.live)
        )
    return statement


def _order(sort: Sort) -> tuple[Any, ...]:
    return {
        Sort.DUE: (QueuePlace.due_at,),
        Sort.RISK: (QueuePlace.rank, QueuePlace.due_at),
        Sort.WAITING: (QueuePlace.since,),
    }[sort]


def _cursor(sort: Sort, row: Any) -> Cursor:
    if sort is Sort.RISK:
        return Cursor(row.rank, _microseconds(row.due_at), row.assessment_id)
    return Cursor(0, _microseconds(row.due_at if sort is Sort.DUE else row.since), row.assessment_id)


def _values(sort: Sort, cursor: Cursor) -> tuple[Any, ...]:
    moment = _EPOCH + timedelta(microseconds=cursor.moment)
    return (cursor.rank, moment) if sort is Sort.RISK else (moment,)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def lines(tx: Tx, assessment_ids: Sequence[UUID]) -> Sequence[ReviewLine]:
    """Return the rows of some assessments, in the order given; two statements, none for none.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    if not assessment_ids:
        return []
    given = (
        sa.select(sa.func.count())
        .where(AnswerVerdict.review_id == Review.id, AnswerVerdict.verdict.is_not(None))
        .correlate(Review)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            Review,
            QueueCard,
            Assessment.title,
            Assessment.tier,
            Vendor.name,
            Vendor.slug,
            Engagement.project,
            UserAccount.full_name,
            given,
            Decision.number,
            ScoreSnapshot.score_floor,
            ScoreSnapshot.recommendation,
            Snooze.until,
            Snooze.reason,
        )
        .select_from(QueueCard)
        .join(Review, Review.id == QueueCard.review_id)
        .join(Assessment, Assessment.id == QueueCard.assessment_id)
        .join(Vendor, Vendor.id == Review.vendor_id)
        .join(Engagement, Engagement.id == Assessment.engagement_id)
        .join(ScoreSnapshot, ScoreSnapshot.id == Review.snapshot_id)
        .outerjoin(UserAccount, UserAccount.id == Review.reviewer_id)
        .outerjoin(Decision, Decision.id == QueueCard.decision_id)
        .outerjoin(Snooze, Snooze.id == QueueCard.snooze_id)
        .where(QueueCard.assessment_id.in_(list(assessment_ids)), QueueCard.stage.is_not(None))
    )
    found = {row[0].assessment_id: _line(*row, now=tx.now) for row in tx.session.execute(statement)}
    return [found[each] for each in assessment_ids if each in found]


def _line(
    review: Review,
    card: QueueCard,
    title: str,
    tier: int,
    vendor: str,
    slug: str,
    project: str,
    reviewer: str | None,
    given: int,
    number: int | None,
    whole: int,
    recommendation: Recommendation,
    snoozed_until: datetime | None,
    snooze_reason: str | None,
    *,
    now: datetime,
) -> ReviewLine:
    hidden = snoozed_until is not None and snoozed_until > now
    return ReviewLine(
        id=review.id,
        assessment_id=review.assessment_id,
        vendor_id=review.vendor_id,
        vendor=vendor,
        vendor_slug=slug,
        title=title,
        project=project,
        tier=tier,
        kind=review.kind,
        revision=review.revision,
        stage=card.stage or Stage.NEW,
        to_read=review.to_read,
        judged=given,
        asked=review.asked,
        reviewer_id=review.reviewer_id,
        reviewer=reviewer or "",
        opened_at=review.opened_at,
        due_at=review.due_at,
        since=card.since or review.opened_at,
        score_whole=whole,
        recommendation=recommendation,
        signals=tuple(Signal(*each) for each in card.signals),
        decision_number=number,
        row_version=review.row_version,
        snoozed_until=snoozed_until if hidden else None,
        snooze_reason=(snooze_reason or "") if hidden else "",
    )


@dataclass(frozen=True, slots=True)
class NewestReview:
    """The review of an assessment's newest signed revision, and who has it."""

    id: UUID
    assessment_id: UUID
    revision: int
    reviewer: str
    due_at: datetime
    closed_at: datetime | None
    reviewer_id: UUID | None = None


def newest_of(tx: Tx, assessment_ids: Sequence[UUID]) -> dict[UUID, NewestReview]:
    """Return the review of the newest signed revision of each of these assessments that has any.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    statement = (
        sa.select(
            Review.id,
            Review.assessment_id,
            Review.revision,
            sa.func.coalesce(UserAccount.full_name, "").label("reviewer"),
            Review.due_at,
            Review.closed_at,
            Review.reviewer_id,
        )
        .outerjoin(UserAccount, UserAccount.id == Review.reviewer_id)
        .where(Review.assessment_id.in_(list(assessment_ids)))
        .ext(postgresql.distinct_on(Review.assessment_id))
        .order_by(Review.assessment_id, Review.revision.desc())
    )
    return {row.assessment_id: NewestReview(**row._mapping) for row in tx.session.execute(statement)}


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """Who signed a revision, when, and how they proved to be present."""

    name: str
    title: str
    at: datetime
    factor: str


def signature_of(tx: Tx, attestation_id: UUID) -> SignatureLine:
    """Return who signed what a review is about.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    statement = sa.select(
        Attestation.signed_name, Attestation.signer_title, Attestation.signed_at, Attestation.factor
    ).where(Attestation.id == attestation_id)
    return SignatureLine(*tx.session.execute(statement).one())


def score_of(tx: Tx, attestation_id: UUID) -> int | None:
    """Return the last stored score of a signed revision, rounded down; None if it has none.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    statement = (
        sa.select(ScoreSnapshot.score_floor)
        .where(ScoreSnapshot.attestation_id == attestation_id)
        .order_by(ScoreSnapshot.made_at.desc(), ScoreSnapshot.id.desc())
        .limit(1)
    )
    return tx.session.execute(statement).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes to the queue next: a vendor's answers on the day they are due, or a review that was snoozed."""

    vendor: str
    at: date | datetime
    snoozed: bool


def coming(tx: Tx) -> Sequence[Coming]:
    """Return what comes next: the review whose snooze passes first, and the answers that are due first.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    snoozed = (
        sa.select(Vendor.name, QueuePlace.snoozed_until)
        .join(Vendor, Vendor.id == QueuePlace.vendor_id)
        .where(QueuePlace.place == "snoozed", QueuePlace.live, QueuePlace.snoozed_until > tx.now)
        .order_by(QueuePlace.snoozed_until, QueuePlace.assessment_id)
        .limit(1)
    )
    asked = (
        sa.select(Vendor.name, Assessment.due_on)
        .join(Vendor, Vendor.id == Assessment.vendor_id)
        .where(Assessment.state.in_(_WITH_VENDORS), Assessment.due_on >= tx.now.date())
        .order_by(Assessment.due_on, Assessment.id)
        .limit(1)
    )
    return [
        *(Coming(name, until, snoozed=True) for name, until in tx.session.execute(snoozed) if until is not None),
        *(Coming(name, due_on, snoozed=False) for name, due_on in tx.session.execute(asked)),
    ]


_WITH_VENDORS: Final = (AssessmentState.DRAFT, AssessmentState.IN_PROGRESS, AssessmentState.CHANGES_REQUESTED)
