"""A policy text is read or refused in a sentence; two texts differ exactly in the lines that are told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.rulebook.rules import CONTEXT, Side, compared
from portal.rulebook.rules.tree import Unreadable, leaves
from portal.scoring.rules.written import problems_of

few = settings(max_examples=60, deadline=None, derandomize=True, database=None)
lines = st.lists(st.sampled_from(["a: 1", "b: 2", "  c: 3", "", "# said"]), max_size=12)


@few
@given(st.text(max_size=200) | st.text(alphabet="ab:- \n[]{}&*!#'\"|>%@0", max_size=80))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    try:
        leaves(text)
    except Unreadable as refused:
        assert str(refused)  # noqa: PT017 - both ways are right
    assert problems_of(text)


@pytest.mark.parametrize("text", ["[" * 5_000, "a: " * 2_000, "a: !!python/object:os.system x", "? [a]\n: 1", "\t"])
def test_what_would_break_a_reader_is_refused(text: str) -> None:
    try:
        found = leaves(text)
    except Unreadable:
        return
    assert found == {("a",): found[("a",)]}
    assert isinstance(found[("a",)].value, str)


@few
@given(lines, lines)
def test_the_told_lines_make_one_text_of_the_other(old: list[str], new: list[str]) -> None:
    groups = compared("\n".join(old), "\n".join(new))
    told = [line for group in groups for line in group]
    gone = {line.old for line in told if line.side is Side.OLD}
    come = {line.new: line.text for line in told if line.side is Side.NEW}
    before, after = "\n".join(old).splitlines(), "\n".join(new).splitlines()
    kept = [text for number, text in enumerate(before, start=1) if number not in gone]
    made = [come[number] if number in come else kept.pop(0) for number in range(1, len(after) + 1)]
    assert made == after
    assert kept == []
    assert all(len(group) <= 2 * CONTEXT + len(before) + len(after) for group in groups)
