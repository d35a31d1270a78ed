"""What we ask of a vendor, how far it is, and what the vendor was told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import AssessmentState, MoreTimeState, Side


class Assessment(Base, kw_only=True):
    """One request to attest, pinned to a questionnaire version. ``revision`` counts what was signed, from 1."""

    __tablename__ = "assessment"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "engagement_id"], ["engagement.vendor_id", "engagement.id"]),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("tier BETWEEN 1 AND 3", name="tier_range"),
        sa.CheckConstraint("revision >= 1", name="revision_from_one"),
        sa.CheckConstraint("state <> 'cancelled' OR reason <> ''", name="cancelled_with_reason"),
        sa.CheckConstraint("state <> 'withdrawn' OR reason <> ''", name="withdrawn_with_reason"),
        sa.CheckConstraint("(state = 'decided') = (decided_at IS NOT NULL)", name="decided_iff_dated"),
        sa.Index(
            "uq_assessment_open",
            "vendor_id",
            "questionnaire_slug",
            "engagement_id",
            unique=True,
            postgresql_where=sa.text("state NOT IN ('decided', 'cancelled', 'withdrawn')"),
        ),
        sa.Index("ix_assessment_state_due_on", "state", "due_on", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"), index=True)
    engagement_id: Mapped[UUID]
    questionnaire_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    questionnaire_slug: Mapped[str]
    title: Mapped[str]
    tier: Mapped[int]
    due_on: Mapped[date]
    state: Mapped[AssessmentState] = mapped_column(default=AssessmentState.DRAFT)
    revision: Mapped[int] = mapped_column(default=1)
    reason: Mapped[str] = mapped_column(default="")
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    first_touched_at: Mapped[datetime | None] = mapped_column(default=None)
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class ScopingFact(Base, kw_only=True):
    """One scoping fact of an assessment: who stated it, and that the vendor confirmed it where it is the lab's.

    ``carried_from`` is the signed revision that the vendor stated it in before; that waits for its confirmation too.
    """

    __tablename__ = "scoping_fact"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "carried_from"], ["attestation.vendor_id", "attestation.id"]),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_by_somebody"),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    value: Mapped[dict[str, Any]]
    stated_side: Mapped[Side]
    stated_by: Mapped[UUID | None]
    stated_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
    carried_from: Mapped[UUID | None] = mapped_column(default=None)


class SectionAssignment(Base, kw_only=True):
    """A section given to a person: with assignments it is theirs (and the vendor admin's), without everybody's."""

    __tablename__ = "section_assignment"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.Index(
            "uq_section_assignment_live",
            "assessment_id",
            "section",
            "user_id",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    section: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    assigned_by: Mapped[UUID | None]
    assigned_at: Mapped[datetime]
    due_on: Mapped[date | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class ReopenedQuestion(Base, kw_only=True):
    """A question sent back: only these may change in the next revision."""

    __tablename__ = "reopened_question"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    question_key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]


class PublishedOutcome(Base, kw_only=True):
    """What the vendor was told: a value of its own, published down; nothing internal is in it."""

    __tablename__ = "published_outcome"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.UniqueConstraint("assessment_id", "revision"),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.Index("ix_published_outcome_vendor_id_published_at", "vendor_id", "published_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    revision: Mapped[int]
    number: Mapped[int]
    body: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]


class PublishedStanding(Base, kw_only=True):
    """How a published outcome stands since: what is closed, what was sent, and the score from each day on.

    A value published down like the outcome, which itself never changes. Days are in it, so that it lapses when read.
    """

    __tablename__ = "published_standing"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "outcome_id"], ["published_outcome.vendor_id", "published_outcome.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.Index("ix_published_standing_vendor_id", "vendor_id"),
    )

    outcome_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    body: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]


class AccessCard(Base, kw_only=True):
    """What the gate says of one engagement today, published down so that the vendor's pages can show it.

    ``valid_until`` is in it, so that it lapses when read, with no worker alive.
    """

    __tablename__ = "access_card"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "engagement_id"], ["engagement.vendor_id", "engagement.id"]),
    )

    engagement_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]


class MoreTime(Base, kw_only=True):
    """A vendor's request for a later due date, and what the lab said. ``due_on`` is the day it was due when asked."""

    __tablename__ = "more_time"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.CheckConstraint("wished_on > due_on AND reason <> ''", name="asks_for_more"),
        sa.CheckConstraint(
            "(state = 'open') = (answered_by IS NULL) AND (state = 'open') = (answered_at IS NULL)",
            name="answered_by_somebody",
        ),
        sa.CheckConstraint(
            "(state = 'agreed') = (agreed_on IS NOT NULL) AND agreed_on > due_on", name="agreed_to_a_day"
        ),
        sa.CheckConstraint("state <> 'declined' OR words <> ''", name="declined_with_words"),
        sa.Index("ix_more_time_assessment_id_asked_at", "assessment_id", "asked_at"),
        sa.Index("uq_more_time_open", "assessment_id", unique=True, postgresql_where=sa.text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    due_on: Mapped[date]
    wished_on: Mapped[date]
    reason: Mapped[str]
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    state: Mapped[MoreTimeState] = mapped_column(default=MoreTimeState.OPEN)
    agreed_on: Mapped[date | None] = mapped_column(default=None)
    words: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[UUID | None] = mapped_column(default=None)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)


class UsualWait(Base, kw_only=True):
    """How long the lab usually takes from a signature on, in working days; one row, published down with each decision.

    ``begun`` is the median until a reviewer begins, ``decided`` until the decision; 9 in 10 have one within ``most``.
    """

    __tablename__ = "usual_wait"
    __table_args__ = (
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint("begun >= 0 AND decided >= 0 AND most >= decided", name="in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cases: Mapped[int]
    begun: Mapped[int | None]
    decided: Mapped[int]
    most: Mapped[int]
    published_at: Mapped[datetime]
