"""Files that vendors gave as proof, pinned to their bytes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import EvidenceState, ReadingState, ScanState, Side


class Evidence(Base, kw_only=True):
    """One file: reserved, received, then attached and judged. State belongs to the file; acceptance to a citation.

    ``upload_id`` names an upload in parts of ``part_size`` bytes at the store. ``restricted``: its readers are limited
    by its author, as of a SOC 2 report. ``sources`` says of each detail where in the file it was read and who confirmed
    it. ``retained_until``: the day until which the store was told to keep it.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        sa.UniqueConstraint("vendor_id", "id"),
        sa.UniqueConstraint("bucket", "object_key", "version_id"),
        sa.CheckConstraint("size > 0 AND size <= 200000000", name="size_range"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_shape"),
        sa.CheckConstraint(
            "state IN ('reserved', 'refused')"
            " OR (version_id IS NOT NULL AND received_at IS NOT NULL AND mime IS NOT NULL)",
            name="pinned_once_received",
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_from IS NULL OR valid_until >= valid_from", name="valid_range"
        ),
        sa.CheckConstraint("(state = 'refused') = (refusal <> '')", name="refused_with_words"),
        sa.CheckConstraint("(upload_id IS NULL) = (part_size IS NULL)", name="sent_in_parts"),
        sa.CheckConstraint("(taken_up_by IS NULL) = (taken_up_at IS NULL)", name="taken_up_by_somebody"),
        sa.CheckConstraint(
            "state NOT IN ('verified', 'rejected') OR (judged_by IS NOT NULL AND judged_at IS NOT NULL)",
            name="judged_by_somebody",
        ),
        sa.ForeignKeyConstraint(["vendor_id", "supersedes_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index("ix_evidence_vendor_id_created_at", "vendor_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"))
    kind: Mapped[str]
    title: Mapped[str]
    file_name: Mapped[str]
    bucket: Mapped[str]
    object_key: Mapped[str]
    version_id: Mapped[str | None] = mapped_column(default=None)
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(sa.BigInteger)
    mime: Mapped[str | None] = mapped_column(default=None)
    page_count: Mapped[int | None] = mapped_column(default=None)
    details: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    valid_from: Mapped[date | None] = mapped_column(default=None)
    valid_until: Mapped[date | None] = mapped_column(default=None)
    validity_rule: Mapped[str] = mapped_column(default="")
    state: Mapped[EvidenceState] = mapped_column(default=EvidenceState.RESERVED)
    scan: Mapped[ScanState] = mapped_column(default=ScanState.PENDING)
    refusal: Mapped[str] = mapped_column(default="")
    supersedes_id: Mapped[UUID | None] = mapped_column(default=None)
    uploaded_by: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    received_at: Mapped[datetime | None] = mapped_column(default=None)
    judged_by: Mapped[UUID | None] = mapped_column(default=None)
    judged_at: Mapped[datetime | None] = mapped_column(default=None)
    judgement: Mapped[str] = mapped_column(default="")
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)
    upload_id: Mapped[str | None] = mapped_column(default=None)
    part_size: Mapped[int | None] = mapped_column(default=None)
    restricted: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    taken_up_by: Mapped[UUID | None] = mapped_column(default=None)
    taken_up_at: Mapped[datetime | None] = mapped_column(default=None)
    sources: Mapped[dict[str, Any]] = mapped_column(default_factory=dict, server_default="{}")
    retained_until: Mapped[date | None] = mapped_column(default=None)


class EvidenceOpening(Base, kw_only=True):
    """Who opened a file, and when: shown to the vendor it belongs to. Written with the fact of the trail."""

    __tablename__ = "evidence_opening"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index("ix_evidence_opening_evidence_id_at", "evidence_id", "at"),
        sa.Index("ix_evidence_opening_opened_by_at", "opened_by", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    evidence_id: Mapped[UUID]
    opened_by: Mapped[UUID]
    opened_by_name: Mapped[str]
    side: Mapped[Side]
    page: Mapped[int | None] = mapped_column(default=None)
    at: Mapped[datetime]


class EvidenceReading(Base, kw_only=True):
    """How far the text of a file was read, and the details proposed from it: lists of proposals by kind of evidence.

    ``reason`` says in words why it could not be read, or what was left out of it.
    """

    __tablename__ = "evidence_reading"
    __table_args__ = (
        sa.UniqueConstraint("vendor_id", "evidence_id"),
        sa.CheckConstraint("attempts BETWEEN 0 AND 3", name="attempts_bounded"),
        sa.CheckConstraint("(state = 'waiting') = (read_at IS NULL)", name="dated_once_read"),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index("ix_evidence_reading_waiting", "asked_at", postgresql_where=sa.text("state = 'waiting'")),
    )

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    state: Mapped[ReadingState] = mapped_column(default=ReadingState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=0)
    characters: Mapped[int] = mapped_column(default=0)
    proposals: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    reason: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]
    read_at: Mapped[datetime | None] = mapped_column(default=None)


class EvidencePageText(Base, kw_only=True):
    """The text of one page, as it was read once. It only grows."""

    __tablename__ = "evidence_page_text"
    __table_args__ = (
        sa.CheckConstraint("page >= 1", name="counted_from_one"),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"], ["evidence_reading.vendor_id", "evidence_reading.evidence_id"]
        ),
    )

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    text: Mapped[str]
