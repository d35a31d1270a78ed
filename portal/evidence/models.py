"""Files that vendors gave as proof, pinned to their bytes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import CarveMethod, EvidenceState, Look, ReadingState, ScanState, Side, UserControlState


class Evidence(Base, kw_only=True):
    """One file: reserved, received, then attached and judged. State belongs to the file; acceptance to a citation.

    ``upload_id`` names an upload in parts of ``part_size`` bytes at the store. ``restricted``: its readers are limited
    by its author, as of a SOC 2 report. ``sources`` says of each detail where in the file it was read and who confirmed
    it. ``retained_until``: the day until which the store was told to keep it. ``criteria_hit``: the criteria that a
    qualified opinion leaves out, as a reviewer named them.
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
    criteria_hit: Mapped[str] = mapped_column(default="", server_default="")


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
    look: Mapped[Look] = mapped_column(default=Look.ORIGINAL, server_default=Look.ORIGINAL.value)


class EvidenceUndrawn(Base, kw_only=True):
    """A page that could not be drawn, so that nobody tries for ever; page 0 is a table or a text."""

    __tablename__ = "evidence_undrawn"
    __table_args__ = (
        sa.CheckConstraint("page >= 0 AND attempts > 0", name="counted"),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
    )

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    attempts: Mapped[int]
    reason: Mapped[str]
    last_at: Mapped[datetime]


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


class ReportException(Base, kw_only=True):
    """One exception of a report, as it stands there; whether it matters to us is a reviewer's word beside it."""

    __tablename__ = "report_exception"
    __table_args__ = (
        sa.CheckConstraint("control <> '' AND text <> ''", name="says_what"),
        sa.CheckConstraint(
            "(acceptable IS NULL) = (assessed_by IS NULL) AND (acceptable IS NULL) = (assessed_at IS NULL)"
            " AND (acceptable IS NULL) = (assessment = '')",
            name="assessed_by_somebody",
        ),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index("ix_report_exception_evidence_id", "evidence_id", "position"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    evidence_id: Mapped[UUID]
    position: Mapped[int]
    control: Mapped[str]
    criterion: Mapped[str] = mapped_column(default="")
    text: Mapped[str]
    rate: Mapped[str] = mapped_column(default="")
    response: Mapped[str] = mapped_column(default="")
    questions: Mapped[list[str]] = mapped_column(default_factory=list)
    acceptable: Mapped[bool | None] = mapped_column(default=None)
    assessment: Mapped[str] = mapped_column(default="")
    assessed_by: Mapped[UUID | None] = mapped_column(default=None)
    assessed_at: Mapped[datetime | None] = mapped_column(default=None)
    entered_by: Mapped[UUID | None]
    entered_at: Mapped[datetime]
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class ReportCarveOut(Base, kw_only=True):
    """One organisation that a report's system leans on; it stands behind the vendor.

    ``organisation_key`` is its name without what differs from one writing to the next.
    """

    __tablename__ = "report_carve_out"
    __table_args__ = (
        sa.CheckConstraint("organisation <> '' AND organisation_key <> ''", name="has_name"),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index(
            "uq_report_carve_out_live",
            "evidence_id",
            "organisation_key",
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
        ),
        sa.Index("ix_report_carve_out_vendor_id", "vendor_id", "organisation_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    evidence_id: Mapped[UUID]
    position: Mapped[int]
    organisation: Mapped[str]
    organisation_key: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="")
    method: Mapped[CarveMethod]
    entered_by: Mapped[UUID | None]
    entered_at: Mapped[datetime]
    removed_at: Mapped[datetime | None] = mapped_column(default=None)


class ReportControl(Base, kw_only=True):
    """One control that a report leaves to its users, and so a task of the lab: whose, by when, how far."""

    __tablename__ = "report_control"
    __table_args__ = (
        sa.CheckConstraint("text <> ''", name="says_what"),
        sa.CheckConstraint(
            "(state = 'open') = (settled_by IS NULL) AND (state = 'open') = (settled_at IS NULL)",
            name="settled_by_somebody",
        ),
        sa.CheckConstraint("state <> 'not_needed' OR note <> ''", name="says_why_not_needed"),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index("ix_report_control_evidence_id", "evidence_id", "position"),
        sa.Index("ix_report_control_state_due_on", "state", "due_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    evidence_id: Mapped[UUID]
    position: Mapped[int]
    text: Mapped[str]
    criterion: Mapped[str] = mapped_column(default="")
    state: Mapped[UserControlState] = mapped_column(default=UserControlState.OPEN)
    owner_id: Mapped[UUID | None] = mapped_column(default=None)
    due_on: Mapped[date | None] = mapped_column(default=None)
    note: Mapped[str] = mapped_column(default="")
    settled_by: Mapped[UUID | None] = mapped_column(default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    entered_by: Mapped[UUID | None]
    entered_at: Mapped[datetime]
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class EvidenceSketch(Base, kw_only=True):
    """What stands for a report's system description when reports are compared; empty if none was found.

    Only sketches of one ``method`` are compared. Replaced when a file is read again. The lab's alone, as the four
    tables below: no vendor's session sees a row.
    """

    __tablename__ = "evidence_sketch"
    __table_args__ = (
        sa.CheckConstraint("words >= 0 AND shingles >= 0", name="counted"),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
    )

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    method: Mapped[str]
    words: Mapped[int]
    shingles: Mapped[int]
    signature: Mapped[list[int]] = mapped_column(postgresql.ARRAY(sa.BigInteger()))
    sketched_at: Mapped[datetime]


class EvidenceBand(Base, kw_only=True):
    """One piece of a sketch: two reports with an equal band are candidates. No band: the sketch is empty.

    Rows of their own, found by equality: behind the wall between vendors an index helps with nothing else, for only
    equality is known not to tell what it compared.
    """

    __tablename__ = "evidence_band"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index("ix_evidence_band_band", "band"),
    )

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    band: Mapped[int | None] = mapped_column(sa.BigInteger, default=None)


class EvidenceLikeness(Base, kw_only=True):
    """Two reports of two vendors that share much: how much, per mille, and the passages. One row a pair."""

    __tablename__ = "evidence_likeness"
    __table_args__ = (
        sa.CheckConstraint("share BETWEEN 0 AND 1000", name="share_range"),
        sa.CheckConstraint("evidence_id < other_id AND vendor_id <> other_vendor_id", name="pair_of_two"),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.ForeignKeyConstraint(["other_vendor_id", "other_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index("ix_evidence_likeness_other_id", "other_id"),
    )

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    other_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    other_vendor_id: Mapped[UUID]
    share: Mapped[int]
    passages: Mapped[list[Any]]
    found_at: Mapped[datetime]


class EvidenceTraits(Base, kw_only=True):
    """What the limited process saw in a PDF besides its text: signatures, later changes, hidden words."""

    __tablename__ = "evidence_traits"
    __table_args__ = (sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),)

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    traits: Mapped[dict[str, Any]]
    looked_at: Mapped[datetime]


class CheckedFirm(Base, kw_only=True):
    """One look-up of an audit firm in a public register, by a reviewer. Rows only grow; the newest of a name counts."""

    __tablename__ = "checked_firm"
    __table_args__ = (
        sa.CheckConstraint("name <> '' AND name_key <> '' AND source <> ''", name="named"),
        sa.CheckConstraint("outcome IN ('licensed', 'not_found')", name="known_outcome"),
        sa.CheckConstraint("outcome <> 'licensed' OR licence <> ''", name="with_licence"),
        sa.Index("ix_checked_firm_name_key_checked_at", "name_key", "checked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    licence: Mapped[str] = mapped_column(default="")
    jurisdiction: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str]
    source: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    checked_on: Mapped[date]
    checked_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    checked_by_name: Mapped[str]
    checked_at: Mapped[datetime]
