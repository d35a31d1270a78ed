"""Which workbook it is, where its answers stand, and what they come to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exchange.rules.external import (
    Answered,
    Family,
    NotRead,
    Page,
    answered,
    control_of,
    identifier,
    read,
)
from tests.rules.exchange.workbooks import HEADER, caiq, hecvat

SAID = {"A&A-02.1": ("Yes", "Every spring."), "A&A-02.2": ("No", ""), "GRC-06.1": ("NA", "We have no boats.")}


def test_a_caiq_is_read_by_its_header_whatever_stands_above_and_below() -> None:
    found = read(caiq(SAID))

    assert (found.family, found.named, found.version) == (Family.CAIQ, "CAIQ 4.0.3", "4.0.3")
    assert [(each.question_id, each.control_id, each.answer.value, each.text) for each in found.answers] == [
        ("A&A-02.1", "A&A-02", "yes", "Every spring."),
        ("A&A-02.2", "A&A-02", "no", ""),
        ("GRC-06.1", "GRC-06", "na", "We have no boats."),
    ]
    assert (found.answers[0].sheet, found.answers[0].row, found.answers[0].ownership) == ("CAIQv4.0.3", 4, "CSP-owned")


def test_the_version_of_the_controls_wins_over_that_of_the_questionnaire() -> None:
    found = read(caiq(SAID, title="CAIQ 4.0.3, to be used with CCM v4.0.12"))
    assert (found.named, found.version) == ("CCM 4.0.12", "4.0.12")


def test_a_file_without_a_version_leaves_it_to_the_person() -> None:
    assert read(caiq(SAID, title="Our answers", sheet="Answers")).version == ""


def test_the_name_of_the_file_can_say_the_version() -> None:
    assert read(caiq(SAID, title="Our answers", sheet="Answers"), "STAR_CAIQ_v4.0.2_2026.xlsx").version == "4.0.2"


def test_columns_may_stand_in_any_order() -> None:
    order = (4, 2, 0, 1, 3, 5, 6)
    pages = [Page(each.name, [[*row, *[""] * 7] for row in each.rows]) for each in caiq(SAID)]
    moved = [Page(each.name, [[row[at] for at in order] for row in each.rows]) for each in pages]
    assert [each.answer for each in read(moved).answers] == [each.answer for each in read(caiq(SAID)).answers]


def test_ai_caiq_is_known_by_its_name_or_by_a_domain_that_only_it_has() -> None:
    by_name = read(caiq(SAID, title="AI-CAIQ for AICM 1.1"))
    by_domain = read(caiq({**SAID, "MDS-08.1": ("Yes", "")}, title="Our answers", sheet="Answers"))
    assert (by_name.family, by_name.version) == (Family.AI_CAIQ, "1.1")
    assert by_domain.family is Family.AI_CAIQ


def test_a_hecvat_is_read_by_its_identifiers_over_all_sheets() -> None:
    said = {f"COMP-{n:02}": ("Yes", f"Words {n}") for n in range(1, 4)} | {"HIPA-01": ("A free sentence", "")}
    found = read(hecvat(said))

    assert (found.family, found.version) == (Family.HECVAT, "4.1.0")
    assert [each.question_id for each in found.answers] == ["COMP-01", "COMP-02", "COMP-03", "HIPA-01"]
    assert (found.answers[3].answer, found.answers[3].written) == (Answered.OTHER, "A free sentence")


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([], "We found no completed CAIQ 4"),
        ([Page("Budget", [("Item", "Cost"), ("Carrots", "12")])], "We found no completed CAIQ 4"),
        (caiq({"AIS-01.1": ("Yes", "")}, title="CAIQ v3.1", sheet="CAIQ"), "This is CAIQ 3.1"),
        (caiq({"A&A-02.1": ("", "")}), "has no answers yet"),
        (caiq({}), "has no answers yet"),
        (hecvat({"COMP-01": ("Yes", "")}, title="HECVAT 3.06"), "This is HECVAT 3.06"),
    ],
)
def test_anything_else_is_refused_with_what_to_upload_instead(pages: list[Page], words: str) -> None:
    with pytest.raises(NotRead, match=words):
        read(pages)


def test_one_column_for_each_answer_is_told_to_be_the_older_version() -> None:
    old = Page(
        "CAIQ", [("Control", "Question ID", "Question", "Notes"), ("", "", "", "", "Yes", "No", "Not Applicable")]
    )
    with pytest.raises(NotRead, match="as version 3 has"):
        read([old])


def test_a_question_that_is_answered_in_two_ways_is_not_used() -> None:
    twice = [*caiq(SAID), *caiq({"A&A-02.1": ("No", "")}, sheet="Copy")[1:]]
    found = read(twice)
    assert "A&A-02.1" not in {each.question_id for each in found.answers}
    assert found.notes == (
        "A&A-02.1 is answered in two ways, in row 4 of “CAIQv4.0.3” and row 4 of “Copy”. Neither is used",
    )


def test_a_question_that_is_answered_twice_alike_is_one() -> None:
    assert read([*caiq(SAID), *caiq(SAID, sheet="Copy")[1:]]).answers == read(caiq(SAID)).answers


def test_more_answers_than_any_catalogue_has_are_refused() -> None:
    with pytest.raises(NotRead, match="more than 2,000"):
        read(
            caiq(
                {
                    f"A{a}{b}-{n:02}.{m}": ("Yes", "")
                    for a in "BCDEFG"
                    for b in "XYZ"
                    for n in range(20)
                    for m in range(7)
                }
            )
        )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Yes", "yes"),
        (" y. ", "yes"),
        ("NO", "no"),
        ("N/A", "na"),
        ("Partially", "partial"),
        ("", "blank"),
        ("Yes!", "other"),
    ],
)
def test_answers_come_to_one_form(written: str, told: str) -> None:
    assert answered(written) == told


@pytest.mark.parametrize(
    ("written", "plain"), [(" a&a‑02.1 ", "A&A-02.1"), ("Ａ＆Ａ-02.1", "A&A-02.1"), ("GRC – 06", "GRC-06"), ("", "")]
)
def test_identifiers_survive_the_habits_of_spreadsheets(written: str, plain: str) -> None:
    assert identifier(written) == plain


def test_only_identifiers_of_the_catalogue_name_a_control() -> None:
    assert [control_of(each) for each in ("A&A-02.1", "A&A-02", "A&A-2", "Total", "")] == [
        "A&A-02",
        "A&A-02",
        "",
        "",
        "",
    ]


CELLS = st.one_of(
    st.sampled_from([*HEADER, "A&A-02.1", "COMP-01", "Yes", "No", "", "HECVAT 4.1", "CAIQ 4.0.2"]), st.text(max_size=30)
)
PAGES = st.lists(st.builds(Page, st.text(max_size=12), st.lists(st.lists(CELLS, max_size=8), max_size=25)), max_size=3)


@settings(deadline=None, max_examples=150)
@given(PAGES, st.text(max_size=30))
def test_whatever_the_sheets_hold_it_is_read_or_refused_in_words(pages: list[Page], name: str) -> None:
    try:
        found = read(pages, name)
    except NotRead:
        return
    ids = [each.question_id for each in found.answers]
    assert len(ids) == len(set(ids))
    assert {each.sheet for each in found.answers} <= {each.name for each in pages}
