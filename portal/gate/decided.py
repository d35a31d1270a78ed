"""A confirmed decision becomes the gate's truth."""

from __future__ import annotations

import sqlalchemy as sa

from portal.attestations.models import Attestation
from portal.gate import grounds
from portal.gate import service as gate
from portal.kernel.ledger import Tx
from portal.reviews.facts import DecisionConfirmed
from portal.reviews.models import Decision
from portal.terms import ClearanceAct
from portal.vendors.models import Engagement


def clear_decided(tx: Tx, fact: DecisionConfirmed) -> None:
    """DecisionConfirmed: the engagement is cleared, or not, exactly as the people signed.

    With the approval it is written down what evidence it rests on.
    """
    decision = tx.session.get_one(Decision, fact.decision_id)
    clearance = gate.clear(
        tx,
        engagement=tx.session.get_one(Engagement, decision.engagement_id),
        act=ClearanceAct(decision.outcome.value),
        tier=decision.tier,
        decision_id=decision.id,
        conditions=decision.conditions,
        valid_until=decision.valid_until,
        reason=decision.reason,
    )
    attested = sa.select(Attestation.id).where(
        Attestation.assessment_id == decision.assessment_id, Attestation.revision == decision.revision
    )
    grounds.rest(tx, clearance=clearance, attestation_id=tx.session.execute(attested).scalar_one())
