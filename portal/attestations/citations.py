"""Citing: a file from the library as the proof of an answer."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.facts import CitationRemoved, EvidenceCited
from portal.attestations.models import AttestedCitation, Citation
from portal.attestations.queries import CitationLine
from portal.attestations.standing import check_open, hold, question_of
from portal.evidence.facts import EvidenceRemoved
from portal.evidence.models import Evidence
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question

MOST_FILES = 20
"""Files that one answer can name; more would not be read."""


def citations_of(tx: Tx, assessment: Assessment) -> dict[str, tuple[CitationLine, ...]]:
    """Return the files of each answer that has any, in the order they were attached."""
    found: dict[str, tuple[CitationLine, ...]] = {}
    for line in queries.citations(tx, assessment.id):
        found[line.question_key] = (*found.get(line.question_key, ()), line)
    return found


def cite(
    tx: Tx, *, assessment: Assessment, question_key: str, evidence: Evidence, pages: str = "", quote: str = ""
) -> CitationLine:
    """Attach a file of the library to an answer, at named pages. Attaching it twice is attaching it once.

    Other pages or another passage are another citation: what a reviewer accepted at page 3 is not thereby accepted at
    page 9.

    :param quote: the passage that proves the answer, as it stands in the file; it may be left out.

    :raises NotFound: if the assessment does not ask this question, or the file is not this vendor's.
    :raises Forbidden: if the section was given to others.
    :raises Refused: with the problems of pages and quote, or if the file cannot prove anything.
    :raises Conflict: if the question is not open now, or has as many files as it can name.
    """
    question = _question(tx, assessment, question_key)
    if evidence.vendor_id != assessment.vendor_id:
        raise NotFound
    where, passage = _tidy(pages, quote, evidence)
    _begin(tx, assessment, question)
    # Held, so that a file cannot be taken from the library between this look and our commit.
    tx.session.refresh(evidence, with_for_update={"read": True})
    if rules.use_of(evidence.state, evidence.scan, removed=evidence.removed_at is not None) is rules.Use.REFUSED:
        raise Refused(
            problems={"evidence": [said("“%(file)s” cannot be used. Choose another file", file=evidence.file_name)]}
        )
    live = _live(tx, assessment, question_key)
    standing = live.get(evidence.id)
    if standing is not None and (standing.pages, standing.quote) == (where, passage):
        return _line(tx, assessment, standing.id)
    if standing is not None:
        end_citation(tx, standing)
    elif len(live) >= MOST_FILES:
        raise Conflict(
            said(
                "“%(label)s” has %(most)s files already. Remove one before you attach another.",
                label=question.label,
                most=MOST_FILES,
            )
        )
    statement = (
        postgresql.insert(Citation)
        .values(
            id=tx.new_id(),
            vendor_id=assessment.vendor_id,
            assessment_id=assessment.id,
            question_key=question_key,
            evidence_id=evidence.id,
            pages=where,
            quote=passage,
            cited_by=tx.actor.id,
            cited_at=tx.now,
            acceptance="unjudged",
        )
        .on_conflict_do_nothing()
        .returning(Citation.id)
    )
    citation_id = tx.session.execute(statement).scalar_one_or_none()
    if citation_id is None:
        # A colleague attached the same file in the same moment.
        return _line(tx, assessment, _live(tx, assessment, question_key)[evidence.id].id)
    tx.record(
        EvidenceCited(
            citation_id=citation_id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            question_key=question_key,
            evidence_id=evidence.id,
        )
    )
    return _line(tx, assessment, citation_id)


def uncite(tx: Tx, *, assessment: Assessment, citation_id: UUID) -> None:
    """Take a file from an answer; it stays in the library. Taking it twice is taking it once.

    :raises NotFound: if the assessment has no such citation.
    :raises Forbidden: if the section was given to others.
    :raises Conflict: if the question is not open now.
    """
    row = get_one(tx, sa.select(Citation).where(Citation.id == citation_id, Citation.assessment_id == assessment.id))
    if row is None:
        raise NotFound
    _begin(tx, assessment, _question(tx, assessment, row.question_key))
    end_citation(tx, row)


def release_file(tx: Tx, fact: EvidenceRemoved) -> None:
    """End the uses of a file that leaves the library, in answers that nobody signed yet.

    The file is locked by its removal, so no signature is under way with it: one that waits finds its citation gone.

    :raises Conflict: if somebody signed with it.
    """
    signed = sa.select(AttestedCitation.evidence_id).where(AttestedCitation.evidence_id == fact.evidence_id).limit(1)
    if tx.session.execute(signed).first() is not None:
        raise Conflict(
            said("You signed with this file, so it stays with what you signed. Upload a new file to replace it.")
        )
    uses = sa.select(Citation).where(Citation.evidence_id == fact.evidence_id, Citation.removed_at.is_(None))
    for row in tx.session.execute(uses.order_by(Citation.id)).scalars().all():
        end_citation(tx, row)


def _tidy(pages: str, quote: str, evidence: Evidence) -> tuple[str, str]:
    problems: dict[str, list[str]] = {}
    where = passage = ""
    try:
        where = rules.tidy_pages(pages, evidence.page_count)
    except Refused as refusal:
        problems |= refusal.problems
    try:
        passage = rules.tidy_quote(quote)
    except Refused as refusal:
        problems |= refusal.problems
    if problems:
        raise Refused(problems=problems)
    return where, passage


def question_named(tx: Tx, assessment: Assessment, key: str) -> Question:
    """Return a question that an assessment can ask.

    :raises NotFound: if it does not.
    """
    return question_of(questionnaires.compiled(tx, assessment.questionnaire_id), assessment, key)


def _question(tx: Tx, assessment: Assessment, key: str) -> Question:
    question = question_named(tx, assessment, key)
    policy.check(tx.actor, Action.ANSWER_WRITE, assessments.section_scope(tx, assessment, question.section))
    return question


def _begin(tx: Tx, assessment: Assessment, question: Question) -> None:
    pinned = assessment.questionnaire_id
    assessments.touch(tx, assessment=assessment)
    hold(tx, assessment, pinned=pinned)
    check_open(tx, assessment, question)


def end_citation(tx: Tx, row: Citation) -> None:
    """End one use of a file; ending it twice is ending it once."""
    if swap(tx, row, expect={"removed_at": None}, change={"removed_at": tx.now, "removed_by": tx.actor.id}):
        tx.record(
            CitationRemoved(
                citation_id=row.id,
                assessment_id=row.assessment_id,
                vendor_id=row.vendor_id,
                question_key=row.question_key,
                evidence_id=row.evidence_id,
            )
        )


def _live(tx: Tx, assessment: Assessment, key: str) -> dict[UUID, Citation]:
    statement = sa.select(Citation).where(
        Citation.assessment_id == assessment.id, Citation.question_key == key, Citation.removed_at.is_(None)
    )
    return {row.evidence_id: row for row in tx.session.execute(statement).scalars()}


def _line(tx: Tx, assessment: Assessment, citation_id: UUID) -> CitationLine:
    return next(line for line in queries.citations(tx, assessment.id) if line.id == citation_id)
