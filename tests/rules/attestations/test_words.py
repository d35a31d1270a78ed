"""Statements, names, pages and messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.attestations import rules
from portal.kernel.errors import Refused
from tests.rules.questionnaires.samples import law


def test_the_statements_are_read_with_their_names_and_day() -> None:
    read = rules.statements(vendor="Quillmark {lab} Ltd", lab="Orrery", day="9 December 2026")
    assert [each.text for each in read] == [
        "I have authority to sign for Quillmark {lab} Ltd.",
        "To the best of my knowledge, having asked the people named above, "
        "the answers are true and complete on 9 December 2026.",
        "If an answer stops being true, we will tell Orrery within 10 working days. "
        "A change to data access or a breach: within 24 hours.",
    ]
    assert rules.sentences_of(rules.signed_text(read)) == tuple(each.text for each in read)


def test_a_name_that_ends_with_a_full_stop_ends_the_sentence() -> None:
    read = rules.statements(vendor="Quillmark, Inc.", lab="Orrery", day="9 December 2026")
    assert read[0].text == "I have authority to sign for Quillmark, Inc."


def test_another_wording_has_another_version() -> None:
    assert rules.VERSION == "Statements cb6835a0ef44570d"


def test_what_was_signed_says_in_which_language_it_was_read() -> None:
    german = tuple((key, f"Auf Deutsch: {text}") for key, text in rules.TEXTS)
    read = rules.statements(vendor="Quillmark", lab="Orrery", day="9. Dezember 2026", texts=german)
    signed = rules.signed_text(read, named=rules.version(german, "de"))

    assert rules.language_of(signed) == "de"
    assert rules.sentences_of(signed) == tuple(each.text for each in read)
    assert rules.version(german, "de").split(" ")[1] != rules.VERSION.split(" ")[1]
    assert rules.language_of(rules.signed_text(read)) == "en"


@pytest.mark.parametrize("typed", ["Zoë Müller", "ZOË  MÜLLER", " zoe\u0308 mu\u0308ller\n", "Zoë\u00a0Müller"])
def test_one_name_is_one_name(typed: str) -> None:
    assert rules.same_name(typed, "Zoë Müller")


@pytest.mark.parametrize(
    ("typed", "account"),
    [("Zoe Muller", "Zoë Müller"), ("Zoë", "Zoë Müller"), ("", ""), (" ", "")],
)
def test_another_name_is_another_name(typed: str, account: str) -> None:
    assert not rules.same_name(typed, account)


@pytest.mark.parametrize(
    ("typed", "count", "kept"),
    [
        ("", 12, ""),
        ("  ", None, ""),
        ("3", 12, "3"),
        ("003", 12, "3"),
        ("3,5 - 7", 12, "3, 5–7"),
        ("1–12", 12, "1–12"),
        ("4-4", 12, "4"),
        ("Sheet 2", None, "Sheet 2"),
        ("\u202eSheet\t2", None, "Sheet 2"),
        ("x" * 100, None, "x" * 100),
    ],
)
def test_pages_are_kept_in_one_form(typed: str, count: int | None, kept: str) -> None:
    assert rules.tidy_pages(typed, count) == kept


@pytest.mark.parametrize(
    ("typed", "count", "sentence"),
    [
        ("2", 1, "The file has 1 page. Enter pages that are in it"),
        ("13", 12, "The file has 12 pages. Enter pages that are in it"),
        ("0", 12, "The file has 12 pages. Enter pages that are in it"),
        ("7-5", 12, "Enter pages as numbers and ranges, for example 3, 5–7"),
        ("three", 12, "Enter pages as numbers and ranges, for example 3, 5–7"),
        ("٣", 12, "Enter pages as numbers and ranges, for example 3, 5–7"),
        ("1," * 60 + "1", 12, "Enter pages as numbers and ranges, for example 3, 5–7"),
        ("x" * 101, None, "Shorten it to 100 characters; this has 101"),
    ],
)
def test_pages_that_cannot_be_found_are_told(typed: str, count: int | None, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        rules.tidy_pages(typed, count)
    assert refusal.value.problems == {"pages": [sentence]}


@law
@given(st.text(max_size=120), st.none() | st.integers(1, 500))
def test_kept_pages_stay_as_they_are(typed: str, count: int | None) -> None:
    try:
        kept = rules.tidy_pages(typed, count)
    except Refused:
        return
    assert rules.tidy_pages(kept, count) == kept


@law
@given(st.text())
def test_a_message_is_kept_readable_or_refused(typed: str) -> None:
    try:
        kept = rules.tidy_message(typed)
    except Refused:
        return
    assert kept == kept.strip()
    assert 0 < len(kept) <= rules.MAX_MESSAGE
    assert "\x00" not in kept
    assert rules.tidy_message(kept) == kept


def test_a_family_and_two_scripts_survive() -> None:
    assert rules.tidy_message("👩\u200d👧 می\u200cخواهم\r\nyes") == "👩\u200d👧 می\u200cخواهم\nyes"
