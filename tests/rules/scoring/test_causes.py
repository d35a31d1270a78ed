"""Why a score is not what it was: the single causes add up to each part, exactly, for every number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from portal.scoring.rules import (
    POLICY_1,
    Answer,
    Domain,
    Exposure,
    Finding,
    Held,
    Inputs,
    NotApplicable,
    Policy,
    Proof,
    Question,
    Recommendation,
    State,
    score,
)
from portal.scoring.rules.causes import NUMBERS, Explanation, Part, Thing, explain
from tests.rules.scoring.builders import EX1, EX3, EX4, EX5, G1, LAPSED, TODAY, changed, inputs_of, law, policies, said


def adds_up(found: Explanation) -> None:
    for number in NUMBERS:
        for part in Part:
            total = sum((getattr(each.moved, number) for each in found.of(part)), Fraction())
            assert total == getattr(found.split(number), part.value), (number, part)
    for earlier, later in zip(found.causes, found.causes[1:], strict=False):
        assert earlier.suggested[1] is later.suggested[0], "each step begins where the last one ended"
    if found.causes:
        assert found.causes[0].suggested[0] is found.before.recommendation
        assert found.causes[-1].suggested[1] is found.after.recommendation
    else:
        assert found.before.recommendation is found.after.recommendation


@law
@given(inputs_of(), inputs_of(), st.none() | policies(), st.integers(-30, 30))
def test_the_causes_of_each_part_add_up_between_any_two_scores(
    before: Inputs, after: Inputs, policy: Policy | None, days: int
) -> None:
    after = replace(after, policy=policy or POLICY_1, as_of=after.as_of + timedelta(days=days))
    found = explain(before, after)
    adds_up(found)
    assert found.before == score(before)
    assert found.after == score(after)


@law
@given(inputs_of(), st.data(), st.integers(-30, 400))
def test_the_causes_of_each_part_add_up_within_one_version(inputs: Inputs, data: st.DataObject, days: int) -> None:
    after = data.draw(inputs_of(inputs.version))
    adds_up(explain(inputs, replace(after, as_of=after.as_of + timedelta(days=days))))


@law
@given(inputs_of())
def test_a_score_and_itself_have_no_cause(inputs: Inputs) -> None:
    assert explain(inputs, inputs).causes == ()


def causes(before: Inputs, after: Inputs) -> list[tuple[str, str, str, str, Fraction]]:
    found = explain(before, after)
    adds_up(found)
    return [(each.part.value, each.thing.value, each.key, each.file, each.moved.score) for each in found.causes]


def test_one_answer_is_the_cause_of_what_it_moves() -> None:
    assert causes(EX1, EX4) == [("answers", "answer", "inc.hours", "", Fraction(-12))]


def test_a_file_that_is_gone_is_named_with_the_question_that_it_proved() -> None:
    after = changed(EX1, replace(said("iam.mfa", 100), proofs=()))
    assert causes(EX1, after) == [("evidence", "file", "iam.mfa", "p", Fraction(-15, 2))]


def test_two_files_of_one_answer_are_two_causes_that_add_up() -> None:
    better = changed(EX1, replace(said("inc.test", 50), proofs=(Proof("a"), Proof("b", verified=True))))
    found = causes(EX1, better)
    assert [(key, file) for _, _, key, file, _ in found] == [("inc.test", "a"), ("inc.test", "b")]
    assert sum(each[4] for each in found) == Fraction(5, 8)


def test_a_proof_that_lapses_is_time_and_names_its_question() -> None:
    until = TODAY + timedelta(days=10)
    lasting = changed(
        EX1, replace(said("iam.mfa", 100), proofs=(Proof("p", verified=True, valid_until=until),)), said("inc.test", 50)
    )
    later = replace(lasting, as_of=until + timedelta(days=1))
    assert causes(lasting, later) == [("time", "lapse", "iam.mfa", "", Fraction(-15, 2))]
    assert causes(later, lasting) == [("time", "lapse", "iam.mfa", "", Fraction(15, 2))]


def test_a_document_that_is_held_moves_the_suggestion_and_no_number() -> None:
    less = replace(EX1, held=tuple(each for each in EX1.held if each.kind != "PT"))
    (cause,) = explain(EX1, less).causes
    assert (cause.thing, cause.key, cause.moved.is_nothing) == (Thing.HELD, "e-PT", True)
    assert cause.suggested == (Recommendation.APPROVE, Recommendation.HOLD)
    ends = replace(EX1, held=(*less.held, Held("e-PT", "PT", TODAY)))
    (cause,) = explain(ends, replace(ends, as_of=TODAY + timedelta(days=1))).causes
    assert (cause.part, cause.thing, cause.suggested[1]) == (Part.TIME, Thing.HELD_LAPSE, Recommendation.HOLD)


def test_an_acceptance_that_ends_is_time() -> None:
    until = TODAY + timedelta(days=3)
    kept = changed(
        EX1, Answer("iam.idle", State.NA, not_applicable=NotApplicable("ines", "no idle sessions", until=until))
    )
    found = causes(kept, replace(kept, as_of=until + timedelta(days=1)))
    assert [each[:3] for each in found] == [("time", "lapse", "iam.idle")]


def test_rules_are_opened_into_policy_domains_and_questions() -> None:
    questions = tuple(
        replace(each, weight=4) if each.key == "inc.test" else each for each in G1.questions if each.key != "dat.del"
    )
    version = replace(
        G1,
        digest="g2",
        domains=(Domain("iam", 3), Domain("dat", 5), Domain("inc", 4)),
        questions=(*questions, Question("inc.plan", "inc", 2, 1)),
    )
    after = replace(
        EX1,
        version=version,
        policy=replace(POLICY_1, version=2, factors=((100, 100, 100, 100), (70, 70, 90, 100), (50, 50, 75, 100))),
        answers=tuple(each for each in EX1.answers if each.key != "dat.del"),
    )
    found = causes(EX1, after)
    assert [each[:3] for each in found] == [
        ("rules", "policy", "policy"),
        ("rules", "domain", "inc"),
        ("rules", "question", "dat.del"),
        ("rules", "question", "inc.plan"),
        ("rules", "question", "inc.test"),
    ]


def test_what_is_at_stake_is_an_answer_too() -> None:
    wider = replace(EX3, exposure=Exposure((5,), (5,)))
    assert [each[1] for each in causes(EX3, wider)] == ["stake"]


def test_a_finding_and_a_lapse_of_the_same_question_are_two_causes() -> None:
    judged = changed(EX1, replace(said("iam.mfa", 100, "expired"), finding=Finding(50, "ines", "not all of them")))
    assert [each[:2] for each in causes(EX1, judged)] == [("answers", "answer"), ("evidence", "file")]
    assert LAPSED < TODAY
    assert [each[2] for each in causes(EX1, EX5)] == ["dat.seg", "iam.mfa"]
