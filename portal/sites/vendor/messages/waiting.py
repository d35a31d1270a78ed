"""What waits for somebody of a vendor: questions of the lab, notes of a signatory, findings; and who was written to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.messages import OVER
from portal.attestations.queries import MessageLine
from portal.findings import service as findings
from portal.findings.service import FindingLine
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Questionnaire
from portal.sites.vendor.work import slug
from portal.terms import FindingState, RemedyAct, Side

MOST = 50
"""How many assessments are looked through, the most pressing first."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: what it is about, where that is, and the messages, the oldest first."""

    assessment_id: UUID
    title: str
    key: str
    slug: str
    number: str
    label: str
    link: str
    messages: tuple[MessageLine, ...]

    @property
    def asks(self) -> bool:
        """Whether the lab waits for an answer."""
        return self.messages[-1].asks

    @property
    def by_lab(self) -> bool:
        """Whether the lab wrote last."""
        return self.messages[-1].side is Side.LAB


@dataclass(frozen=True, slots=True)
class Note:
    """What a signatory sent back, and where it is dealt with."""

    title: str
    about: str
    link: str
    line: attestations.NoteLine


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a person finds on their list.

    First what waits for them; then what they ``asked``, and what the lab has ``written`` and wants no answer to.
    """

    questions: Sequence[Talk] = ()
    notes: Sequence[Note] = ()
    findings: Sequence[FindingLine] = ()
    asked: Sequence[Talk] = ()
    written: Sequence[Talk] = ()

    @property
    def count(self) -> int:
        """How many things wait for the reader."""
        return len(self.questions) + len(self.notes) + len(self.findings)


def waiting(tx: Tx) -> Waiting:
    """Return what waits for the actor. What is not theirs to see is not in it."""
    if tx.actor.vendor_id is None:
        return Waiting()
    talks: list[Talk] = []
    notes: list[Note] = []
    for line in assessments.of_vendor(tx, tx.actor.vendor_id, limit=MOST):
        if line.state in OVER:
            continue
        row = assessments.get(tx, line.id, Action.ASSESSMENT_READ)
        threads, back = attestations.messages_of(tx, row), attestations.notes_of(tx, row)
        if not threads and not back:
            continue
        asked = questionnaires.compiled(tx, row.questionnaire_id)
        hidden = assessments.unseen_sections(tx, row)
        talks += _talks(row, asked, threads, hidden)
        notes += [_note(row, asked, each) for each in back if _is_theirs(tx, each, asked, row, hidden)]
    talks.sort(key=lambda each: each.messages[-1].at, reverse=True)
    return Waiting(
        questions=[each for each in talks if each.asks],
        notes=notes,
        findings=_findings(tx, tx.actor.vendor_id),
        asked=[each for each in talks if not each.by_lab],
        written=[each for each in talks if each.by_lab and not each.asks],
    )


def _talks(
    row: Any, asked: Questionnaire, threads: Mapping[str, tuple[MessageLine, ...]], hidden: Collection[str]
) -> list[Talk]:
    found = []
    facts = {fact.key: fact.label for fact in asked.scoping}
    for key, messages in threads.items():
        if key in facts:
            if hidden:
                continue
            number, label = "", facts[key]
            link = f"{url_for('vendor_scoping.show', assessment_id=row.id)}#f-{slug(key)}"
        elif key in asked:
            question = asked.question(key)
            if question.section in hidden:
                continue
            number, label = question.number, question.label
            link = _section(row.id, question.section, f"talk-{slug(key)}")
        else:
            # The question went with an older version; what was said of it can be read and nothing waits for it.
            number, label, link = "", key, url_for("vendor_home.show", assessment_id=row.id)
        found.append(Talk(row.id, row.title, key, slug(f"{row.id}-{key}"), number, label, link, messages))
    return found


def _section(assessment_id: UUID, section: str, place: str = "") -> str:
    link = url_for("vendor_section.show", assessment_id=assessment_id, section=section)
    return f"{link}#{place}" if place else link


def _note(row: Any, asked: Questionnaire, line: attestations.NoteLine) -> Note:
    if line.question_key and line.question_key in asked:
        question = asked.question(line.question_key)
        link = _section(row.id, question.section, f"q-{slug(question.key)}")
        return Note(row.title, f"{question.number} {question.label}", link, line)
    if line.section:
        return Note(row.title, asked.section(line.section).title, _section(row.id, line.section), line)
    return Note(row.title, row.title, url_for("vendor_home.show", assessment_id=row.id), line)


def _is_theirs(tx: Tx, line: attestations.NoteLine, asked: Questionnaire, row: Any, hidden: Collection[str]) -> bool:
    """Return whether a note that is not answered yet is for the actor: to them by name, or to a section of theirs."""
    if line.answered:
        return False
    if line.user_id is not None:
        return line.user_id == tx.actor.id
    section = asked.question(line.question_key).section if line.question_key in asked else line.section
    if section in hidden:
        return False
    given = assessments.assignees(tx, row).get(section, [])
    return not given or tx.actor.id in given


def _findings(tx: Tx, vendor_id: UUID) -> list[FindingLine]:
    return [
        each
        for each in findings.shared_with(tx, vendor_id)
        if each.state is FindingState.OPEN and each.remedy is not RemedyAct.SENT
    ]
