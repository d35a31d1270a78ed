"""Mail on its way out. The text is made when it leaves, so that no one-time token is ever at rest here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import MailState


class Mail(Base, kw_only=True):
    """One message to one person. ``dedupe_key`` makes saying it twice send it once.

    ``attempts`` counts claims and fences them: a worker that lost its claim cannot write what became of the mail.
    Nobody tries before ``not_before``: it is the lease of the claim, then the pause after a failure.
    """

    __tablename__ = "mail"
    __table_args__ = (
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_iff_dated"),
        sa.CheckConstraint("(state = 'sent') = (transport <> '')", name="sent_iff_transported"),
        sa.CheckConstraint("state NOT IN ('failed', 'dropped') OR last_error <> ''", name="given_up_with_reason"),
        sa.CheckConstraint("to_address !~ '[[:space:][:cntrl:]]'", name="address_plain"),
        sa.Index("ix_mail_created_at", "created_at"),
        sa.Index("ix_mail_unsent", "state", "created_at", postgresql_where=sa.text("state <> 'sent'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    to_address: Mapped[str]
    to_name: Mapped[str] = mapped_column(default="")
    user_id: Mapped[UUID | None] = mapped_column(default=None)
    vendor_id: Mapped[UUID | None] = mapped_column(index=True, default=None)
    context: Mapped[dict[str, Any]]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[MailState] = mapped_column(default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None] = mapped_column(default=None)
    last_error: Mapped[str] = mapped_column(default="")
    transport: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)


class ParkedJob(Base, kw_only=True):
    """A job that was given up: what it was, and why. The queue itself keeps no reasons."""

    __tablename__ = "parked_job"
    __table_args__ = (sa.CheckConstraint("reason <> ''", name="with_reason"),)

    job_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    args: Mapped[dict[str, Any]]
    attempts: Mapped[int]
    reason: Mapped[str]
    parked_at: Mapped[datetime]
