"""The merge of three: what was exported, what came back, what stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.exchange.rules.merge import Choice, Outcome, Settled, merged, settled, sort_out

A, B, C = {"choice": "yes"}, {"choice": "no"}, {"choice": "partial"}
some = st.sampled_from([{}, A, B, C])
choices = st.sampled_from([None, Choice.MINE, Choice.THEIRS])


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "outcome"),
    [
        (A, A, A, Outcome.UNCHANGED),
        (A, B, A, Outcome.TAKE),
        (A, A, B, Outcome.KEEP),
        (A, B, B, Outcome.UNCHANGED),
        (A, B, C, Outcome.CONFLICT),
        ({}, A, {}, Outcome.TAKE),
        (A, {}, A, Outcome.TAKE),
        ({}, {}, A, Outcome.KEEP),
        (A, {}, C, Outcome.CONFLICT),
    ],
)
def test_what_becomes_of_an_answer(base: dict, mine: dict, theirs: dict, outcome: Outcome) -> None:
    assert merged(base, mine, theirs) is outcome


@given(some, some)
def test_what_was_not_edited_in_the_file_never_changes_what_stands(base: dict, theirs: dict) -> None:
    assert merged(base, base, theirs) in (Outcome.UNCHANGED, Outcome.KEEP)


def apply(base: dict, mine: dict, seen: dict, now: dict, choice: Choice | None) -> dict[str, Any]:
    """Return what stands after a file was applied."""
    verdict = settled(merged(base, mine, seen), mine=mine, seen=seen, now=now, choice=choice)
    return mine if verdict is Settled.WRITE else now


@given(some, some, some, choices)
def test_applying_a_file_twice_is_applying_it_once(base: dict, mine: dict, theirs: dict, choice: Choice | None) -> None:
    once = apply(base, mine, theirs, theirs, choice)

    assert apply(base, mine, once, once, choice) == once


@given(some, some, some, some, choices)
def test_what_changed_after_the_comparison_is_never_written_over(
    base: dict, mine: dict, seen: dict, now: dict, choice: Choice | None
) -> None:
    if now != seen:
        assert apply(base, mine, seen, now, choice) == now


@given(some, some, some)
def test_an_edit_online_is_written_over_only_by_choice(base: dict, mine: dict, theirs: dict) -> None:
    if theirs != base:
        assert apply(base, mine, theirs, theirs, None) == theirs
        assert apply(base, mine, theirs, theirs, Choice.THEIRS) == theirs


def test_a_conflict_waits_for_a_choice() -> None:
    def verdict(choice: Choice | None, now: dict = C) -> Settled:
        return settled(Outcome.CONFLICT, mine=B, seen=C, now=now, choice=choice)

    assert verdict(None) is Settled.OPEN
    assert verdict(Choice.MINE) is Settled.WRITE
    assert verdict(Choice.THEIRS) is Settled.NOTHING
    assert verdict(Choice.MINE, now=A) is Settled.MOVED
    assert verdict(Choice.MINE, now=B) is Settled.NOTHING


@given(st.permutations([("a", 1), ("b", 2), ("b", 3), ("x", 4)]))
def test_lines_are_matched_by_id_whatever_their_order(lines: list[tuple[str, int]]) -> None:
    found = sort_out(lines, ["a", "b", "c"])

    assert dict(found.lines) == {"a": 1}
    assert (found.duplicate, found.unknown) == (("b",), ("x",))
