"""When we remind, how long we wait, and what a subject, an address and a quoted name may look like."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.delivery import rules
from portal.delivery.rules import Stage, stage_on

ASKED, DUE = date(2026, 11, 1), date(2026, 12, 1)


@pytest.mark.parametrize(
    ("today", "stage"),
    [
        (date(2026, 11, 1), None),
        (date(2026, 11, 15), None),
        (date(2026, 11, 16), Stage.HALF_TIME),
        (date(2026, 11, 23), Stage.HALF_TIME),
        (date(2026, 11, 24), Stage.SEVEN_DAYS),
        (date(2026, 11, 28), Stage.SEVEN_DAYS),
        (date(2026, 11, 29), Stage.TWO_DAYS),
        (date(2026, 12, 1), Stage.TWO_DAYS),
        (date(2026, 12, 2), None),
    ],
)
def test_reminders_come_at_half_time_seven_and_two_days_before(today, stage) -> None:
    assert stage_on(ASKED, DUE, today) == stage


def test_what_is_due_within_a_week_is_not_reminded_of_on_its_first_day() -> None:
    due = ASKED + timedelta(days=5)
    said = [stage_on(ASKED, due, ASKED + timedelta(days=n)) for n in range(6)]
    assert said == [None, None, Stage.HALF_TIME, Stage.TWO_DAYS, Stage.TWO_DAYS, Stage.TWO_DAYS]


@given(st.dates(), st.integers(0, 400))
def test_a_stage_never_goes_back(asked, days) -> None:
    due = min(date.max, asked + timedelta(days=days)) if asked.year < 9990 else asked
    order = [None, Stage.HALF_TIME, Stage.SEVEN_DAYS, Stage.TWO_DAYS]
    said = [order.index(stage_on(asked, due, asked + timedelta(days=n))) for n in range((due - asked).days + 1)]
    assert said == sorted(said)


@given(st.integers(1, 1000), st.floats(0, 1))
def test_waits_grow_stay_bounded_and_are_spread_by_half(tries, chance) -> None:
    wait = rules.wait_before(tries, lambda: chance)
    full = rules.wait_before(tries, lambda: 1.0)
    assert full / 2 <= wait <= full <= rules.LONGEST_WAIT
    assert full <= rules.wait_before(tries + 1, lambda: 1.0)


def test_a_mail_server_may_be_away_for_most_of_a_day() -> None:
    shortest = sum((rules.wait_before(n, lambda: 0.0) for n in range(1, rules.MOST_TRIES)), timedelta())
    assert timedelta(hours=8) < shortest


@given(st.text())
def test_nothing_breaks_a_line(text) -> None:
    line = rules.one_line(text)
    assert line.splitlines() in ([], [line])
    assert not any(ord(sign) < 32 or sign in "\x7f\u202e\u2066" for sign in line)


@given(st.text(max_size=200))
def test_a_subject_is_one_line_of_at_most_60_characters(text) -> None:
    subject = rules.subject_line(text)
    assert len(subject) <= 60
    assert "\n" not in subject
    assert "\r" not in subject


@given(st.text())
def test_what_passes_as_an_address_can_begin_nothing_else(text) -> None:
    if rules.is_address(text):
        assert text.count("@") == 1
        assert not set(text) & set('\r\n\t <>,;:"()[]\\')


@given(st.text())
def test_quoted_words_hold_no_link(text) -> None:
    assert "://" not in rules.quoted(text)


@pytest.mark.parametrize("address", ["ada@acme.example", "a.b+c@sub.acme.example", "zoë@acme.example", "a@localhost"])
def test_plain_addresses_pass(address) -> None:
    assert rules.is_address(address)


def test_words() -> None:
    assert rules.listed([]) == ""
    assert rules.listed(["a"]) == "a"
    assert rules.listed(["a", "b", "c"]) == "a, b and c"
    assert rules.count(1, "reply", "replies") == "1 reply"
    assert rules.count(1204, "reply", "replies") == "1,204 replies"
