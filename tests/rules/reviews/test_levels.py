"""Service levels: working time alone counts, each stage is reached once, and a document says what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.reviews.rules.levels import FIRST, Levels, Stage, differences, problems_of, read, stage_of, worked
from portal.reviews.rules.timing import WORKING_DAYS, after_working_days

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
MOMENTS = st.integers(0, 400 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


def test_the_first_version_says_what_was_built_in() -> None:
    assert problems_of(FIRST) == []
    assert read(FIRST) == Levels(dict(WORKING_DAYS), 80)
    assert read(FIRST).due_at(MONDAY, 1) == MONDAY + timedelta(days=8)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("tier_1: 6", "tier_1: 0", "Line 5: “working_days.tier_1” is a whole number of working days from 1 to 60"),
        ("tier_1: 6", "tier_1: soon", "Line 5: “working_days.tier_1” is a whole number of working days from 1 to 60"),
        (
            "tier_1: 6",
            "tier_1: 9",
            "A stricter tier may not take longer than a milder one: tier 1, 2, 3 in rising days",
        ),
        ("  tier_1: 6\n", "", "“working_days.tier_1” is missing"),
        ("warn_at: 80", "warn_at: 100", "Line 10: “warn_at” is a whole number of percent from 1 to 99"),
        ("warn_at: 80", "warn_at: 80\nholidays: 3", "Line 11: “holidays” is not known here"),
        ("levels 1", "levels 2", "Line 3: the format is “gatehouse levels 1”"),
        ("warn_at: 80", "warn_at: [", "Line 11"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(was: str, now: str, said: str) -> None:
    problems = problems_of(FIRST.replace(was, now, 1))
    assert any(each.startswith(said) for each in problems), problems
    with pytest.raises(ValueError, match=r"\w"):
        read(FIRST.replace(was, now, 1))


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_is_answered_with_sentences(text: str) -> None:
    assert all(problems_of(text))


def test_differences_are_said_in_words() -> None:
    after = read(FIRST.replace("tier_1: 6", "tier_1: 1").replace("80", "75"))
    assert list(differences(read(FIRST), after)) == [
        ("Time for a review in tier 1", "6 working days", "1 working day"),
        ("The reviewer hears of it after", "80 %", "75 %"),
    ]
    assert list(differences(after, after)) == []


def test_a_weekend_is_no_working_time() -> None:
    friday = datetime(2026, 11, 27, 18, tzinfo=UTC)
    assert worked(friday, friday + timedelta(days=3)) == timedelta(days=1)
    assert worked(friday + timedelta(hours=8), friday + timedelta(hours=30)) == timedelta()
    assert worked(friday, friday - timedelta(days=1)) == timedelta()


@given(MOMENTS, MOMENTS, MOMENTS)
@settings(max_examples=80)
def test_working_time_adds_up(one: datetime, two: datetime, three: datetime) -> None:
    first, middle, last = sorted((one, two, three))
    assert worked(first, middle) + worked(middle, last) == worked(first, last)
    assert timedelta() <= worked(first, last) <= last - first


@given(MOMENTS, st.sampled_from([1, 2, 3]), st.integers(1, 99))
@settings(max_examples=80)
def test_the_stages_come_in_order_and_the_last_with_the_day(opened: datetime, tier: int, percent: int) -> None:
    due = after_working_days(opened, WORKING_DAYS[tier])
    steps = [stage_of(opened, due, opened + timedelta(hours=6 * n), percent) for n in range(80)]
    order = [None, Stage.NEAR, Stage.PASSED]
    assert [order.index(each) for each in steps] == sorted(order.index(each) for each in steps)
    assert stage_of(opened, due, due, percent) is Stage.NEAR
    assert stage_of(opened, due, due + timedelta(seconds=1), percent) is Stage.PASSED


def test_eighty_percent_of_six_working_days_is_said_after_115_working_hours() -> None:
    due = after_working_days(MONDAY, 6)
    friday, next_monday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=7)
    assert stage_of(MONDAY, due, friday + timedelta(hours=15), 80) is None
    assert stage_of(MONDAY, due, next_monday - timedelta(hours=9), 80) is None, "the weekend adds nothing"
    assert stage_of(MONDAY, due, next_monday - timedelta(hours=4), 80) is Stage.NEAR
