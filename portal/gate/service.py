"""What others call of the gate: its truth is made in clearing, pausing and revoking; here it answers and tells."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.gate import queries
from portal.gate.asking import Foreseen, Past, answer, answer_at, answers
from portal.gate.clearing import clear
from portal.gate.facts import (
    ClearanceRecorded,
    EveryVendorPaused,
    EveryVendorResumed,
    EvidenceReachChanged,
    VendorPaused,
    VendorResumed,
)
from portal.gate.models import GateSequence
from portal.gate.pausing import ask_resume, confirm_resume, get_pause, pause
from portal.gate.rules import (
    CLOSES_NAMED,
    Answer,
    Condition,
    Detail,
    Question,
    World,
    accepted_until,
    decide,
)
from portal.kernel.ledger import Tx
from portal.terms import AccessMode, DataClass


def table(world: World, tx: Tx) -> list[tuple[str, str, Answer]]:
    """Return the answers for every class and mode of the vendor's engagements: what its page shows."""
    pairs = sorted(
        {(data, mode) for each in world.engagements for data in each.data_classes for mode in each.access_modes}
    )
    return [
        (
            DataClass(data).name,
            mode,
            decide(world, Question(world.vendor, DataClass(data).name, mode, "overview"), tx.now),
        )
        for data, mode in pairs
        if mode in AccessMode.__members__
    ]


def publish_cards(tx: Tx, fact: ClearanceRecorded | VendorPaused | VendorResumed) -> None:
    """Tell the vendor's own pages what the gate says of it now: a value published down, with its end in it."""
    _publish(tx, [fact.vendor_id])


def publish_reach(tx: Tx, fact: EvidenceReachChanged) -> None:
    """Tell the vendor's own pages how far the evidence reaches that its access rests on.

    The rest of the card stays: the vendor's own act can lead here, and its transactions do not see a stop of everybody.
    """
    for card in assessments.cards_of(tx, fact.vendor_id):
        if card.engagement_id == fact.engagement_id:
            until = fact.until.isoformat() if fact.until else None
            assessments.publish_card(
                tx,
                vendor_id=fact.vendor_id,
                engagement_id=fact.engagement_id,
                body={**card.body, "evidence_until": until, "sequence": fact.sequence},
            )


def publish_all_cards(tx: Tx, _fact: EveryVendorPaused | EveryVendorResumed) -> None:
    """Tell the pages of every cleared vendor, after a stop of everybody began or ended."""
    _publish(tx, tx.session.execute(sa.select(GateSequence.vendor_id)).scalars().all())


def _publish(tx: Tx, vendor_ids: Any) -> None:
    for vendor_id, world in queries.worlds(tx, vendor_ids).items():
        steps = {step.engagement_id: step for step in world.clearances}
        for engagement in world.engagements:
            step = steps.get(engagement.id)
            assessments.publish_card(
                tx,
                vendor_id=vendor_id,
                engagement_id=UUID(engagement.id),
                body={
                    "engagement": engagement.slug,
                    "paused": bool(world.pauses),
                    "act": step.act.value if step else None,
                    "valid_until": step.valid_until.isoformat() if step and step.valid_until else None,
                    "evidence_until": step.evidence_until.isoformat() if step and step.evidence_until else None,
                    "sequence": world.sequence,
                    "data_classes": [DataClass(each).name for each in sorted(engagement.data_classes)],
                    "access_modes": sorted(engagement.access_modes),
                    "conditions": [
                        _told(condition, world)
                        for condition in (step.conditions if step else ())
                        if not condition.met and not condition.limit
                    ],
                },
            )


def _told(condition: Condition, world: World) -> dict[str, Any]:
    """Return an open condition as the vendor's own pages know it; with the last day of a risk that is accepted."""
    until = accepted_until(condition, world.accepted)
    return {
        **condition_body(condition),
        "finding": f"F-{condition.finding}" if condition.finding is not None else None,
        "accepted_until": until.isoformat() if until else None,
    }


def condition_body(condition: Condition) -> dict[str, Any]:
    """Return a condition as JSON: text, last day, what it keeps closed, and what follows when it is overdue.

    ``consequence`` and ``data_class`` stand there only where they are not as usual.
    """
    return {
        "text": condition.text,
        "due_on": condition.due_on.isoformat() if condition.due_on else None,
        "closes_at": DataClass(condition.closes_at).name if condition.closes_at is not None else None,
        "access_mode": condition.access_mode,
        **({"data_class": DataClass(condition.data_class).name} if condition.data_class is not None else {}),
        **({"consequence": "all"} if condition.consequence != CLOSES_NAMED else {}),
    }


def detail_body(detail: Detail) -> dict[str, Any]:
    """Return what a reason is about as JSON: its code, the finding, the words of the condition, and the days."""
    until = detail.accepted_until
    return {
        "reason": detail.reason.value,
        "finding": detail.finding,
        "text": detail.condition.text,
        "due_on": detail.condition.due_on.isoformat() if detail.condition.due_on else None,
        "accepted_until": until.isoformat() if until else None,
    }


__all__ = [
    "Foreseen",
    "Past",
    "answer",
    "answer_at",
    "answers",
    "ask_resume",
    "clear",
    "condition_body",
    "confirm_resume",
    "detail_body",
    "get_pause",
    "pause",
    "publish_all_cards",
    "publish_cards",
    "publish_reach",
    "table",
]
