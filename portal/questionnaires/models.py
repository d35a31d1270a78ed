"""Published questionnaire versions, byte by byte and for ever; drafts, and who signed which text of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import DraftState


class QuestionnaireVersion(Base, kw_only=True):
    """A published version. The database refuses UPDATE and DELETE, and a person's without two signatures."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (
        sa.UniqueConstraint("slug", "version"),
        sa.UniqueConstraint("id", "digest"),
        sa.CheckConstraint("version > 0", name="counted_from_one"),
        sa.CheckConstraint("digest = encode(sha256(source), 'hex')", name="digest_of_source"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    source: Mapped[bytes]
    published_by: Mapped[UUID | None]
    published_at: Mapped[datetime]


class QuestionnaireDraft(Base, kw_only=True):
    """A version in the making. What is published is the text of its digest, and no other."""

    __tablename__ = "questionnaire_draft"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["published_id", "digest"], ["questionnaire_version.id", "questionnaire_version.digest"]
        ),
        sa.CheckConstraint("version > 0", name="counted_from_one"),
        sa.CheckConstraint("digest = encode(sha256(source), 'hex')", name="digest_of_source"),
        sa.CheckConstraint("(state = 'published') = (published_id IS NOT NULL)", name="published_iff_version"),
        sa.Index("uq_questionnaire_draft_open", "digest", unique=True, postgresql_where=sa.text("state = 'open'")),
        sa.Index("ix_questionnaire_draft_slug_version", "slug", "version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    source: Mapped[bytes]
    digest: Mapped[str]
    origin: Mapped[str]
    notes: Mapped[list[Any]] = mapped_column(default_factory=list)
    state: Mapped[DraftState] = mapped_column(default=DraftState.OPEN)
    published_id: Mapped[UUID | None] = mapped_column(default=None)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    updated_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"))
    updated_at: Mapped[datetime]
    row_version: Mapped[int] = mapped_column(default=1)


class QuestionnaireSignature(Base, kw_only=True):
    """One person's signature on one text of a draft. Never changed: of another text it is simply no signature."""

    __tablename__ = "questionnaire_signature"

    draft_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_draft.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    signed_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    signed_name: Mapped[str]
    signed_at: Mapped[datetime]
