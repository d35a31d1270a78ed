"""A suggestion fills a form and never says more than was said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from portal.exchange.rules.external import Answered, External
from portal.exchange.rules.suggesting import MIXED, NOT_CHOSEN, by_control, controls_of, hedge, suggest, versions_of
from portal.questionnaires.rules import Answer, Kind, Question, compile_yaml, parse_answer

SHIPPED = Path(__file__).parents[3] / "questionnaires"
FULL = compile_yaml((SHIPPED / "ai-contractor" / "v1.yaml").read_bytes(), "v1")
YNP = FULL.question("gov.owner")
STRICT = FULL.question("seg.train")
NUMBER = FULL.question("ret.days")


def said(answer: str, text: str = "", question: str = "A&A-02.1") -> External:
    return External(question, question.rpartition(".")[0], Answered(answer), answer, text)


@pytest.mark.parametrize(
    ("question", "rows", "choice", "warning"),
    [
        (YNP, [said("yes", "Our CTO.")], "yes", ""),
        (YNP, [said("no", "Nobody.")], "no", ""),
        (YNP, [said("na", "We are two people.")], "na", ""),
        (YNP, [said("partial", "In Lisbon only.")], "partial", ""),
        (YNP, [said("yes", "Partially done.")], "partial", "“partially”"),
        (YNP, [said("yes", "Planned for May.")], "partial", "“planned”"),
        (YNP, [said("yes", "A."), said("no", "B.", "A&A-02.2")], "partial", MIXED),
        (YNP, [said("yes", "A."), said("na", "B.", "A&A-02.2")], "yes", ""),
        (YNP, [said("other", "It depends on the moon.")], None, NOT_CHOSEN),
        (STRICT, [said("yes", "Never.")], "yes", ""),
        (STRICT, [said("yes", "Not yet everywhere.")], None, "“not yet”"),
        (STRICT, [said("na", "We train nothing.")], None, NOT_CHOSEN),
        (NUMBER, [said("yes", "After 14 days.")], None, NOT_CHOSEN),
    ],
)
def test_what_was_said_there_fills_the_form_here(
    question: Question, rows: list[External], choice: str | None, warning: str
) -> None:
    found = suggest(question, "A&A-02", rows)
    assert found is not None
    assert found.fields.get("choice", (None,))[0] == choice
    assert warning in found.warning
    assert bool(found.warning) == bool(warning)


def test_the_form_that_it_fills_can_be_read_as_an_answer() -> None:
    found = suggest(YNP, "A&A-02", [said("yes", "A."), said("yes", "B.", "A&A-02.2")])
    assert found is not None
    answer = parse_answer(YNP, found.fields, draft=True)
    assert isinstance(answer, Answer)
    assert (answer.choice, answer.comment) == ("yes", "A&A-02.1: A.\nA&A-02.2: B.")


def test_words_that_are_too_long_for_the_field_are_cut_and_show_it() -> None:
    found = suggest(YNP, "A&A-02", [said("yes", "w" * 9_000)])
    assert found is not None
    assert len(found.fields["comment"][0]) == 4_000
    assert found.fields["comment"][0].endswith("…")


def test_a_yes_without_words_fills_no_number() -> None:
    assert suggest(NUMBER, "A&A-02", [said("yes")]) is None


def test_a_question_in_words_takes_the_words() -> None:
    found = suggest(replace(YNP, kind=Kind.TEXT), "A&A-02", [said("yes", "Our CTO.")])
    assert found is not None
    assert (dict(found.fields), found.warning) == ({"text": ("Our CTO.",)}, "")


def test_only_the_very_version_of_a_catalogue_counts() -> None:
    assert controls_of(FULL, YNP, "ccm", "4.0.7")
    assert controls_of(FULL, YNP, "ccm", "4.0.12") == ()
    assert controls_of(FULL, YNP, "hecvat", "4.1") == ()
    assert versions_of(FULL, "ccm") == ("4.0.7",)


def test_rows_that_say_nothing_suggest_nothing() -> None:
    assert by_control([said("blank"), said("yes", "", "A&A-03.1")]) == {"A&A-03": (said("yes", "", "A&A-03.1"),)}


@pytest.mark.parametrize("text", ["We do this since 2019.", "All devices are encrypted.", "", "An audited programme."])
def test_plain_words_are_no_hedge(text: str) -> None:
    assert hedge(text) == ""
