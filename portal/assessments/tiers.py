"""The tier follows what the vendor states of its people and devices; it only ever becomes stricter."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from portal.assessments.facts import AssessmentTierRaised, ScopingFactConfirmed, ScopingFactStated
from portal.assessments.models import Assessment, ScopingFact
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.vendors import service as vendors
from portal.vendors.models import Engagement

PEOPLE: Final = "scp.people"
WORKFORCE: Final = "scp.workforce"
DEVICES: Final = "scp.devices"


def tier_follows(tx: Tx, fact: ScopingFactStated | ScopingFactConfirmed) -> None:
    """A fact was stated or confirmed: widen the engagement by it; if the risk rose, the stricter tier's are asked."""
    if fact.key not in {PEOPLE, WORKFORCE, DEVICES}:
        return
    row = tx.session.get_one(ScopingFact, (fact.assessment_id, fact.key), populate_existing=True)
    assessment = tx.session.get_one(Assessment, fact.assessment_id)
    engagement = tx.session.get_one(Engagement, assessment.engagement_id)
    value = row.value.get("value")
    vendors.widen(
        tx,
        engagement=engagement,
        people=_count(value) if fact.key == PEOPLE else 0,
        workforce=_keys(value) if fact.key == WORKFORCE else (),
        devices=_keys(value) if fact.key == DEVICES else (),
    )
    before = assessment.tier
    if engagement.tier >= before:
        return
    # A signature under way holds the row; it then sees another row version and is refused, so nothing is signed short.
    change = {"tier": engagement.tier, "row_version": sa.literal_column("row_version") + 1}
    if swap(tx, assessment, expect={"tier": before}, change=change):
        tx.record(AssessmentTierRaised(assessment.id, assessment.vendor_id, before, engagement.tier))


def _count(value: Any) -> int:
    text = str(value)
    return min(int(text), 1_000_000_000) if text.isascii() and text.isdigit() else 0


def _keys(value: Any) -> Collection[str]:
    return [str(each) for each in value] if isinstance(value, list) else ()
