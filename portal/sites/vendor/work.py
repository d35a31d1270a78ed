"""What the pages of one assessment stand on: loaded in the same few statements however many questions there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.rules import scope_of_section
from portal.attestations import service as attestations
from portal.attestations.rules import Blocker, BlockerKind, SectionProgress, SectionState, Standing, blockers, progress
from portal.attestations.service import AnswerLine, CarriedLine, CitationLine, Fate, NoteLine
from portal.identity import queries as people_queries
from portal.identity.queries import Person
from portal.kernel.actor import Actor
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Questionnaire, is_answered
from portal.sites.shared.language import questions_in
from portal.terms import ANSWERABLE_STATES, N_, AssessmentState, Role

REPLY_WORD = N_("%(lab)s asked")


@dataclass(frozen=True, slots=True)
class Work:
    """One assessment as it stands. ``row`` is handed on to the commands of the rooms and to nothing else."""

    row: Any
    questionnaire: Questionnaire
    lines: Mapping[str, AnswerLine]
    standing: Standing
    visible: tuple[Question, ...]
    blockers: tuple[Blocker, ...]
    sections: tuple[SectionProgress, ...]
    assignees: Mapping[str, list[UUID]]
    people: Mapping[UUID, Person]
    lab: str
    carried: Mapping[str, CarriedLine]
    waiting: tuple[Question, ...]
    unseen: frozenset[str] = frozenset()
    """The sections whose answers the reader does not see. Nothing above but the standing knows anything of them."""
    sent_back: tuple[NoteLine, ...] = ()
    """The notes with which somebody who signs sent answers back, in what the reader sees."""

    @property
    def id(self) -> UUID:
        """The assessment's id, for links."""
        identifier: UUID = self.row.id
        return identifier

    def sees(self, section: str) -> bool:
        """Whether the reader sees the answers of a section."""
        return section not in self.unseen

    def seen(self, keys: Iterable[str]) -> list[str]:
        """Return those of these questions whose answers the reader sees; of what is not asked any more, all or none."""
        return [
            key
            for key in keys
            if (key in self.questionnaire and self.sees(self.questionnaire.question(key).section)) or not self.unseen
        ]

    @property
    def is_open(self) -> bool:
        """Whether the vendor can answer now."""
        return self.row.state in ANSWERABLE_STATES

    @property
    def was_signed(self) -> bool:
        """Whether there can be a signed revision: nothing was signed while the first is being answered."""
        return self.row.state not in (AssessmentState.DRAFT, AssessmentState.IN_PROGRESS) or self.row.revision > 1

    @property
    def answered(self) -> int:
        """How many of the questions asked now have a complete answer."""
        return sum(each.answered for each in self.sections)

    @property
    def total(self) -> int:
        """How many questions are asked now."""
        return sum(each.total for each in self.sections)

    def given_to(self, section: str) -> list[Person]:
        """Return the people who were given a section."""
        return [self.people[each] for each in self.assignees.get(section, []) if each in self.people]

    def with_role(self, role: Role) -> list[Person]:
        """Return the active people of the vendor with a role."""
        return [each for each in self.people.values() if each.is_active and role in each.roles]

    def writable(self, actor: Actor, section: str) -> bool:
        """Whether somebody may answer in a section, as far as it is theirs."""
        scope = scope_of_section(self.row.vendor_id, section, self.assignees.get(section, []))
        return policy.may(actor, Action.ANSWER_WRITE, scope)

    def sent_back_on(self, question_key: str) -> tuple[NoteLine, ...]:
        """Return the notes that came back with one answer."""
        return tuple(each for each in self.sent_back if each.question_key == question_key)

    def sent_back_with(self, section: str) -> tuple[NoteLine, ...]:
        """Return the notes that came back with a section as a whole."""
        return tuple(each for each in self.sent_back if each.section == section and not each.question_key)

    @property
    def kept(self) -> tuple[Question, ...]:
        """Return the questions that are not asked now and whose answers are kept."""
        return tuple(each for each in self.standing.kept() if self.sees(each.section))

    def kept_in(self, section: str) -> tuple[Question, ...]:
        """Return those of one section."""
        return tuple(each for each in self.kept if each.section == section)

    def blockers_of(self, section: str) -> tuple[Blocker, ...]:
        """Return what is left to do in a section."""
        return tuple(each for each in self.blockers if each.section == section)

    def waiting_in(self, section: str) -> tuple[Question, ...]:
        """Return the questions of a section whose earlier answer waits to be confirmed."""
        return tuple(each for each in self.waiting if each.section == section)

    def is_new(self, question: Question) -> bool:
        """Whether a renewal asks a question that this vendor never answered before."""
        line = self.carried.get(question.key)
        return bool(self.carried) and (line is None or line.fate is Fate.ARCHIVED)

    def word_of(self, question: Question) -> str:
        """Return the state of one question as a word of the status vocabulary."""
        kinds = {each.kind for each in self.blockers if each.question_key == question.key}
        if BlockerKind.REPLY in kinds or (question.key in self.standing.asked and self.is_open):
            return said(REPLY_WORD, lab=self.lab)
        if kinds & {BlockerKind.EVIDENCE, BlockerKind.EVIDENCE_REFUSED}:
            return "Evidence missing"
        if BlockerKind.EVIDENCE_CHECKING in kinds:
            return "Checking"
        if question in self.waiting:
            return "To confirm"
        answer = self.standing.answers.get(question.key)
        if kinds & {BlockerKind.ANSWER, BlockerKind.RULE}:
            return "In progress" if is_answered(question, answer) else self._word_of_blank(question)
        return "Complete"

    def _word_of_blank(self, question: Question) -> str:
        line = self.carried.get(question.key)
        if line is not None and line.fate is Fate.RE_ATTEST:
            return "Changed"
        return "New question" if self.is_new(question) else "Not started"

    def section_word(self, section: SectionProgress) -> str:
        """Return the state of a section as a word of the status vocabulary."""
        if section.state is SectionState.NOT_STARTED and self.waiting_in(section.key):
            return "To confirm"
        return section.state.word(self.lab)


def load(
    tx: Tx,
    row: Any,
    *,
    lab: str,
    lines: Mapping[str, AnswerLine] | None = None,
    everybody: bool = True,
    standing: Standing | None = None,
    files: Mapping[str, Sequence[CitationLine]] | None = None,
) -> Work:
    """Return an assessment as it stands, as far as the actor sees it.

    :param row: the assessment, as ``assessments.get`` gave it.
    :param lines: the answers, if the caller has them at hand.
    :param everybody: whether the names of the vendor's people are needed.
    :param standing: how these lines stand, if the caller has it at hand.
    :param files: what the answers cite, likewise.
    """
    questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
    questions_in(questionnaire.language)
    given = attestations.answers_of(tx, row) if lines is None else lines
    now = standing or attestations.standing(tx, row, questionnaire, files=files, lines=given)
    blocking = blockers(now)
    is_open = row.state in ANSWERABLE_STATES
    unseen = assessments.unseen_sections(tx, row)
    shown = frozenset(each.key for each in questionnaire.questions if each.section not in unseen)
    carried = attestations.carried_of(tx, row) if is_open else {}
    team: Iterable[Person] = people_queries.people_of_vendor(tx, row.vendor_id) if everybody else ()
    return Work(
        row=row,
        questionnaire=questionnaire,
        lines={key: line for key, line in given.items() if key in shown} if unseen else given,
        standing=now,
        visible=tuple(each for each in now.visible() if each.section not in unseen),
        blockers=tuple(each for each in blocking if not each.section or each.section not in unseen),
        sections=tuple(each for each in progress(now, blocking) if each.key not in unseen),
        assignees=assessments.assignees(tx, row),
        people={each.id: each for each in team},
        lab=lab,
        carried={key: line for key, line in carried.items() if key in shown} if unseen else carried,
        waiting=tuple(each for each in now.waiting() if each.section not in unseen) if is_open else (),
        unseen=unseen,
        sent_back=tuple(
            each
            for each in (attestations.notes_of(tx, row) if is_open else ())
            if (each.section not in unseen if each.section else not unseen or each.user_id in (None, tx.actor.id))
        ),
    )


def next_question(work: Work, actor: Actor) -> Question | None:
    """Return the question to go on with: the first that blocks and is the reader's to answer, else the first at all."""
    open_keys = [each.question_key for each in work.blockers if each.section]
    asked = [work.questionnaire.question(key) for key in dict.fromkeys(open_keys)]
    return next((each for each in asked if work.writable(actor, each.section)), asked[0] if asked else None)


def shown_sections(work: Work, reopened_only: bool) -> tuple[SectionProgress, ...]:
    """Return the sections of the task list: all, or those with a question that came back."""
    if not reopened_only:
        return work.sections
    keys = work.standing.reopened or frozenset()
    touched = {work.questionnaire.question(key).section for key in keys if key in work.questionnaire}
    return tuple(each for each in work.sections if each.key in touched or each.state is not SectionState.COMPLETE)


def link_of(work: Work, blocker: Blocker) -> str:
    """Return where a blocker is settled."""
    if blocker.kind is BlockerKind.CONFIRM:
        return url_for("vendor_renewal.show", assessment_id=work.id)
    if not blocker.section:
        return f"{url_for('vendor_scoping.show', assessment_id=work.id)}#f-{slug(blocker.question_key)}"
    place = {BlockerKind.REPLY: "talk", BlockerKind.ANSWER: "q", BlockerKind.RULE: "q"}.get(blocker.kind, "ev")
    return (
        f"{url_for('vendor_section.show', assessment_id=work.id, section=blocker.section)}"
        f"#{place}-{slug(blocker.question_key)}"
    )


def slug(key: str) -> str:
    """Return a question's key as part of an element's id."""
    return key.replace(".", "-")


def version_in(form: Mapping[str, str], name: str = "version") -> int:
    """Return the version that a form was made from; what is no number was made from nothing we know."""
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
