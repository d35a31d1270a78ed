"""Sentences that keep their parts, and days, moments and numbers as each language writes them."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from gettext import NullTranslations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel import words
from portal.kernel.errors import Refused
from portal.kernel.words import catalogue, listed, said, said_n, spelled, together, translated

GERMAN = catalogue("de")
DAY = date(2026, 12, 18)
AT = datetime(2026, 12, 18, 23, 30, tzinfo=UTC)


def test_a_sentence_is_english_as_it_stands_and_german_to_a_german_reader() -> None:
    sentence = said("“%(file)s” cannot be used. Choose another file", file="soc2.pdf")

    assert sentence == "“soc2.pdf” cannot be used. Choose another file"
    assert translated(sentence, GERMAN) == "„soc2.pdf“ kann nicht verwendet werden. Wählen Sie eine andere Datei"
    assert translated(sentence, NullTranslations()) == sentence


def test_a_percent_that_somebody_typed_is_no_place_for_a_value() -> None:
    assert said("%(name)s was removed.", name="100%(x)s%.pdf") == "100%(x)s%.pdf was removed."
    assert said("It is 100 % sure") == "It is 100 % sure"


def test_values_that_are_sentences_days_and_numbers_are_said_too() -> None:
    inner = said("“%(file)s” was replaced already. Replace the newer file.", file="a.pdf")
    outer = said("Row %(number)s: %(problem)s", number=1204, problem=inner)

    assert outer.startswith("Row 1,204: “a.pdf” was")
    assert translated(outer, GERMAN).startswith("Zeile 1.204: „a.pdf“ wurde")
    until = said("This file was relied on, so it is kept until %(day)s. Upload a new file to replace it.", day=DAY)
    assert "until 18 December 2026." in until
    assert "bis zum 18. Dezember 2026 " in translated(until, GERMAN)


def test_a_moment_is_said_in_the_readers_zone() -> None:
    sentence = said("%(name)s signed this on %(at)s.", name="Ada", at=AT)

    assert sentence == "Ada signed this on 18 December 2026 at 23:30 UTC."
    assert "19. Dezember 2026 um 00:30 Uhr (CET)" in translated(sentence, GERMAN, "Europe/Berlin")


def test_a_number_chooses_the_form() -> None:
    one, many = "%(num)s answer", "%(num)s answers"
    assert [said_n(one, many, count) for count in (0, 1, 1204)] == ["0 answers", "1 answer", "1,204 answers"]
    assert [translated(said_n(one, many, count), GERMAN) for count in (1, 1204)] == ["1 Antwort", "1.204 Antworten"]


def test_sentences_in_one_begin_small_in_english_and_as_they_are_elsewhere() -> None:
    one = listed([said("Enter what is in place and what is missing"), said("Choose a section")], before="7.2 Leavers: ")

    assert one == "7.2 Leavers: enter what is in place and what is missing; choose a section"
    assert translated(one, GERMAN) == (
        "7.2 Leavers: Geben Sie ein, was vorhanden ist und was fehlt; Wählen Sie einen Abschnitt"
    )


def test_a_refusal_of_several_fields_is_one_text_of_which_each_part_is_told() -> None:
    refusal = Refused(problems={"a": [said("The file is empty")], "b": [said("Choose a section")]})

    assert refusal.message == "The file is empty Choose a section"
    assert translated(refusal.message, GERMAN) == "Die Datei ist leer Wählen Sie einen Abschnitt"
    assert together([]) == ""


def test_what_is_spelled_in_another_way_keeps_its_spelling_without_a_translation() -> None:
    label = spelled("Company", "the company")
    assert translated(label, GERMAN) == "Unternehmen"
    assert translated(label, NullTranslations()) == "Company"
    assert translated(spelled("Odd", "no text of ours"), GERMAN) == "Odd"


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_people_typed_comes_out_as_it_went_in(one: str, other: str) -> None:
    sentence = said("%(one)s and %(other)s", one=one, other=other)

    assert sentence == f"{one} and {other}"
    assert translated(sentence, GERMAN) == f"{one} und {other}"
    assert pickle.loads(pickle.dumps(sentence)) == sentence  # noqa: S301 - our own bytes


@given(st.dates(), st.sampled_from(["en", "de"]))
def test_a_day_names_its_year_and_its_number(value: date, language: str) -> None:
    assert words.day(value, language).startswith(f"{value.day}{'.' if language == 'de' else ''} ")
    assert words.day(value, language).endswith(f" {value.year}")


@pytest.mark.parametrize("name", ["", "UTC", "Mars/Base", "../etc/passwd", "Europe", "/etc/passwd", "\x00"])
def test_a_zone_that_is_none_is_utc(name: str) -> None:
    assert words.zone_of(name) is UTC


def test_a_language_that_we_do_not_speak_is_english() -> None:
    assert words.day(DAY, "tlh") == "18 December 2026"
    assert catalogue("tlh").gettext("Sign in") == "Sign in"
    assert catalogue("../../etc").gettext("Sign in") == "Sign in"
