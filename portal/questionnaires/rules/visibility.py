"""Which questions are asked, which are answered, and what stands between a vendor and its signature."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.questionnaires.rules.answers import Answer, is_answered, lacks
from portal.questionnaires.rules.definition import Question, Questionnaire
from portal.questionnaires.rules.facts import Facts


class QuestionState(StrEnum):
    """The states of scoring.md that follow from the vendor's words alone."""

    HIDDEN = "hidden"
    ZERO = "zero"
    BLANK = "blank"
    NA_CLAIMED = "na_claimed"
    ANSWERED = "answered"


UNSEEN = frozenset({QuestionState.HIDDEN, QuestionState.ZERO})
"""Not put to the vendor now."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that blocks signing."""

    key: str
    number: str
    label: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one section is: questions that are complete, of those asked."""

    section: str
    complete: int
    asked: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.complete == self.asked


def state_of(
    questionnaire: Questionnaire, tier: int, facts: Facts, answers: Mapping[str, Answer]
) -> dict[str, QuestionState]:
    """Return the state of every question, in the order of the questionnaire.

    Hidden: of another tier, or its `when` is false, or everything its `requires` asks about is hidden. Zero: its
    `requires` is false. An answer that was given before its question was hidden is kept elsewhere but has no say.
    """
    states: dict[str, QuestionState] = {}
    said: dict[str, Answer] = {}
    for question in questionnaire.questions:
        key = question.key
        state = _state(question, tier, facts, states, said, answers.get(key))
        states[key] = state
        if state is QuestionState.ANSWERED:
            said[key] = answers[key]
    return states


def _state(
    question: Question,
    tier: int,
    facts: Facts,
    states: Mapping[str, QuestionState],
    said: Mapping[str, Answer],
    answer: Answer | None,
) -> QuestionState:
    if tier not in question.tiers or (question.when is not None and not question.when.evaluate(facts, said)):
        return QuestionState.HIDDEN
    requires = question.requires
    if requires is not None and not requires.evaluate(facts, said):
        unasked = all(states.get(key) is QuestionState.HIDDEN for key in requires.keys)
        return QuestionState.HIDDEN if unasked else QuestionState.ZERO
    if answer is None or not is_answered(question, answer):
        return QuestionState.BLANK
    return QuestionState.NA_CLAIMED if answer.na else QuestionState.ANSWERED


def visible(
    questionnaire: Questionnaire, tier: int, facts: Facts, answers: Mapping[str, Answer]
) -> tuple[Question, ...]:
    """Return the questions that are put to the vendor now, in order."""
    states = state_of(questionnaire, tier, facts, answers)
    return tuple(question for question in questionnaire.questions if states[question.key] not in UNSEEN)


def kept(
    questionnaire: Questionnaire, states: Mapping[str, QuestionState], answers: Mapping[str, Answer]
) -> tuple[Question, ...]:
    """Return the questions that are not asked now and were answered before: the answers are kept and come back."""
    return tuple(
        question
        for question in questionnaire.questions
        if states[question.key] in UNSEEN and is_answered(question, answers.get(question.key))
    )


def missing(
    questionnaire: Questionnaire, tier: int, facts: Facts, answers: Mapping[str, Answer]
) -> tuple[Missing, ...]:
    """Return what blocks signing, in order: blank answers, and those that lack a comment, a date or a reason."""
    return tuple(
        Missing(question.key, question.number, question.label, refusal.field, refusal.message)
        for question in visible(questionnaire, tier, facts, answers)
        for refusal in lacks(question, answers.get(question.key))
    )


def progress(
    questionnaire: Questionnaire, tier: int, facts: Facts, answers: Mapping[str, Answer]
) -> tuple[Progress, ...]:
    """Return how far each section is that has any question for this vendor."""
    states = state_of(questionnaire, tier, facts, answers)
    found: list[Progress] = []
    for section in questionnaire.sections:
        asked = [question for question in section.questions if states[question.key] not in UNSEEN]
        complete = sum(not lacks(question, answers.get(question.key)) for question in asked)
        if asked:
            found.append(Progress(section.key, complete, len(asked)))
    return tuple(found)
