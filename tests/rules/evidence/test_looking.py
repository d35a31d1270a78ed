"""How files can be looked at, how much of them one person may, and how that is said."""

from __future__ import annotations

import pytest

from portal.evidence.rules.looking import (
    FILES_AN_HOUR,
    PAGES_AN_HOUR,
    ZOOMS,
    Shape,
    is_marked,
    looked_at,
    over_limit,
    pages_of,
    plain_name,
    ranges,
    shape_of,
    zoom_in,
    zoom_out,
)
from portal.kernel.sniff import CONTENT_TYPES
from portal.terms import Look


def test_every_type_that_we_take_can_be_looked_at() -> None:
    assert all(shape_of(mime) for mime in CONTENT_TYPES.values())
    assert shape_of("text/html") is None
    assert shape_of(None) is None


def test_only_pages_and_pictures_have_pages() -> None:
    assert pages_of("application/pdf", 12) == 12
    assert pages_of("image/png", None) == 1
    assert pages_of(CONTENT_TYPES["docx"], None) == 0
    assert shape_of("text/csv") is Shape.TABLE


@pytest.mark.parametrize(
    ("numbers", "words"),
    [([], ""), ([4], "4"), ([3, 1, 2, 7], "1–3, 7"), ([1, 1, 2], "1–2"), ([9, 5, 7], "5, 7, 9")],
)
def test_page_numbers_are_said_in_few_characters(numbers: list[int], words: str) -> None:
    assert ranges(numbers) == words


def test_what_was_looked_at_is_said_in_words() -> None:
    assert looked_at([Look.ORIGINAL], []) == "original"
    assert looked_at([Look.SEARCH, Look.ORIGINAL], [3]) == "page 3, search in the text, original"
    assert looked_at([], [2, 3, 9]) == "pages 2–3, 9"


def test_files_and_pages_have_bounds_of_their_own() -> None:
    assert over_limit(FILES_AN_HOUR, PAGES_AN_HOUR) == ""
    assert "files within the hour" in over_limit(FILES_AN_HOUR + 1, 0)
    assert "pages within the hour" in over_limit(1, PAGES_AN_HOUR + 1)


def test_a_hundred_files_are_more_than_one_person_opens() -> None:
    assert FILES_AN_HOUR < 100


def test_a_name_is_folded_to_letters_that_can_be_drawn_or_replaced() -> None:
    assert plain_name("Jürgen Łukasz Ågård", "person 1") == "Jurgen Lukasz Agard"
    assert plain_name("王小明", "person 1") == "person 1"


def test_pictures_are_marked_for_the_lab_and_where_readers_are_limited() -> None:
    assert is_marked(by_lab=True, restricted=False, kind="POL")
    assert is_marked(by_lab=False, restricted=False, kind="SOC2")
    assert is_marked(by_lab=False, restricted=True, kind="POL")
    assert not is_marked(by_lab=False, restricted=False, kind="POL")


def test_the_steps_of_the_size_end_at_both_ends() -> None:
    assert (zoom_out(ZOOMS[0]), zoom_in(ZOOMS[-1])) == (None, None)
    assert [zoom_in(each) for each in ZOOMS[:-1]] == list(ZOOMS[1:])
