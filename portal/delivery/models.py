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
        sa.CheckConstraint("(bounced_at IS NULL) = (bounce_reason = '')", name="bounced_with_reason"),
        sa.CheckConstraint("bounced_at IS NULL OR state = 'sent'", name="bounced_after_sent"),
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
    bounced_at: Mapped[datetime | None] = mapped_column(default=None)
    bounce_reason: Mapped[str] = mapped_column(default="")


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


class MailPreference(Base, kw_only=True):
    """What a person chose to hear of and how, by group, and the hour of their digest. Without a row all is as usual."""

    __tablename__ = "mail_preference"
    __table_args__ = (sa.CheckConstraint("digest_hour BETWEEN 0 AND 23", name="hour_of_the_day"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    vendor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("vendor.id"), index=True, default=None)
    channels: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    digest_hour: Mapped[int]
    changed_at: Mapped[datetime]
    row_version: Mapped[int] = mapped_column(default=1)


class DigestItem(Base, kw_only=True):
    """Something to tell a person in their next digest. It ends in the mail ``mail_id``, or is left out for a reason."""

    __tablename__ = "digest_item"
    __table_args__ = (
        sa.CheckConstraint("(settled_at IS NULL) = (mail_id IS NULL AND left_out = '')", name="settled_somehow"),
        sa.CheckConstraint("mail_id IS NULL OR left_out = ''", name="told_or_left_out"),
        sa.Index(
            "ix_digest_item_waiting", "user_id", "created_at", "id", postgresql_where=sa.text("settled_at IS NULL")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    vendor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("vendor.id"), index=True, default=None)
    kind: Mapped[str]
    context: Mapped[dict[str, Any]]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    mail_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("mail.id"), default=None)
    left_out: Mapped[str] = mapped_column(default="")
