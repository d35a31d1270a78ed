"""Who is told: people who can sign in, found by the system whoever acted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.delivery import service as delivery
from portal.delivery.rules import Reader
from portal.identity.models import RoleGrant, UserAccount
from portal.kernel.ledger import Tx
from portal.terms import Role, Side


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person to write to."""

    id: UUID
    email: str
    full_name: str
    roles: frozenset[Role]


def of_lab(tx: Tx, roles: Collection[Role], *, but: Collection[UUID] = ()) -> Sequence[Recipient]:
    """Return the lab's people with one of these roles."""
    return _people(tx, UserAccount.side == Side.LAB, roles, but)


def of_vendor(
    tx: Tx, vendor_id: UUID, roles: Collection[Role] = tuple(Role), *, but: Collection[UUID] = ()
) -> Sequence[Recipient]:
    """Return a vendor's people with one of these roles."""
    return _people(tx, UserAccount.vendor_id == vendor_id, roles, but)


def one(tx: Tx, user_id: UUID) -> Recipient | None:
    """Return one person, None if they cannot sign in."""
    found = _people(tx, UserAccount.id == user_id, tuple(Role), ())
    return found[0] if found else None


def tell(
    tx: Tx,
    people: Iterable[Recipient],
    kind: str,
    context: Mapping[str, Any],
    stem: str,
    vendor_id: UUID | None = None,
) -> None:
    """Queue one mail of a kind to each of them; said again under the same stem, it is sent once."""
    for person in people:
        delivery.send(
            tx,
            kind=kind,
            to_address=person.email,
            to_name=person.full_name,
            user_id=person.id,
            vendor_id=vendor_id,
            context=context,
            dedupe_key=f"{stem}:{person.id}",
        )


def name_of(tx: Tx, user_id: UUID | None) -> str:
    """Return a person's name, empty for nobody."""
    if user_id is None:
        return ""
    return tx.session.execute(sa.select(UserAccount.full_name).where(UserAccount.id == user_id)).scalar() or ""


def reader_of(tx: Tx, user_id: UUID | None) -> Reader:
    """Return in which language and by which clock a person reads; the lab's mails are in English."""
    row = (
        tx.session.execute(
            sa.select(UserAccount.language, UserAccount.timezone, UserAccount.side).where(UserAccount.id == user_id)
        ).first()
        if user_id is not None
        else None
    )
    if row is None:
        return Reader()
    return Reader("en" if row.side is Side.LAB else row.language, row.timezone)


def _people(
    tx: Tx, whose: sa.ColumnElement[bool], roles: Collection[Role], but: Collection[UUID]
) -> Sequence[Recipient]:
    statement = (
        sa.select(
            UserAccount.id,
            UserAccount.email,
            UserAccount.full_name,
            sa.func.array_agg(RoleGrant.role),
        )
        .join(RoleGrant, RoleGrant.user_id == UserAccount.id)
        .where(
            whose,
            UserAccount.enrolled_at.is_not(None),
            UserAccount.deactivated_at.is_(None),
            RoleGrant.revoked_at.is_(None),
        )
        .group_by(UserAccount.id)
        .order_by(UserAccount.email)
    )
    rows = [Recipient(row[0], row[1], row[2], frozenset(map(Role, row[3]))) for row in tx.session.execute(statement)]
    wanted = frozenset(roles)
    return [each for each in rows if each.roles & wanted and each.id not in but]
