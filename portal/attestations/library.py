"""A file seen from the answers: which of them use it, and how a newer file takes an older one's place in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.attestations import citations
from portal.attestations.models import AttestedCitation, Citation
from portal.evidence.facts import EvidenceAttached
from portal.evidence.models import Evidence
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.terms import ANSWERABLE_STATES


@dataclass(frozen=True, slots=True)
class FileUse:
    """One answer that names a file as its proof; ``signed`` says whether somebody has signed with it there."""

    assessment_id: UUID
    assessment_title: str
    question_key: str
    number: str
    label: str
    section: str
    pages: str
    signed: bool
    quote: str
    citation_id: UUID


def uses_of(tx: Tx, vendor_id: UUID, *, evidence_id: UUID | None = None) -> Mapping[UUID, Sequence[FileUse]]:
    """Return the answers that use each file of a vendor, in the order of the questions."""
    statement = _uses()
    if evidence_id is not None:
        statement = statement.where(Citation.evidence_id == evidence_id)
    found: dict[UUID, list[FileUse]] = {}
    for citation in tx.session.execute(statement, {"vendor": vendor_id}):
        asked = questionnaires.compiled(tx, citation.questionnaire_id)
        if citation.question_key not in asked:
            continue
        question = asked.question(citation.question_key)
        found.setdefault(citation.evidence_id, []).append(
            FileUse(
                assessment_id=citation.assessment_id,
                assessment_title=citation.title,
                question_key=question.key,
                number=question.number,
                label=question.label,
                section=question.section,
                pages=citation.pages,
                signed=citation.signed,
                quote=citation.quote,
                citation_id=citation.id,
            )
        )
    return found


@cache
def _uses() -> sa.Select[*tuple[Any, ...]]:
    signed = (
        sa.select(AttestedCitation.citation_id)
        .where(AttestedCitation.citation_id == Citation.id)
        .correlate(Citation)
        .exists()
        .label("signed")
    )
    return (
        sa.select(
            Citation.id,
            Citation.assessment_id,
            Citation.question_key,
            Citation.evidence_id,
            Citation.pages,
            Citation.quote,
            Assessment.title,
            Assessment.questionnaire_id,
            signed,
        )
        .join(Assessment, Assessment.id == Citation.assessment_id)
        .where(Citation.vendor_id == sa.bindparam("vendor"), Citation.removed_at.is_(None))
        .order_by(Assessment.requested_at.desc(), Citation.cited_at, Citation.id)
        .limit(10_000)
    )


def replace_file(tx: Tx, fact: EvidenceAttached) -> None:
    """Put a newer file in the place of the one that it replaces, in the answers that are open to its uploader now.

    Pages are not taken along: they are those of the older file. What was signed keeps the file it was signed with,
    and an answer that cannot be changed now keeps the older file.
    """
    if fact.supersedes_id is None:
        return
    newer = tx.session.get_one(Evidence, fact.evidence_id)
    statement = (
        sa.select(Citation, Assessment)
        .join(Assessment, Assessment.id == Citation.assessment_id)
        .where(
            Citation.evidence_id == fact.supersedes_id,
            Citation.removed_at.is_(None),
            Assessment.state.in_(list(ANSWERABLE_STATES)),
        )
        .order_by(Citation.assessment_id, Citation.question_key)
    )
    for older, assessment in tx.session.execute(statement).all():
        try:
            # Out first: an answer may be full.
            citations.uncite(tx, assessment=assessment, citation_id=older.id)
            citations.cite(tx, assessment=assessment, question_key=older.question_key, evidence=newer)
        except (Conflict, Forbidden, NotFound, Refused):
            continue
