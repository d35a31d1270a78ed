"""Laws of the forecast: the best answer is the best, blank is the worst, and the same rules change nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.questionnaires.rules import Answer, Facts, Questionnaire, compile_yaml, credit, state_of, value_of
from portal.questionnaires.rules.visibility import QuestionState
from portal.scoring import rules
from portal.scoring.forecast import best_answer, forecast
from portal.scoring.translate import exposure_of, version_of
from tests.factories.assessments import SHIPPED
from tests.factories.definitions import answers_for, compiled, definitions, edited, facts

law = settings(deadline=None, max_examples=40, derandomize=True)
FILES = sorted(SHIPPED.glob("*/v*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_best_answer_to_every_shipped_question_is_full(path: Any) -> None:
    version = compile_yaml(path.read_bytes(), path.name)
    scored = [question for question in version.questions if question.is_scored]
    assert {credit(question, best_answer(question)) for question in scored} <= {100}


def signed(version: Questionnaire, tier: int, known: Facts, answers: dict[str, Answer]) -> rules.Inputs:
    """Return the inputs of a score of these answers, without any proof."""
    states = state_of(version, tier, known, answers)
    names = {
        QuestionState.ANSWERED: rules.State.OK,
        QuestionState.NA_CLAIMED: rules.State.NA_CLAIMED,
        QuestionState.BLANK: rules.State.BLANK,
        QuestionState.ZERO: rules.State.ZERO,
        QuestionState.HIDDEN: rules.State.HIDDEN,
    }
    scored = version_of(version, tier)
    return rules.Inputs(
        version=scored,
        policy=rules.POLICY_1,
        answers=tuple(
            rules.Answer(
                question.key,
                state=names[states[question.key]],
                credit=(credit(version.question(question.key), answers[question.key]) or 0)
                if states[question.key] is QuestionState.ANSWERED
                else 0,
                claim=str(value_of(answers[question.key]))[:80] if question.key in answers else "",
            )
            for question in scored.questions
        ),
        exposure=exposure_of(known),
        as_of=date(2026, 11, 24),
        raised_tier=tier,
    )


def weighed(definition: dict[str, Any]) -> Questionnaire:
    """Compile a definition whose sections all weigh something, as the lint demands."""
    sections = [{**each, "weight": max(1, each["weight"])} for each in definition["sections"]]
    return compiled({**definition, "sections": sections})


@law
@given(st.data(), st.sampled_from([1, 2, 3]))
def test_on_the_same_version_everything_stays_as_it_was(data: st.DataObject, tier: int) -> None:
    version = weighed(data.draw(definitions()))
    known, answers = data.draw(facts()), data.draw(answers_for(version))
    inputs = signed(version, tier, known, answers)

    found = forecast(inputs, questionnaire=version, tier=tier, facts=known, carried=answers)

    assert found.low == found.now
    assert found.by_rules == 0


@law
@given(st.data(), st.sampled_from([1, 2, 3]))
def test_blank_is_never_above_all_proven(data: st.DataObject, tier: int) -> None:
    first = data.draw(definitions())
    before, after = weighed(first), weighed(data.draw(edited(first)))
    known, answers = data.draw(facts()), data.draw(answers_for(before))
    carried = {
        key: answer
        for key, answer in answers.items()
        if key in after and after.question(key).kind is before.question(key).kind
    }

    found = forecast(signed(before, tier, known, answers), questionnaire=after, tier=tier, facts=known, carried=carried)

    assert 0 <= found.low <= 100
    assert 0 <= found.high <= 100
