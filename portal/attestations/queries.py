"""Answers, earlier texts, citations and conversations as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.attestations import models, rules
from portal.evidence.models import Evidence
from portal.identity.models import UserAccount
from portal.kernel.ledger import Tx
from portal.questionnaires.rules import Answer, from_json, to_json, value_of
from portal.terms import EvidenceState, ScanState, Side


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An answer as it stands. ``version`` goes back with the next write; 0 means that nothing was written."""

    question_key: str
    answer: Answer
    version: int
    updated_by: UUID | None
    by: str
    at: datetime | None

    @property
    def value(self) -> dict[str, Any]:
        """The answer itself as plain JSON; blank is an empty object."""
        return value_of(self.answer)

    @property
    def comment(self) -> str:
        """What was said beside it."""
        return self.answer.comment

    @property
    def planned_on(self) -> date | None:
        """By when the rest of a partial answer is planned."""
        return self.answer.planned_on

    @property
    def na_reason(self) -> str:
        """Why the question is said not to apply."""
        return self.answer.na_reason

    @property
    def details(self) -> Mapping[str, Any]:
        """The unscored fields under the question."""
        return self.answer.details


def content_of(row: models.Answer) -> dict[str, Any]:
    """Return a stored answer in the shape of ``questionnaires.rules.to_json``."""
    plain = dict(row.value)
    if row.comment:
        plain["comment"] = row.comment
    if row.planned_on is not None:
        plain["planned_on"] = row.planned_on.isoformat()
    if row.na_reason:
        plain["na_reason"] = row.na_reason
    if row.compensating:
        plain["compensating"] = row.compensating
    if row.details:
        plain["details"] = row.details
    return dict(sorted(plain.items()))


def columns_of(answer: Answer) -> dict[str, Any]:
    """Return an answer as the columns that keep it; ``content_of`` reads them back."""
    return {
        "value": value_of(answer),
        "comment": answer.comment,
        "planned_on": answer.planned_on,
        "na_reason": answer.na_reason,
        "compensating": answer.compensating,
        "details": to_json(answer).get("details", {}),
    }


def answers(tx: Tx, assessment_id: UUID, *, question_key: str | None = None) -> dict[str, AnswerLine]:
    """Return the answers of an assessment by question, as stored now."""
    statement = (
        sa.select(models.Answer, UserAccount.full_name)
        .outerjoin(UserAccount, UserAccount.id == models.Answer.updated_by)
        .where(models.Answer.assessment_id == assessment_id)
        .order_by(models.Answer.question_key)
        .execution_options(populate_existing=True)
    )
    if question_key is not None:
        statement = statement.where(models.Answer.question_key == question_key)
    return {row.question_key: line_of(row, name or "") for row, name in tx.session.execute(statement)}


def line_of(row: models.Answer, by: str) -> AnswerLine:
    """Return a stored answer as pages show it."""
    return AnswerLine(
        question_key=row.question_key,
        answer=from_json(content_of(row)),
        version=row.version,
        updated_by=row.updated_by,
        by=by,
        at=row.updated_at,
    )


@dataclass(frozen=True, slots=True)
class EditLine:
    """One write of an answer: what it said then."""

    version: int
    answer: Answer
    by: str
    at: datetime


def edits(tx: Tx, assessment_id: UUID, question_key: str, *, limit: int = 100) -> Sequence[EditLine]:
    """Return the writes of one answer, the newest first."""
    edit = models.AnswerEdit
    statement = (
        sa.select(edit.version, edit.content, UserAccount.full_name, edit.edited_at)
        .outerjoin(UserAccount, UserAccount.id == edit.edited_by)
        .where(edit.assessment_id == assessment_id, edit.question_key == question_key)
        .order_by(edit.version.desc())
        .limit(limit)
    )
    return [
        EditLine(version, from_json(content), name or "", at)
        for version, content, name, at in tx.session.execute(statement)
    ]


def waiting(tx: Tx, assessment_id: UUID) -> dict[str, rules.Carried]:
    """Return what came over from earlier and nobody dealt with yet, by question."""
    carried = models.CarriedAnswer
    statement = sa.select(carried.question_key, carried.fate, carried.content).where(
        carried.assessment_id == assessment_id, carried.settled.is_(None)
    )
    return {key: rules.Carried(fate, content) for key, fate, content in tx.session.execute(statement)}


@dataclass(frozen=True, slots=True)
class CitationLine:
    """A file used by an answer. What a reviewer thinks of it is not in here."""

    id: UUID
    question_key: str
    evidence_id: UUID
    pages: str
    quote: str
    cited_by: UUID | None
    cited_at: datetime
    kind: str
    title: str
    file_name: str
    size: int
    sha256: str
    version_id: str | None
    page_count: int | None
    valid_until: date | None
    state: EvidenceState
    scan: ScanState
    refusal: str
    removed_at: datetime | None

    @property
    def use(self) -> rules.Use:
        """Whether the file can be signed with."""
        return rules.use_of(self.state, self.scan, removed=self.removed_at is not None)


def citations(tx: Tx, assessment_id: UUID) -> Sequence[CitationLine]:
    """Return the live citations of an assessment in the order they were made."""
    citation = models.Citation
    statement = (
        sa.select(
            citation.id,
            citation.question_key,
            citation.evidence_id,
            citation.pages,
            citation.quote,
            citation.cited_by,
            citation.cited_at,
            Evidence.kind,
            Evidence.title,
            Evidence.file_name,
            Evidence.size,
            Evidence.sha256,
            Evidence.version_id,
            Evidence.page_count,
            Evidence.valid_until,
            Evidence.state,
            Evidence.scan,
            Evidence.refusal,
            Evidence.removed_at,
        )
        .join(Evidence, Evidence.id == citation.evidence_id)
        .where(citation.assessment_id == assessment_id, citation.removed_at.is_(None))
        .order_by(citation.question_key, citation.cited_at, citation.id)
    )
    return [CitationLine(**row._mapping) for row in tx.session.execute(statement)]


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message of a conversation; both sides see the same."""

    id: UUID
    question_key: str
    side: Side
    author_id: UUID | None
    author_name: str
    body: str
    at: datetime


def messages(tx: Tx, assessment_id: UUID, *, question_key: str | None = None) -> Sequence[MessageLine]:
    """Return the messages of an assessment, or of one question, the oldest first."""
    message = models.Message
    statement = (
        sa.select(
            message.id,
            message.question_key,
            message.side,
            message.author_id,
            message.author_name,
            message.body,
            message.sent_at,
        )
        .where(message.assessment_id == assessment_id)
        .order_by(message.question_key, message.sent_at, message.id)
        .limit(5_000)
    )
    if question_key is not None:
        statement = statement.where(message.question_key == question_key)
    return [MessageLine(*row) for row in tx.session.execute(statement)]


def last_sides(tx: Tx, assessment_id: UUID) -> dict[str, Side]:
    """Return whose message is the last in each conversation."""
    message = models.Message
    statement = (
        sa.select(message.question_key, message.side)
        .where(message.assessment_id == assessment_id)
        .ext(postgresql.distinct_on(message.question_key))
        .order_by(message.question_key, message.sent_at.desc(), message.id.desc())
    )
    return {row.question_key: row.side for row in tx.session.execute(statement)}
