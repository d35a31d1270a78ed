"""What people and spreadsheet programs write in cells, read as what it can only mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.exchange.rules.typed import (
    CellKind,
    Typed,
    Unclear,
    alike,
    chosen,
    day,
    days,
    fits,
    guarded,
    label_of,
    number,
    prose,
    unguarded,
    yes_or_no,
)
from portal.questionnaires.rules import Option

YN = (Option("yes", "Yes", 100), Option("partial", "Partly", 50), Option("no", "No", 0))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("24", "24"),
        ("2.5", "2.5"),
        ("2,5", "2.5"),
        ("0,125", "0.125"),
        ("1 500", "1500"),
        ("1\u00a0500", "1500"),
        ("1\u202f500,25", "1500.25"),
        ("1'500", "1500"),
        ("1’500", "1500"),
        ("1.500,25", "1500.25"),
        ("1,500.25", "1500.25"),
        ("1.500.000", "1500000"),
        ("1,500,000", "1500000"),
        ("1500,125", "1500.125"),
        ("２４", "24"),
        ("１，５", "1.5"),
        ("24 hours", "24"),
        ("24 Hour", "24"),
    ],
)
def test_numbers_are_read_where_they_can_mean_one_thing(written: str, meant: str) -> None:
    assert number(Typed(written), unit="hours") == meant


@pytest.mark.parametrize("written", ["1,500", "1.500", "12,345", "999.999"])
def test_a_number_that_two_countries_read_differently_is_refused_with_both_readings(written: str) -> None:
    with pytest.raises(Unclear, match="can be read as"):
        number(Typed(written))


@pytest.mark.parametrize("written", ["about 5", "-3", "1,50,0", "1.2.3", "5-6", "", "٤", "1e5", "½"])
def test_what_is_no_number_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(Unclear, match="for example 24"):
        number(Typed(written), example="24")


def test_the_advice_about_an_unclear_number_can_be_followed() -> None:
    assert (number(Typed("1500")), number(Typed("1.5000"))) == ("1500", "1.5000")


def test_a_true_number_cell_is_never_unclear() -> None:
    assert number(Typed("1.5", CellKind.NUMBER)) == "1.5"
    assert number(Typed("1.125", CellKind.NUMBER)) == "1.125"


def test_percent_may_be_written_with_its_sign() -> None:
    assert number(Typed("45 %"), unit="percent") == "45"


@pytest.mark.parametrize("written", ["2026-12-31", "2026/12/31", "2026.12.31", " 2026-12-31\u00a0", "２０２６-12-31"])
def test_a_day_is_read_from_text_with_the_year_first(written: str) -> None:
    assert day(Typed(written)) == "2026-12-31"


def test_a_true_date_cell_is_a_day_also_with_midnight() -> None:
    assert day(Typed("2026-12-31", CellKind.DATE)) == "2026-12-31"
    assert day(Typed("2026-12-31T00:00:00", CellKind.DATE)) == "2026-12-31"


@pytest.mark.parametrize(
    "written", ["31.12.2026", "12/31/2026", "31/12/26", "2026-13-01", "2026-02-30", "soon", "46000"]
)
def test_a_day_that_needs_a_country_to_be_read_is_refused(written: str) -> None:
    with pytest.raises(Unclear, match="Write it like 2026-12-31"):
        day(Typed(written))


def test_a_number_cell_is_no_day() -> None:
    with pytest.raises(Unclear):
        day(Typed("46000", CellKind.NUMBER))


@pytest.mark.parametrize(
    "written",
    ["2025-10-01 to 2026-09-30", "2025-10-01 – 2026-09-30", "2025-10-01/2026-09-30", "2025-10-01 bis 2026-09-30"],
)
def test_a_period_is_two_days(written: str) -> None:
    assert days(Typed(written)) == ("2025-10-01", "2026-09-30")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("y", "yes"),
        ("YES", "yes"),
        ("ja", "yes"),
        ("Oui", "yes"),
        ("n", "no"),
        ("nein", "no"),
        ("teilweise", "partial"),
    ],
)
def test_words_for_yes_and_no_count_in_a_few_languages(written: str, meant: str) -> None:
    assert chosen(YN, written) == meant


@pytest.mark.parametrize("written", ["o", "j", "1", "0", "x", "ok", "si", "maybe"])
def test_words_that_could_mean_something_else_do_not_count(written: str) -> None:
    assert yes_or_no(written) is None
    with pytest.raises(Unclear, match="Choose one of: Yes, Partly, No"):
        chosen(YN, written)


def test_ja_is_no_word_for_yes_where_other_things_are_on_offer() -> None:
    with pytest.raises(Unclear):
        chosen((Option("yes", "Yes"), Option("other", "Something else")), "ja")


def test_partly_is_not_on_offer_where_there_are_two_answers() -> None:
    with pytest.raises(Unclear):
        chosen((YN[0], YN[2]), "partly")


def test_an_option_is_known_by_key_and_by_label_whatever_the_typography() -> None:
    options = (Option("q", "Quarterly – “all” sites"), Option("never", "Never"))
    assert chosen(options, 'quarterly - "ALL"\u00a0sites') == "q"
    assert chosen(options, "never") == "never"


def test_two_options_with_one_label_are_told_apart_by_their_keys_only() -> None:
    options = (Option("one", "Same"), Option("two", "same"))
    assert label_of(options, "two") == "same"
    assert chosen(options, "same") == "two"
    with pytest.raises(Unclear):
        chosen(options, "SAME")
    assert [chosen(options, label_of(options, key)) for key in ("one", "two")] == ["one", "two"]


@given(st.text())
def test_a_guarded_text_is_never_a_formula_and_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_what_begins_like_a_formula_gets_an_apostrophe(start: str) -> None:
    assert guarded(f"{start}cmd|' /C calc'!A0").startswith("'")


def test_a_cell_holds_32767_characters_as_programs_count_them() -> None:
    assert fits("x" * 32_767)
    assert not fits("x" * 32_768)
    assert not fits("\U0001f512" * 16_384)


def test_prose_keeps_its_quotes_and_loses_what_cannot_be_seen() -> None:
    assert prose("\ufeffIt’s\u00a0“so”\r\nnow\u200b ") == "It’s “so”\nnow"


def test_typography_alone_is_no_difference() -> None:
    assert alike("It’s – “so”\r\nnow", 'It\'s - "so" now')
    assert not alike("24", "42")
