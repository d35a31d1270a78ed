"""G7: the difference of two scores splits exactly into answers, rules, evidence and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from portal.scoring.rules import (
    POLICY_1,
    Exposure,
    Inputs,
    Policy,
    Proof,
    Recommendation,
    Split,
    difference,
    score,
    steps,
)
from tests.rules.scoring.builders import EX1, EX3, EX4, G1, LAPSED, changed, inputs_of, law, policies, said

NOTHING = Fraction()


@law
@given(inputs_of(), inputs_of(), st.none() | policies(), st.integers(-30, 30))
def test_g7_the_parts_sum_to_the_whole_difference(
    before: Inputs, after: Inputs, policy: Policy | None, days: int
) -> None:
    after = replace(after, policy=policy or POLICY_1, as_of=after.as_of + timedelta(days=days))
    old, new = score(before), score(after)

    parts = difference(before, after)

    assert parts.claim.total == new.measures.claim - old.measures.claim
    assert parts.score.total == new.measures.score - old.measures.score
    assert parts.verified.total == new.measures.verified - old.measures.verified
    assert parts.strength.total == new.strength - old.strength
    assert parts.residual.total == new.residual - old.residual
    assert parts.recommendations[0] is old.recommendation
    assert parts.recommendations[-1] is new.recommendation
    assert steps(before, after)[-1] == after


@law
@given(inputs_of(), st.data())
def test_g7_what_did_not_change_has_no_part(inputs: Inputs, data: st.DataObject) -> None:
    again = data.draw(inputs_of(inputs.version))
    proofs = {answer.key: answer.proofs for answer in inputs.answers}
    same_answers = replace(
        inputs,
        answers=tuple(replace(a, proofs=(Proof("other", verified=True),)) for a in inputs.answers),
        held=again.held,
    )
    same_evidence = replace(
        again,
        answers=tuple(replace(a, proofs=proofs.get(a.key, ())) for a in again.answers),
        held=inputs.held,
    )

    by_evidence = difference(inputs, same_answers).score
    by_answers = difference(inputs, same_evidence).score
    by_time = difference(inputs, replace(inputs, as_of=inputs.as_of + timedelta(days=20))).score

    assert by_evidence == Split(NOTHING, NOTHING, by_evidence.total, NOTHING)
    assert by_answers == Split(by_answers.total, NOTHING, NOTHING, NOTHING)
    assert by_time == Split(NOTHING, NOTHING, NOTHING, by_time.total)
    assert difference(inputs, inputs).score.total == 0


def test_g7_two_proofs_that_lapse_are_a_matter_of_time_alone() -> None:
    lapsing = Proof("p", verified=True, valid_until=LAPSED)
    before = replace(
        changed(
            EX1,
            replace(said("iam.mfa", 100), proofs=(lapsing,)),
            replace(said("dat.seg", 100), proofs=(lapsing,)),
        ),
        as_of=LAPSED,
    )

    parts = difference(before, replace(before, as_of=EX1.as_of))

    assert parts.score == Split(NOTHING, NOTHING, NOTHING, Fraction(13271, 200) - Fraction(2237, 25))
    assert parts.recommendations == (Recommendation.APPROVE,) * 4 + (Recommendation.HOLD,)


def test_g7_a_worse_answer_and_a_new_proof_are_told_apart() -> None:
    after = changed(EX4, said("inc.test", 50, "verified"))

    parts = difference(EX1, after)

    assert parts.score.answers == Fraction(1937, 25) - Fraction(2237, 25)
    assert parts.score.evidence == Fraction(2, 10) * Fraction(1, 4) * Fraction(25, 2)
    assert (parts.score.rules, parts.score.time) == (0, 0)


def test_g7_the_same_claim_at_another_credit_is_a_change_of_rules() -> None:
    reworth = replace(G1, digest="g1-2")
    was = replace(said("iam.idle", 100), claim="after 15 minutes")
    before = changed(EX1, was)

    parts = difference(before, replace(changed(before, replace(was, credit=50)), version=reworth))
    answered = difference(before, changed(before, replace(was, credit=50)))

    assert (parts.score.answers, parts.score.rules) == (0, Fraction(-3))
    assert (answered.score.answers, answered.score.rules) == (Fraction(-3), 0)


def test_g7_a_question_that_came_with_the_version_is_a_change_of_rules() -> None:
    smaller = replace(G1, digest="g0", questions=tuple(q for q in G1.questions if q.key != "inc.test"))
    before = replace(EX1, version=smaller, answers=tuple(a for a in EX1.answers if a.key != "inc.test"))

    parts = difference(before, EX1)
    back = difference(EX1, before)

    assert (parts.score.answers, parts.score.evidence, parts.score.time) == (0, 0, 0)
    assert parts.score.rules < 0
    assert back.score.rules == -parts.score.rules


def test_g7_a_changed_scoping_fact_belongs_to_the_answers() -> None:
    wider = replace(EX3, exposure=Exposure((4,), (3,), open_crowd=True))

    parts = difference(EX3, wider)

    assert parts.residual.answers == parts.residual.total > 0
