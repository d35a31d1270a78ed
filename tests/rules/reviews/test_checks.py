"""Contradictions: what is pointed at, in which words, with which two places; and that equal things raise no alarm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import (
    Answer,
    Facts,
    Kind,
    Question,
    Questionnaire,
    QuestionState,
    compile_yaml,
    credit,
)
from portal.reviews.rules.check_files import amounts
from portal.reviews.rules.checks import (
    WHOLE,
    Case,
    Check,
    CheckKind,
    Engaged,
    Exception_,
    File,
    Report,
    Spoken,
    check,
)

TODAY = date(2026, 11, 24)
ENGAGED = Engaged(
    project="Heron evaluation",
    href="/lab/vendors/quillmark/engagements/heron",
    data_classes=(2, 3),
    access_modes=("A2", "A4"),
    people=65,
    services=("eval",),
    starts_on=date(2026, 1, 1),
    ends_on=date(2027, 6, 30),
)


@cache
def questionnaire() -> Questionnaire:
    source = Path(__file__).parents[3] / "questionnaires" / "ai-contractor" / "v2.yaml"
    return compile_yaml(source.read_bytes(), str(source))


def spoken(key: str, answer: Answer, **given: Any) -> Spoken:
    question = questionnaire().question(key)
    state = QuestionState.NA_CLAIMED if answer.na else QuestionState.ANSWERED
    return Spoken(question, answer, state, credit(question, answer), **{"level": 1, **given})


def case(*answers: Spoken, **given: Any) -> Case:
    fields: dict[str, Any] = {
        "here": "/lab/reviews/1",
        "questionnaire": questionnaire(),
        "facts": Facts(modes=frozenset({"A2", "A4"}), dmax=3),
        "scoping": {},
        "reports": (),
        "engaged": ENGAGED,
        "today": TODAY,
    }
    return Case(spoken={each.key: each for each in answers}, **{**fields, **given})


def file(kind: str, details: Mapping[str, Any] | None = None, text: str = "", *, sha: str = "a" * 64) -> File:
    return File("11", "22", sha, f"{kind.lower()}.pdf", kind, details or {}, ((4, text),) if text else ())


def only(found: Mapping[str, tuple[Check, ...]], key: str) -> Check:
    assert set(found) == {key}, found
    (one,) = found[key]
    return one


# --- answer against answer


def test_the_questionnaires_own_rules_are_checks() -> None:
    found = check(
        case(spoken("inc.exercise", Answer(choice="yes")), spoken("inc.plan", Answer(choice="no"))),
    )

    one = only(found, "inc.exercise")
    assert one.kind is CheckKind.ANSWERS
    assert one.words.startswith("You say that the incident plan was exercised")
    assert [each.href for each in one.sources] == [
        "/lab/reviews/1?q=inc.exercise#wq",
        "/lab/reviews/1?q=inc.plan#wq",
    ]


ROWS = tuple({"name": name, "country": "Ireland"} for name in ("Harrow Cloud Ltd", "Tendril", "Ostler Staffing"))


def test_no_subprocessors_and_a_filled_list_disagree() -> None:
    listing = spoken("sub.list", Answer(choice="yes", details={"suppliers": ROWS}))
    denied = spoken("sub.reports", Answer(choice="yes", comment="We use no sub-processors."))

    one = only(check(case(listing, denied)), "sub.reports")

    assert one.words == (
        "The answer says “use no sub-processors”; the list of sub-processors has 3 companies: Harrow Cloud Ltd, "
        "Tendril and Ostler Staffing."
    )
    assert one.sources[1].words == "3 rows of the list"


@pytest.mark.parametrize(
    "comment", ["We use no sub-processors outside the EU.", "No exceptions.", "", "Every sub-processor is read yearly."]
)
def test_words_that_only_sound_like_it_raise_no_alarm(comment: str) -> None:
    listing = spoken("sub.list", Answer(choice="yes", details={"suppliers": ROWS}))
    assert check(case(listing, spoken("sub.reports", Answer(choice="yes", comment=comment)))) == {}


def test_a_complete_list_leaves_out_whom_the_report_names() -> None:
    behind = ({"name": "HARROW CLOUD", "purpose": "hosting"}, {"name": "Quern Labs", "purpose": "labelling tool"})
    scope = spoken("gov.assurance.scope", Answer(choice="yes", details={"suppliers": behind}))
    one = only(check(case(scope, spoken("sub.list", Answer(choice="yes", details={"suppliers": ROWS})))), "sub.list")
    assert "leaves out 1 of the 2" in one.words
    assert one.words.endswith("Quern Labs.")


def test_what_was_tested_too_long_ago_is_said_in_days() -> None:
    contact = spoken("inc.contact", Answer(choice="yes", details={"tested_on": "2026-05-01"}))
    assert "23 days too long ago" in only(check(case(contact)), "inc.contact").words
    recent = replace(contact, answer=Answer(choice="yes", details={"tested_on": "2026-05-24"}))
    assert check(case(recent)) == {}


# --- answer against a report


REPORT = Report(
    "77",
    "soc2.pdf",
    opinion="unqualified",
    exceptions=(Exception_("1", "LA-7", "CC6.3", "3 of 25 leavers kept their access."),),
)


def test_an_exception_touches_the_full_claims_under_its_criterion_and_no_others() -> None:
    under = [each.key for each in questionnaire().questions if "CC6.3" in each.maps.get("tsc", "").split(", ")]
    answers = [spoken(key, good(questionnaire().question(key))) for key in under]
    partly = spoken("gov.owner", Answer(choice="yes"))

    found = check(case(*answers, partly, reports=(REPORT,)), {CheckKind.EXCEPTIONS})

    assert set(found) == set(under)
    (one,) = found[under[0]]
    assert one.words == (
        "The answer claims all 100 points; the report has an exception under CC6.3: “3 of 25 leavers kept their "
        "access”."
    )
    assert one.sources[1].words == "Exception at LA-7 in soc2.pdf"


def test_named_questions_count_more_than_the_criterion_and_what_is_acceptable_not_at_all() -> None:
    named = replace(REPORT, exceptions=(replace(REPORT.exceptions[0], questions=("wrk.nda",)),))
    answers = [spoken(key, Answer(choice="yes")) for key in ("wrk.nda", "iam.privileged", "seg.people")]
    assert set(check(case(*answers, reports=(named,)))) == {"wrk.nda"}
    lived = replace(REPORT, exceptions=(replace(REPORT.exceptions[0], acceptable=True),))
    assert check(case(*answers, reports=(lived,))) == {}


def test_carve_outs_contradict_a_scope_that_covers_everything() -> None:
    report = replace(REPORT, exceptions=(), carved_out=("Quern Labs", "Ostler"), organisations=("Quern Labs", "Ostler"))
    one = only(
        check(case(spoken("gov.assurance.scope", Answer(choice="yes")), reports=(report,))), "gov.assurance.scope"
    )
    assert one.words.endswith("leaves out the controls of 2 organisations: Quern Labs and Ostler.")


def test_opinions_and_user_controls_are_pointed_at() -> None:
    report = replace(
        REPORT, exceptions=(), opinion="qualified", criteria_hit="CC6.3", left_to_users=(("Review accounts", "CC6.3"),)
    )
    resting = spoken("iam.privileged", Answer(choice="yes"), files=(File("1", "77", "b" * 64, "soc2.pdf", "SOC2"),))
    assert "CC6.3" in resting.question.maps["tsc"]
    words = [each.words for each in check(case(resting, reports=(report,)))["iam.privileged"]]
    assert words == [
        "The answer rests on the report; the report leaves this to its readers: “Review accounts”.",
        "The answer claims all 100 points; the auditor’s opinion is qualified on CC6.3.",
    ]
    bad = replace(report, opinion="adverse", left_to_users=())
    level = spoken("gov.assurance.level", Answer(choice="soc2_2"))
    assert "opinion is adverse" in only(check(case(level, reports=(bad,))), "gov.assurance.level").words


# --- answer against the one before


def test_a_claim_that_went_up_without_anything_new() -> None:
    words = "Laptops are enrolled before their first use."
    now = spoken(
        "end.managed",
        Answer(choice="yes", comment=words),
        before=Answer(choice="partial", comment=words),
        credit_before=50,
        files=(file("SCR"),),
        files_before=frozenset({"a" * 64}),
    )

    said = [each.words for each in check(case(now, before="Signed 12 December 2025"))["end.managed"]]

    assert said == [
        "The claim went up from 50 to 100 points, by 50, and the files are those of before.",
        f"The claim went up from 50 to 100 points, by 50, and the words are the same as before: “{words[:-1]}”.",
    ]
    newer = replace(now, answer=Answer(choice="yes", comment="All of them now."), files=(file("SCR", sha="c" * 64),))
    assert check(case(newer, before="Signed 12 December 2025")) == {}


def test_lists_and_numbers_that_shrank() -> None:
    now = spoken(
        "sub.list",
        Answer(choice="yes", details={"suppliers": ROWS[:1]}),
        before=Answer(choice="yes", details={"suppliers": ROWS}),
        credit_before=100,
    )
    one = only(check(case(now, before="Signed 12 December 2025", earlier="/lab/reviews/0")), "sub.list")
    assert one.words == (
        "“Sub-processors and staffing partners” has 1 row, 3 before, 2 fewer: Tendril and Ostler Staffing."
    )
    assert one.sources[1].href == "/lab/reviews/0?q=sub.list#wq"
    cover = spoken(
        "gov.insurance.cyber", Answer(number=Decimal(5)), before=Answer(number=Decimal(10)), credit_before=100
    )
    assert only(check(case(cover, before="x")), "gov.insurance.cyber").words.endswith(
        "fell from 10 to 5 USD million, by 5."
    )
    hours = spoken("wrk.offboard.hours", Answer(number=Decimal(1)), before=Answer(number=Decimal(8)), credit_before=100)
    assert check(case(hours, before="x")) == {}, "fewer hours are better"


# --- answer against the engagement


def test_what_does_not_apply_and_was_asked_because_it_does() -> None:
    one = only(check(case(spoken("mdl.usage", Answer(na=True, na_reason="Not ours")))), "mdl.usage")
    assert one.words.endswith("asked because the engagement has access mode A4.")
    assert one.sources[1].href == ENGAGED.href


def test_data_classes_above_the_engagements() -> None:
    rows = ({"name": "Tendril", "data_class": "d4"},)
    one = only(check(case(spoken("sub.list", Answer(choice="yes", details={"suppliers": rows})))), "sub.list")
    assert one.words == "The answer speaks of D4; the engagement has D3 at most, 1 class lower."
    fine = ({"name": "Tendril d5.js", "data_class": "d3"},)
    assert check(case(spoken("sub.list", Answer(choice="yes", details={"suppliers": fine})))) == {}


def test_days_against_the_engagement() -> None:
    late = spoken("gov.owner", Answer(choice="partial", comment="Soon.", planned_on=date(2027, 7, 10)))
    assert "10 days apart" in only(check(case(late)), "gov.owner").words
    cover = spoken("gov.insurance.cyber", Answer(number=Decimal(10), details={"expiry": "2027-03-01"}))
    assert "121 days apart" in only(check(case(cover)), "gov.insurance.cyber").words


def test_stated_facts_against_the_engagement() -> None:
    stated = {
        "scp.data": {"value": [{"class": "D2"}, {"class": "D4"}]},
        "scp.access": {"value": ["A2", "A4"]},
        "scp.people": {"value": "40"},
    }
    words = [each.words for each in check(case(scoping=stated))[WHOLE]]
    assert words == [
        "The vendor states other data classes than the engagement: D4 more than declared and D3 less.",
        "The vendor states 40 people with access; the engagement has 65, 25 more.",
    ]


# --- answer against its files


@pytest.mark.parametrize(
    ("key", "answer", "kind", "details", "words"),
    [
        (
            "gov.insurance.cyber",
            Answer(number=Decimal(10)),
            "INS",
            {"limit_claim": {"amount": 5_000_000, "currency": "USD"}},
            "The answer gives 10 as the limit per claim; the file says 5, 5 apart.",
        ),
        (
            "gov.assurance.level",
            Answer(choice="soc2_1", details={"period_end": "2026-09-30"}),
            "SOC2",
            {"period_end": "2026-06-30"},
            "The answer gives 30 September 2026 as the end of the period; the file says 30 June 2026, 92 days apart.",
        ),
        (
            "gov.assurance.level",
            Answer(choice="soc2_2"),
            "SOC2",
            {"report_type": "type1"},
            "The answer says SOC 2 Type 2; the report is Type 1, which describes one day and no period.",
        ),
        (
            "gov.assurance.level",
            Answer(choice="soc2_2"),
            "SOC2",
            {"report_type": "type2", "period_start": "2026-04-02", "period_end": "2026-07-02"},
            "The answer says “SOC 2 Type 2”; the period of the report is 92 days long, below 6 months.",
        ),
        (
            "inf.pentest",
            Answer(choice="fixed", details={"firm": "Merrow Pike"}),
            "PT",
            {"firm": "Alder Security Ltd"},
            "The answer gives “Merrow Pike” as the testing firm; the file says “Alder Security Ltd”.",
        ),
        (
            "inf.pentest",
            Answer(choice="fixed"),
            "PT",
            {"open": 3, "high": 2},
            "The answer says that what was high is fixed and retested; in the file 3 findings are still open.",
        ),
        (
            "wrk.training",
            Answer(number=Decimal(100)),
            "TRN",
            {"percent": 92, "people": 65},
            "The answer gives 100 as the share that was trained, in percent; the file says 92, 8 apart.",
        ),
        (
            "wrk.screening",
            Answer(choice="yes"),
            "VER",
            {"checked": 40},
            "The answer speaks of everybody; 40 people were screened, 65 have access: 25 fewer.",
        ),
    ],
)
def test_what_the_file_states_otherwise(
    key: str, answer: Answer, kind: str, details: dict[str, Any], words: str
) -> None:
    one = only(check(case(spoken(key, answer, files=(file(kind, details),)))), key)
    assert re.sub(r"“SOC 2 Type 2[^”]*”", "“SOC 2 Type 2”", one.words) == words
    places = [each.href for each in one.sources]
    assert any("file=11" in each for each in places)


def test_numbers_with_the_same_word_are_compared_at_the_page() -> None:
    answer = Answer(choice="partial", comment="All but 61 laptops at the Manila site are encrypted.")
    other = spoken("end.managed", answer, files=(file("SCR", text="Manila: 65 laptops, 4 with the agent"),))
    one = only(check(case(other)), "end.managed")
    assert one.words == "The answer says 61, the file 65 laptops: 4 apart."
    assert one.sources[1].words == "scr.pdf, page 4"
    assert one.sources[1].href == "/lab/reviews/1?q=end.managed&file=11&page=4#evidence"


@pytest.mark.parametrize(
    "text",
    [
        "61 laptops",
        "88 laptops in Lisbon, 65 laptops in Manila",
        "Nothing of the kind",
        "On 61 October 2026",
    ],
)
def test_no_alarm_where_a_side_says_the_same_or_more_than_one_number(text: str) -> None:
    answer = Answer(choice="partial", comment="All but 61 laptops are encrypted.")
    assert check(case(spoken("end.managed", answer, files=(file("SCR", text=text),)))) == {}


def test_the_unit_of_the_question_is_compared_with_the_only_number_of_that_unit() -> None:
    answer = Answer(number=Decimal(8))
    one = spoken("wrk.offboard.hours", answer, files=(file("LOG", text="Access ends within 24 hours of the ticket."),))
    assert only(check(case(one)), one.key).words == "The answer says 8, the file 24 hours: 16 apart."
    many = replace(one, files=(file("LOG", text="Tickets within 24 hours, access after 8 hours."),))
    assert check(case(many)) == {}


# --- laws


@given(
    number=st.integers(0, 10**6),
    noun=st.sampled_from(["laptops", "people", "sites", "policies", "datasets"]),
    before=st.text(alphabet=st.characters(codec="ascii", categories=["L", "Z"]), max_size=20),
)
def test_the_same_number_with_the_same_word_never_raises_an_alarm(number: int, noun: str, before: str) -> None:
    comment, text = f"{before} {number:,} {noun}.", f"{noun}: {number} {noun}\n{before}"
    answer = Answer(choice="partial", comment=comment)
    assert check(case(spoken("end.managed", answer, files=(file("SCR", text=text),)))) == {}
    assert amounts(comment) == amounts(f"{number} {noun}")


def good(question: Question) -> Answer:
    """Return the best answer to a question."""
    if question.kind is Kind.NUMBER:
        best = max(question.steps, key=lambda each: each.credit)
        return Answer(number=best.bound or Decimal(0))
    best_choice = max(question.choices, key=lambda each: each.credit or 0, default=None)
    return Answer(choice=best_choice.key if best_choice else "yes")


@given(
    keys=st.lists(
        st.sampled_from([each.key for each in questionnaire().questions if each.is_scored]), unique=True, max_size=12
    ),
    comment=st.text(max_size=60),
)
def test_what_says_the_same_as_before_with_the_same_files_disagrees_with_nothing_before(
    keys: list[str], comment: str
) -> None:
    said = []
    for key in keys:
        answer = replace(good(questionnaire().question(key)), comment=comment)
        one = spoken(key, answer, files=(file("LOG"),), files_before=frozenset({"a" * 64}))
        said.append(replace(one, before=answer, credit_before=one.credit))
    assert check(case(*said, before="Signed 12 December 2025"), {CheckKind.LAST_YEAR}) == {}


@given(
    start=st.dates(date(2025, 1, 1), date(2026, 6, 1)),
    days=st.integers(185, 400),
    limit=st.integers(1, 50),
)
def test_a_file_that_states_what_the_answer_states_raises_no_alarm(start: date, days: int, limit: int) -> None:
    end = start + timedelta(days=days)
    level = spoken(
        "gov.assurance.level",
        Answer(choice="soc2_2", details={"period_start": start.isoformat(), "period_end": end.isoformat()}),
        files=(
            file("SOC2", {"report_type": "type2", "period_start": start.isoformat(), "period_end": end.isoformat()}),
        ),
    )
    cover = spoken(
        "gov.insurance.cyber",
        Answer(number=Decimal(limit)),
        files=(file("INS", {"limit_claim": {"amount": limit * 1_000_000, "currency": "USD"}}),),
    )
    assert check(case(level, cover)) == {}


@given(on=st.sets(st.sampled_from(list(CheckKind))))
def test_only_what_is_on_is_looked_for(on: set[CheckKind]) -> None:
    everything = case(
        spoken("inc.exercise", Answer(choice="yes")),
        spoken("inc.plan", Answer(choice="no")),
        spoken("iam.privileged", Answer(choice="yes"), before=Answer(choice="no"), credit_before=0),
        spoken("mdl.usage", Answer(na=True)),
        spoken("wrk.training", Answer(number=Decimal(100)), files=(file("TRN", {"percent": 92}),)),
        reports=(REPORT,),
        before="Signed 12 December 2025",
    )
    found = {each.kind for several in check(everything, on).values() for each in several}
    assert found == on
    assert check(everything, on) == check(everything, on)
