"""Answers, earlier texts, citations and conversations as pages show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import Assessment
from portal.attestations import models, rules
from portal.evidence.models import Evidence
from portal.identity.models import UserAccount
from portal.kernel.ledger import Tx
from portal.questionnaires.rules import Answer, from_json, to_json, value_of
from portal.terms import AssessmentState, EvidenceState, ScanState, Side, Written
from portal.vendors.models import Vendor


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


def content_of(row: Any) -> dict[str, Any]:
    """Return a stored answer (a row, or its columns) in the shape of ``questionnaires.rules.to_json``."""
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


_OF = sa.bindparam("of", type_=sa.Uuid())
"""The assessment, in the statements that every page of it asks: they are built once in a process."""


@cache
def _answers() -> sa.Select[*tuple[Any, ...]]:
    answer = models.Answer
    # Columns and not rows of the mapper: a page reads all of them, and changes none.
    return (
        sa.select(
            answer.question_key,
            answer.version,
            answer.updated_by,
            answer.updated_at,
            answer.value,
            answer.comment,
            answer.planned_on,
            answer.na_reason,
            answer.compensating,
            answer.details,
            UserAccount.full_name,
        )
        .outerjoin(UserAccount, UserAccount.id == answer.updated_by)
        .where(answer.assessment_id == _OF)
        .order_by(answer.question_key)
    )


def answers(tx: Tx, assessment_id: UUID, *, question_key: str | None = None) -> dict[str, AnswerLine]:
    """Return the answers of an assessment by question, as stored now."""
    statement = _answers()
    if question_key is not None:
        statement = statement.where(models.Answer.question_key == question_key)
    rows = tx.session.execute(statement, {"of": assessment_id})
    return {row.question_key: line_of(row, row.full_name or "") for row in rows}


def line_of(row: Any, by: str) -> AnswerLine:
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
    """One write of an answer: what it said then, and how it came about."""

    version: int
    answer: Answer
    by: str
    at: datetime
    how: Written = Written.TYPED
    restored_version: int | None = None
    by_id: UUID | None = None


def edits(
    tx: Tx, assessment_id: UUID, question_key: str, *, before: int | None = None, limit: int = 100
) -> Sequence[EditLine]:
    """Return the writes of one answer, the newest first."""
    edit = models.AnswerEdit
    statement = (
        sa.select(
            edit.version,
            edit.content,
            UserAccount.full_name,
            edit.edited_at,
            edit.how,
            edit.restored_version,
            edit.edited_by,
        )
        .outerjoin(UserAccount, UserAccount.id == edit.edited_by)
        .where(edit.assessment_id == assessment_id, edit.question_key == question_key)
        .order_by(edit.version.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(edit.version < before)
    return [
        EditLine(version, from_json(content), name or "", at, how, restored_version, by_id)
        for version, content, name, at, how, restored_version, by_id in tx.session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class News:
    """An answer that somebody else wrote a moment ago."""

    question_key: str
    version: int
    by: str
    at: datetime


def news(tx: Tx, assessment_id: UUID, keys: Collection[str], *, since: datetime) -> Sequence[News]:
    """Return which of these answers others than the actor wrote since a moment."""
    answer = models.Answer
    statement = (
        sa.select(answer.question_key, answer.version, UserAccount.full_name, answer.updated_at)
        .outerjoin(UserAccount, UserAccount.id == answer.updated_by)
        .where(
            answer.assessment_id == assessment_id,
            answer.updated_at >= since,
            answer.updated_by.is_distinct_from(tx.actor.id),
            answer.question_key.in_(sorted(keys)),
        )
        .order_by(answer.question_key)
    )
    return [News(key, version, name or "", at) for key, version, name, at in tx.session.execute(statement)]


def touched(tx: Tx, assessment_id: UUID, *, since: datetime) -> Sequence[News]:
    """Return the answers that anybody wrote, or whose files changed, since a moment; the version is 0 for a file."""
    answer, citation = models.Answer, models.Citation
    written = (
        sa.select(answer.question_key, answer.version, UserAccount.full_name, answer.updated_at)
        .outerjoin(UserAccount, UserAccount.id == answer.updated_by)
        .where(answer.assessment_id == assessment_id, answer.updated_at >= since)
    )
    moment = sa.func.greatest(citation.cited_at, citation.removed_at)
    filed = (
        sa.select(citation.question_key, sa.literal(0), UserAccount.full_name, moment)
        .outerjoin(UserAccount, UserAccount.id == sa.func.coalesce(citation.removed_by, citation.cited_by))
        .where(citation.assessment_id == assessment_id, moment >= since)
    )
    rows = [*tx.session.execute(written), *tx.session.execute(filed)]
    found = {key: News(key, version, name or "", at) for key, version, name, at in reversed(rows)}
    return sorted(found.values(), key=lambda each: (each.at, each.question_key))


@cache
def _waiting() -> sa.Select[*tuple[Any, ...]]:
    carried = models.CarriedAnswer
    return sa.select(carried.question_key, carried.fate, carried.content).where(
        carried.assessment_id == _OF, carried.settled.is_(None)
    )


def waiting(tx: Tx, assessment_id: UUID) -> dict[str, rules.Carried]:
    """Return what came over from earlier and nobody dealt with yet, by question."""
    rows = tx.session.execute(_waiting(), {"of": assessment_id})
    return {key: rules.Carried(fate, content) for key, fate, content in rows}


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


@cache
def _citations() -> sa.Select[*tuple[Any, ...]]:
    citation = models.Citation
    return (
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
        .where(citation.assessment_id == _OF, citation.removed_at.is_(None))
        .order_by(citation.question_key, citation.cited_at, citation.id)
    )


def citations(tx: Tx, assessment_id: UUID) -> Sequence[CitationLine]:
    """Return the live citations of an assessment in the order they were made."""
    # The columns are those of a line, in their order.
    return [CitationLine(*row) for row in tx.session.execute(_citations(), {"of": assessment_id})]


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
    asks: bool = False


@cache
def _messages() -> sa.Select[*tuple[Any, ...]]:
    message = models.Message
    return (
        sa.select(
            message.id,
            message.question_key,
            message.side,
            message.author_id,
            message.author_name,
            message.body,
            message.sent_at,
            message.asks,
        )
        .where(message.assessment_id == _OF)
        .order_by(message.question_key, message.sent_at, message.id)
        .limit(5_000)
    )


def messages(tx: Tx, assessment_id: UUID, *, question_key: str | None = None) -> Sequence[MessageLine]:
    """Return the messages of an assessment, or of one question, the oldest first."""
    statement = _messages()
    if question_key is not None:
        statement = statement.where(models.Message.question_key == question_key)
    return [MessageLine(*row) for row in tx.session.execute(statement, {"of": assessment_id})]


@cache
def _last_words() -> sa.Select[*tuple[Any, ...]]:
    message = models.Message
    return (
        sa.select(message.question_key, message.asks)
        .where(message.assessment_id == _OF)
        .ext(postgresql.distinct_on(message.question_key))
        .order_by(message.question_key, message.sent_at.desc(), message.id.desc())
    )


def unanswered(tx: Tx, assessment_id: UUID) -> frozenset[str]:
    """Return the conversations that end with a message of the lab to which it waits for an answer."""
    rows = tx.session.execute(_last_words(), {"of": assessment_id})
    return frozenset(row.question_key for row in rows if row.asks)


@dataclass(frozen=True, slots=True)
class OpenTalk:
    """A conversation in which the vendor wrote last, so that the lab has the next word."""

    assessment_id: UUID
    vendor_id: UUID
    question_key: str
    author_name: str
    at: datetime
    title: str
    state: AssessmentState
    questionnaire_id: UUID
    vendor: str


def open_talks(tx: Tx, *, vendor_id: UUID | None = None, limit: int = 200) -> Sequence[OpenTalk]:
    """Return the conversations in which a vendor wrote last and somebody still reads, the oldest first."""
    message = models.Message
    last = (
        sa.select(
            message.assessment_id,
            message.question_key,
            message.side,
            message.author_name,
            message.sent_at,
        )
        .ext(postgresql.distinct_on(message.assessment_id, message.question_key))
        .order_by(message.assessment_id, message.question_key, message.sent_at.desc(), message.id.desc())
        .subquery()
    )
    statement = (
        sa.select(
            last.c.assessment_id,
            Assessment.vendor_id,
            last.c.question_key,
            last.c.author_name,
            last.c.sent_at,
            Assessment.title,
            Assessment.state,
            Assessment.questionnaire_id,
            Vendor.name,
        )
        .join(Assessment, Assessment.id == last.c.assessment_id)
        .join(Vendor, Vendor.id == Assessment.vendor_id)
        .where(
            last.c.side == Side.VENDOR,
            Assessment.state.not_in([AssessmentState.CANCELLED, AssessmentState.WITHDRAWN]),
        )
        .order_by(last.c.sent_at, last.c.assessment_id, last.c.question_key)
        .limit(limit)
    )
    if vendor_id is not None:
        statement = statement.where(Assessment.vendor_id == vendor_id)
    return [OpenTalk(*row) for row in tx.session.execute(statement)]


@cache
def number_of_open_talks() -> sa.Select[int]:
    """Count in how many conversations a vendor has the last word and somebody still reads."""
    message = models.Message
    last = (
        sa.select(message.assessment_id, message.side)
        .ext(postgresql.distinct_on(message.assessment_id, message.question_key))
        .order_by(message.assessment_id, message.question_key, message.sent_at.desc(), message.id.desc())
        .subquery()
    )
    return (
        sa.select(sa.func.count())
        .select_from(last)
        .join(Assessment, Assessment.id == last.c.assessment_id)
        .where(
            last.c.side == Side.VENDOR,
            Assessment.state.not_in([AssessmentState.CANCELLED, AssessmentState.WITHDRAWN]),
        )
    )


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
