"""Reviews as pages list them: one line each, in few statements however many they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from portal import policy
from portal.assessments.models import Assessment
from portal.findings.models import Finding
from portal.identity.models import UserAccount
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import rules
from portal.reviews.models import AnswerVerdict, Decision, Review
from portal.reviews.rules import Kind, Signal, Stage
from portal.scoring.models import ScoreSnapshot
from portal.scoring.rules import display
from portal.terms import AssessmentState, DecisionState, FindingState, Recommendation, Severity
from portal.vendors.models import Engagement, Vendor

MOST = 500

LIVE = (
    AssessmentState.SUBMITTED,
    AssessmentState.IN_REVIEW,
    AssessmentState.CHANGES_REQUESTED,
    AssessmentState.RECOMMENDED,
)


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
    score: str
    score_whole: int
    recommendation: Recommendation
    signals: tuple[Signal, ...]
    decision_number: int | None
    row_version: int

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


def queue(tx: Tx) -> Sequence[ReviewLine]:
    """Return what is under review, what waits for it or for a decision, and what is back with vendors; first due first.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    given = sa.func.count().filter(AnswerVerdict.verdict.is_not(None))
    carried = sa.func.count().filter(AnswerVerdict.carried_from.is_not(None), AnswerVerdict.verdict.is_not(None))
    verdicts = (
        sa.select(AnswerVerdict.review_id, given.label("given"), carried.label("carried"))
        .group_by(AnswerVerdict.review_id)
        .subquery()
    )
    high = (
        sa.select(sa.func.count())
        .where(
            Finding.assessment_id == Assessment.id,
            Finding.severity == Severity.HIGH,
            Finding.state.in_([FindingState.DRAFT, FindingState.OPEN]),
        )
        .correlate(Assessment)
        .scalar_subquery()
    )
    result = sa.cast(ScoreSnapshot.result, JSONB)
    statement = (
        sa.select(
            Review,
            Assessment.state,
            Assessment.title,
            Assessment.tier,
            Vendor.name,
            Vendor.slug,
            Engagement.project,
            UserAccount.full_name,
            sa.func.coalesce(verdicts.c.given, 0),
            sa.func.coalesce(verdicts.c.carried, 0),
            Decision.number,
            ScoreSnapshot.score_floor,
            ScoreSnapshot.recommendation,
            result["measures"]["score"].astext,
            result["measures"]["failed"],
            result["measures"]["open"],
            result["reasons"],
            high,
        )
        .join(
            Assessment,
            sa.and_(Assessment.id == Review.assessment_id, Assessment.revision == Review.revision),
        )
        .join(Vendor, Vendor.id == Review.vendor_id)
        .join(Engagement, Engagement.id == Assessment.engagement_id)
        .join(ScoreSnapshot, ScoreSnapshot.id == Review.snapshot_id)
        .outerjoin(UserAccount, UserAccount.id == Review.reviewer_id)
        .outerjoin(verdicts, verdicts.c.review_id == Review.id)
        .outerjoin(
            Decision,
            sa.and_(Decision.assessment_id == Assessment.id, Decision.state == DecisionState.PROPOSED),
        )
        .where(Assessment.state.in_(LIVE))
        .order_by(Assessment.state == AssessmentState.CHANGES_REQUESTED, Review.due_at, Review.id)
        .limit(MOST)
    )
    return [_line(*row) for row in tx.session.execute(statement)]


def _line(
    review: Review,
    state: AssessmentState,
    title: str,
    tier: int,
    vendor: str,
    slug: str,
    project: str,
    reviewer: str | None,
    given: int,
    carried: int,
    number: int | None,
    whole: int,
    recommendation: Recommendation,
    score: str,
    failed: list[str],
    still_open: list[str],
    reasons: Iterable[Mapping[str, Any]],
    high: int,
) -> ReviewLine:
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
        stage=rules.stage_of(state, claimed=review.reviewer_id is not None, proposed=number is not None),
        to_read=review.asked - carried,
        judged=given,
        asked=review.asked,
        reviewer_id=review.reviewer_id,
        reviewer=reviewer or "",
        opened_at=review.opened_at,
        due_at=review.due_at,
        score=display(Fraction(score)),
        score_whole=whole,
        recommendation=recommendation,
        signals=rules.signals_of(failed=len(failed), still_open=len(still_open), reasons=reasons, high=high),
        decision_number=number,
        row_version=review.row_version,
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


def my_reviews(tx: Tx) -> Sequence[ReviewLine]:
    """Return the reviews that the actor has, first due first."""
    return [each for each in queue(tx) if each.reviewer_id is not None and each.reviewer_id == tx.actor.id]
