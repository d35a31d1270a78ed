"""Earlier signed answers beside an assessment that asks again: carried over once, then planned and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments import service as assessments
from portal.assessments.facts import AssessmentRequested
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.earlier import Fates, newest, signed_answers, signed_facts
from portal.attestations.facts import AnswersCarried
from portal.attestations.foreseen import foreseen
from portal.attestations.models import (
    Attestation,
    AttestedAnswer,
    AttestedCitation,
    AttestedScoping,
    CarriedAnswer,
    CarriedCitation,
)
from portal.attestations.rules import Cause, Fate, Fated, Plan, Standing
from portal.attestations.standing import standing
from portal.evidence.models import Evidence
from portal.identity.models import UserAccount
from portal.kernel.canonical import digest
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Answer, Questionnaire, from_json
from portal.terms import Settled
from portal.vendors.models import Engagement


@dataclass(frozen=True, slots=True)
class _Source:
    """One signed answer that comes over, where it was signed, and what becomes of it."""

    key: str
    fated: Fated
    content: Mapping[str, Any]
    attestation_id: UUID
    questionnaire_id: UUID
    revision: int
    answered_by: str
    answered_at: datetime


def carry_over(tx: Tx, fact: AssessmentRequested) -> None:
    """AssessmentRequested: lay what the vendor signed before beside what it is asked now. Nothing of it is an answer.

    Each key comes from the revision signed last in which it was answered: of the same engagement if there is one,
    else of another. A withdrawn assessment gives nothing.
    """
    assessment = tx.session.get_one(Assessment, fact.assessment_id)
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    found = _sources(tx, assessment, asked)
    assessments.carry_facts(tx, assessment=assessment, stated=_stated(tx, assessment, asked))
    if not found:
        return
    tx.session.execute(sa.insert(CarriedAnswer), [_row(assessment, each) for each in found])
    _carry_files(tx, assessment, found)
    fates = [each.fated.fate for each in found]
    tx.record(
        AnswersCarried(
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            to_confirm=fates.count(Fate.TO_CONFIRM),
            re_attest=fates.count(Fate.RE_ATTEST),
            archived=fates.count(Fate.ARCHIVED),
        )
    )


def _row(assessment: Assessment, each: _Source) -> dict[str, Any]:
    return {
        "assessment_id": assessment.id,
        "question_key": each.key,
        "vendor_id": assessment.vendor_id,
        "fate": each.fated.fate,
        "causes": [cause.value for cause in each.fated.causes],
        "content": dict(each.content),
        "source_attestation_id": each.attestation_id,
        "source_questionnaire_id": each.questionnaire_id,
        "source_revision": each.revision,
        "answered_by": each.answered_by,
        "answered_at": each.answered_at,
    }


def _sources(tx: Tx, assessment: Assessment, asked: Questionnaire) -> list[_Source]:
    """Return, for each key that the vendor ever answered under a signature, the answer that comes over."""
    statement = (
        signed_answers(
            sa.select(
                AttestedAnswer.question_key,
                AttestedAnswer.content,
                Attestation.id,
                Attestation.signed_at,
                Attestation.signed_name,
                QuestionnaireVersion.id,
                UserAccount.full_name,
            )
        )
        .outerjoin(UserAccount, UserAccount.id == AttestedAnswer.prepared_by)
        .where(Attestation.vendor_id == assessment.vendor_id, Attestation.assessment_id != assessment.id)
        .ext(postgresql.distinct_on(AttestedAnswer.question_key))
        .order_by(AttestedAnswer.question_key, *newest(assessment.engagement_id))
    )
    found = []
    fates = Fates(tx, asked)
    for key, content, attestation_id, signed_at, signer, version_id, author in tx.session.execute(statement):
        if (told := fates.of(version_id, key, content)) is None:
            continue
        then, fated = told
        found.append(
            _Source(key, fated, content, attestation_id, version_id, then.revision, author or signer, signed_at)
        )
    return found


def _stated(tx: Tx, assessment: Assessment, asked: Questionnaire) -> dict[str, tuple[UUID, Mapping[str, Any]]]:
    """Return the vendor's own scoping facts as it signed them last, where they still ask for the same."""
    selected = sa.select(AttestedScoping.key, AttestedScoping.value, Attestation.id, QuestionnaireVersion.id)
    statement = (
        signed_facts(selected, asked)
        .where(Attestation.vendor_id == assessment.vendor_id, Attestation.assessment_id != assessment.id)
        .ext(postgresql.distinct_on(AttestedScoping.key))
        .order_by(AttestedScoping.key, *newest(assessment.engagement_id))
    )
    fates = Fates(tx, asked)
    return {
        key: (attestation_id, value)
        for key, value, attestation_id, version_id in tx.session.execute(statement)
        if fates.same_fact(version_id, key)
    }


def _carry_files(tx: Tx, assessment: Assessment, found: Sequence[_Source]) -> None:
    signed = {(each.attestation_id, each.key) for each in found}
    statement = (
        sa.select(
            AttestedCitation.attestation_id,
            AttestedCitation.question_key,
            AttestedCitation.evidence_id,
            AttestedCitation.pages,
            AttestedCitation.quote,
        )
        .where(AttestedCitation.attestation_id.in_({each.attestation_id for each in found}))
        .order_by(AttestedCitation.question_key, AttestedCitation.citation_id)
    )
    rows = [
        {
            "assessment_id": assessment.id,
            "question_key": key,
            "evidence_id": evidence_id,
            "vendor_id": assessment.vendor_id,
            "pages": pages,
            "quote": quote,
        }
        for attestation_id, key, evidence_id, pages, quote in tx.session.execute(statement)
        if (attestation_id, key) in signed
    ]
    if rows:
        tx.session.execute(postgresql.insert(CarriedCitation).on_conflict_do_nothing(), rows)


def plan_of(tx: Tx, assessment: Assessment, now: Standing | None = None) -> Plan:
    """Return what is left of the earlier answers for what is asked now, and what is new.

    :param now: the answers as they stand, if the caller has them at hand.
    """
    now = now or standing(tx, assessment)
    return rules.plan(now.questionnaire, now.tier, now.facts, queries.waiting(tx, assessment.id), now.answers)


def plan_for(tx: Tx, *, attestation: Attestation, questionnaire: Questionnaire) -> Plan:
    """Return what a renewal of a signed revision on a version would carry, if it were asked now.

    The version need not be published. It is what ``plan_of`` says of the renewal once it is asked.
    """
    before = tx.session.get_one(Assessment, attestation.assessment_id)
    ahead = foreseen(tx, engagement_ids=[before.engagement_id], questionnaire=questionnaire)
    return ahead[before.engagement_id].plan


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file that an earlier answer was signed with, and whether it can still prove it today; ``why`` if it cannot."""

    evidence_id: UUID
    title: str
    file_name: str
    pages: str
    quote: str
    valid_until: date | None
    usable: bool
    why: str


@dataclass(frozen=True, slots=True)
class CarriedLine:
    """An earlier answer as it waits beside a question, or as it was dealt with."""

    key: str
    fate: Fate
    causes: tuple[Cause, ...]
    answer: Answer
    content: Mapping[str, Any]
    source_label: str
    source_questionnaire_id: UUID
    source_attestation_id: UUID | None
    source_engagement: str
    source_revision: int
    answered_by: str
    answered_at: datetime
    citations: tuple[CarriedFile, ...]
    settled: Settled | None
    settled_by: str
    settled_at: datetime | None

    @property
    def is_settled(self) -> bool:
        """Whether somebody confirmed it, or answered the question anew."""
        return self.settled is not None

    @property
    def waits(self) -> bool:
        """Whether it only waits for somebody to confirm it."""
        return self.fate is Fate.TO_CONFIRM and self.settled is None

    @property
    def digest(self) -> str:
        """The fingerprint of what it says, which goes back with its confirmation."""
        return digest(dict(self.content))


@cache
def _carried() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            CarriedAnswer,
            QuestionnaireVersion.slug,
            QuestionnaireVersion.version,
            Engagement.project,
            UserAccount.full_name,
        )
        .join(QuestionnaireVersion, QuestionnaireVersion.id == CarriedAnswer.source_questionnaire_id)
        .outerjoin(Attestation, Attestation.id == CarriedAnswer.source_attestation_id)
        .join(Assessment, Assessment.id == sa.func.coalesce(Attestation.assessment_id, CarriedAnswer.assessment_id))
        .join(Engagement, Engagement.id == Assessment.engagement_id)
        .outerjoin(UserAccount, UserAccount.id == CarriedAnswer.settled_by)
        .where(CarriedAnswer.assessment_id == sa.bindparam("of"))
        .order_by(CarriedAnswer.question_key)
        .execution_options(populate_existing=True)
    )


def carried_of(tx: Tx, assessment: Assessment, *, question_key: str | None = None) -> dict[str, CarriedLine]:
    """Return everything that came over, by question, also what was dealt with and what is not asked any more.

    :param question_key: the one question that the caller wants to know of.
    """
    statement = _carried()
    if question_key is not None:
        statement = statement.where(CarriedAnswer.question_key == question_key)
    rows = tx.session.execute(statement, {"of": assessment.id}).all()
    files = _files_of(tx, assessment.id) if rows else {}
    return {
        row.question_key: CarriedLine(
            key=row.question_key,
            fate=row.fate,
            causes=tuple(Cause(each) for each in row.causes),
            answer=from_json(row.content),
            content=row.content,
            source_label=f"{slug} v{version}",
            source_questionnaire_id=row.source_questionnaire_id,
            source_attestation_id=row.source_attestation_id,
            source_engagement=project,
            source_revision=row.source_revision,
            answered_by=row.answered_by,
            answered_at=row.answered_at,
            citations=files.get(row.question_key, ()),
            settled=row.settled,
            settled_by=settler or "",
            settled_at=row.settled_at,
        )
        for row, slug, version, project, settler in rows
    }


def _files_of(tx: Tx, assessment_id: UUID) -> dict[str, tuple[CarriedFile, ...]]:
    statement = (
        sa.select(CarriedCitation, Evidence)
        .join(Evidence, Evidence.id == CarriedCitation.evidence_id)
        .where(CarriedCitation.assessment_id == assessment_id)
        .order_by(CarriedCitation.question_key, Evidence.title, Evidence.id)
    )
    found: dict[str, tuple[CarriedFile, ...]] = {}
    for row, evidence in tx.session.execute(statement):
        why = why_not(evidence, tx.now.date())
        file = CarriedFile(
            evidence_id=evidence.id,
            title=evidence.title,
            file_name=evidence.file_name,
            pages=row.pages,
            quote=row.quote,
            valid_until=evidence.valid_until,
            usable=not why,
            why=why,
        )
        found[row.question_key] = (*found.get(row.question_key, ()), file)
    return found


def why_not(evidence: Evidence, on: date) -> str:
    """Return why a file cannot come over on a day, as the end of "This file …"; nothing if it can."""
    return rules.why_not_carried(
        evidence.state, evidence.scan, removed=evidence.removed_at is not None, valid_until=evidence.valid_until, on=on
    )
