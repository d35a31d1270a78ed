"""Whether what waits to be said still needs saying: asked when a mail leaves, and when a digest is gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import AccessCard, Assessment, SectionAssignment
from portal.attestations import queries as conversations
from portal.evidence.models import Evidence
from portal.findings.models import Finding, RiskAcceptance
from portal.gate.models import Pause, Revocation
from portal.kernel.ledger import Tx
from portal.terms import (
    ANSWERABLE_STATES,
    AcceptanceState,
    AssessmentState,
    EvidenceState,
    FindingState,
    RemedyAct,
    Side,
)
from portal.vendors.models import Vendor

Context = Mapping[str, Any]


def why_not(tx: Tx, kind: str, context: Context, user_id: UUID | None) -> str:
    """Return why this needs no saying any more, in one sentence; empty if it still does."""
    check = _CHECKS.get(kind)
    return check(tx, context, user_id) if check is not None else ""


def _assessment(tx: Tx, context: Context) -> Assessment | None:
    return tx.session.get(Assessment, UUID(str(context["assessment_id"])))


def _answerable(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    row = _assessment(tx, context)
    if row is None or row.state not in ANSWERABLE_STATES:
        return "The assessment was signed or ended before this mail left."
    if row.due_on.isoformat() != context.get("due_on", row.due_on.isoformat()):
        return "The assessment was given another date before this mail left."
    return ""


def _section(tx: Tx, context: Context, user_id: UUID | None) -> str:
    row = _assessment(tx, context)
    if row is None or row.state not in ANSWERABLE_STATES:
        return "The assessment was signed or ended before this mail left."
    live = sa.exists().where(
        SectionAssignment.assessment_id == row.id,
        SectionAssignment.section == context["section"],
        SectionAssignment.user_id == user_id,
        SectionAssignment.ended_at.is_(None),
    )
    return "" if tx.session.execute(sa.select(live)).scalar() else "The section was taken back before this mail left."


def _questions(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    row = _assessment(tx, context)
    revision = context.get("revision")
    if row is None or row.state is not AssessmentState.CHANGES_REQUESTED or revision not in {None, row.revision}:
        return "The questions were answered and signed before this mail left."
    return ""


def _reply(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    last = conversations.last_sides(tx, UUID(str(context["assessment_id"])))
    keys = context.get("keys") or list(last)
    return "" if any(last.get(key) is Side.LAB for key in keys) else "It was answered before this mail left."


def _finding(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    row = tx.session.get(Finding, UUID(str(context["finding_id"])))
    if row is None or row.state is not FindingState.OPEN:
        return "The finding was closed before this mail left."
    if row.remedy is RemedyAct.SENT:
        return "Proof was sent before this mail left."
    if row.due_on is None or row.due_on.isoformat() != context["due_on"]:
        return "The finding was given another date before this mail left."
    return ""


def _plan(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    row = tx.session.get(Finding, UUID(str(context["finding_id"])))
    return "The finding was closed before this mail left." if row is None or row.state is not FindingState.OPEN else ""


def _moved(tx: Tx, context: Context, user_id: UUID | None) -> str:
    row = tx.session.get(Finding, UUID(str(context["finding_id"])))
    if row is not None and row.due_on is not None and row.due_on.isoformat() != context["due_on"]:
        return "The finding was given another date before this mail left."
    return _plan(tx, context, user_id)


def _proposed(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    row = tx.session.get(RiskAcceptance, UUID(str(context["acceptance_id"])))
    waits = row is not None and row.state is AcceptanceState.PROPOSED
    return "" if waits else "It was confirmed or fell before this mail left."


def _accepted(tx: Tx, context: Context, user_id: UUID | None) -> str:
    if not _is_accepted(tx, context):
        return "It was revoked before this mail left."
    return _plan(tx, context, user_id)


def _revoked(tx: Tx, context: Context, user_id: UUID | None) -> str:
    if _is_accepted(tx, context):
        return "The risk was accepted again before this mail left."
    return _plan(tx, context, user_id)


def _is_accepted(tx: Tx, context: Context) -> bool:
    live = sa.exists().where(
        RiskAcceptance.finding_id == UUID(str(context["finding_id"])),
        RiskAcceptance.state == AcceptanceState.CONFIRMED,
        RiskAcceptance.until >= tx.now.date(),
    )
    return bool(tx.session.execute(sa.select(live)).scalar())


def _evidence(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    ids = [UUID(str(each)) for each in context["evidence_ids"]]
    newer = sa.orm.aliased(Evidence)
    replaced = sa.exists().where(
        newer.supersedes_id == Evidence.id,
        newer.removed_at.is_(None),
        newer.state.in_([EvidenceState.RECEIVED, EvidenceState.ATTACHED, EvidenceState.VERIFIED]),
    )
    kept = sa.exists().where(
        Evidence.id.in_(ids),
        Evidence.removed_at.is_(None),
        Evidence.state.in_([EvidenceState.ATTACHED, EvidenceState.VERIFIED]),
        sa.not_(replaced),
    )
    return "" if tx.session.execute(sa.select(kept)).scalar() else "The files were replaced before this mail left."


def _approval(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    card = tx.session.get(AccessCard, UUID(str(context["engagement_id"])))
    ends = ends_of(card.body) if card is not None else None
    if ends is None or ends[0].isoformat() != context["ends_on"]:
        return "The approval was renewed or ended before this mail left."
    return ""


def ends_of(card: Mapping[str, Any]) -> tuple[date, bool] | None:
    """Return the last day of an approval in force, and whether evidence ends it; None where nothing is approved."""
    if card.get("act") not in {"approve", "approve_with_conditions"}:
        return None
    days = [(card.get("valid_until"), False), (card.get("evidence_until"), True)]
    known = [(date.fromisoformat(text), by_evidence) for text, by_evidence in days if text]
    return min(known, default=None)


def _paused(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    pause = tx.session.get(Pause, UUID(str(context["pause_id"]))) if context.get("pause_id") else None
    return "The pause ended before this mail left." if pause is not None and pause.ended_at is not None else ""


def _restored(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    pause = tx.session.get(Pause, UUID(str(context["pause_id"]))) if context.get("pause_id") else None
    if pause is None:
        return ""
    named = sa.select(Vendor.id).where(Vendor.name == context["vendor_name"])
    live = sa.exists().where(Pause.ended_at.is_(None), sa.or_(Pause.vendor_id.is_(None), Pause.vendor_id.in_(named)))
    return "Access was paused again before this mail left." if tx.session.execute(sa.select(live)).scalar() else ""


def _second(tx: Tx, context: Context, _user_id: UUID | None) -> str:
    about_id = context.get("about_id")
    if about_id and second_wanted_by(tx, UUID(str(about_id)), revokes=bool(context.get("revokes"))) is None:
        return "It was confirmed or taken back before this mail left."
    return ""


def second_wanted_by(tx: Tx, about_id: UUID, *, revokes: bool) -> UUID | None:
    """Return who asked for a revocation or for a pause to end, while it waits for a second person."""
    statement = (
        sa.select(Revocation.asked_by).where(Revocation.id == about_id, Revocation.ended_at.is_(None))
        if revokes
        else sa.select(Pause.resume_asked_by).where(Pause.id == about_id, Pause.ended_at.is_(None))
    )
    return tx.session.execute(statement).scalar_one_or_none()


_CHECKS: Mapping[str, Callable[[Tx, Context, UUID | None], str]] = {
    "section_given": _section,
    "ready_to_sign": _answerable,
    "sent_back": _answerable,
    "asked_again": _answerable,
    "reminder": _answerable,
    "questions": _questions,
    "reply": _reply,
    "finding_due": _finding,
    "plan_agreed": _plan,
    "plan_returned": _plan,
    "finding_due_moved": _moved,
    "risk_proposed": _proposed,
    "risk_accepted": _accepted,
    "risk_revoked": _revoked,
    "evidence_ends": _evidence,
    "approval_ends": _approval,
    "access_paused": _paused,
    "access_restored": _restored,
    "second_wanted": _second,
}
"""What can be over before its mail leaves. What happened and cannot be undone is said in any case."""
