"""What the language can ask for besides choices and numbers, what it remarks, and what answers must say together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import (
    Answer,
    ConditionError,
    DefinitionError,
    Facts,
    Over,
    Period,
    Problems,
    Questionnaire,
    Severity,
    broken,
    compile_yaml,
    earns_less,
    from_json,
    is_answered,
    kept,
    lacks,
    lint,
    parse,
    parse_answer,
    state_of,
    to_json,
    value_of,
    warned,
    with_files,
)
from tests.rules.questionnaires.every_kind import EVERY_KIND, every_kind
from tests.rules.questionnaires.samples import SAMPLE, law, small


def said(key: str, form: dict[str, str], *, draft: bool = False) -> Answer:
    answer = parse_answer(every_kind().question(key), form, draft=draft)
    assert isinstance(answer, Answer), answer
    return answer


def refused(key: str, form: dict[str, str], *, draft: bool = True) -> dict[str, str]:
    problems = parse_answer(every_kind().question(key), form, draft=draft)
    assert isinstance(problems, Problems)
    return problems.by_field()


def messages(source: str) -> list[str]:
    return [problem.message for problem in lint(compile_yaml(source.encode(), "x.yaml"))]


def changed(old: str, new: str) -> str:
    assert old in EVERY_KIND
    return EVERY_KIND.replace(old, new, 1)


def test_a_questionnaire_with_every_kind_of_question_is_clean() -> None:
    assert lint(every_kind()) == []


# Periods


def test_a_period_has_a_first_and_a_last_day() -> None:
    answer = said("fac.period", {"from": "2025-10-01", "to": "2026-09-30"})

    assert answer.period == Period(date(2025, 10, 1), date(2026, 9, 30))
    assert value_of(answer) == {"range": {"from": "2025-10-01", "to": "2026-09-30"}}
    assert from_json(to_json(answer)) == answer


@pytest.mark.parametrize("last", ["2025-10-01", "2025-09-30"])
def test_the_end_of_a_period_must_be_after_its_start(last: str) -> None:
    words = "The end of the period must be after its start, 1 October 2025"

    assert refused("fac.period", {"from": "2025-10-01", "to": last}) == {"to": words}


def test_half_a_period_is_kept_and_asked_to_be_completed() -> None:
    question = every_kind().question("fac.period")
    half = said("fac.period", {"from": "2025-10-01"}, draft=True)

    assert is_answered(question, half)
    assert [each.field for each in lacks(question, half)] == ["to"]
    assert from_json(to_json(half)) == half
    assert [each.field for each in lacks(question, Answer(period=Period(None, date(2026, 1, 1))))] == ["from"]
    assert [each.field for each in lacks(question, None)] == ["from"]


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "https://trust.example/report",
        "http://trust.example",
        "https://trust.example:8443/a?b=c&d=%20#e",
        "https://[2001:db8::1]/x",
        "https://xn--bcher-kva.example/",
    ],
)
def test_a_web_address_is_taken_as_it_is(address: str) -> None:
    assert said("fac.page", {"url": f" {address} "}).url == address


@pytest.mark.parametrize(
    "address",
    [
        "trust.example",
        "//trust.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://trust.example/",
        "https://user:word@trust.example/",
        "https://",
        "https:///path",
        "https://a..example/",
        "https://trust.example/a b",
        'https://trust.example/"><script>',
        "https://trust.example\\@evil.example/",
        "HTTPS://TRUST.EXAMPLE/\x00",
    ][:-1],
)
def test_what_is_no_web_address_is_refused_with_an_example(address: str) -> None:
    assert "for example https://trust.example/report" in refused("fac.page", {"url": address})["url"]


def test_a_web_address_is_bounded() -> None:
    words = refused("fac.page", {"url": "https://trust.example/" + "a" * 500})["url"]

    assert words == "Shorten the address to 500 characters; this has 522"


# Files


def test_a_request_for_a_file_is_answered_by_a_file_or_by_why_there_is_none() -> None:
    question = every_kind().question("fac.diagram")

    assert not is_answered(question, None)
    assert not is_answered(question, Answer())
    assert is_answered(question, Answer(comment="It is drawn on a wall."))
    assert is_answered(question, with_files(every_kind(), {}, {"fac.diagram": 1})["fac.diagram"])
    assert [each.message for each in lacks(question, None)] == [
        "Attach a file for “Diagram”, or say in the comment why you cannot"
    ]


def test_files_of_other_questions_answer_nothing() -> None:
    assert with_files(every_kind(), {}, {"sco.owner": 2, "fac.diagram": 0}) == {}


def test_how_many_files_there_are_is_not_part_of_what_was_said() -> None:
    assert Answer(files=2) == Answer()
    assert to_json(Answer(files=2)) == {}


# Texts, tables and detail fields


def test_a_short_text_is_one_line_and_bounded() -> None:
    assert said("fac.contact", {"text": "Ada,\n 555 0100"}).text == "Ada, 555 0100"
    assert refused("fac.contact", {"text": "a" * 201}) == {"text": "Shorten the answer to 200 characters; it has 201"}


def test_a_table_has_typed_columns() -> None:
    row = {"name": "Hostwell", "staff": "007", "since": "2024-02-29", "role": "host", "agreed": "yes"}
    form = {f"rows.0.{key}": value for key, value in {**row, "page": "https://hostwell.example/"}.items()}

    assert said("fac.suppliers", form).rows == ({**row, "staff": "7", "page": "https://hostwell.example/"},)
    wrong = {
        "rows.0.staff": "few",
        "rows.0.since": "soon",
        "rows.0.role": "x",
        "rows.0.page": "x",
        "rows.0.agreed": "1",
    }
    assert set(refused("fac.suppliers", wrong)) == set(wrong)


def test_too_few_rows_are_asked_for_unless_the_comment_says_why() -> None:
    question = every_kind().question("sco.level")
    form = {"choice": "type2", "details.sites.0.place": "Oslo"}

    assert lacks(question, said("sco.level", form, draft=True))[0].message == (
        "Enter at least 2 rows for “Sites in scope”, or say in the comment why there are fewer; it has 1 row"
    )
    assert lacks(question, said("sco.level", {**form, "comment": "We have one site."})) == ()
    assert lacks(question, said("sco.level", {**form, "details.sites.1.place": "Bergen"})) == ()
    assert lacks(question, said("sco.level", {"choice": "type2"})) == ()


def test_detail_fields_have_the_same_kinds() -> None:
    form = {
        "choice": "type2",
        "details.period.from": "2025-01-01",
        "details.period.to": "2025-12-31",
        "details.exceptions": "no",
        "details.page": "https://trust.example/",
        "details.auditor": "Ledger and Reed",
    }

    assert dict(said("sco.level", form).details) == {
        "period": "2025-01-01/2025-12-31",
        "exceptions": "no",
        "page": "https://trust.example/",
        "auditor": "Ledger and Reed",
    }
    wrong = {
        "details.period.from": "2025-12-31",
        "details.period.to": "2025-01-01",
        "details.exceptions": "perhaps",
        "details.page": "trust.example",
        "details.auditor": "a" * 201,
    }
    assert set(refused("sco.level", wrong)) == set(wrong) - {"details.period.from"}


# What is done instead


def test_what_is_done_instead_is_kept_beside_the_answer_and_earns_nothing() -> None:
    question = every_kind().question("sco.reuse")
    owner = every_kind().question("sco.owner")
    answer = said("sco.owner", {"choice": "no", "compensating": "The board decides."})

    assert to_json(answer) == {"choice": "no", "compensating": "The board decides."}
    assert from_json(to_json(answer)) == answer
    assert earns_less(owner, answer)
    assert not earns_less(owner, Answer(choice="yes"))
    assert not earns_less(owner, None)
    # A question that does not offer it does not take it.
    assert to_json(said("sco.reuse", {"choice": "no", "compensating": "x"})) == {"choice": "no"}
    assert question.compensating == ""


def test_the_words_that_ask_for_it_may_be_ones_own() -> None:
    assert every_kind().question("sco.owner").compensating == "What do you do instead?"
    assert every_kind().question("sco.tests").compensating == "How do you find out instead?"


# Warnings


@pytest.mark.parametrize(
    ("key", "answer", "severities"),
    [
        ("sco.owner", Answer(choice="no"), [Severity.WATCH, Severity.STOP]),
        ("sco.owner", Answer(choice="partial"), [Severity.WATCH]),
        ("sco.owner", Answer(choice="yes"), []),
        ("sco.owner", Answer(na=True, na_reason="x"), []),
        ("sco.owner", Answer(comment="x"), []),
        ("sco.owner", None, []),
        ("sco.hours", Answer(number=Decimal("72")), []),
        ("sco.hours", Answer(number=Decimal("72.5")), [Severity.STOP]),
        ("fac.since", Answer(day=date(2026, 1, 2)), [Severity.INFO]),
        ("fac.since", Answer(day=date(2026, 1, 1)), []),
    ],
)
def test_a_weak_answer_is_remarked_on(key: str, answer: Answer | None, severities: list[Severity]) -> None:
    question = every_kind().question(key)

    assert [each.severity for each in warned(question, answer)] == severities
    assert lacks(question, answer) == () or not severities or answer == Answer(choice="partial")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('when: "answer=type1"', 'when: "answer=type9"', "“type9” is not an answer to “sco.level”"),
        ('when: "answer=type1"', 'when: "answer>3"', "“sco.level” is not a number"),
        ('when: "answer>72"', 'when: "answer=no"', "is a number and is compared with a number"),
        ('when: "answer>72"', 'when: "answer>5 and answer<3"', "so this warning never appears"),
        ('when: "answer>2026-01-01"', 'when: "answer>3"', "is a date and is compared with a day"),
        (
            "length: short\n        weight",
            'warnings: [{when: "answer=x", severity: info, text: Hm.}]\n        weight',
            "cannot be compared",
        ),
    ],
)
def test_a_warning_speaks_of_what_its_question_can_say(old: str, new: str, words: str) -> None:
    assert any(words in message for message in messages(changed(old, new)))


# Conditions


@pytest.mark.parametrize(
    ("source", "answer", "holds"),
    [
        ("ans(q.a) in (x, y)", Answer(choice="y"), True),
        ("ans(q.a) in (x, y)", Answer(choice="z"), False),
        ("ans(q.a) in (x, y)", Answer(choices=("z", "x")), True),
        ("ans(q.a) in (1, 2)", Answer(number=Decimal(2)), True),
        ("not ans(q.a) in (x)", Answer(), True),
        ("ans(q.a)>=2026-01-31", Answer(day=date(2026, 1, 31)), True),
        ("ans(q.a)<2026-01-31", Answer(day=date(2026, 1, 31)), False),
        ("ans(q.a)=2026-01-31", Answer(choice="x"), False),
        ("ans(q.a)>=ans(q.b)", Answer(number=Decimal(9)), True),
        ("ans(q.a)<ans(q.b)", Answer(number=Decimal(9)), False),
        ("ans(q.a)=ans(q.b)", Answer(day=date(2026, 1, 1)), False),
        ("ans(q.a)>=ans(q.c)", Answer(number=Decimal(9)), False),
    ],
)
def test_answers_are_looked_for_in_lists_and_compared_with_days_and_each_other(
    source: str, answer: Answer, holds: bool
) -> None:
    others = {"q.b": Answer(number=Decimal(7))}

    assert parse(source, Over.ANSWERS).evaluate(Facts(), {"q.a": answer, **others}) is holds


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("field(q.a, n)>5", True),
        ("field(q.a, n)=7.0", True),
        ("field(q.a, d)<2026-01-01", True),
        ("field(q.a, c)=big", True),
        ("field(q.a, c) in (small, big)", True),
        ("field(q.a, c)", True),
        ("field(q.a, none)", False),
        ("field(q.a, none)=x", False),
        ("field(q.a, d)<=field(q.a, e)", True),
        ("field(q.a, d)>ans(q.a)", False),
        ("ans(q.b)>=field(q.a, n)", True),
        ("field(q.a, n)>field(q.a, d)", False),
    ],
)
def test_a_rule_reads_detail_fields(source: str, holds: bool) -> None:
    details = {"n": "7", "d": "2025-10-01", "e": "2025-12-31", "c": "big"}
    answers = {"q.a": Answer(choice="x", details=details), "q.b": Answer(number=Decimal(7))}

    assert parse(source, Over.RULE).evaluate(Facts(), answers) is holds


@pytest.mark.parametrize(
    ("source", "over", "words"),
    [
        ("answer=no", Over.FACTS, "belongs in the `when` of a warning"),
        ("answer=no", Over.ANSWERS, "belongs in the `when` of a warning"),
        ("ans(q.a)=no", Over.OWN, "speaks of `answer`"),
        ("multi", Over.OWN, "speaks of `answer`"),
        ("multi", Over.RULE, "A rule speaks of answers and detail fields"),
        ("field(q.a, b)", Over.ANSWERS, "a detail field belongs in a rule"),
        ("ans(q.a)", Over.RULE, "Expected one of = != < <= > >="),
        ("ans(q.a)>2026-02-30", Over.ANSWERS, "is not a day of the calendar"),
        ("ans(q.a)>2026-02-01x", Over.ANSWERS, "is not understood here"),
        ("ans(q.a) in ()", Over.ANSWERS, "Expected an option, a number or a day"),
        ("ans(q.a)>big", Over.ANSWERS, "compares numbers and days"),
    ],
)
def test_a_condition_keeps_to_what_it_may_speak_of(source: str, over: Over, words: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        parse(source, over)

    assert words in refusal.value.message


# Rules across answers


EVERYTHING = Facts(dev=True)


def rules_broken(answers: dict[str, Answer], questionnaire: Questionnaire | None = None) -> list[str]:
    asked = questionnaire or every_kind()
    states = state_of(asked, 1, EVERYTHING, answers)
    return [f"{each.question.key}: {each.rule.key}" for each in broken(asked, states, answers)]


def test_answers_that_disagree_break_a_rule() -> None:
    level = Answer(choice="type2", details={"issued": "2020-01-01", "exceptions": "yes"})
    since = Answer(day=date(2024, 1, 1))

    assert rules_broken({"sco.level": level, "fac.since": since}) == [
        "sco.level: exceptions_explained",
        "fac.since: audit_after_start",
    ]
    explained = replace(level, details={"issued": "2025-01-01", "exceptions": "yes", "notes": "Two, both closed."})
    assert rules_broken({"sco.level": explained, "fac.since": since}) == []


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"fac.since": Answer(day=date(2024, 1, 1))},
        {"sco.level": Answer(choice="type2"), "fac.since": Answer(day=date(2024, 1, 1))},
        {
            "sco.level": Answer(na=True, na_reason="x", details={"issued": "2020-01-01"}),
            "fac.since": Answer(day=date.max),
        },
    ],
)
def test_a_rule_is_silent_until_everything_it_compares_is_there(answers: dict[str, Answer]) -> None:
    assert rules_broken(answers) == []


def test_a_rule_about_what_is_hidden_is_silent() -> None:
    source = changed("at: fac.since", "at: sco.tests")
    hidden = compile_yaml(source.encode(), "x")
    answers = {
        "sco.level": Answer(choice="type2", details={"issued": "2020-01-01"}),
        "fac.since": Answer(day=date(2024, 1, 1)),
    }

    assert rules_broken(answers, hidden) == ["sco.tests: audit_after_start"]
    assert broken(hidden, state_of(hidden, 1, Facts(), answers), answers) == ()


rule_texts = st.sampled_from(
    [
        'unless: "ans(fac.since) <= field(sco.level, issued)"',
        'when: "ans(sco.hours)>24 and ans(sco.owner)=yes"',
        'unless: "ans(sco.reuse)=yes"',
        'when: "field(sco.level, exceptions)=yes"',
        'unless: "ans(sco.level) in (type1, type2)"',
    ]
)
days = st.sampled_from(["2020-01-01", "2024-01-01", "2026-06-30"])
given_answers = st.fixed_dictionaries(
    {},
    optional={
        "sco.owner": st.sampled_from([Answer(choice="yes"), Answer(choice="no"), Answer(comment="x")]),
        "sco.reuse": st.sampled_from([Answer(choice="yes"), Answer(choice="no")]),
        "sco.hours": st.sampled_from([Answer(number=Decimal(8)), Answer(number=Decimal(80))]),
        "sco.level": st.builds(
            lambda choice, details: Answer(choice=choice, details=details),
            st.sampled_from(["type2", "none"]),
            st.fixed_dictionaries({}, optional={"issued": days, "exceptions": st.sampled_from(["yes", "no"])}),
        ),
        "fac.since": days.map(lambda day: Answer(day=date.fromisoformat(day))),
    },
)


@law
@given(st.lists(rule_texts, max_size=5), given_answers, st.integers(0, 2**32))
def test_the_order_of_rules_never_matters(texts: list[str], answers: dict[str, Answer], seed: int) -> None:
    head = EVERY_KIND[: EVERY_KIND.index("rules:\n")]
    blocks = [
        f"  - key: r{number}\n    at: sco.owner\n    {text}\n    message: Mend it\n"
        for number, text in enumerate(texts)
    ]
    one = compile_yaml((head + "rules:\n" + "".join(blocks) + "  []\n" * (not blocks)).encode(), "x")
    Random(seed).shuffle(blocks)  # noqa: S311
    other = compile_yaml((head + "rules:\n" + "".join(blocks) + "  []\n" * (not blocks)).encode(), "x")

    assert one.rules == other.rules
    assert rules_broken(answers, one) == rules_broken(answers, other)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("at: fac.since", "at: fac.never", "“fac.never” is not a question of this version"),
        ("field(sco.level, issued)", "field(sco.level, signed)", "“signed” is not a detail field of “sco.level”"),
        ("field(sco.level, issued)", "field(sco.levels, issued)", "“sco.levels” is not a question of this version"),
        ("field(sco.level, issued)", "field(sco.level, auditor)", "cannot be compared"),
        ("field(sco.level, issued)", "ans(sco.hours)", "cannot be compared"),
        ("field(sco.level, exceptions)=yes", "field(sco.level, exceptions)=maybe", "“maybe” is not an answer"),
        ("ans(fac.since) <= field(sco.level, issued)", "ans(sco.owner) < ans(sco.reuse)", "these are options"),
    ],
)
def test_a_rule_speaks_of_what_is_there(old: str, new: str, words: str) -> None:
    assert any(words in message for message in messages(changed(old, new))), messages(changed(old, new))


def test_a_rule_about_questions_that_never_meet_is_pointed_at() -> None:
    source = SAMPLE.replace(
        "sections:\n", "rules: [{key: apart, at: one.level, when: ans(two.hours)>1, message: Hm.}]\nsections:\n", 1
    ).replace('tiers: [1, 2, 3]\n        knock_out: {tiers: [1, 2, 3], fails: ">72"}', "tiers: [3]")

    assert any("never asked together" in message for message in messages(source))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    unless: ", '    when: "ans(sco.owner)=no"\n    unless: ', "either “when”, what must not be"),
        ("key: exceptions_explained", "key: audit_after_start", "is written twice"),
        ("min_rows: 1", "min_rows: 21", "takes at most 20 rows"),
        ("compensating: true", "compensating: maybe", "is true, or says what to “ask”"),
        (
            "kind: url\n        weight: 0",
            "kind: url\n        weight: 0\n        compensating: true",
            "Only a scored question",
        ),
        ("kind: file\n        weight: 0", "kind: file\n        weight: 1", "is not scored"),
        ("severity: stop", "severity: loud", "must be one of info, watch, stop"),
        ("kind: yesno}", "kind: yesno, options: [{key: a, label: A}]}", "if, and only if, it is a choice"),
    ],
)
def test_what_is_written_wrong_is_refused_with_its_place(old: str, new: str, words: str) -> None:
    with pytest.raises(DefinitionError) as failure:
        compile_yaml(changed(old, new).encode(), "x.yaml")

    [problem, *_] = failure.value.problems
    assert words in problem.message
    assert problem.line > 1


# Reachability


def test_a_section_whose_questions_are_never_asked_is_pointed_at() -> None:
    source = SAMPLE.replace('when: "multi and dmax>=3"', 'when: "dmax>5"')
    source = source.replace("        tiers: [1, 2, 3]\n", '        tiers: [1, 2, 3]\n        when: "dmax>5"\n')

    assert "None of the questions of this section can ever be asked" in messages(source)


def test_what_follows_a_question_that_is_never_asked_is_never_asked_either() -> None:
    source = SAMPLE.replace(
        "        weight: 5\n        tiers: [1, 2]",
        '        weight: 5\n        tiers: [1, 2]\n        when: "dmax>5"',
        1,
    )

    assert messages(source).count("This condition can never hold, so the question is never asked") == 2


# Hiding never deletes


@law
@given(st.sampled_from(["high", "low", "none"]), st.sampled_from(["yes", "no"]), st.booleans())
def test_a_hidden_answer_is_kept_and_returns(level: str, scope: str, multi: bool) -> None:
    questionnaire, facts = small(), Facts(multi=multi, dmax=4)
    answers = {
        "one.level": Answer(choice=level),
        "one.scope": Answer(choice=scope),
        "two.tenants": Answer(choice="yes"),
    }
    away = {**answers, "one.level": Answer(choice="none")}

    there = [each.key for each in kept(questionnaire, state_of(questionnaire, 1, facts, answers), answers)]
    hidden = [each.key for each in kept(questionnaire, state_of(questionnaire, 1, facts, away), away)]

    assert ("one.scope" in there) is (level == "none")
    assert "one.scope" in hidden
    assert ("two.tenants" in there) is not multi
    # Restored, everything is as it was: nothing but the one answer changed meanwhile.
    back = {**away, "one.level": answers["one.level"]}
    assert state_of(questionnaire, 1, facts, back) == state_of(questionnaire, 1, facts, answers)
