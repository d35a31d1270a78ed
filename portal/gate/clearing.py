"""One more step of an engagement's clearances: the only place where any is added."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from portal.gate.facts import ClearanceRecorded
from portal.gate.models import Clearance
from portal.gate.sequence import next_sequence
from portal.kernel.ledger import Tx
from portal.terms import ClearanceAct
from portal.vendors.models import Engagement


def clear(
    tx: Tx,
    *,
    engagement: Engagement,
    act: ClearanceAct,
    tier: int,
    decision_id: UUID | None,
    conditions: list[dict[str, Any]],
    valid_until: date | None,
    reason: str,
) -> Clearance:
    """Add a step to an engagement's clearances and tell the vendor's pages."""
    clearance = Clearance(
        id=tx.new_id(),
        vendor_id=engagement.vendor_id,
        engagement_id=engagement.id,
        sequence=next_sequence(tx, engagement.vendor_id),
        act=act,
        tier=tier,
        decision_id=decision_id,
        data_classes=sorted(engagement.data_classes),
        access_modes=sorted(engagement.access_modes),
        conditions=conditions,
        valid_until=valid_until,
        reason=reason,
        recorded_at=tx.now,
    )
    tx.session.add(clearance)
    tx.session.flush()
    tx.record(
        ClearanceRecorded(
            clearance.id, clearance.vendor_id, clearance.engagement_id, clearance.sequence, act.value, decision_id
        )
    )
    return clearance
