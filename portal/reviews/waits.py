"""How long the lab usually takes, published down with each decision, so that a vendor can read it before it signs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from portal.assessments import waits
from portal.kernel.ledger import Tx
from portal.reviews.facts import DecisionConfirmed
from portal.reviews.models import Decision, Review
from portal.reviews.rules.waits import Case, usual
from portal.terms import DecisionState

NEWEST: Final = 200
WITHIN: Final = timedelta(days=365)


def publish_waits(tx: Tx, fact: DecisionConfirmed) -> None:  # noqa: ARG001 - any decision changes what is usual
    """DecisionConfirmed: work out the usual wait anew, from the decisions of the last year."""
    statement = (
        sa.select(Review.opened_at, Review.claimed_at, Decision.decided_at)
        .join(Review, sa.and_(Review.assessment_id == Decision.assessment_id, Review.revision == Decision.revision))
        .where(Decision.state == DecisionState.CONFIRMED, Decision.decided_at > tx.now - WITHIN)
        .order_by(Decision.decided_at.desc(), Decision.id)
        .limit(NEWEST)
    )
    rows = tx.session.execute(statement).all()
    found = usual([Case(opened, claimed, decided) for opened, claimed, decided in rows if decided is not None])
    if found is not None:
        waits.publish(tx, cases=found.cases, begun=found.begun, decided=found.decided, most=found.most)
