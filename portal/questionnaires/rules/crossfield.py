"""What answers must say together, and which rules about that are broken."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.questionnaires.rules.answers import Answer
from portal.questionnaires.rules.definition import CrossRule, Question, Questionnaire
from portal.questionnaires.rules.facts import Facts
from portal.questionnaires.rules.nodes import compared_in, said_at
from portal.questionnaires.rules.visibility import UNSEEN, QuestionState

_NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that the answers break, at the question where it is mended."""

    rule: CrossRule
    question: Question


def broken(
    questionnaire: Questionnaire, states: Mapping[str, QuestionState], answers: Mapping[str, Answer]
) -> tuple[Broken, ...]:
    """Return the rules that the answers break: by the order of the questions, then by the keys of the rules.

    A rule is silent until every question that it names is asked and answered, and everything that it compares is
    there: what is missing is asked for on its own, and what does not apply contradicts nothing.

    :param states: what `visibility.state_of` says of these answers.
    """
    said = {key: answers[key] for key, state in states.items() if state is QuestionState.ANSWERED and key in answers}
    found = [
        Broken(rule, questionnaire.question(rule.at))
        for rule in questionnaire.rules
        if states.get(rule.at) not in (None, *UNSEEN) and _is_broken(rule, said)
    ]
    order = {question.key: place for place, question in enumerate(questionnaire.questions)} if found else {}
    return tuple(sorted(found, key=lambda each: (order[each.question.key], each.rule.key)))


def _is_broken(rule: CrossRule, said: Mapping[str, Answer]) -> bool:
    condition = rule.condition
    if any(key not in said for key in condition.keys):
        return False
    if any(said_at(said, *each) is None for atom in condition.atoms for each in compared_in(atom)):
        return False
    return condition.evaluate(_NO_FACTS, said) is not rule.unless
