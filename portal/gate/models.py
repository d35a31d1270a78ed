"""The gate's truth: an append-only sequence of clearances per vendor, and pauses with a beginning and an end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import AccessKind, ClearanceAct, RevocationEnd


class Clearance(Base, kw_only=True):
    """One step: what was decided for one engagement, and how far it reaches. The database refuses UPDATE and DELETE.

    ``conditions``: list of {text, due_on, data_class, access_mode, met}; an overdue one closes what it names.
    """

    __tablename__ = "clearance"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "engagement_id"], ["engagement.vendor_id", "engagement.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "decision_id"], ["decision.vendor_id", "decision.id"]),
        sa.UniqueConstraint("vendor_id", "sequence"),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("sequence > 0", name="counted_from_one"),
        sa.CheckConstraint("act IN ('reject', 'revoke') OR valid_until IS NOT NULL", name="approval_ends"),
        sa.CheckConstraint("tier BETWEEN 1 AND 3", name="tier_range"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"))
    engagement_id: Mapped[UUID] = mapped_column(index=True)
    sequence: Mapped[int]
    act: Mapped[ClearanceAct]
    tier: Mapped[int]
    decision_id: Mapped[UUID | None]
    data_classes: Mapped[list[int]]
    access_modes: Mapped[list[str]]
    conditions: Mapped[list[Any]]
    valid_until: Mapped[date | None]
    reason: Mapped[str]
    recorded_at: Mapped[datetime]


class ClearanceEvidence(Base, kw_only=True):
    """A file that required evidence of a clearance rests on: the gate compares its last day with the clock.

    ``requirement``: the kinds that would do, such as SOC2,ISO; one of the files of a requirement is enough.
    ``pinned_until`` is the last day as it was seen when it was decided, or when a reviewer checked the file since.
    Without an end both are empty; the first day of the calendar stands for a file that counts no more.
    """

    __tablename__ = "clearance_evidence"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "clearance_id"], ["clearance.vendor_id", "clearance.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "attestation_id"], ["attestation.vendor_id", "attestation.id"]),
        sa.CheckConstraint("requirement <> ''", name="names_kinds"),
        sa.Index("ix_clearance_evidence_vendor_id", "vendor_id"),
    )

    clearance_id: Mapped[UUID] = mapped_column(primary_key=True)
    requirement: Mapped[str] = mapped_column(primary_key=True)
    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    attestation_id: Mapped[UUID]
    pinned_until: Mapped[date | None] = mapped_column(default=None)
    holds_until: Mapped[date | None] = mapped_column(default=None)
    seen_at: Mapped[datetime]


class Pause(Base, kw_only=True):
    """A stop, of one vendor or (no vendor) of all. One person begins it; two end it."""

    __tablename__ = "pause"
    __table_args__ = (
        sa.CheckConstraint("reason <> ''", name="with_reason"),
        sa.CheckConstraint("(ended_at IS NULL) = (resume_confirmed_by IS NULL)", name="ended_by_two"),
        sa.CheckConstraint("(resume_asked_by IS NULL) = (resume_asked_at IS NULL)", name="asked_by_somebody"),
        sa.CheckConstraint(
            "resume_confirmed_by IS NULL OR (resume_asked_by IS NOT NULL AND resume_confirmed_by <> resume_asked_by)",
            name="two_people",
        ),
        sa.Index(
            "uq_pause_live",
            sa.text("coalesce(vendor_id, '00000000-0000-0000-0000-000000000000'::uuid)"),
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("vendor.id"))
    sequence: Mapped[int]
    reason: Mapped[str]
    begun_by: Mapped[UUID]
    begun_at: Mapped[datetime]
    resume_asked_by: Mapped[UUID | None] = mapped_column(default=None)
    resume_asked_at: Mapped[datetime | None] = mapped_column(default=None)
    resume_plan: Mapped[str] = mapped_column(default="")
    resume_asked_factor: Mapped[str] = mapped_column(default="")
    resume_confirmed_by: Mapped[UUID | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_sequence: Mapped[int | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class Revocation(Base, kw_only=True):
    """That one person asks to take an approval back, and how that ended. It is about one step, and falls with it.

    ``step_id`` is the step that a second person's confirmation added to the clearances.
    """

    __tablename__ = "revocation"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "engagement_id"], ["engagement.vendor_id", "engagement.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "clearance_id"], ["clearance.vendor_id", "clearance.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "step_id"], ["clearance.vendor_id", "clearance.id"]),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("reason <> ''", name="with_reason"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name="ended_somehow"),
        sa.CheckConstraint(
            "(ended_how IS NOT DISTINCT FROM 'confirmed') = (step_id IS NOT NULL)", name="confirmed_is_a_step"
        ),
        sa.CheckConstraint("ended_how IS DISTINCT FROM 'confirmed' OR ended_by <> asked_by", name="two_people"),
        sa.Index("uq_revocation_open", "clearance_id", unique=True, postgresql_where=sa.text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(index=True)
    engagement_id: Mapped[UUID]
    clearance_id: Mapped[UUID]
    reason: Mapped[str]
    ticket: Mapped[str]
    asked_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_factor: Mapped[str]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_how: Mapped[RevocationEnd | None] = mapped_column(default=None)
    ended_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    step_id: Mapped[UUID | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class AccessRecord(Base, kw_only=True):
    """What closed or opened a vendor's access, sealed: the very bytes of the envelope. Never changed.

    ``about_id`` is the pause or the revocation; without a vendor it is about everybody.
    """

    __tablename__ = "access_record"
    __table_args__ = (
        sa.UniqueConstraint("kind", "about_id"),
        sa.CheckConstraint("digest = encode(sha256(convert_to(envelope, 'UTF8')), 'hex')", name="digest_of_envelope"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("vendor.id"), index=True)
    kind: Mapped[AccessKind]
    about_id: Mapped[UUID]
    envelope: Mapped[str]
    digest: Mapped[str]
    sealed_at: Mapped[datetime]


class GateSequence(Base, kw_only=True):
    """The last sequence number of a vendor; locked by whoever adds a clearance or a pause: none is used twice."""

    __tablename__ = "gate_sequence"

    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"), primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class GateCall(Base, kw_only=True):
    """How often a service client asked about a vendor within an hour, and was allowed or not.

    A class or mode that there is not is empty. Rows are counted up and never taken away; who asked stays known when
    the client is switched off.
    """

    __tablename__ = "gate_call"
    __table_args__ = (
        sa.CheckConstraint("calls > 0", name="counted"),
        sa.CheckConstraint("hour = date_trunc('hour', hour, 'UTC')", name="whole_hours"),
    )

    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("service_client.id"), primary_key=True)
    data_class: Mapped[str] = mapped_column(sa.String(2), primary_key=True)
    access_mode: Mapped[str] = mapped_column(sa.String(2), primary_key=True)
    allowed: Mapped[bool] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(sa.BigInteger)
