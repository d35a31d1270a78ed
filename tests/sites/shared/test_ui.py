"""Pages say dates, sizes, points and counts the way spec'd for readers, and never a guess for what is unknown."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from portal.sites.shared import language, ui

TODAY = date(2026, 11, 23)


def test_dates_are_written_out_and_short_in_tables() -> None:
    assert ui.day(date(2026, 12, 18)) == "18 December 2026"
    assert ui.day(date(2026, 9, 3), short=True) == "3 Sep 2026"
    assert ui.day(None) == "unknown"


def test_moments_are_shown_in_the_zone_given_and_kept_in_utc() -> None:
    late = datetime(2026, 12, 18, 23, 30, tzinfo=UTC)

    assert ui.moment(late) == "18 December 2026 at 23:30"
    assert ui.moment(late, zone=ZoneInfo("Europe/Lisbon")) == "18 December 2026 at 23:30"
    assert ui.moment(late, short=True, zone=ZoneInfo("Asia/Manila")) == "19 Dec 2026, 07:30"
    assert ui.machine_time(late.astimezone(ZoneInfo("Asia/Manila"))) == "2026-12-18T23:30:00Z"
    assert ui.machine_time(date(2026, 12, 18)) == "2026-12-18"
    assert ui.clock_time(late.replace(tzinfo=None)) == "23:30"
    assert ui.zone_name(late) == "UTC"


@pytest.mark.parametrize(
    ("days", "words"),
    [(25, "in 25 days"), (1, "tomorrow"), (0, "today"), (-1, "yesterday"), (-54, "54 days ago"), (61, ""), (-61, "")],
)
def test_days_are_relative_only_within_sixty(days: int, words: str) -> None:
    assert ui.relative_days(TODAY + timedelta(days=days), TODAY) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (timedelta(days=2, hours=3), "2 d 3 h"),
        (timedelta(days=4), "4 d"),
        (timedelta(hours=21), "21 h"),
        (timedelta(hours=2, minutes=50), "2 h 50 min"),
        (timedelta(minutes=-12), "12 min"),
        (None, "unknown"),
    ],
)
def test_durations_use_two_units(value: timedelta | None, words: str) -> None:
    assert ui.duration(value) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (2_400, "2 kB"),
        (600_000, "0.6 MB"),
        (18_000_000, "18.0 MB"),
        (999_960_000, "1.0 GB"),
        (None, "unknown"),
    ],
)
def test_sizes_are_si(size: int | None, words: str) -> None:
    assert ui.filesize(size) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(Fraction(845, 10), "84.5"), (Fraction(7999, 100), "79.9"), (Fraction(-4), "−4.0"), (0, "0.0"), (None, "unknown")],
)
def test_points_have_one_decimal_and_are_never_rounded_up(value: Fraction | int | None, words: str) -> None:
    assert ui.points(value) == words


def test_gains_carry_their_sign() -> None:
    assert ui.points(Fraction(5, 2), signed=True) == "+2.5"


def test_a_score_just_below_the_threshold_does_not_read_as_met() -> None:
    assert ui.whole(Fraction(79_999, 1000)) == "79"


def test_counts_agree_with_their_words() -> None:
    assert ui.plural(1, "question") == "1 question"
    assert ui.plural(1204, "question") == "1,204 questions"
    assert ui.plural(0, "reply", "replies") == "0 replies"


def test_initials_are_of_first_and_last_name() -> None:
    assert ui.initials("Priya de Raghunath") == "PR"
    assert ui.initials("") == "?"


def test_no_status_is_drawn_outside_the_vocabulary() -> None:
    assert ui.status_look("Orrery asked") == ui.STATUS["Asked"]
    with pytest.raises(KeyError):
        ui.status_look("OK")


@pytest.mark.parametrize(
    ("item", "here", "current"),
    [("/", "/", True), ("/", "/s/identity", True), ("/", "/evidence", False), ("/evidence", "/evidence/3", True)],
)
def test_navigation_knows_where_the_reader_is(item: str, here: str, current: bool) -> None:
    assert ui.is_current(item, here) is current


@pytest.fixture
def german() -> Iterator[None]:
    app = Flask("german")
    language.register(app)
    with app.test_request_context(headers={"Cookie": "language=de"}):
        yield


@pytest.mark.usefixtures("german")
def test_a_german_reader_reads_days_numbers_and_distances_as_germans_write_them() -> None:
    late = datetime(2026, 12, 18, 23, 30, tzinfo=UTC)

    assert (ui.day(date(2026, 12, 18)), ui.day(date(2026, 9, 3), short=True)) == ("18. Dezember 2026", "3. Sept. 2026")
    assert (ui.moment(late), ui.moment(late, short=True)) == ("18. Dezember 2026 um 23:30 Uhr", "18. Dez. 2026, 23:30")
    assert (ui.whole(1204), ui.points(Fraction(124, 10)), ui.points(Fraction(-1, 2))) == ("1.204", "12,4", "−0,5")
    assert (ui.filesize(640), ui.filesize(2_000), ui.filesize(18_000_000)) == ("640 Byte", "2 kB", "18,0 MB")
    assert ui.duration(timedelta(days=2, hours=3)) == "2 d 3 h"
    near = [ui.relative_days(TODAY + timedelta(days=days), TODAY) for days in (-54, -1, 0, 1, 25, 61)]
    assert near == ["vor 54 Tagen", "gestern", "heute", "morgen", "in 25 Tagen", ""]
    assert ui.day(None) == "unbekannt"
