"""Service levels: the policy in force, and saying once of each review that its time runs out, and that it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import Assessment
from portal.kernel.ledger import Tx
from portal.reviews.facts import ServiceLevelNear, ServiceLevelPassed
from portal.reviews.models import LevelNotice, Review
from portal.reviews.rules import levels as document
from portal.reviews.rules.levels import Levels, Stage, stage_of
from portal.rulebook import service as rulebook
from portal.rulebook.rules import Kind
from portal.terms import AssessmentState

LEVELS: Final = Kind(
    name=document.KIND,
    title="Service levels",
    check=document.problems_of,
    first=document.FIRST,
    about="How many working days a review may take by tier, and when its reviewer hears that the time runs out",
)
OURS: Final = (AssessmentState.SUBMITTED, AssessmentState.IN_REVIEW, AssessmentState.RECOMMENDED)
"""In which states the time of a review runs: while it is the lab's turn."""


def levels(tx: Tx) -> Levels:
    """Return the service levels in force."""
    return _read(rulebook.current(tx, LEVELS).text)


@lru_cache(maxsize=32)
def _read(text: str) -> Levels:
    return document.read(text)


def running(tx: Tx, *, limit: int = 5_000) -> Sequence[UUID]:
    """Return the open reviews whose time runs and of which not everything is said yet, those due first."""
    told = sa.select(LevelNotice.review_id).where(LevelNotice.review_id == Review.id, LevelNotice.stage == Stage.PASSED)
    statement = (
        sa.select(Review.id)
        .join(Assessment, Assessment.id == Review.assessment_id)
        .where(Review.closed_at.is_(None), Assessment.state.in_(OURS), ~told.exists())
        .order_by(Review.due_at, Review.id)
        .limit(limit)
    )
    return tx.session.execute(statement).scalars().all()


def notice(tx: Tx, review_id: UUID) -> Stage | None:
    """Write down, once, that a review's time runs out or is over, and return which; None if there is nothing new.

    Of two that look at once, one finds it written. What was missed on the way is not said later: a review that is over
    time is not said to be nearly so.
    """
    review = tx.session.get_one(Review, review_id)
    assessment = tx.session.get_one(Assessment, review.assessment_id)
    if review.closed_at is not None or assessment.state not in OURS:
        return None
    stage = stage_of(review.opened_at, review.due_at, tx.now, levels(tx).warn_at)
    if stage is None or not _first(tx, review, stage):
        return None
    fact = ServiceLevelPassed if stage is Stage.PASSED else ServiceLevelNear
    tx.record(fact(review.id, review.vendor_id, review.assessment_id, review.due_at))
    return stage


def _first(tx: Tx, review: Review, stage: Stage) -> bool:
    written = (
        postgresql.insert(LevelNotice)
        .values(review_id=review.id, stage=stage, vendor_id=review.vendor_id, due_at=review.due_at, noticed_at=tx.now)
        .on_conflict_do_nothing(index_elements=["review_id", "stage"])
        .returning(LevelNotice.review_id)
    )
    return tx.session.execute(written).scalar_one_or_none() is not None


def due_at(tx: Tx, signed_at: datetime, tier: int) -> datetime:
    """Return by when a revision that was signed at a moment is to be judged, by the policy in force."""
    return levels(tx).due_at(signed_at, tier)
