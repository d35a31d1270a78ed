"""What waits between a file and an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base


class ExternalSet(Base, kw_only=True):
    """Answers that a vendor gave elsewhere, as one file said them. ``version`` is empty until a person confirmed it."""

    __tablename__ = "external_set"
    __table_args__ = (
        sa.UniqueConstraint("vendor_id", "id"),
        sa.Index(
            "uq_external_set_live",
            "vendor_id",
            "sha256",
            unique=True,
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_shape"),
        sa.CheckConstraint("(confirmed_at IS NULL) = (version = '')", name="version_if_confirmed"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"))
    family: Mapped[str]
    named: Mapped[str]
    recognised: Mapped[str]
    framework: Mapped[str]
    version: Mapped[str] = mapped_column(default="")
    file_name: Mapped[str]
    sha256: Mapped[str]
    answers: Mapped[int]
    notes: Mapped[list[Any]] = mapped_column(default_factory=list)
    uploaded_by: Mapped[UUID]
    uploaded_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    withdrawn_by: Mapped[UUID | None] = mapped_column(default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class ExternalAnswer(Base, kw_only=True):
    """One answer of an external set, with the place in the file where it stands. Never changed."""

    __tablename__ = "external_answer"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "set_id"], ["external_set.vendor_id", "external_set.id"]),
        sa.Index("ix_external_answer_vendor_id_control_id", "vendor_id", "control_id"),
        sa.CheckConstraint("answer IN ('yes', 'no', 'na', 'partial', 'other', 'blank')", name="known_answer"),
    )

    set_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    question_id: Mapped[str]
    control_id: Mapped[str]
    answer: Mapped[str]
    written: Mapped[str]
    text: Mapped[str]
    ownership: Mapped[str]
    responsibilities: Mapped[str]
    sheet: Mapped[str]
    row: Mapped[int]


class AnswerPack(Base, kw_only=True):
    """An answer pack that was read and waits until somebody says what of it to take. Never changed."""

    __tablename__ = "answer_pack"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.UniqueConstraint("assessment_id", "sha256"),
        sa.CheckConstraint("seal IN ('ours', 'other', 'none')", name="known_seal"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    file_name: Mapped[str]
    sha256: Mapped[str]
    seal: Mapped[str]
    content: Mapped[dict[str, Any]]
    uploaded_by: Mapped[UUID]
    uploaded_at: Mapped[datetime]


class AnswerImport(Base, kw_only=True):
    """Answers that came back in a file, compared with what stood then; applied once, if at all."""

    __tablename__ = "answer_import"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.Index("ix_answer_import_assessment_id_staged_at", "assessment_id", "staged_at"),
        sa.CheckConstraint("format IN ('xlsx', 'csv')", name="known_format"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_shape"),
        sa.CheckConstraint(
            "(applied_at IS NULL) = (applied_by IS NULL) AND (applied_at IS NULL) = (result IS NULL)",
            name="applied_by_somebody",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    format: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str]
    exported_at: Mapped[datetime]
    report: Mapped[dict[str, Any]]
    staged_by: Mapped[UUID]
    staged_at: Mapped[datetime]
    applied_by: Mapped[UUID | None] = mapped_column(default=None)
    applied_at: Mapped[datetime | None] = mapped_column(default=None)
    result: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True), default=None)


class VendorExport(Base, kw_only=True):
    """Somebody took everything of a vendor out. Never changed."""

    __tablename__ = "vendor_export"
    __table_args__ = (sa.Index("ix_vendor_export_vendor_id_taken_at", "vendor_id", "taken_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"))
    taken_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    taken_by_name: Mapped[str]
    taken_at: Mapped[datetime]
    with_files: Mapped[bool]
