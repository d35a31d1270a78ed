"""Findings: what is wrong, how bad, by when, and when it counts as closed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import AcceptanceState, FindingAct, FindingState, PlanState, RemedyAct, SecondAnswer, Severity


class Finding(Base, kw_only=True):
    """One finding about one answer. A draft is the reviewer's own; shared, it is the vendor's task.

    ``credit`` (0..100), where given, replaces the answer's credit in the score, with ``opened_by`` as its author and
    ``credit_reason`` as the reason. ``remedy`` is the last step towards closing it; None before any proof was sent.
    ``blocks``: list of {data_class, access_mode}: the lowest class that it keeps closed, in one mode or in all.
    ``owner_id`` is the vendor's person who sees to it, ``follower_id`` the lab's who follows it. ``plan`` is where the
    vendor's plan stands.
    """

    __tablename__ = "finding"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.UniqueConstraint("vendor_id", "number"),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("credit IS NULL OR credit BETWEEN 0 AND 100", name="credit_range"),
        sa.CheckConstraint("credit IS NULL OR credit_reason <> ''", name="credit_with_reason"),
        sa.CheckConstraint("what <> ''", name="says_what_is_wrong"),
        sa.CheckConstraint(
            "state = 'draft' OR shared_at IS NOT NULL OR state = 'withdrawn'", name="shared_unless_draft"
        ),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_iff_dated"),
        sa.Index("ix_finding_assessment_id", "assessment_id"),
        sa.Index("ix_finding_open", "due_on", "id", postgresql_where=sa.text("state = 'open'")),
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
    remedy: Mapped[RemedyAct | None] = mapped_column(default=None)
    credit_reason: Mapped[str] = mapped_column(default="")
    blocks: Mapped[list[Any]] = mapped_column(default_factory=list)
    owner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    follower_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    plan: Mapped[PlanState | None] = mapped_column(default=None)


class Remedy(Base, kw_only=True):
    """One step of closing a finding. Rows only grow.

    ``evidence_id`` is the file that the step is about, at ``pages``; ``credit``, of a verified proof alone, is what it
    shows the answer to be worth from then on.
    """

    __tablename__ = "remedy"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "finding_id"], ["finding.vendor_id", "finding.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.UniqueConstraint("finding_id", "number"),
        sa.CheckConstraint("number > 0", name="counted_from_one"),
        sa.CheckConstraint("(act = 'verified') = (credit IS NOT NULL)", name="credit_iff_verified"),
        sa.CheckConstraint("credit IS NULL OR credit BETWEEN 0 AND 100", name="credit_range"),
        sa.CheckConstraint("act <> 'returned' OR note <> ''", name="returned_with_words"),
        sa.CheckConstraint("act = 'undone' OR by IS NOT NULL", name="by_somebody"),
        sa.Index("ix_remedy_evidence_id", "evidence_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    finding_id: Mapped[UUID]
    number: Mapped[int]
    act: Mapped[RemedyAct]
    evidence_id: Mapped[UUID]
    pages: Mapped[str]
    note: Mapped[str]
    credit: Mapped[int | None] = mapped_column(default=None)
    by: Mapped[UUID | None]
    by_name: Mapped[str]
    at: Mapped[datetime]


class FindingStep(Base, kw_only=True):
    """What was said or agreed about a finding beside its proof. Rows only grow.

    ``day``: until when a plan will be done, or the new due date; ``was_day`` the one before. ``person_id`` is who was
    named.
    """

    __tablename__ = "finding_step"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "finding_id"], ["finding.vendor_id", "finding.id"]),
        sa.UniqueConstraint("finding_id", "number"),
        sa.CheckConstraint("number > 0", name="counted_from_one"),
        sa.CheckConstraint("act NOT IN ('plan_sent', 'plan_returned', 'due_moved') OR words <> ''", name="in_words"),
        sa.CheckConstraint("act <> 'plan_sent' OR day IS NOT NULL", name="planned_by_a_day"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    finding_id: Mapped[UUID]
    number: Mapped[int]
    act: Mapped[FindingAct]
    words: Mapped[str] = mapped_column(default="")
    day: Mapped[date | None] = mapped_column(default=None)
    was_day: Mapped[date | None] = mapped_column(default=None)
    person_id: Mapped[UUID | None] = mapped_column(default=None)
    person_name: Mapped[str] = mapped_column(default="")
    by: Mapped[UUID]
    by_name: Mapped[str]
    at: Mapped[datetime]


class RiskAcceptance(Base, kw_only=True):
    """That the lab lives with an open finding until a day: two people sign the same document. The lab's alone.

    ``owner_id`` answers for the risk. ``document`` is the very text that both sign (canonical JSON). It counts from
    the confirmation to ``until``, its last day, unless it is revoked before.
    """

    __tablename__ = "risk_acceptance"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "finding_id"], ["finding.vendor_id", "finding.id"]),
        sa.CheckConstraint("reason <> ''", name="with_reason"),
        sa.CheckConstraint("digest = encode(sha256(convert_to(document, 'UTF8')), 'hex')", name="digest_of_document"),
        sa.CheckConstraint("confirmed_by <> proposed_by", name="two_people"),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)"
            " AND (confirmed_by IS NOT NULL) = (state IN ('confirmed', 'revoked'))",
            name="confirmed_by_somebody",
        ),
        sa.CheckConstraint("(ended_at IS NOT NULL) = (state IN ('fallen', 'revoked'))", name="ended_iff_dated"),
        sa.CheckConstraint("state <> 'revoked' OR (ended_by IS NOT NULL AND ended_why <> '')", name="revoked_with_why"),
        sa.CheckConstraint(
            "until <= (proposed_at AT TIME ZONE 'UTC')::date + CASE WHEN knock_out THEN 90 ELSE 400 END",
            name="ends_in_time",
        ),
        sa.Index(
            "uq_risk_acceptance_one_proposed",
            "finding_id",
            unique=True,
            postgresql_where=sa.text("state = 'proposed'"),
        ),
        sa.Index("ix_risk_acceptance_vendor_id", "vendor_id", "finding_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    finding_id: Mapped[UUID]
    knock_out: Mapped[bool]
    reason: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    until: Mapped[date]
    document: Mapped[str]
    digest: Mapped[str]
    state: Mapped[AcceptanceState] = mapped_column(default=AcceptanceState.PROPOSED)
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_by: Mapped[UUID | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_why: Mapped[str] = mapped_column(default="")
    row_version: Mapped[int] = mapped_column(default=1)


class SecondLook(Base, kw_only=True):
    """A vendor's wish that somebody who took no part looks at a decision again, and what came of it. One a decision.

    ``findings`` names what it is about, as F-1; empty for the decision as a whole. ``anew_id`` is the assessment in
    which it is decided anew.
    """

    __tablename__ = "second_look"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "anew_id"], ["assessment.vendor_id", "assessment.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "outcome_id"], ["published_outcome.vendor_id", "published_outcome.id"]),
        sa.UniqueConstraint("outcome_id"),
        sa.CheckConstraint("reason <> ''", name="with_reason"),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL) = (answered_at IS NULL)"
            " AND (answer IS NULL) = (words = '')",
            name="answered_by_somebody",
        ),
        sa.CheckConstraint("anew_id IS NULL OR answer = 'anew'", name="anew"),
        sa.Index("ix_second_look_vendor_id", "vendor_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    revision: Mapped[int]
    outcome_id: Mapped[UUID]
    reason: Mapped[str]
    findings: Mapped[list[Any]]
    asked_by: Mapped[UUID]
    asked_by_name: Mapped[str]
    asked_at: Mapped[datetime]
    due_on: Mapped[date]
    answer: Mapped[SecondAnswer | None] = mapped_column(default=None)
    words: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[UUID | None] = mapped_column(default=None)
    answered_by_name: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    anew_id: Mapped[UUID | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)
