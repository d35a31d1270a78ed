"""Making the gate's truth: clearances from decisions, pauses by one, resumption by two; and answering."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments import service as assessments
from portal.gate import queries
from portal.gate.facts import (
    ClearanceRecorded,
    EveryVendorPaused,
    EveryVendorResumed,
    EvidenceReachChanged,
    ResumeAsked,
    VendorPaused,
    VendorResumed,
)
from portal.gate.models import Clearance, GateSequence, Pause
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
from portal.gate.sequence import next_sequence
from portal.kernel.actor import ActorKind
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.terms import AccessMode, ClearanceAct, DataClass, Role
from portal.vendors.models import Engagement, Vendor

REASON_LIMIT = 2_000


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


def pause(tx: Tx, *, vendor: Vendor | None, reason: str) -> Pause:
    """Stop a vendor, or everybody, from the commit on. One person is enough.

    :raises Refused: without a reason.
    :raises Conflict: if it is paused already.
    """
    policy.check(tx.actor, Action.PAUSE, _Whom(vendor.id if vendor else None))
    if vendor is None and not {Role.LEAD_APPROVER, Role.PROGRAM_ADMIN} & tx.actor.roles:
        raise Forbidden("A reviewer can pause one vendor. Ask a lead approver to pause everybody.")
    text = _reason(reason, "Enter why you pause, for example: breach reported by the vendor at 08:40")
    row = Pause(
        id=tx.new_id(),
        vendor_id=vendor.id if vendor else None,
        sequence=next_sequence(tx, vendor.id) if vendor else 0,
        reason=text,
        begun_by=_person(tx),
        begun_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as refusal:
        raise Conflict("It is paused already.", current={"state": "paused"}) from refusal
    tx.record(VendorPaused(row.id, vendor.id, row.sequence) if vendor else EveryVendorPaused(row.id))
    return row


def get_pause(tx: Tx, pause_id: UUID, action: Action) -> Pause:
    """Return a pause.

    :raises NotFound: if there is none.
    :raises Forbidden: if the role does not allow the action.
    """
    row = tx.session.get(Pause, pause_id)
    if row is None:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def ask_resume(tx: Tx, *, pause: Pause, plan: str, row_version: int) -> None:
    """Ask for a pause to end: the first of two people, with a plan.

    :raises Refused: without a plan.
    :raises Conflict: if it ended, or somebody asked already.
    """
    text = _reason(plan, "Enter the plan: what was fixed, and what is watched from now on")
    won = swap(
        tx,
        pause,
        expect={"row_version": row_version, "ended_at": None, "resume_asked_by": None},
        change={
            "resume_asked_by": _person(tx),
            "resume_asked_at": tx.now,
            "resume_plan": text,
            "row_version": row_version + 1,
        },
    )
    if not won:
        raise Conflict(
            "This pause changed since you opened the page.", current={"state": "ended" if pause.ended_at else "asked"}
        )
    tx.record(ResumeAsked(pause.id, pause.vendor_id))


def confirm_resume(tx: Tx, *, pause: Pause, row_version: int) -> None:
    """End a pause: the second of two people. The decision made before holds again, under a new sequence.

    :raises Forbidden: if it is the one who asked.
    :raises Conflict: if nobody asked, it ended, or it changed since the page was opened.
    """
    if pause.ended_at is not None or pause.resume_asked_by is None:
        raise Conflict(
            "Nobody has asked to end this pause.", current={"state": "ended" if pause.ended_at else "paused"}
        )
    if pause.resume_asked_by == tx.actor.id:
        raise Forbidden("You asked to end this pause. A second person confirms it.")
    sequence = next_sequence(tx, pause.vendor_id) if pause.vendor_id else None
    won = swap(
        tx,
        pause,
        expect={"row_version": row_version, "ended_at": None},
        change={
            "resume_confirmed_by": _person(tx),
            "ended_at": tx.now,
            "ended_sequence": sequence,
            "row_version": row_version + 1,
        },
    )
    if not won:
        raise Conflict("This pause changed since you opened the page.", current={"state": "ended"})
    if pause.vendor_id is not None and sequence is not None:
        tx.record(VendorResumed(pause.id, pause.vendor_id, sequence))
    else:
        tx.record(EveryVendorResumed(pause.id))


def answer(tx: Tx, question: Question) -> Answer:
    """Answer a machine's question, within the vendors it may ask about.

    A vendor outside its scope is answered exactly like one that does not exist.
    """
    vendor_id, world = queries.world_by_slug(tx, question.vendor)
    if tx.actor.kind is ActorKind.CLIENT and tx.actor.vendor_ids is not None and vendor_id not in tx.actor.vendor_ids:
        vendor_id, world = None, None
    return decide(world, question, tx.now)


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


class _Whom:
    """Whose access an act is about, for the policy."""

    def __init__(self, vendor_id: UUID | None) -> None:
        self.vendor_id = vendor_id


def _person(tx: Tx) -> UUID:
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    return tx.actor.id


def _reason(text: str, otherwise: str) -> str:
    cleaned = text.strip()
    if not cleaned:
        raise Refused(problems={"reason": [otherwise]})
    if len(cleaned) > REASON_LIMIT:
        raise Refused(problems={"reason": [f"Keep it under {REASON_LIMIT} characters; this is {len(cleaned)}"]})
    return cleaned
