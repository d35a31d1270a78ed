"""Clearances, made through the service, as a decision would make them."""

from __future__ import annotations

from datetime import date
from typing import Any

from portal.gate import service as gate
from portal.gate.models import Clearance
from portal.kernel.ledger import Tx
from portal.terms import ClearanceAct
from portal.vendors.models import Engagement


def make_clearance(tx: Tx, engagement: Engagement, **fields: Any) -> Clearance:
    """Clear an engagement: by default approved in its tier, without conditions, until the end of January."""
    given: dict[str, Any] = {
        "act": ClearanceAct.APPROVE,
        "tier": engagement.tier,
        "decision_id": None,
        "conditions": [],
        "valid_until": date(2027, 1, 31),
        "reason": "",
    }
    return gate.clear(tx, engagement=engagement, **{**given, **fields})
