"""A condition that a finding's proof meets, and one that is open again because the proof counts no more.

A clearance is never edited: the next step of the engagement says the same with the condition met, or not met.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.findings.facts import RemedyUndone, RemedyVerified
from portal.findings.models import Finding
from portal.gate import queries
from portal.gate.facts import ClearanceRecorded
from portal.gate.models import Clearance, ClearanceEvidence
from portal.gate.rules import APPROVALS
from portal.gate.sequence import next_sequence
from portal.kernel.ledger import Tx
from portal.reviews.models import Decision
from portal.terms import DecisionState


def follow_remedy(tx: Tx, fact: RemedyVerified | RemedyUndone) -> None:
    """RemedyVerified, RemedyUndone: the condition that names the finding is met from now on, or open again.

    Only where the engagement still stands on that very decision: what was revoked, or decided anew since, stays. The
    step before is copied to the letter but for this condition, so that nothing widens on the way.
    """
    finding = tx.session.get_one(Finding, fact.finding_id)
    assessment = tx.session.get_one(Assessment, finding.assessment_id)
    # The number is taken first: whoever else adds a step for this vendor waits here, and then the newest step is read.
    sequence = next_sequence(tx, finding.vendor_id)
    newest = queries.newest_step(tx, assessment.engagement_id)
    if newest is None or newest.act not in APPROVALS or newest.decision_id is None:
        return
    decision = tx.session.get_one(Decision, newest.decision_id)
    if decision.state is not DecisionState.CONFIRMED or decision.assessment_id != finding.assessment_id:
        return
    met = isinstance(fact, RemedyVerified)
    conditions = [_with(each, finding.number, met=met) for each in newest.conditions]
    if conditions == newest.conditions:
        return
    step = Clearance(
        id=tx.new_id(),
        vendor_id=newest.vendor_id,
        engagement_id=newest.engagement_id,
        sequence=sequence,
        act=newest.act,
        tier=newest.tier,
        decision_id=newest.decision_id,
        data_classes=list(newest.data_classes),
        access_modes=list(newest.access_modes),
        conditions=conditions,
        valid_until=newest.valid_until,
        reason=f"F-{finding.number} {'closed by proof' if met else 'open again: its proof counts no more'}",
        recorded_at=tx.now,
    )
    tx.session.add(step)
    tx.session.flush()
    _same_grounds(tx, newest, step)
    tx.record(
        ClearanceRecorded(step.id, step.vendor_id, step.engagement_id, sequence, step.act.value, step.decision_id)
    )


def _with(condition: dict[str, Any], number: int, *, met: bool) -> dict[str, Any]:
    return {**condition, "met": met} if condition.get("finding") == number else condition


def _same_grounds(tx: Tx, before: Clearance, after: Clearance) -> None:
    """Let the new step rest on the very evidence of the one before, with the days as they are written down."""
    rows = tx.session.execute(
        sa.select(ClearanceEvidence)
        .where(ClearanceEvidence.clearance_id == before.id)
        .order_by(ClearanceEvidence.requirement, ClearanceEvidence.evidence_id)
        .with_for_update()
    ).scalars()
    for row in rows.all():
        tx.session.add(
            ClearanceEvidence(
                clearance_id=after.id,
                requirement=row.requirement,
                evidence_id=row.evidence_id,
                vendor_id=row.vendor_id,
                attestation_id=row.attestation_id,
                pinned_until=row.pinned_until,
                holds_until=row.holds_until,
                seen_at=row.seen_at,
            )
        )
    tx.session.flush()
