"""Findings: what is wrong, how bad, by when, and when it counts as closed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import FindingState, Severity


class Finding(Base, kw_only=True):
    """One finding about one answer. A draft is the reviewer's own; shared, it is the vendor's task.

    ``credit`` (0..100), where given, replaces the answer's credit in the score, with ``opened_by`` as its author.
    """

    __tablename__ = "finding"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.UniqueConstraint("vendor_id", "number"),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("credit IS NULL OR credit BETWEEN 0 AND 100", name="credit_range"),
        sa.CheckConstraint("what <> ''", name="says_what_is_wrong"),
        sa.CheckConstraint(
            "state = 'draft' OR shared_at IS NOT NULL OR state = 'withdrawn'", name="shared_unless_draft"
        ),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_iff_dated"),
        sa.Index("ix_finding_assessment_id", "assessment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"))
    number: Mapped[int]
    assessment_id: Mapped[UUID]
    revision: Mapped[int]
    question_key: Mapped[str]
    severity: Mapped[Severity]
    what: Mapped[str]
    closes_when: Mapped[str]
    due_on: Mapped[date | None]
    credit: Mapped[int | None]
    state: Mapped[FindingState] = mapped_column(default=FindingState.DRAFT)
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]
    shared_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_by: Mapped[UUID | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)
