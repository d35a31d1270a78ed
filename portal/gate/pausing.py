"""Stopping a vendor, or everybody, with one person; letting in again with two."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.gate import sealing
from portal.gate.facts import (
    EveryVendorPaused,
    EveryVendorResumed,
    ResumeAsked,
    ResumeFell,
    VendorPaused,
    VendorResumed,
)
from portal.gate.models import Pause
from portal.gate.sealing import Part
from portal.gate.sequence import next_sequence
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused, Unavailable
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer
from portal.kernel.swap import swap
from portal.policy import Action
from portal.reviews import duties
from portal.terms import AccessKind, Role
from portal.vendors.models import Vendor

REASON_LIMIT = 2_000
SOMEBODY_ELSE = "Another lead approver does this."


def pause(tx: Tx, *, vendor: Vendor | None, reason: str, sealer: Signer | None = None, factor: str = "totp") -> Pause:
    """Stop a vendor, or everybody, from the commit on. One person is enough, one who is tied to the vendor too.

    :param sealer: signs the record. Without a key in force it stops all the same, without a record: a stop waits for
        nothing.
    :raises Refused: without a reason.
    :raises Conflict: if it is paused already.
    """
    policy.check(tx.actor, Action.PAUSE, _Whom(vendor.id if vendor else None))
    if vendor is None and not {Role.LEAD_APPROVER, Role.PROGRAM_ADMIN} & tx.actor.roles:
        raise Forbidden("A reviewer can pause one vendor. Ask a lead approver to pause everybody.")
    text = said(reason, "Enter why you pause, for example: breach reported by the vendor at 08:40")
    row = Pause(
        id=tx.new_id(),
        vendor_id=vendor.id if vendor else None,
        sequence=next_sequence(tx, vendor.id) if vendor else 0,
        reason=text,
        begun_by=person_acting(tx),
        begun_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as refusal:
        raise Conflict("It is paused already.", current={"state": "paused"}) from refusal
    tx.record(VendorPaused(row.id, vendor.id, row.sequence) if vendor else EveryVendorPaused(row.id))
    if sealer is not None:
        with suppress(Unavailable):
            sealing.seal(
                tx,
                kind=AccessKind.PAUSED,
                about_id=row.id,
                vendor=vendor,
                sequence=row.sequence if vendor else None,
                parts=[Part(row.begun_by, "paused", factor, tx.now)],
                words={"reason": text},
                sealer=sealer,
            )
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


def ask_resume(tx: Tx, *, pause: Pause, plan: str, row_version: int, factor: str = "totp") -> None:
    """Ask for a pause to end: the first of two people, with a plan.

    :raises Refused: without a plan.
    :raises Forbidden: if the actor is tied to the vendor (S3).
    :raises Conflict: if it ended, or somebody asked already.
    """
    text = said(plan, "Enter the plan: what was fixed, and what is watched from now on")
    _refuse_tied(tx, pause)
    won = swap(
        tx,
        pause,
        expect={"row_version": row_version, "ended_at": None, "resume_asked_by": None},
        change={
            "resume_asked_by": person_acting(tx),
            "resume_asked_at": tx.now,
            "resume_asked_factor": factor,
            "resume_plan": text,
            "row_version": row_version + 1,
        },
    )
    if not won:
        raise Conflict(
            "This pause changed since you opened the page.", current={"state": "ended" if pause.ended_at else "asked"}
        )
    tx.record(ResumeAsked(pause.id, pause.vendor_id))


def confirm_resume(tx: Tx, *, pause: Pause, row_version: int, sealer: Signer, factor: str = "totp") -> None:
    """End a pause: the second of two people. The decision made before holds again, under a new sequence.

    :raises Forbidden: if it is the one who asked, the actor is tied to the vendor (S3), or one of the two made the
        other a lead approver within a day (S6).
    :raises Conflict: if nobody asked, it ended, or it changed since the page was opened.
    :raises Unavailable: if no signing key is in force. Then nothing is opened.
    """
    if pause.ended_at is not None or pause.resume_asked_by is None or pause.resume_asked_at is None:
        raise Conflict(
            "Nobody has asked to end this pause.", current={"state": "ended" if pause.ended_at else "paused"}
        )
    if pause.resume_asked_by == tx.actor.id:
        raise Forbidden("You asked to end this pause. A second person confirms it.")
    vendor = _refuse_tied(tx, pause)
    duties.refuse_second(tx, pause.resume_asked_by)
    asked = Part(pause.resume_asked_by, "asked", pause.resume_asked_factor, pause.resume_asked_at)
    sequence = next_sequence(tx, pause.vendor_id) if pause.vendor_id else None
    won = swap(
        tx,
        pause,
        expect={"row_version": row_version, "ended_at": None},
        change={
            "resume_confirmed_by": person_acting(tx),
            "ended_at": tx.now,
            "ended_sequence": sequence,
            "row_version": row_version + 1,
        },
    )
    if not won:
        raise Conflict("This pause changed since you opened the page.", current={"state": "ended"})
    sealing.seal(
        tx,
        kind=AccessKind.RESUMED,
        about_id=pause.id,
        vendor=vendor,
        sequence=sequence,
        parts=[asked, Part(person_acting(tx), "confirmed", factor, tx.now)],
        words={"reason": pause.reason, "plan": pause.resume_plan},
        sealer=sealer,
    )
    if pause.vendor_id is not None and sequence is not None:
        tx.record(VendorResumed(pause.id, pause.vendor_id, sequence))
    else:
        tx.record(EveryVendorResumed(pause.id))


def fall_of_person(tx: Tx, user_id: UUID, because: str, *, vendor_id: UUID | None = None) -> None:
    """Let fall what somebody asked and nobody confirmed: a half-given act of two does not outlive the right to it (S7).

    :param vendor_id: of this vendor only; None for all.
    """
    statement = sa.select(Pause).where(
        Pause.ended_at.is_(None),
        Pause.resume_asked_by == user_id,
        *([Pause.vendor_id == vendor_id] if vendor_id is not None else []),
    )
    for row in tx.session.execute(statement.order_by(Pause.id)).scalars().all():
        nobody = {"resume_asked_by": None, "resume_asked_at": None, "resume_asked_factor": "", "resume_plan": ""}
        expect = {"ended_at": None, "resume_asked_by": user_id, "row_version": row.row_version}
        if swap(tx, row, expect=expect, change={**nobody, "row_version": row.row_version + 1}):
            tx.record(ResumeFell(row.id, row.vendor_id, because))


def person_acting(tx: Tx) -> UUID:
    """Return who acts.

    :raises Forbidden: if nobody does.
    """
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    return tx.actor.id


def said(text: str, otherwise: str) -> str:
    """Return a reason without blanks around it.

    :raises Refused: with a problem at ``reason``: the sentence given if there is none, or that it is too long.
    """
    cleaned = text.strip()
    if not cleaned:
        raise Refused(problems={"reason": [otherwise]})
    if len(cleaned) > REASON_LIMIT:
        raise Refused(problems={"reason": [f"Keep it under {REASON_LIMIT} characters; this is {len(cleaned)}"]})
    return cleaned


def _refuse_tied(tx: Tx, pause: Pause) -> Vendor | None:
    """Refuse who is no lead approver now or tied to the vendor of a pause, and return that vendor; None for all."""
    duties.hold_lead(tx)
    vendor = tx.session.get_one(Vendor, pause.vendor_id) if pause.vendor_id is not None else None
    if vendor is not None:
        duties.refuse_tied(tx, vendor, SOMEBODY_ELSE)
    return vendor


class _Whom:
    """Whose access an act is about, for the policy."""

    def __init__(self, vendor_id: UUID | None) -> None:
        self.vendor_id = vendor_id
