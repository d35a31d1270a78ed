"""Taking an approval back: asked by one lead approver, confirmed by a second. Only a new decision opens again.

Who asks is about one step of the clearances. Any newer step of that engagement, or the loss of the right to ask, lets
it fall (S7, S9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.gate import pausing, queries, sealing
from portal.gate.clearing import clear
from portal.gate.facts import ApprovalRevoked, ClearanceRecorded, RevokeAsked, RevokeFell, RevokeTakenBack
from portal.gate.models import Clearance, Revocation
from portal.gate.pausing import SOMEBODY_ELSE, person_acting, said
from portal.gate.rules import APPROVALS
from portal.gate.sealing import Part
from portal.gate.sequence import hold_sequence
from portal.identity.facts import PersonDeactivated, RoleRevoked
from portal.identity.models import UserAccount
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer
from portal.kernel.swap import swap
from portal.policy import Action
from portal.reviews import duties
from portal.reviews.facts import ConflictDeclared
from portal.terms import AccessKind, ClearanceAct, RevocationEnd, Role
from portal.vendors.models import Engagement, Vendor

TICKET_LIMIT = 200
CHANGED = "This changed since you opened the page."


@dataclass(frozen=True, slots=True)
class Revocable:
    """An approval in force that may be taken back, and who asked for that already."""

    engagement_id: UUID
    slug: str
    project: str
    clearance_id: UUID
    sequence: int
    asked: Revocation | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """That a second person is wanted to take an approval back."""

    project: str
    asked_by: str
    asked_at: datetime


def waiting(tx: Tx, vendor_id: UUID) -> list[Waiting]:
    """Return what waits for a second person at a vendor, the oldest first."""
    rows = tx.session.execute(
        sa.select(Engagement.project, UserAccount.full_name, Revocation.asked_at)
        .join(Engagement, Engagement.id == Revocation.engagement_id)
        .join(UserAccount, UserAccount.id == Revocation.asked_by)
        .where(Revocation.vendor_id == vendor_id, Revocation.ended_at.is_(None))
        .order_by(Revocation.asked_at, Revocation.id)
    )
    return [Waiting(*row) for row in rows]


def revocable(tx: Tx, vendor_id: UUID) -> list[Revocable]:
    """Return the approvals of a vendor whose last day is not over, by the slug of their engagement.

    One whose evidence has lapsed or whose condition is overdue is among them: it would open again by itself.
    """
    newest = tx.session.execute(queries.newest_steps(Clearance.vendor_id == vendor_id)).scalars()
    steps = {each.engagement_id: each for each in newest if _in_force(tx, each)}
    asked = {
        each.clearance_id: each
        for each in tx.session.execute(_open().where(Revocation.vendor_id == vendor_id)).scalars()
    }
    engagements = sa.select(Engagement).where(Engagement.id.in_(steps)).order_by(Engagement.slug)
    return [
        Revocable(each.id, each.slug, each.project, step.id, step.sequence, asked.get(step.id))
        for each in tx.session.execute(engagements).scalars()
        for step in [steps[each.id]]
    ]


def get(tx: Tx, vendor_id: UUID, revocation_id: UUID, action: Action) -> Revocation:
    """Return what somebody asked to take back.

    :raises NotFound: if the vendor has none of this id.
    :raises Forbidden: if the role does not allow the action; StepUpRequired without a fresh factor.
    """
    row = tx.session.get(Revocation, revocation_id)
    if row is None or row.vendor_id != vendor_id:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def ask(
    tx: Tx,
    *,
    vendor: Vendor,
    clearance_id: UUID,
    reason: str,
    ticket: str = "",
    factor: str = "totp",
) -> Revocation:
    """Ask for an approval to be taken back: the first of two people. Until the second confirms, nothing changes.

    :param clearance_id: the step that the page showed.
    :raises Refused: without a reason.
    :raises Forbidden: for anybody but a lead approver who is not tied to the vendor (S3).
    :raises Conflict: if it was decided anew since, it is not in force, or somebody asked already.
    """
    policy.check(tx.actor, Action.REVOKE, vendor)
    text = said(reason, "Enter why you take it back, for example: the auditor withdrew the report")
    if len(ticket.strip()) > TICKET_LIMIT:
        raise Refused(problems={"ticket": [f"Keep it under {TICKET_LIMIT} characters; this is {len(ticket.strip())}"]})
    duties.hold_lead(tx)
    duties.refuse_tied(tx, vendor, SOMEBODY_ELSE)
    hold_sequence(tx, vendor.id)
    named = tx.session.get(Clearance, clearance_id)
    newest = (
        queries.newest_step(tx, named.engagement_id) if named is not None and named.vendor_id == vendor.id else None
    )
    if newest is None or newest.id != clearance_id or not _in_force(tx, newest):
        raise Conflict(CHANGED, current={"state": "changed"})
    row = Revocation(
        id=tx.new_id(),
        vendor_id=vendor.id,
        engagement_id=newest.engagement_id,
        clearance_id=newest.id,
        reason=text,
        ticket=ticket.strip(),
        asked_by=person_acting(tx),
        asked_factor=factor,
        asked_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as refusal:
        raise Conflict("Somebody asked for this already.", current={"state": "asked"}) from refusal
    tx.record(RevokeAsked(row.id, row.vendor_id, row.engagement_id))
    return row


def confirm(tx: Tx, *, revocation: Revocation, row_version: int, sealer: Signer, factor: str = "totp") -> Clearance:
    """Take an approval back: the second of two people. The gate denies from the commit on.

    :raises Forbidden: if it is the one who asked, or somebody who is tied to the vendor (S3), or whom the first made a
        lead approver within a day (S6).
    :raises Conflict: if it ended, changed since the page was opened, or was decided anew.
    :raises Unavailable: if no signing key is in force.
    """
    if revocation.ended_at is not None:
        raise Conflict(CHANGED, current={"state": str(revocation.ended_how)})
    if revocation.asked_by == tx.actor.id:
        raise Forbidden("You asked for this. A second lead approver confirms it.")
    vendor = tx.session.get_one(Vendor, revocation.vendor_id)
    duties.hold_lead(tx)
    duties.refuse_tied(tx, vendor, SOMEBODY_ELSE)
    duties.refuse_second(tx, revocation.asked_by)
    before = tx.session.get_one(Clearance, revocation.clearance_id)
    engagement = tx.session.get_one(Engagement, revocation.engagement_id)
    added = clear(
        tx,
        engagement=engagement,
        act=ClearanceAct.REVOKE,
        tier=before.tier,
        decision_id=before.decision_id,
        conditions=[],
        valid_until=None,
        reason=revocation.reason,
    )
    # The number is given now, and its row is locked: what was the newest step before it stays that.
    newest = queries.newest_step(tx, revocation.engagement_id, Clearance.id != added.id)
    if newest is None or newest.id != before.id or not _in_force(tx, before):
        raise Conflict("It was decided anew since somebody asked for this.", current={"state": "changed"})
    change = {
        "ended_at": tx.now,
        "ended_how": RevocationEnd.CONFIRMED,
        "ended_by": person_acting(tx),
        "step_id": added.id,
        "row_version": row_version + 1,
    }
    if not swap(tx, revocation, expect={"row_version": row_version, "ended_at": None}, change=change):
        raise Conflict(CHANGED, current={"state": "ended"})
    sealing.seal(
        tx,
        kind=AccessKind.REVOKED,
        about_id=revocation.id,
        vendor=vendor,
        sequence=added.sequence,
        engagement=engagement,
        parts=[
            Part(revocation.asked_by, "asked", revocation.asked_factor, revocation.asked_at),
            Part(person_acting(tx), "confirmed", factor, tx.now),
        ],
        words={"reason": revocation.reason, "ticket": revocation.ticket},
        sealer=sealer,
    )
    tx.record(ApprovalRevoked(revocation.id, revocation.vendor_id, revocation.engagement_id))
    return added


def take_back(tx: Tx, *, revocation: Revocation, row_version: int) -> None:
    """Let the approval be: whoever asked thinks better of it.

    :raises Forbidden: for anybody else.
    :raises Conflict: if it ended, or changed since the page was opened.
    """
    if revocation.asked_by != tx.actor.id:
        raise Forbidden("Only who asked takes this back.")
    change = {
        "ended_at": tx.now,
        "ended_how": RevocationEnd.TAKEN_BACK,
        "ended_by": person_acting(tx),
        "row_version": row_version + 1,
    }
    if not swap(tx, revocation, expect={"row_version": row_version, "ended_at": None}, change=change):
        raise Conflict(CHANGED, current={"state": "ended"})
    tx.record(RevokeTakenBack(revocation.id, revocation.vendor_id, revocation.engagement_id))


def fall_of_step(tx: Tx, fact: ClearanceRecorded) -> None:
    """ClearanceRecorded: what was asked about an older step of the engagement is over."""
    if fact.act != ClearanceAct.REVOKE:  # A revocation is the very end that was asked for; it says so itself.
        _fall(tx, _open().where(Revocation.engagement_id == fact.engagement_id), "it was decided anew")


def fall_of_person(tx: Tx, fact: RoleRevoked | PersonDeactivated) -> None:
    """RoleRevoked, PersonDeactivated: what the person asked and nobody confirmed falls, here and of pauses (S7)."""
    if fact.vendor_id is not None or (isinstance(fact, RoleRevoked) and fact.role is not Role.LEAD_APPROVER):
        return
    because = "who asked lost the role"
    _fall(tx, _open().where(Revocation.asked_by == fact.user_id), because)
    pausing.fall_of_person(tx, fact.user_id, because)


def fall_of_conflict(tx: Tx, fact: ConflictDeclared) -> None:
    """ConflictDeclared: what the person asked about this vendor and nobody confirmed falls (S3, S7)."""
    because = "who asked declared a conflict of interest"
    _fall(tx, _open().where(Revocation.asked_by == fact.user_id, Revocation.vendor_id == fact.vendor_id), because)
    pausing.fall_of_person(tx, fact.user_id, because, vendor_id=fact.vendor_id)


def _fall(tx: Tx, statement: sa.Select[Revocation], because: str) -> None:
    for row in tx.session.execute(statement.order_by(Revocation.id)).scalars().all():
        change = {"ended_at": tx.now, "ended_how": RevocationEnd.OVER, "row_version": row.row_version + 1}
        if swap(tx, row, expect={"row_version": row.row_version, "ended_at": None}, change=change):
            tx.record(RevokeFell(row.id, row.vendor_id, row.engagement_id, because))


def _open() -> sa.Select[Revocation]:
    return sa.select(Revocation).where(Revocation.ended_at.is_(None))


def _in_force(tx: Tx, step: Clearance) -> bool:
    today = tx.now.date()
    return step.act in APPROVALS and step.valid_until is not None and today <= step.valid_until
