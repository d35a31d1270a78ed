"""The numbers by which a vendor's answers are put in order."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.gate.models import GateSequence
from portal.kernel.ledger import Tx


def next_sequence(tx: Tx, vendor_id: UUID) -> int:
    """Return the vendor's next number. The row is locked until the commit, so numbers are given in commit order."""
    statement = (
        postgresql.insert(GateSequence)
        .values(vendor_id=vendor_id, last=1)
        .on_conflict_do_update(index_elements=["vendor_id"], set_={"last": GateSequence.last + 1})
        .returning(GateSequence.last)
    )
    return tx.session.execute(statement).scalar_one()


def hold_sequence(tx: Tx, vendor_id: UUID) -> None:
    """Let nobody add a step or a pause until this transaction ends: what is read after it stays the newest."""
    tx.session.execute(
        sa.select(GateSequence.last).where(GateSequence.vendor_id == vendor_id).with_for_update()
    ).scalar_one_or_none()
