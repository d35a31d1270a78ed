"""A file of the library and the answers that it would settle: offered, and attached to many in one act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.assessments.rules import scope_of_section
from portal.attestations import citations, rules
from portal.attestations.rules import Ask
from portal.attestations.standing import standing
from portal.evidence.models import Evidence
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import rules as questions
from portal.terms import ANSWERABLE_STATES

MOST_AT_ONCE = 100
"""Answers that one act attaches a file to (ux.md, bulk)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The answers of one open assessment that a file would settle, the strongest first."""

    assessment_id: UUID
    title: str
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One answer to attach a file to, at named pages."""

    assessment_id: UUID
    key: str
    pages: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one of them: ``why`` says why the file was not attached, as a sentence; empty if it was."""

    wanted: Wanted
    name: str
    why: str = ""

    @property
    def done(self) -> bool:
        """Whether the file backs the answer now."""
        return not self.why


def offers(tx: Tx, evidence: Evidence) -> tuple[Offer, ...]:
    """Return the answers that this file would settle and the actor may attach it to, by open assessment."""
    if rules.use_of(evidence.state, evidence.scan, removed=evidence.removed_at is not None) is rules.Use.REFUSED:
        return ()
    statement = (
        sa.select(Assessment)
        .where(Assessment.vendor_id == evidence.vendor_id, Assessment.state.in_(list(ANSWERABLE_STATES)))
        .order_by(Assessment.requested_at.desc(), Assessment.id)
        .limit(20)
    )
    found = (
        Offer(row.id, row.title, rules.suggest(evidence.kind, _asks(tx, row))[:MOST_AT_ONCE])
        for row in tx.session.execute(statement).scalars().all()
    )
    return tuple(each for each in found if each.asks)


def _asks(tx: Tx, assessment: Assessment) -> Iterator[Ask]:
    now = standing(tx, assessment)
    given = assessments.assignees(tx, assessment)
    for question in now.visible():
        answer = now.answers.get(question.key)
        scope = scope_of_section(assessment.vendor_id, question.section, given.get(question.section, []))
        cited = now.citations.get(question.key, ())
        yield Ask(
            assessment_id=assessment.id,
            key=question.key,
            number=question.number,
            label=question.label,
            section=question.section,
            kinds=question.evidence.kinds,
            level=now.questionnaire.evidence_level(question.key, assessment.tier),
            weight=question.weight,
            knock_out=question.is_knock_out_in(assessment.tier),
            proven=any(each.use is not rules.Use.REFUSED for each in cited),
            worth=not (answer is not None and answer.na) and questions.credit(question, answer) != 0,
            open=now.may_change(question.key) and policy.may(tx.actor, Action.ANSWER_WRITE, scope),
        )


def attach_to_many(tx: Tx, *, evidence: Evidence, wanted: Sequence[Wanted]) -> tuple[Tried, ...]:
    """Attach a file to many answers; each that cannot be is left with the reason, and the others go on.

    Doing it twice is doing it once. An answer that names the file already, at other pages, keeps those.

    :raises Refused: if nothing is chosen, or more than one act takes.
    :raises NotFound: if an assessment is not the vendor's, or does not ask the question.
    """
    chosen = list(dict.fromkeys(wanted))
    if not chosen:
        raise Refused(problems={"attach": [said("Choose the answers to attach the file to")]})
    if len(chosen) > MOST_AT_ONCE:
        raise Refused(problems={"attach": [said("Choose at most %(most)s answers at once", most=MOST_AT_ONCE)]})
    # In one order for everybody, so that two people at it never wait for each other.
    rows = {
        each: assessments.get(tx, each, Action.ASSESSMENT_READ)
        for each in sorted({each.assessment_id for each in chosen})
    }
    tried: dict[Wanted, Tried] = {}
    for assessment_id, row in rows.items():
        there = citations.citations_of(tx, row)
        for each in (one for one in chosen if one.assessment_id == assessment_id):
            pages = [line.pages for line in there.get(each.key, ()) if line.evidence_id == evidence.id]
            tried[each] = _try(tx, row, evidence, each, pages)
    return tuple(tried[each] for each in chosen)


def _try(tx: Tx, row: Assessment, evidence: Evidence, wanted: Wanted, there: Sequence[str]) -> Tried:
    question = citations.question_named(tx, row, wanted.key)
    name = f"{question.number} {question.label}"
    try:
        where = rules.tidy_pages(wanted.pages, evidence.page_count)
        if there:
            at = f", pages {there[0]}" if there[0] else ""
            return Tried(wanted, name, "" if where in there else said("It names this file already%(at)s", at=at))
        citations.cite(tx, assessment=row, question_key=wanted.key, evidence=evidence, pages=wanted.pages)
    except NotFound:
        raise
    except (Conflict, Forbidden, Refused) as refusal:
        return Tried(wanted, name, refusal.message)
    return Tried(wanted, name)
