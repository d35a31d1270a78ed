"""Which questions are asked of whom, and what blocks signing."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import (
    Answer,
    Facts,
    Progress,
    Questionnaire,
    QuestionState,
    compile_yaml,
    missing,
    progress,
    state_of,
    visible,
)
from tests.rules.questionnaires.samples import SAMPLE, law, shipped, small

WIDE = Facts(multi=True, dmax=3)
COMPLETE = {
    "one.level": Answer(choice="high"),
    "one.scope": Answer(choice="yes"),
    "two.hours": Answer(number=Decimal(24)),
    "two.reuse": Answer(choice="yes"),
    "two.tenants": Answer(choice="yes"),
}


def states(tier: int, facts: Facts, answers: dict[str, Answer], questionnaire: Questionnaire | None = None) -> str:
    found = state_of(questionnaire or small(), tier, facts, answers)
    return " ".join(state.value for state in found.values())


def test_an_unanswered_question_hides_its_follow_up_as_zero() -> None:
    assert states(1, WIDE, {}) == "blank zero blank blank blank"


def test_a_good_answer_opens_the_follow_up() -> None:
    assert states(1, WIDE, {"one.level": Answer(choice="low")}) == "answered blank blank blank blank"


def test_a_bad_answer_closes_it_even_if_it_was_answered_before() -> None:
    assert (
        states(1, WIDE, {**COMPLETE, "one.level": Answer(choice="none")}) == "answered zero answered answered answered"
    )


def test_claiming_that_it_does_not_apply_opens_no_follow_up() -> None:
    answers = {**COMPLETE, "one.level": Answer(na=True, na_reason="New company")}

    assert states(1, WIDE, answers) == "na_claimed zero answered answered answered"


@pytest.mark.parametrize("facts", [Facts(dmax=3), Facts(multi=True, dmax=2)])
def test_a_fact_that_is_not_so_excludes_the_question(facts: Facts) -> None:
    assert states(1, facts, COMPLETE) == "answered answered answered answered hidden"


def test_other_tiers_are_excluded_with_their_follow_ups() -> None:
    assert states(3, WIDE, {}) == "hidden hidden blank blank hidden"


def test_a_follow_up_of_an_excluded_question_is_excluded() -> None:
    text = SAMPLE.replace("tiers: [1, 2]\n        requires", "tiers: [1, 2, 3]\n        requires")

    assert states(3, WIDE, {}, compile_yaml(text.encode(), "s")) == "hidden hidden blank blank hidden"


def test_words_beside_an_answer_are_no_answer() -> None:
    assert states(1, WIDE, {"one.level": Answer(comment="Soon")}) == "blank zero blank blank blank"


def test_only_what_is_asked_is_visible() -> None:
    assert [question.key for question in visible(small(), 1, Facts(), {})] == ["one.level", "two.hours", "two.reuse"]


def test_what_blocks_signing_is_listed_in_order_with_its_cure() -> None:
    answers = {
        **COMPLETE,
        "one.scope": Answer(choice="partial", comment="Two of three"),
        "two.hours": Answer(),
        "two.tenants": Answer(na=True),
    }

    found = missing(small(), 1, WIDE, answers)

    assert [(item.number, item.field) for item in found] == [
        ("1.2", "planned_on"),
        ("2.1", "number"),
        ("2.3", "na_reason"),
    ]
    assert found[1].message == "Enter a number in hours, for example 24"


def test_nothing_blocks_a_complete_questionnaire() -> None:
    assert missing(small(), 1, WIDE, COMPLETE) == ()


def test_a_hidden_question_blocks_nothing() -> None:
    closed = {**COMPLETE, "one.level": Answer(choice="none"), "one.scope": Answer(choice="partial")}

    assert missing(small(), 1, WIDE, closed) == ()


def test_progress_counts_complete_answers_of_those_asked() -> None:
    answers = {**COMPLETE, "one.scope": Answer(choice="partial")}

    assert progress(small(), 1, WIDE, answers) == (Progress("one", 1, 2), Progress("two", 3, 3))
    assert progress(small(), 3, WIDE, answers) == (Progress("two", 2, 2),)


given_answers = st.fixed_dictionaries(
    {},
    optional={
        "one.level": st.sampled_from(["high", "low", "none"]).map(lambda key: Answer(choice=key)),
        "one.scope": st.sampled_from(["yes", "partial", "no"]).map(lambda key: Answer(choice=key)),
        "two.hours": st.integers(0, 200).map(lambda hours: Answer(number=Decimal(hours))),
        "two.reuse": st.sampled_from(["yes", "no"]).map(lambda key: Answer(choice=key)),
        "two.tenants": st.just(Answer(na=True, na_reason="One customer")),
    },
)


@law
@given(st.integers(1, 3), st.booleans(), st.integers(0, 5), given_answers)
def test_every_question_has_one_state_and_the_lists_agree(
    tier: int, multi: bool, dmax: int, answers: dict[str, Answer]
) -> None:
    questionnaire, facts = small(), Facts(multi=multi, dmax=dmax)
    found = state_of(questionnaire, tier, facts, answers)
    shown = [question.key for question in visible(questionnaire, tier, facts, answers)]

    assert list(found) == [question.key for question in questionnaire.questions]
    assert shown == [key for key, state in found.items() if state not in (QuestionState.HIDDEN, QuestionState.ZERO)]
    assert {item.key for item in missing(questionnaire, tier, facts, answers)} <= set(shown)
    assert sum(line.asked for line in progress(questionnaire, tier, facts, answers)) == len(shown)


@law
@given(given_answers, st.sampled_from(["one.level", "one.scope", "two.hours", "two.reuse", "two.tenants"]))
def test_answers_alone_never_exclude_a_question(answers: dict[str, Answer], dropped: str) -> None:
    """P11 of scoring.md: what leaves the denominator is decided by facts and reviewers."""
    fewer = {key: answer for key, answer in answers.items() if key != dropped}

    def hidden(given: dict[str, Answer]) -> set[str]:
        return {key for key, state in state_of(small(), 1, WIDE, given).items() if state is QuestionState.HIDDEN}

    assert hidden(answers) == hidden(fewer) == set()


def test_device_questions_follow_whose_devices_they_are() -> None:
    questionnaire = shipped("ai-contractor")
    facts = Facts(dmax=3)

    def device_questions(byod: bool) -> set[str]:
        shown = visible(questionnaire, 1, replace(facts, byod=byod), {})
        return {question.key for question in shown} & {"end.managed", "end.byod"}

    assert device_questions(byod=False) == {"end.managed"}
    assert device_questions(byod=True) == {"end.byod"}


def test_places_are_asked_once_it_ran() -> None:
    questionnaire = shipped("incident-reattestation")

    def is_asked(choice: str) -> bool:
        states = state_of(questionnaire, 1, Facts(), {"rea.ran": Answer(choice=choice)})
        return states["rea.places"] is QuestionState.BLANK

    assert [is_asked(key) for key in ("no_everywhere", "no_part", "ran", "unknown")] == [False, False, True, False]


def test_a_planned_date_completes_a_partial_answer() -> None:
    partial = Answer(choice="partial", comment="Two of three", planned_on=date(2027, 1, 31))

    assert missing(small(), 1, WIDE, {**COMPLETE, "one.scope": partial}) == ()
