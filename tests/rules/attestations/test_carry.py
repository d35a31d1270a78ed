"""What becomes of earlier answers: each has one fate, and none is taken over under another claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.attestations.rules import (
    UNSEEN,
    BlockerKind,
    Carried,
    Cause,
    Earlier,
    Fate,
    Standing,
    blockers,
    fate_of,
    fits,
    moved,
    plan,
    progress,
    same_fact,
    why_not_carried,
)
from portal.questionnaires.rules import (
    Answer,
    Facts,
    Question,
    Questionnaire,
    compile_yaml,
    is_answered,
    state_of,
    to_json,
)
from portal.terms import EvidenceState, ScanState
from tests.factories.carrying import V1, V2
from tests.factories.definitions import answers_for, compiled, decided, definitions, edited, facts
from tests.rules.questionnaires.samples import law

TIER = 2
few = settings(law, max_examples=40)
Contents = dict[str, dict[str, Any]]


def old() -> Questionnaire:
    return compile_yaml(V1.encode(), "v1.yaml")


def new() -> Questionnaire:
    return compile_yaml(V2.encode(), "v2.yaml")


def fate(
    key: str, content: Mapping[str, Any], after: Question | None = None, **changed: Any
) -> tuple[Fate, set[Cause]]:
    """The fate of an answer to version 1 under the same question with something changed."""
    question = old().question(key)
    found = fate_of(Earlier(key, question, content), after or replace(question, **changed))
    return found.fate, set(found.causes)


def test_the_same_question_takes_the_same_answer() -> None:
    assert fate("acc.mfa", {"choice": "yes", "comment": "All."}) == (Fate.TO_CONFIRM, set())


def test_other_words_weights_and_conditions_of_the_same_claim_make_no_difference() -> None:
    changed = {"text": "Other words.", "label": "Other", "weight": 9, "when": None, "requires": None, "guidance": ""}

    assert fate("acc.sso", {"choice": "yes"}, **changed) == (Fate.TO_CONFIRM, set())


def test_another_claim_is_attested_again() -> None:
    assert fate("acc.mfa", {"choice": "yes"}, revision=2) == (Fate.RE_ATTEST, {Cause.CLAIM})


def test_another_kind_is_attested_again() -> None:
    assert fate("acc.mfa", {"choice": "yes"}, after=old().question("acc.leavers")) == (Fate.RE_ATTEST, {Cause.KIND})


@pytest.mark.parametrize(("chosen", "expected"), [("monthly", {Cause.OPTION}), ("yearly", set())])
def test_only_the_option_that_was_chosen_counts(chosen: str, expected: set[Cause]) -> None:
    found = fate("ppl.training", {"choice": chosen}, after=new().question("ppl.training"))

    assert found == (Fate.RE_ATTEST if expected else Fate.TO_CONFIRM, expected)


@pytest.mark.parametrize(
    ("key", "content", "changed"),
    [
        ("acc.leavers", {"number": "24"}, {"unit": "days"}),
        ("acc.mfa", {"choice": "yes", "details": {"since": "2025"}}, {}),
        ("acc.mfa", {"choice": "yes", "compensating": "A guard."}, {}),
        ("acc.mfa", {"na": True, "na_reason": "None."}, {"weight": 0}),
    ],
)
def test_what_does_not_fit_any_more_is_attested_again(
    key: str, content: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert fate(key, content, **changed) == (Fate.RE_ATTEST, {Cause.SHAPE})


def test_a_question_that_is_gone_archives_its_answer() -> None:
    assert fate_of(Earlier("ppl.badges", old().question("ppl.badges"), {"choice": "no"}), None).fate is Fate.ARCHIVED


@few
@given(st.data())
def test_every_signed_answer_fits_its_own_question(data: st.DataObject) -> None:
    questionnaire = compiled(data.draw(definitions()))

    for key, answer in data.draw(answers_for(questionnaire)).items():
        assert fits(questionnaire.question(key), to_json(answer)), (key, answer)


def versions(data: st.DataObject) -> tuple[Questionnaire, Questionnaire, Contents]:
    """Two versions with an author's decisions between them, and answers to the first."""
    first = data.draw(definitions())
    second = data.draw(decided(first, data.draw(edited(first))))
    before, after = compiled(first), compiled(second)
    return before, after, {key: to_json(answer) for key, answer in data.draw(answers_for(before)).items()}


@few
@given(st.data())
def test_each_answer_has_one_fate_and_none_is_kept_under_another_claim(
    data: st.DataObject,
) -> None:
    before, after, contents = versions(data)
    shuffled = dict(data.draw(st.permutations(list(contents.items()))))
    found = moved(before, after, contents)

    assert moved(before, after, shuffled) == found
    assert sorted([*found.kept, *found.re_attest, *found.archived]) == sorted(contents)
    for key in found.kept:
        then, now, content = before.question(key), after.question(key), contents[key]
        assert (then.revision, then.kind, then.unit) == (now.revision, now.kind, now.unit)
        picked = {content["choice"]} if "choice" in content else set(content.get("choices", ()))
        assert picked <= {option.key for option in now.choices}
        assert fits(now, content)
    assert all(key in after for key in found.re_attest)
    assert not any(key in after for key in found.archived)


def carried(before: Questionnaire, after: Questionnaire, contents: Contents) -> dict[str, Carried]:
    fates = {
        key: fate_of(Earlier(key, before.question(key), content), after.question(key) if key in after else None).fate
        for key, content in contents.items()
    }
    return {key: Carried(fates[key], contents[key]) for key in contents}


@few
@given(st.data(), facts(), st.integers(1, 3))
def test_a_plan_names_every_question_asked_once_and_nothing_else(data: st.DataObject, known: Facts, tier: int) -> None:
    before, after, contents = versions(data)
    beside = carried(before, after, contents)
    done = plan(after, tier, known, beside)

    waiting = {key: each.answer for key, each in beside.items() if each.fate is Fate.TO_CONFIRM}
    states = state_of(after, tier, known, waiting)
    asked = [question.key for question in after.questions if states[question.key] not in UNSEEN]
    assert sorted([*done.to_confirm, *done.re_attest, *done.new]) == sorted(asked)
    assert set(done.archived) == {key for key in contents if key not in after}
    shuffled = dict(data.draw(st.permutations(list(beside.items()))))
    assert plan(after, tier, known, shuffled) == done


@few
@given(st.data(), facts(), st.integers(1, 3))
def test_confirming_all_that_waits_leaves_what_else_there_is_to_do(
    data: st.DataObject, known: Facts, tier: int
) -> None:
    before, after, contents = versions(data)
    beside = carried(before, after, contents)
    first = plan(after, tier, known, beside)
    answers = {key: beside[key].answer for key in first.to_confirm}
    left = {key: each for key, each in beside.items() if key not in answers}
    then = plan(after, tier, known, left, answers)

    assert (then.to_confirm, then.re_attest, then.new) == ((), first.re_attest, first.new)


def standing(**given_: Any) -> Standing:
    first = Standing(
        questionnaire=new(),
        tier=TIER,
        facts=Facts(modes=frozenset({"A2"})),
        answers={},
        citations={},
        unsettled=(),
        asked=frozenset(),
        reopened=None,
        signed={},
    )
    return replace(first, **given_)


WAITING = {"acc.mfa": Answer(choice="yes"), "acc.sso": Answer(choice="yes"), "acc.reviews": Answer(choice="yearly")}


def test_what_waits_is_one_blocker_and_not_also_an_answer_that_is_missing() -> None:
    found = blockers(standing(carried=WAITING))

    assert [each.sentence for each in found if each.kind is BlockerKind.CONFIRM] == [
        "Confirm 3 answers from your earlier attestation"
    ]
    missing = {each.question_key for each in found if each.kind is BlockerKind.ANSWER}
    assert missing == {"acc.leavers", "ppl.vetting", "ppl.training", "ppl.desks", "ppl.phones"}


def test_one_answer_that_waits_is_said_in_the_singular() -> None:
    found = blockers(standing(carried={"acc.mfa": Answer(choice="yes")}))

    assert found[0].sentence == "Confirm 1 answer from your earlier attestation"


def test_what_waits_brings_up_its_follow_ups_and_answers_nothing() -> None:
    now = standing(carried=WAITING)

    assert "acc.sso" in {each.key for each in now.visible()}
    assert not any(is_answered(each, now.answers.get(each.key)) for each in now.visible())
    assert {each.key: (each.answered, each.total) for each in progress(now)} == {"acc": (0, 4), "ppl": (0, 4)}


def test_an_answer_has_its_say_before_what_waits() -> None:
    now = standing(carried={"acc.sso": Answer(choice="yes")}, answers={"acc.mfa": Answer(choice="no")})

    assert "acc.sso" not in {each.key for each in now.visible()}
    assert not any(each.kind is BlockerKind.CONFIRM for each in blockers(now))


def test_a_fact_is_the_same_while_it_asks_the_same() -> None:
    one = old().fact("scp.office")

    assert same_fact(one, replace(one, help="More words.", text=f"  {one.text} "))
    assert not same_fact(one, new().fact("scp.office"))
    assert not same_fact(one, replace(one, options=one.options[:1]))


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({}, ""),
        ({"valid_until": date(2026, 9, 30)}, "ended on 30 September 2026"),
        ({"valid_until": date(2026, 11, 24)}, ""),
        ({"removed": True}, "was removed"),
        ({"state": EvidenceState.REJECTED}, "was turned down"),
        ({"scan": ScanState.INFECTED}, "was turned down"),
        ({"scan": ScanState.PENDING}, "is still being checked"),
        ({"state": EvidenceState.REJECTED, "valid_until": date(2026, 9, 30)}, "was turned down"),
    ],
)
def test_a_file_comes_over_while_it_can_prove_something(given_: dict[str, Any], why: str) -> None:
    first: dict[str, Any] = {
        "state": EvidenceState.ATTACHED,
        "scan": ScanState.CLEAN,
        "removed": False,
        "valid_until": None,
        "on": date(2026, 11, 24),
    }

    assert why_not_carried(**{**first, **given_}) == why
