"""How far the answers are, and what stands between a vendor and its signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from portal.kernel.words import listed, said_n
from portal.kernel.words import said as worded  # here, what was said is the answers
from portal.questionnaires import rules as questions
from portal.questionnaires.rules import Answer, Facts, Kind, Question, Questionnaire, QuestionState
from portal.terms import N_, EvidenceState, ScanState

UNSEEN: Final = frozenset({QuestionState.HIDDEN, QuestionState.ZERO})
"""Not put to the vendor: what was answered before is kept, and has no say."""


class Use(StrEnum):
    """Whether a file can prove anything now."""

    USABLE = "usable"
    CHECKING = "checking"
    REFUSED = "refused"


def use_of(state: EvidenceState, scan: ScanState, *, removed: bool) -> Use:
    """Return whether a file can be signed with.

    It has arrived, was checked, and nobody turned it down. Without a scanner a file is usable: that it was not
    scanned is said wherever it is shown.
    """
    if removed or scan is ScanState.INFECTED:
        return Use.REFUSED
    if state in (EvidenceState.REJECTED, EvidenceState.REFUSED, EvidenceState.INTEGRITY_FAILURE):
        return Use.REFUSED
    arrived = state in (EvidenceState.ATTACHED, EvidenceState.VERIFIED)
    return Use.USABLE if arrived and scan in (ScanState.CLEAN, ScanState.NOT_SCANNED) else Use.CHECKING


@dataclass(frozen=True, slots=True)
class Cited:
    """A file that an answer names as its proof."""

    file_name: str
    use: Use


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A scoping fact that waits for the vendor. ``stated`` says whether there is anything to confirm."""

    key: str
    label: str
    stated: bool
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything about the answers of one assessment as they stand at one moment.

    ``asked`` are the questions whose conversation ends with a message to which the lab waits for an answer.
    ``reopened`` are the questions that came back (None: nothing was signed, all are open); ``signed`` are the states of
    the revision before. ``carried`` are answers from what was signed earlier that wait for somebody to confirm them:
    what they bring up is asked, but they answer nothing.
    """

    questionnaire: Questionnaire
    tier: int
    facts: Facts
    answers: Mapping[str, Answer]
    citations: Mapping[str, tuple[Cited, ...]]
    unsettled: tuple[Unsettled, ...]
    asked: frozenset[str]
    reopened: frozenset[str] | None
    signed: Mapping[str, QuestionState]
    carried: Mapping[str, Answer] = field(default_factory=dict)
    _states: dict[str, QuestionState] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Found once: nothing that they follow from changes."""

    def states(self) -> Mapping[str, QuestionState]:
        """Return the state of every question, in order; one whose earlier answer waits to be confirmed is blank."""
        if not self._states:
            self._states.update(self._found())
        return self._states

    def _found(self) -> dict[str, QuestionState]:
        states = questions.state_of(self.questionnaire, self.tier, self.facts, said(self.answers, self.carried))
        unconfirmed = (key for key in self.carried if key in states and states[key] not in UNSEEN)
        return states | {key: QuestionState.BLANK for key in unconfirmed if _is_blank(self.answers.get(key))}

    def visible(self) -> tuple[Question, ...]:
        """Return the questions that are put to the vendor now, in order."""
        states = self.states()
        return tuple(each for each in self.questionnaire.questions if states[each.key] not in UNSEEN)

    def waiting(self) -> tuple[Question, ...]:
        """Return the questions asked now whose earlier answer waits to be confirmed, in order."""
        return tuple(
            each for each in self.visible() if each.key in self.carried and _is_blank(self.answers.get(each.key))
        )

    def kept(self) -> tuple[Question, ...]:
        """Return the questions that are not asked now and whose answers are kept until they are asked again."""
        return questions.kept(self.questionnaire, self.states(), self.answers)

    def may_change(self, key: str) -> bool:
        """Whether the answer to a question is open to change."""
        return may_change(key, self.reopened, self.signed)


def said(answers: Mapping[str, Answer], carried: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return the answers that decide what is asked: those given, and for the rest what waits to be confirmed."""
    return {**carried, **{key: answer for key, answer in answers.items() if key not in carried or not answer.is_blank}}


def _is_blank(answer: Answer | None) -> bool:
    return answer is None or answer.is_blank


def may_change(key: str, reopened: frozenset[str] | None, signed: Mapping[str, QuestionState]) -> bool:
    """Whether a question is open: all are before the first signature, then those that came back.

    A question that was not put to the vendor when it signed is open too: an answer that came back may bring it up.
    """
    return reopened is None or key in reopened or signed.get(key, QuestionState.HIDDEN) in UNSEEN


class BlockerKind(StrEnum):
    """What kind of thing is missing."""

    ANSWER = "answer"
    EVIDENCE = "evidence"
    EVIDENCE_CHECKING = "evidence_checking"
    EVIDENCE_REFUSED = "evidence_refused"
    SCOPING = "scoping"
    REPLY = "reply"
    RULE = "rule"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing to do before signing, with what a link to it needs.

    For a scoping fact ``section`` is empty, ``question_key`` is the key of the fact and ``number`` is empty. For the
    earlier answers to confirm, which are one thing to do, all of these are empty.
    """

    kind: BlockerKind
    section: str
    question_key: str
    number: str
    label: str
    sentence: str


def blockers(standing: Standing) -> tuple[Blocker, ...]:
    """Return what blocks signing: the scoping first, then by the order of the questions."""
    found = [_unsettled(each) for each in standing.unsettled]
    found += [
        Blocker(
            BlockerKind.REPLY,
            "",
            fact.key,
            "",
            fact.label,
            worded("Reply to our question about “%(label)s”", label=fact.label),
        )
        for fact in standing.questionnaire.scoping
        if fact.key in standing.asked
    ]
    waiting = {question.key for question in standing.waiting()}
    if waiting:
        sentence = said_n(
            "Confirm %(num)s answer from your earlier attestation",
            "Confirm %(num)s answers from your earlier attestation",
            len(waiting),
        )
        found.append(Blocker(BlockerKind.CONFIRM, "", "", "", "", sentence))
    broken = _broken(standing)
    for question in standing.visible():
        found += broken.get(question.key, [])
        found += _of_question(standing, question, waits=question.key in waiting)
    return tuple(found)


def _broken(standing: Standing) -> dict[str, list[Blocker]]:
    """Return the rules across answers that are broken, by the question where each is mended."""
    if not standing.questionnaire.rules:
        return {}
    found: dict[str, list[Blocker]] = {}
    for each in questions.broken(standing.questionnaire, standing.states(), standing.answers):
        at = each.question
        sentence = _of(f"{at.number} {at.label}", [each.rule.message])
        blocker = Blocker(BlockerKind.RULE, at.section, at.key, at.number, at.label, sentence)
        found.setdefault(at.key, []).append(blocker)
    return found


def _unsettled(fact: Unsettled) -> Blocker:
    if fact.stated:
        sentence = worded("Confirm “%(label)s”", label=fact.label)
    elif fact.is_ours:
        sentence = worded("We have not stated “%(label)s” yet. Ask us to, then confirm it", label=fact.label)
    else:
        sentence = worded("State “%(label)s”", label=fact.label)
    return Blocker(BlockerKind.SCOPING, "", fact.key, "", fact.label, sentence)


def _of_question(standing: Standing, question: Question, *, waits: bool) -> list[Blocker]:
    def blocker(kind: BlockerKind, sentence: str) -> Blocker:
        return Blocker(kind, question.section, question.key, question.number, question.label, sentence)

    name = f"{question.number} {question.label}"
    answer = standing.answers.get(question.key)
    found: list[Blocker] = []
    lacking = () if waits else questions.lacks(question, answer)
    if lacking and questions.is_answered(question, answer):
        found.append(blocker(BlockerKind.ANSWER, _of(name, [each.message for each in lacking])))
    elif lacking and question.kind is Kind.FILE:
        found.append(
            blocker(
                BlockerKind.ANSWER,
                worded("Attach a file for %(name)s, or say in the comment why you cannot", name=name),
            )
        )
    elif lacking:
        found.append(blocker(BlockerKind.ANSWER, worded("Answer %(name)s", name=name)))
    if standing.may_change(question.key):
        found += [blocker(kind, sentence) for kind, sentence in _of_evidence(standing, question, answer)]
    if question.key in standing.asked:
        found.append(blocker(BlockerKind.REPLY, worded("Reply to our question about %(name)s", name=name)))
    return found


def _of(name: str, sentences: list[str]) -> str:
    """Return what is to be done about a question in one sentence: "7.2 Leavers: enter why …; attach …"."""
    return listed(sentences, before=f"{name}: ", between="; ")


def _of_evidence(standing: Standing, question: Question, answer: Answer | None) -> list[tuple[BlockerKind, str]]:
    cited = standing.citations.get(question.key, ())
    found: list[tuple[BlockerKind, str]] = []
    for each in cited:
        if each.use is Use.CHECKING:
            sentence = worded(
                "“%(file)s” for %(number)s is still being checked. Look again in a minute",
                file=each.file_name,
                number=question.number,
            )
            found.append((BlockerKind.EVIDENCE_CHECKING, sentence))
        elif each.use is Use.REFUSED:
            sentence = worded(
                "“%(file)s” for %(number)s cannot be used. Remove it, or attach another file",
                file=each.file_name,
                number=question.number,
            )
            found.append((BlockerKind.EVIDENCE_REFUSED, sentence))
    if not cited and needs_evidence(standing.questionnaire, standing.tier, question, answer):
        found.append(
            (
                BlockerKind.EVIDENCE,
                worded("Attach evidence for %(number)s, or say why you cannot", number=question.number),
            )
        )
    return found


def needs_evidence(questionnaire: Questionnaire, tier: int, question: Question, answer: Answer | None) -> bool:
    """Whether an answer without a file owes one: proof is required, credit claimed, and no comment says why not."""
    if answer is None or answer.comment or questionnaire.evidence_level(question.key, tier) < 2:
        return False
    return bool(questions.credit(question, answer))


class SectionState(StrEnum):
    """How far a section is, as the task list says it."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    EVIDENCE_MISSING = "evidence_missing"
    ASKED = "asked"

    def word(self, lab_name: str) -> str:
        """Return the words of the state; the lab is named."""
        return worded("%(lab)s asked", lab=lab_name) if self is SectionState.ASKED else _WORDS[self]


_WORDS: Final[Mapping[SectionState, str]] = {
    SectionState.NOT_STARTED: N_("Not started"),
    SectionState.IN_PROGRESS: N_("In progress"),
    SectionState.COMPLETE: N_("Complete"),
    SectionState.EVIDENCE_MISSING: N_("Evidence missing"),
}


@dataclass(frozen=True, slots=True)
class SectionProgress:
    """How far one section is: ``answered`` are complete answers, ``total`` the questions asked now."""

    key: str
    number: int
    title: str
    group: str
    summary: str
    answered: int
    total: int
    state: SectionState


def progress(standing: Standing, blocking: Sequence[Blocker] | None = None) -> tuple[SectionProgress, ...]:
    """Return how far each section is that has any question for this vendor, in order.

    :param blocking: its blockers, if the caller has them at hand.
    """
    kinds: dict[str, set[BlockerKind]] = {}
    for blocker in blockers(standing) if blocking is None else blocking:
        kinds.setdefault(blocker.section, set()).add(blocker.kind)
    begun = {
        question.section
        for question in standing.visible()
        if (answer := standing.answers.get(question.key)) is not None and questions.is_answered(question, answer)
    }
    found = []
    for each in _counts(standing):
        section = standing.questionnaire.section(each.section)
        state = _state(each, kinds.get(section.key, set()), has_answers=section.key in begun)
        found.append(
            SectionProgress(
                key=section.key,
                number=section.number,
                title=section.title,
                group=section.group,
                summary=section.summary,
                answered=each.complete,
                total=each.asked,
                state=state,
            )
        )
    return tuple(found)


def _counts(standing: Standing) -> list[questions.Progress]:
    """Return how many answers of each section are complete; one that waits to be confirmed is not."""
    asked: dict[str, list[Question]] = {}
    for question in standing.visible():
        asked.setdefault(question.section, []).append(question)
    return [
        questions.Progress(
            section, sum(not questions.lacks(each, standing.answers.get(each.key)) for each in those), len(those)
        )
        for section, those in asked.items()
    ]


def _state(each: questions.Progress, kinds: set[BlockerKind], *, has_answers: bool) -> SectionState:
    if BlockerKind.REPLY in kinds:
        return SectionState.ASKED
    if kinds & {BlockerKind.EVIDENCE, BlockerKind.EVIDENCE_REFUSED}:
        return SectionState.EVIDENCE_MISSING
    if each.is_complete and not kinds:
        return SectionState.COMPLETE
    return SectionState.IN_PROGRESS if has_answers else SectionState.NOT_STARTED
