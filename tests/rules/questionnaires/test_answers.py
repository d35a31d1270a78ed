"""Answers: what a form may say, the words of a refusal, what is kept, and what it earns."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import (
    Answer,
    Problems,
    Questionnaire,
    compile_yaml,
    credit,
    from_json,
    is_answered,
    lacks,
    parse_answer,
    to_json,
    value_of,
)
from portal.questionnaires.rules.forms import Raw
from tests.rules.questionnaires.samples import law, shipped, small

PARTIAL = {"choice": "partial", "comment": "Two of three sites.", "planned_on": "2027-01-31"}


def taken(sample: Questionnaire, key: str, raw: Raw) -> Answer:
    answer = parse_answer(sample.question(key), raw)
    assert isinstance(answer, Answer), answer
    return answer


def refused(sample: Questionnaire, key: str, raw: Raw, *, draft: bool = False) -> dict[str, str]:
    problems = parse_answer(sample.question(key), raw, draft=draft)
    assert isinstance(problems, Problems), problems
    return problems.by_field()


def test_a_choice_is_taken_with_its_comment(sample: Questionnaire) -> None:
    answer = taken(sample, "one.level", {"choice": "low", "comment": " As\r\nagreed\x00 \u202e"})

    assert answer == Answer(choice="low", comment="As\nagreed")


def test_nothing_chosen_asks_for_a_choice(sample: Questionnaire) -> None:
    assert refused(sample, "one.level", {}) == {"choice": "Choose an answer for “Level”"}
    assert refused(sample, "one.level", {"choice": "other"}) == {"choice": "Choose an answer for “Level”"}


@pytest.mark.parametrize(("typed", "kept"), [("24", "24"), (" 024.50 ", "24.5"), ("0", "0"), ("0.0", "0")])
def test_a_number_is_kept_in_one_form(sample: Questionnaire, typed: str, kept: str) -> None:
    answer = taken(sample, "two.hours", {"number": typed})

    assert value_of(answer) == {"number": kept}


@pytest.mark.parametrize(
    "typed",
    ["-1", "nan", "inf", "1e999", "1e2", "24h", "2,5", ".5", "5.", "+3", "1_000", "٣", "1234567890", "0x10", "1 2"],
)
def test_what_is_no_plain_number_is_refused_with_an_example(sample: Questionnaire, typed: str) -> None:
    assert refused(sample, "two.hours", {"number": typed}) == {"number": "Enter a number in hours, for example 24"}


def test_a_percentage_ends_at_100(sample_text: str) -> None:
    question = compile_yaml(sample_text.replace("unit: hours", "unit: percent").encode(), "s").question("two.hours")

    assert parse_answer(question, {"number": "100"}) == Answer(number=Decimal(100))
    assert isinstance(parse_answer(question, {"number": "100.1"}), Problems)


def test_partly_needs_words_and_a_date(sample: Questionnaire) -> None:
    assert set(refused(sample, "one.scope", {"choice": "partial"})) == {"comment", "planned_on"}
    assert taken(sample, "one.scope", PARTIAL).planned_on == date(2027, 1, 31)


@pytest.mark.parametrize("typed", ["31.1.2027", "2027-02-30", "20270131", "soon", "2027-W01-1"])
def test_a_date_that_is_none_is_refused_once(sample: Questionnaire, typed: str) -> None:
    problems = refused(sample, "one.scope", {**PARTIAL, "planned_on": typed})

    assert problems == {"planned_on": "Enter the date as year-month-day, for example 2026-12-31"}


def test_not_applicable_needs_a_reason(sample: Questionnaire) -> None:
    assert refused(sample, "one.scope", {"choice": "na"}) == {"na_reason": "Enter why this does not apply to you"}
    assert taken(sample, "two.hours", {"na": "1", "na_reason": "We hold none"}) == Answer(
        na=True, na_reason="We hold none"
    )


def test_some_questions_always_apply(sample: Questionnaire) -> None:
    assert refused(sample, "two.reuse", {"choice": "na", "na_reason": "Because"}) == {
        "choice": "Choose an answer for “Reuse”"
    }


def test_a_comment_has_an_end(sample: Questionnaire) -> None:
    assert taken(sample, "two.reuse", {"choice": "yes", "comment": "x" * 4_000})
    assert refused(sample, "two.reuse", {"choice": "yes", "comment": "x" * 4_001}) == {
        "comment": "Shorten the comment to 4,000 characters, or attach a file; it has 4,001"
    }


def test_details_are_read_by_their_kind(sample: Questionnaire) -> None:
    answer = taken(
        sample,
        "one.scope",
        {
            "choice": "yes",
            "details.since": "2025-05-01",
            "details.sites.0.name": "Porto",
            "details.sites.0.people": "012",
            "details.sites.1.name": "",
            "details.sites.7.name": "Łódź",
            "details.other": "ignored",
        },
    )

    assert answer.details == {"since": "2025-05-01", "sites": ({"name": "Porto", "people": "12"}, {"name": "Łódź"})}


def test_a_detail_of_the_wrong_kind_is_refused_at_its_cell(sample: Questionnaire) -> None:
    raw = {"choice": "yes", "details.since": "May", "details.sites.3.people": "many"}

    assert refused(sample, "one.scope", raw) == {
        "details.since": "Since: enter a date as year-month-day, for example 2026-11-30",
        "details.sites.3.people": "People: enter a number, for example 12",
    }


def test_a_table_has_an_end(sample: Questionnaire) -> None:
    raw = {"choice": "yes", **{f"details.sites.{row}.name": "x" for row in range(3)}}

    assert refused(sample, "one.scope", raw) == {
        "details.sites": "Sites: shorten to 2 rows, or attach the rest as a file"
    }


def test_a_draft_keeps_what_was_typed_and_knows_what_it_lacks(sample: Questionnaire) -> None:
    question = sample.question("one.scope")
    draft = parse_answer(question, {"choice": "partial", "comment": "So far"}, draft=True)

    assert draft == Answer(choice="partial", comment="So far")
    assert [need.field for need in lacks(question, draft)] == ["planned_on"]
    assert parse_answer(question, {"comment": "A thought"}, draft=True) == Answer(comment="A thought")


def test_a_draft_is_no_excuse_for_nonsense(sample: Questionnaire) -> None:
    assert set(refused(sample, "two.hours", {"number": "soon"}, draft=True)) == {"number"}


def test_what_is_not_scored_is_never_said_not_to_apply() -> None:
    question = shipped("incident-reattestation").question("rea.reach")

    assert isinstance(parse_answer(question, {"choice": "na", "na_reason": "Too small"}), Problems)
    assert parse_answer(question, {"choice": "unknown"}) == Answer(choice="unknown")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("rea.methods", "Choose at least one option for “How you checked”"),
        ("rea.statements", "Choose what applies for “Outdated statements”, or say in the comment that there is none"),
        ("rea.ours", "Enter at least one row for “Our credentials”, or say in the comment that there is none"),
        ("rea.secrets.share", "Enter a number in percent, for example 100"),
        ("rea.officer", "Choose an answer for “Officer's signature”"),
    ],
)
def test_each_kind_says_how_to_answer_it(key: str, message: str) -> None:
    [need] = lacks(shipped("incident-reattestation").question(key), None)

    assert need.message == message


@pytest.mark.parametrize(
    ("kind", "form", "plain"),
    [
        ("date", {"day": "2026-11-24"}, {"date": "2026-11-24"}),
        ("text", {"text": " Said \n plainly "}, {"text": "Said \n plainly"}),
    ],
)
def test_dates_and_texts_can_be_asked_for(sample_text: str, kind: str, form: Raw, plain: dict[str, str]) -> None:
    asked = sample_text.replace("kind: ynp\n        weight: 1", f"kind: {kind}\n        weight: 0")
    question = compile_yaml(asked.encode(), "sample.yaml").question("two.tenants")
    answer = parse_answer(question, form)

    assert isinstance(answer, Answer)
    assert value_of(answer) == plain
    assert isinstance(parse_answer(question, {}), Problems)


def test_an_empty_table_is_an_answer_once_the_comment_says_so() -> None:
    question = shipped("incident-reattestation").question("rea.ours")

    assert isinstance(parse_answer(question, {}), Problems)
    assert is_answered(question, Answer(comment="None was readable there"))
    assert not is_answered(shipped("incident-reattestation").question("rea.ran"), Answer(comment="None"))


def test_earlier_answers_are_chosen_among_those_on_offer() -> None:
    question = shipped("incident-reattestation").question("rea.statements")
    raw = {"choices": ["ssc.pin", "gov.owner", "ssc.pin"]}

    assert parse_answer(question, raw, offered={"ssc.pin", "gov.owner"}) == Answer(choices=("gov.owner", "ssc.pin"))
    assert isinstance(parse_answer(question, raw, offered={"ssc.pin"}), Problems)


def test_credit_follows_the_option_or_the_first_fitting_step(sample: Questionnaire) -> None:
    level, hours, scope = (sample.question(key) for key in ("one.level", "two.hours", "one.scope"))

    assert [credit(level, Answer(choice=key)) for key in ("high", "low", "none")] == [100, 40, 0]
    assert [credit(scope, Answer(choice=key)) for key in ("yes", "partial", "no")] == [100, 50, 0]
    typed = ("24", "24.01", "72", "72.01")
    assert [credit(hours, Answer(number=Decimal(text))) for text in typed] == [100, 50, 50, 0]


def test_blank_and_not_applicable_have_no_credit(sample: Questionnaire) -> None:
    hours = sample.question("two.hours")

    assert credit(hours, None) is None
    assert credit(hours, Answer(comment="Later")) is None
    assert credit(hours, Answer(na=True, na_reason="None held")) is None


def test_what_is_not_scored_has_no_credit() -> None:
    assert credit(shipped("incident-reattestation").question("rea.logs"), Answer(choice="yes")) is None


keys = st.text("abcdefgh_", min_size=1, max_size=6)
rows = st.lists(st.dictionaries(keys, st.text(max_size=5), max_size=3), max_size=3).map(tuple)
answers = st.builds(
    Answer,
    comment=st.text(max_size=20),
    planned_on=st.none() | st.dates(),
    na_reason=st.text(max_size=20),
    details=st.dictionaries(keys, st.text(max_size=5) | rows, max_size=3),
) | st.one_of(
    st.builds(Answer, choice=keys),
    st.builds(Answer, number=st.integers(0, 999_999_999).map(lambda n: Decimal(n) / 1000)),
    st.builds(Answer, na=st.just(True)),
    st.builds(Answer, choices=st.lists(keys, min_size=1, max_size=3).map(tuple)),
    st.builds(Answer, rows=rows.filter(bool)),
    st.builds(Answer, day=st.dates()),
    st.builds(Answer, text=st.text(min_size=1, max_size=9)),
)


@law
@given(answers)
def test_json_gives_back_the_same_answer(answer: Answer) -> None:
    plain = to_json(answer)

    assert from_json(json.loads(json.dumps(plain))) == answer
    assert list(plain) == sorted(plain)


@pytest.mark.parametrize(
    "plain",
    [
        {"number": 24},
        {"number": "nan"},
        {"choice": None},
        {"na": False},
        {"choices": "abc"},
        {"rows": [1]},
        {"date": "2026-02-30"},
        {"details": []},
        {"details": {"a": 1}},
        {"points": "100"},
    ],
)
def test_json_of_another_shape_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        from_json(plain)


fields = st.sampled_from(
    [
        "choice",
        "na",
        "number",
        "comment",
        "planned_on",
        "na_reason",
        "choices",
        "day",
        "text",
        "rows.0.name",
        "details.since",
        "details.sites",
        "details.sites.0.name",
        "details.sites.x.name",
        "details.sites.99999.name",
        "details.sites.².people",
        "details",
    ]
)
typed_values = st.text(max_size=30) | st.sampled_from(
    ["yes", "no", "partial", "na", "high", "1e999", "2027-01-31", "7"]
)


@law
@given(st.dictionaries(fields, typed_values | st.lists(typed_values, max_size=3), max_size=6), st.booleans())
def test_any_form_is_an_answer_or_a_refusal_in_words(form: dict[str, str | list[str]], draft: bool) -> None:
    for question in small().questions:
        result = parse_answer(question, form, draft=draft)
        if isinstance(result, Problems):
            assert all(item.message for item in result.items)
            assert not any(word in item.message.lower() for item in result.items for word in ("invalid", "please"))
        else:
            assert from_json(to_json(result)) == result
            worth = credit(question, result)
            assert worth is None or 0 <= worth <= 100
            assert draft or not lacks(question, result)
