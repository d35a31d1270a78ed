"""A risk that two people accept lifts what its finding keeps closed; revoked, it is closed again.

The acceptance itself is read when the gate is asked and compared with the clock. Here the vendor's sequence goes on, so
that an older answer can be told from a newer one, and its pages are told.
"""

from __future__ import annotations

from portal.assessments.models import Assessment
from portal.findings.facts import RiskAccepted, RiskRevoked
from portal.gate import queries
from portal.gate.facts import AcceptedRiskFollowed
from portal.gate.rules import APPROVALS
from portal.gate.sequence import next_sequence
from portal.kernel.ledger import Tx


def follow_risk(tx: Tx, fact: RiskAccepted | RiskRevoked) -> None:
    """RiskAccepted, RiskRevoked: the gate answers anew, if the newest step of the engagement waits for the finding."""
    assessment = tx.session.get_one(Assessment, fact.assessment_id)
    # The number is taken first: whoever else adds a step for this vendor waits here, and then the newest step is read.
    sequence = next_sequence(tx, fact.vendor_id)
    newest = queries.newest_step(tx, assessment.engagement_id)
    if newest is None or newest.act not in APPROVALS:
        return
    if any(each.get("finding") == fact.number and not each.get("met") for each in newest.conditions):
        until = fact.until if isinstance(fact, RiskAccepted) else None
        tx.record(AcceptedRiskFollowed(newest.id, fact.vendor_id, newest.engagement_id, sequence, fact.number, until))
