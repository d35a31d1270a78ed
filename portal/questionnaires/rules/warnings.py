"""What is remarked beside an answer as soon as it is weak; a remark never blocks."""

from portal.questionnaires.rules.answers import Answer, is_answered
from portal.questionnaires.rules.definition import Question, Warning_
from portal.questionnaires.rules.facts import Facts
from portal.questionnaires.rules.nodes import OWN

_NO_FACTS = Facts()


def warned(question: Question, answer: Answer | None) -> tuple[Warning_, ...]:
    """Return the remarks that the answer calls for, in the order of the file; none while it is blank."""
    if answer is None or answer.na or not is_answered(question, answer):
        return ()
    return tuple(each for each in question.warnings if each.when.evaluate(_NO_FACTS, {OWN: answer}))
