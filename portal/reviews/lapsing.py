"""Looking at decided assessments again: a score that changed with its evidence is stored anew, and told.

What holds is computed when it is asked; this only writes down when it changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import Assessment
from portal.kernel.ledger import Tx
from portal.reviews import reviewing, rules
from portal.reviews.models import Decision, Review
from portal.scoring import service as scoring
from portal.terms import DecisionState, Recommendation
from portal.vendors.models import Vendor

LAPSED = "lapsed"
RENEWED = "renewed"


@dataclass(frozen=True, slots=True)
class Lapse:
    """A decided assessment whose score or recommendation is lower than when it was last stored."""

    vendor: str
    title: str
    before: Recommendation
    now: Recommendation
    score_before: Fraction
    score_now: Fraction


def in_force(tx: Tx) -> Sequence[UUID]:
    """Return the assessments whose approvals are the latest word on their engagements and have not ended."""
    newest = (
        sa.select(Decision.assessment_id, Decision.outcome, Decision.valid_until)
        .where(Decision.state == DecisionState.CONFIRMED)
        .ext(postgresql.distinct_on(Decision.engagement_id))
        .order_by(Decision.engagement_id, Decision.decided_at.desc(), Decision.number.desc())
        .subquery()
    )
    statement = (
        sa.select(newest.c.assessment_id)
        .where(newest.c.outcome.in_(list(rules.APPROVALS)), newest.c.valid_until >= tx.now.date())
        .order_by(newest.c.assessment_id)
    )
    return tx.session.execute(statement).scalars().all()


def look_again(tx: Tx, assessment_id: UUID) -> Lapse | None:
    """Store the score of a decided assessment if it is another one than was stored last; return what became worse."""
    assessment = tx.session.get_one(Assessment, assessment_id, with_for_update=True)
    review = tx.session.execute(
        sa.select(Review).where(Review.assessment_id == assessment_id).order_by(Review.revision.desc()).limit(1)
    ).scalar_one()
    stored = scoring.latest(tx, assessment_id)
    live = reviewing.score_now(tx, review)
    if stored is None or stored.result_digest == live.digest:
        return None
    before, now = scoring.result_of(stored), live.score
    worse = now.measures.score < before.measures.score or now.recommendation.rank < before.recommendation.rank
    scoring.score(
        tx,
        attestation_id=review.attestation_id,
        cause=LAPSED if worse else RENEWED,
        not_applicable=reviewing.set_aside(tx, review),
    )
    if not worse:
        return None
    return Lapse(
        vendor=tx.session.get_one(Vendor, assessment.vendor_id).name,
        title=assessment.title,
        before=stored.recommendation,
        now=live.recommendation,
        score_before=before.measures.score,
        score_now=now.measures.score,
    )
