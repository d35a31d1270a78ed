"""Who may publish for the lab: questionnaires and policies become askable and binding by two of these people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from portal.identity.models import RoleGrant, UserAccount
from portal.kernel.ledger import Tx
from portal.terms import Role

MAY_PUBLISH: Final = (Role.LEAD_APPROVER, Role.PROGRAM_ADMIN)
"""Whose signature counts, as the roles are held now (S7): those of the actions that publish."""

SIGNATURES_NEEDED: Final = 2
"""security.md, roles x actions: "edit/publish questionnaire" is marked 2."""


def may_publish(user_id: InstrumentedAttribute[UUID]) -> sa.ColumnElement[bool]:
    """Tell in SQL whether a person of the lab may publish now."""
    return sa.exists(
        sa.select(RoleGrant.id)
        .join(UserAccount, UserAccount.id == RoleGrant.user_id)
        .where(
            RoleGrant.user_id == user_id,
            RoleGrant.role.in_(MAY_PUBLISH),
            RoleGrant.revoked_at.is_(None),
            UserAccount.deactivated_at.is_(None),
            UserAccount.enrolled_at.is_not(None),
        )
    )


def hold_publishers(tx: Tx, people: Collection[UUID]) -> frozenset[UUID]:
    """Return who of these may publish, and keep it so until the transaction ends: no role is taken in between."""
    statement = (
        sa.select(RoleGrant.user_id)
        .join(UserAccount, UserAccount.id == RoleGrant.user_id)
        .where(
            RoleGrant.user_id.in_(people),
            RoleGrant.role.in_(MAY_PUBLISH),
            RoleGrant.revoked_at.is_(None),
            UserAccount.deactivated_at.is_(None),
        )
        .order_by(RoleGrant.id)
        .with_for_update(read=True)
    )
    return frozenset(tx.session.execute(statement).scalars())
