"""What a fix gives is what scoring again says, and conditions lift what they are conditions of."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given, settings

from portal.scoring.rules import Inputs, Recommendation, State, display, fixed, gains, score
from tests.rules.scoring.builders import EX2, EX3, EX3_BLANK, changed, inputs_of, law, nearly_good, said


@law
@given(inputs_of())
def test_a_gain_is_what_scoring_again_would_add(inputs: Inputs) -> None:
    before = score(inputs).measures

    for gain in gains(inputs):
        after = score(fixed(inputs, {gain.key})).measures
        assert after.score - before.score == gain.both
        assert after.verified - before.verified == gain.verified


@law
@given(inputs_of())
def test_the_gain_of_an_answer_or_a_proof_alone_is_what_scoring_again_would_add(inputs: Inputs) -> None:
    before = score(inputs).measures.score
    answers = {answer.key: answer for answer in inputs.answers}

    for gain in gains(inputs):
        if (was := answers.get(gain.key)) is None:
            continue
        full = replace(was, state=State.OK, credit=100, finding=None, contradicted=False)
        assert score(changed(inputs, full)).measures.score - before == gain.answer
        proven = replace(
            was, proofs=tuple(next(a for a in fixed(inputs, {gain.key}).answers if a.key == gain.key).proofs)
        )
        assert score(changed(inputs, proven)).measures.score - before == gain.proof


@law
@given(inputs_of())
def test_gains_of_everything_bring_everything_to_100(inputs: Inputs) -> None:
    assume(score(inputs).measures.counted)

    best = score(fixed(inputs, {question.key for question in inputs.version.questions})).measures

    assert (best.claim, best.score, best.verified) == (100, 100, 100)
    assert gains(fixed(inputs, {question.key for question in inputs.version.questions})) == ()


@settings(law, max_examples=100)
@given(nearly_good() | inputs_of())
def test_conditions_lift_to_approval_and_none_can_be_left_out(inputs: Inputs) -> None:
    result = score(inputs)
    if result.recommendation is not Recommendation.CONDITIONAL:
        assert result.conditions == ()
        return

    assert score(fixed(inputs, result.conditions)).recommendation is Recommendation.APPROVE
    for spared in result.conditions:
        rest = set(result.conditions) - {spared}
        assert score(fixed(inputs, rest)).recommendation is Recommendation.CONDITIONAL


def test_golden_gains_say_what_comes_first() -> None:
    first = gains(EX3)[0]

    assert (first.key, first.both, first.knock_out) == ("dat.seg", Fraction(125, 8), False)
    assert display(score(fixed(EX3, {"dat.seg"})).measures.score) == "83.4"
    assert (gains(EX2)[0].answer, gains(EX2)[0].proof) == (0, Fraction(25, 2))
    assert {gain.key for gain in gains(EX3_BLANK) if gain.knock_out} == set()


def test_a_low_domain_is_lifted_before_the_whole() -> None:
    low = changed(EX3, said("iam.review", 0, "attached"), said("iam.mfa", 60, "verified"))

    result = score(low)

    assert result.recommendation is Recommendation.CONDITIONAL
    assert result.conditions == ("iam.review", "dat.seg")
    assert score(fixed(low, result.conditions)).recommendation is Recommendation.APPROVE
