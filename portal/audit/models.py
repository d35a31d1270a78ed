"""The chain of events, its head, and the signed checkpoints."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base


class AuditEvent(Base, kw_only=True):
    """One fact in the chain. Rows are only ever added: the database refuses UPDATE, DELETE and TRUNCATE."""

    __tablename__ = "audit_event"
    __table_args__ = (
        sa.CheckConstraint("seq > 0", name="counted_from_one"),
        sa.CheckConstraint("octet_length(hash) = 32 AND octet_length(previous_hash) = 32", name="sha256"),
        sa.Index("ix_audit_event_vendor_id_seq", "vendor_id", "seq"),
        sa.Index("ix_audit_event_fact_seq", "fact", "seq"),
    )

    seq: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    fact: Mapped[str]
    payload: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_label: Mapped[str]
    vendor_id: Mapped[UUID | None]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes] = mapped_column(unique=True)


class AuditHead(Base, kw_only=True):
    """The end of the chain: one row, locked by whoever appends, so that the chain never forks."""

    __tablename__ = "audit_head"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    seq: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    hash: Mapped[bytes] = mapped_column(default=bytes(32))


class AuditCheckpoint(Base, kw_only=True):
    """A signed statement of how long the chain was and how it ended; its copy outside is what proves a truncation."""

    __tablename__ = "audit_checkpoint"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    hash: Mapped[bytes]
    made_at: Mapped[datetime]
    envelope: Mapped[str]
