"""Conflicts of interest that people declare: who keeps away from which vendor, since when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.identity import queries as people
from portal.identity.models import UserAccount
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.reviews.facts import ConflictDeclared, ConflictEnded
from portal.reviews.models import ConflictOfInterest
from portal.terms import Role, Side
from portal.vendors.checks import line
from portal.vendors.models import Vendor

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """One declared conflict, for the pages of vendors and people."""

    id: UUID
    user_id: UUID
    person: str
    vendor_id: UUID
    vendor: str
    reason: str
    declared_by: UUID
    declared_at: datetime
    ended_at: datetime | None


def conflicts(tx: Tx, *, vendor_id: UUID | None = None, user_id: UUID | None = None) -> Sequence[ConflictLine]:
    """Return declared conflicts of interest, of one vendor or one person if given; those in force first."""
    policy.check_ever(tx.actor, Action.CONFLICT_DECLARE)
    statement = (
        sa.select(ConflictOfInterest, Vendor.name)
        .join(Vendor, Vendor.id == ConflictOfInterest.vendor_id)
        .order_by(ConflictOfInterest.ended_at.is_not(None), ConflictOfInterest.declared_at.desc())
        .limit(500)
    )
    if vendor_id is not None:
        statement = statement.where(ConflictOfInterest.vendor_id == vendor_id)
    if user_id is not None:
        statement = statement.where(ConflictOfInterest.user_id == user_id)
    rows = tx.session.execute(statement).all()
    names = people.people(tx, [row.user_id for row, _ in rows])
    return [
        ConflictLine(
            row.id,
            row.user_id,
            names[row.user_id].full_name if row.user_id in names else "",
            row.vendor_id,
            vendor,
            row.reason,
            row.declared_by,
            row.declared_at,
            row.ended_at,
        )
        for row, vendor in rows
    ]


def declare_conflict(tx: Tx, *, vendor: Vendor, reason: str, user_id: UUID | None = None) -> ConflictOfInterest:
    """Say that a person of the lab is to keep away from a vendor: oneself, or as an admin somebody else.

    :raises Forbidden: for somebody else, if the actor is no admin.
    :raises Refused: without a reason, or if the person is not of the lab.
    """
    policy.check(tx.actor, Action.CONFLICT_DECLARE, vendor)
    whom = user_id or tx.actor.id
    if whom is None or (whom != tx.actor.id and Role.PROGRAM_ADMIN not in tx.actor.roles):
        raise Forbidden("You declare your own conflicts. A program admin declares those of others.")
    if tx.actor.id is None:
        raise Forbidden("A person declares this.")
    words = line(reason)
    problems: dict[str, list[str]] = {}
    if not words:
        problems["reason"] = ["Say what ties the person to the vendor, for example: worked there until March"]
    elif len(words) > MAX_REASON:
        problems["reason"] = [f"Shorten the reason to {MAX_REASON:,} characters; this has {len(words):,}"]
    found = people.people(tx, [whom]).get(whom)
    if found is None or found.side is not Side.LAB:
        problems["user_id"] = ["Choose somebody of the lab"]
    if problems:
        raise Refused(problems=problems)
    # Whoever judges or signs holds the person, shared: of the two, one sees the other (duties.candidate).
    hold = sa.select(UserAccount.id).where(UserAccount.id == whom).with_for_update(key_share=True)
    tx.session.execute(hold)
    row = ConflictOfInterest(
        id=tx.new_id(),
        user_id=whom,
        vendor_id=vendor.id,
        reason=words,
        declared_by=tx.actor.id,
        declared_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(ConflictDeclared(row.id, row.user_id, row.vendor_id))
    return row


def conflict_person(tx: Tx, conflict_id: UUID) -> UUID:
    """Return whose conflict it is.

    :raises NotFound: if there is none.
    """
    row = tx.session.get(ConflictOfInterest, conflict_id)
    if row is None:
        raise NotFound
    return row.user_id


def end_conflict(tx: Tx, *, conflict_id: UUID) -> UUID:
    """Say that a declared conflict is over; return whose it was. An admin does, and never for themselves.

    :raises NotFound: if there is none.
    :raises Forbidden: for anybody else.
    :raises Conflict: if it ended already.
    """
    row = tx.session.get(ConflictOfInterest, conflict_id)
    if row is None:
        raise NotFound
    policy.check(tx.actor, Action.CONFLICT_DECLARE, row)
    if Role.PROGRAM_ADMIN not in tx.actor.roles or tx.actor.id == row.user_id:
        raise Forbidden("A program admin ends a conflict of interest, and not their own.")
    if not swap(tx, row, expect={"ended_at": None}, change={"ended_at": tx.now}):
        raise Conflict("This conflict of interest ended already.")
    tx.record(ConflictEnded(row.id, row.user_id, row.vendor_id))
    return row.user_id
