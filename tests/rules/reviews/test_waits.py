"""How long the lab usually takes: medians of real cases in working days, and nothing while there are too few."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.assessments.waits import before_working_days
from portal.reviews.rules.waits import ENOUGH, Case, Wait, usual, working_days

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
days = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def case(decided: int, claimed: int | None = 1) -> Case:
    """A case signed on a Monday, claimed and decided so many days later."""
    begun = None if claimed is None else MONDAY + timedelta(days=claimed)
    return Case(MONDAY, begun, MONDAY + timedelta(days=decided))


def test_four_cases_say_nothing_and_five_say_it() -> None:
    assert usual([case(3)] * (ENOUGH - 1)) is None
    assert usual([case(3)] * ENOUGH) == Wait(cases=ENOUGH, begun=1, decided=3, most=3)


def test_half_are_decided_within_the_median_and_nine_in_ten_within_most() -> None:
    found = usual([case(each) for each in (1, 1, 2, 2, 3, 3, 4, 4, 4, 14)])

    assert found == Wait(cases=10, begun=1, decided=3, most=4)


def test_one_very_long_case_does_not_move_the_median() -> None:
    found = usual([*[case(3)] * 5, case(300)])

    assert found is not None
    assert found.decided == 3


def test_reviews_that_nobody_claimed_do_not_count_for_the_beginning() -> None:
    found = usual([*[case(3)] * 4, case(3, claimed=None)])

    assert found is not None
    assert found.begun is None


def test_a_weekend_is_no_working_day() -> None:
    friday, monday = date(2026, 11, 6), date(2026, 11, 9)

    assert working_days(friday, monday) == 1
    assert working_days(friday, date(2026, 11, 8)) == 0
    assert working_days(monday, date(2026, 11, 16)) == 5
    assert working_days(monday, friday) == 0


@given(days, days, days)
def test_working_days_add_up(one: date, two: date, three: date) -> None:
    first, middle, last = sorted((one, two, three))

    assert working_days(first, middle) + working_days(middle, last) == working_days(first, last)


@given(days, st.integers(0, 60))
def test_the_last_day_to_sign_leaves_the_working_days_that_are_needed(end: date, needed: int) -> None:
    day = before_working_days(end, needed)

    assert working_days(day, end) == needed
    assert needed == 0 or working_days(day + timedelta(days=1), end) < needed


@given(st.lists(st.integers(0, 60), min_size=ENOUGH, max_size=40))
def test_what_is_said_holds_of_the_cases(waits: list[int]) -> None:
    found = usual([case(each) for each in waits])

    assert found is not None
    within = [working_days(MONDAY.date(), (MONDAY + timedelta(days=each)).date()) for each in waits]
    assert sum(each <= found.decided for each in within) * 2 >= len(within)
    assert sum(each <= found.most for each in within) * 10 >= len(within) * 9
    assert found.decided <= found.most
