"""Assessments, outcomes and access cards as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal.assessments import rules
from portal.assessments.models import AccessCard, Assessment, PublishedOutcome, PublishedStanding
from portal.kernel.ledger import Tx
from portal.terms import ANSWERABLE_STATES, FINAL_STATES, AssessmentState
from portal.vendors.models import Engagement


@dataclass(frozen=True, slots=True)
class AssessmentLine:
    """One assessment in a list."""

    id: UUID
    vendor_id: UUID
    engagement_id: UUID
    questionnaire_id: UUID
    questionnaire_slug: str
    title: str
    tier: int
    state: AssessmentState
    revision: int
    due_on: date
    requested_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    reason: str
    row_version: int

    @property
    def word(self) -> str:
        """The state as pages say it."""
        return rules.word_of(self.state)

    @property
    def is_open(self) -> bool:
        """Whether it can still move."""
        return self.state not in FINAL_STATES

    @property
    def can_cancel(self) -> bool:
        """Whether the lab can still take the request back."""
        return rules.may_move(self.state, rules.Move.CANCEL)

    def overdue(self, on: date) -> bool:
        """Whether the vendor still owes it after the day it was due."""
        return rules.is_overdue(self.state, self.due_on, on)


_LINE = (
    Assessment.id,
    Assessment.vendor_id,
    Assessment.engagement_id,
    Assessment.questionnaire_id,
    Assessment.questionnaire_slug,
    Assessment.title,
    Assessment.tier,
    Assessment.state,
    Assessment.revision,
    Assessment.due_on,
    Assessment.requested_at,
    Assessment.submitted_at,
    Assessment.decided_at,
    Assessment.reason,
    Assessment.row_version,
)
_FINAL = Assessment.state.in_(sorted(FINAL_STATES))
_MOST_PRESSING = (
    _FINAL,
    sa.case((_FINAL, sa.null()), else_=Assessment.due_on).asc().nulls_last(),
    Assessment.requested_at.desc(),
    Assessment.id.desc(),
)
"""Open before final; of the open the one due first, of the final the newest."""


def of_vendor(tx: Tx, vendor_id: UUID, *, limit: int = 200) -> Sequence[AssessmentLine]:
    """Return the assessments of a vendor, the most pressing first."""
    statement = sa.select(*_LINE).where(Assessment.vendor_id == vendor_id).order_by(*_MOST_PRESSING).limit(limit)
    return [AssessmentLine(**row._mapping) for row in tx.session.execute(statement)]


def most_pressing(tx: Tx, vendor_ids: Sequence[UUID]) -> dict[UUID, AssessmentLine]:
    """Return the most pressing assessment of each of these vendors that has any."""
    statement = (
        sa.select(*_LINE)
        .where(Assessment.vendor_id.in_(vendor_ids))
        .ext(postgresql.distinct_on(Assessment.vendor_id))
        .order_by(Assessment.vendor_id, *_MOST_PRESSING)
    )
    return {row.vendor_id: AssessmentLine(**row._mapping) for row in tx.session.execute(statement)}


def owed(tx: Tx, *, due_by: date, limit: int = 1_000) -> Sequence[AssessmentLine]:
    """Return what vendors still owe and is due by a day, the earliest first."""
    statement = (
        sa.select(*_LINE)
        .where(Assessment.state.in_(sorted(ANSWERABLE_STATES)), Assessment.due_on <= due_by)
        .order_by(Assessment.due_on, Assessment.id)
        .limit(limit)
    )
    return [AssessmentLine(**row._mapping) for row in tx.session.execute(statement)]


def unfinished_of(tx: Tx, questionnaire_slug: str, *, limit: int = 200) -> Sequence[AssessmentLine]:
    """Return the assessments on any version of a questionnaire that can still move, the earliest due first."""
    statement = (
        sa.select(*_LINE)
        .where(Assessment.questionnaire_slug == questionnaire_slug, sa.not_(_FINAL))
        .order_by(Assessment.due_on, Assessment.id)
        .limit(limit)
    )
    return [AssessmentLine(**row._mapping) for row in tx.session.execute(statement)]


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """What a vendor was told about one revision."""

    id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    number: int
    body: dict[str, Any]
    published_at: datetime
    title: str


_OUTCOME = (
    PublishedOutcome.id,
    PublishedOutcome.vendor_id,
    PublishedOutcome.assessment_id,
    PublishedOutcome.revision,
    PublishedOutcome.number,
    PublishedOutcome.body,
    PublishedOutcome.published_at,
    Assessment.title,
)


def outcomes_of_vendor(tx: Tx, vendor_id: UUID, *, limit: int = 100) -> Sequence[OutcomeLine]:
    """Return the outcomes of a vendor, the newest first."""
    statement = (
        sa.select(*_OUTCOME)
        .join(Assessment, Assessment.id == PublishedOutcome.assessment_id)
        .where(PublishedOutcome.vendor_id == vendor_id)
        .order_by(PublishedOutcome.published_at.desc(), PublishedOutcome.number.desc())
        .limit(limit)
    )
    return [OutcomeLine(*row) for row in tx.session.execute(statement)]


def outcome_line(tx: Tx, outcome_id: UUID) -> OutcomeLine | None:
    """Return one outcome, if there is one."""
    statement = (
        sa.select(*_OUTCOME)
        .join(Assessment, Assessment.id == PublishedOutcome.assessment_id)
        .where(PublishedOutcome.id == outcome_id)
    )
    row = tx.session.execute(statement).one_or_none()
    return None if row is None else OutcomeLine(*row)


@dataclass(frozen=True, slots=True)
class CardLine:
    """What the gate said of one engagement when it last spoke."""

    engagement_id: UUID
    project: str
    body: dict[str, Any]
    published_at: datetime


def cards(tx: Tx, vendor_id: UUID) -> Sequence[CardLine]:
    """Return the access cards of a vendor, by project."""
    statement = (
        sa.select(AccessCard.engagement_id, Engagement.project, AccessCard.body, AccessCard.published_at)
        .join(Engagement, Engagement.id == AccessCard.engagement_id)
        .where(AccessCard.vendor_id == vendor_id)
        .order_by(Engagement.project, AccessCard.engagement_id)
        .limit(200)
    )
    return [CardLine(*row) for row in tx.session.execute(statement)]


def standing_body(tx: Tx, outcome_id: UUID) -> dict[str, Any]:
    """Return how an outcome stands since it was published; empty if nothing was said of it yet."""
    statement = sa.select(PublishedStanding.body).where(PublishedStanding.outcome_id == outcome_id)
    return tx.session.execute(statement).scalar_one_or_none() or {}


def outcome_of_revision(tx: Tx, assessment_id: UUID, revision: int) -> OutcomeLine | None:
    """Return the outcome of one revision, if it was published."""
    statement = (
        sa.select(*_OUTCOME)
        .join(Assessment, Assessment.id == PublishedOutcome.assessment_id)
        .where(PublishedOutcome.assessment_id == assessment_id, PublishedOutcome.revision == revision)
    )
    row = tx.session.execute(statement).one_or_none()
    return None if row is None else OutcomeLine(*row)


def engagement_of(tx: Tx, assessment_id: UUID) -> UUID | None:
    """Return the engagement that an assessment is about."""
    return tx.session.execute(
        sa.select(Assessment.engagement_id).where(Assessment.id == assessment_id)
    ).scalar_one_or_none()


def newer_outcome(tx: Tx, outcome: OutcomeLine) -> UUID | None:
    """Return the newest outcome for the same engagement that was published after this one, None if this is it."""
    mine = aliased(Assessment)
    other = aliased(Assessment)
    statement = (
        sa.select(PublishedOutcome.id)
        .join(other, other.id == PublishedOutcome.assessment_id)
        .join(mine, mine.id == outcome.assessment_id)
        .where(
            other.engagement_id == mine.engagement_id,
            PublishedOutcome.id != outcome.id,
            PublishedOutcome.published_at > outcome.published_at,
        )
        .order_by(PublishedOutcome.published_at.desc(), PublishedOutcome.number.desc())
        .limit(1)
    )
    return tx.session.execute(statement).scalar_one_or_none()
