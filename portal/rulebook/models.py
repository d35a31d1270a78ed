"""Published policies, text by text and for ever; drafts, and who signed which text of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import DraftState


class PolicyVersion(Base, kw_only=True):
    """A version in force from its day on. The database refuses UPDATE and DELETE, and what two people did not sign.

    Version 1 of each kind is part of the program and has no row.
    """

    __tablename__ = "policy_version"
    __table_args__ = (
        sa.UniqueConstraint("kind", "version"),
        sa.UniqueConstraint("id", "digest"),
        sa.CheckConstraint("version > 1", name="after_the_first"),
        sa.CheckConstraint("digest = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name="digest_of_text"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    version: Mapped[int]
    text: Mapped[str]
    digest: Mapped[str]
    written_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    published_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    published_at: Mapped[datetime]


class PolicyDraft(Base, kw_only=True):
    """A version in the making. What is published is the text of its digest, and no other."""

    __tablename__ = "policy_draft"
    __table_args__ = (
        sa.ForeignKeyConstraint(["published_id", "digest"], ["policy_version.id", "policy_version.digest"]),
        sa.CheckConstraint("version > 1", name="after_the_first"),
        sa.CheckConstraint("digest = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name="digest_of_text"),
        sa.CheckConstraint("(state = 'published') = (published_id IS NOT NULL)", name="published_iff_version"),
        sa.Index("uq_policy_draft_open", "kind", "digest", unique=True, postgresql_where=sa.text("state = 'open'")),
        sa.Index("ix_policy_draft_kind_version", "kind", "version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    version: Mapped[int]
    text: Mapped[str]
    digest: Mapped[str]
    state: Mapped[DraftState] = mapped_column(default=DraftState.OPEN)
    published_id: Mapped[UUID | None] = mapped_column(default=None)
    created_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    updated_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    updated_at: Mapped[datetime]
    row_version: Mapped[int] = mapped_column(default=1)


class PolicySignature(Base, kw_only=True):
    """One person's signature on one text of a draft as one version. Never changed: of another it is no signature."""

    __tablename__ = "policy_signature"

    draft_id: Mapped[UUID] = mapped_column(sa.ForeignKey("policy_draft.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    signed_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    signed_name: Mapped[str]
    signed_at: Mapped[datetime]
