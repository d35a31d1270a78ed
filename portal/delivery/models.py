"""Mail on its way out. The text is made when it leaves, so that no one-time token is ever at rest here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import MailState


class Mail(Base):
    """One message to one person. ``dedupe_key`` makes saying it twice send it once."""

    __tablename__ = "mail"
    __table_args__ = (
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_iff_dated"),
        sa.Index("ix_mail_created_at", "created_at"),
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
    last_error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
