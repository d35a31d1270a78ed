"""A risk that two people accept lifts what its finding keeps closed; revoked, it is closed again.

The acceptance itself is read when the gate is asked and compared with the clock. Here the vendor's sequence goes on, so
that an older answer can be told from a newer one, and its pages are told.
"""

from __future__ import annotations

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.findings.facts import RiskAccepted, RiskRevoked
from portal.gate import grounds
from portal.gate.facts import AcceptedRiskFollowed
from portal.gate.models import Clearance
from portal.gate.sequence import next_sequence
from portal.kernel.ledger import Tx, get_one


def follow_risk(tx: Tx, fact: RiskAccepted | RiskRevoked) -> None:
    """RiskAccepted, RiskRevoked: the gate answers anew, if the newest step of the engagement waits for the finding."""
    assessment = tx.session.get_one(Assessment, fact.assessment_id)
    # The number is taken first: whoever else adds a step for this vendor waits here, and then the newest step is read.
    sequence = next_sequence(tx, fact.vendor_id)
    newest = get_one(
        tx,
        sa.select(Clearance)
        .where(Clearance.vendor_id == fact.vendor_id, Clearance.engagement_id == assessment.engagement_id)
        .order_by(Clearance.sequence.desc())
        .limit(1),
    )
    if newest is None or newest.act not in grounds.APPROVALS:
        return
    if any(each.get("finding") == fact.number and not each.get("met") for each in newest.conditions):
        until = fact.until if isinstance(fact, RiskAccepted) else None
        tx.record(AcceptedRiskFollowed(newest.id, fact.vendor_id, newest.engagement_id, sequence, fact.number, until))
