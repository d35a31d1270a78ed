"""Two texts as one: what went, what came, what stayed."""

from __future__ import annotations

import pytest

from portal.sites.lab.workspace.wording import Piece, difference


def test_the_same_text_has_no_change() -> None:
    assert difference("All laptops", "All laptops") == (Piece("same", "All laptops"),)
    assert difference("", "") == ()


def test_an_added_phrase_is_one_piece() -> None:
    before = "All company laptops are enrolled before first use."
    now = "All company laptops are enrolled before first use, except at the new site."

    assert [each.how for each in difference(before, now)] == ["same", "del", "ins"]


def test_changes_that_a_word_keeps_apart_are_one_change() -> None:
    pieces = difference("we keep the file for two years here", "we keep one log for ten days here")

    assert [each.how for each in pieces] == ["same", "del", "ins", "same"]


@pytest.mark.parametrize(("before", "now"), [("", "new words"), ("old words", ""), ("a b c", "d e f"), ("a b", "b a")])
def test_nothing_is_lost(before: str, now: str) -> None:
    pieces = difference(before, now)

    assert "".join(each.words for each in pieces if each.how != "del") == now
    assert "".join(each.words for each in pieces if each.how != "ins") == before
