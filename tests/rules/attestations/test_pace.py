"""The pace of a team: measured from what it did, robust against pauses, and assumed while there is too little."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.attestations.rules.pace import (
    ASSUMED,
    CONFIRMING,
    ENOUGH,
    LONGEST,
    SHORTEST,
    Moment,
    Pace,
    pace,
    time_left,
)

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
steps = st.lists(st.integers(5, 900), min_size=ENOUGH, max_size=60)


def answered(gaps: Sequence[float], by: object = "Priya", start: datetime = START) -> list[Moment]:
    """One answer at the start, and one after each of these gaps in seconds."""
    at, found = start, [Moment(by, 0, start)]
    for number, gap in enumerate(gaps, 1):
        at += timedelta(seconds=gap)
        found.append(Moment(by, number, at))
    return found


def test_eight_gaps_are_a_pace_and_seven_are_not() -> None:
    assert pace(answered([60] * ENOUGH)) == Pace(timedelta(seconds=60), own=True)
    assert pace(answered([60] * (ENOUGH - 1))) == Pace(ASSUMED, own=False)
    assert pace([]) == Pace(ASSUMED, own=False)


def test_keystrokes_saved_on_the_way_are_one_answer() -> None:
    saved = [
        Moment("Priya", number, START + timedelta(seconds=90 * number + part))
        for number in range(10)
        for part in (0, 2, 9)
    ]

    assert pace(saved) == Pace(timedelta(seconds=90), own=True)


def test_a_list_confirmed_at_once_says_nothing() -> None:
    at_once = [Moment("Priya", f"q{number}", START) for number in range(41)]

    assert pace(at_once) == Pace(ASSUMED, own=False)


def test_people_beside_each_other_do_not_make_each_other_faster() -> None:
    one, other = answered([100] * ENOUGH), answered([100] * ENOUGH, by="Tomasz", start=START + timedelta(seconds=50))

    assert pace([*one, *other]) == Pace(timedelta(seconds=100), own=True)


@given(steps, st.lists(st.integers(901, 500_000), max_size=5), st.randoms(use_true_random=False))
def test_pauses_change_nothing(gaps: list[int], pauses: list[int], chance: object) -> None:
    mixed: list[int] = [*gaps, *pauses]
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    assert pace(answered(mixed)) == pace(answered(gaps))


@given(steps, st.randoms(use_true_random=False))
def test_the_order_in_which_the_writes_are_read_does_not_matter(gaps: list[int], chance: object) -> None:
    moments = answered(gaps)
    shuffled = list(moments)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert pace(shuffled) == pace(moments)


@given(st.lists(st.integers(0, 5_000), max_size=60))
def test_a_pace_lies_among_the_gaps_that_count(gaps: list[int]) -> None:
    found = pace(answered(gaps))

    counted = [timedelta(seconds=each) for each in gaps if SHORTEST <= timedelta(seconds=each) <= LONGEST]
    assert found.own == (len(counted) >= ENOUGH)
    if found.own:
        assert min(counted) <= found.each <= max(counted)


@given(steps, st.integers(0, 500), st.integers(0, 500), st.integers(0, 50))
def test_more_to_do_never_takes_less(gaps: list[int], answers: int, confirms: int, more: int) -> None:
    at = pace(answered(gaps))

    left = time_left(at, to_answer=answers, to_confirm=confirms)
    assert left >= at.each * answers + CONFIRMING * confirms
    assert left - (at.each * answers + CONFIRMING * confirms) < timedelta(minutes=5)
    assert left % timedelta(minutes=5) == timedelta()
    assert time_left(at, to_answer=answers + more, to_confirm=confirms) >= left
    assert time_left(at, to_answer=answers, to_confirm=confirms + more) >= left


def test_nothing_left_takes_no_time() -> None:
    assert time_left(Pace(ASSUMED, own=False), to_answer=0, to_confirm=0) == timedelta()


def test_forty_one_unchanged_answers_are_some_six_minutes() -> None:
    assert time_left(Pace(ASSUMED, own=False), to_answer=0, to_confirm=41) == timedelta(minutes=10)
    assert round((CONFIRMING * 41).total_seconds() / 60) == 6
