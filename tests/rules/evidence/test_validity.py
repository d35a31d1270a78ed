"""How long each kind of evidence holds, to the day."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.evidence import rules
from portal.evidence.rules import KINDS, Standing, Validity, add_months, state_on, validity

UPLOADED = date(2026, 11, 24)
days = st.dates(date(2000, 1, 1), date(2090, 12, 31))

EXACT = [
    ("SOC2", {"report_type": "type2", "period_end": "2025-09-30"}, date(2026, 9, 30)),
    ("SOC2", {"report_type": "type1", "as_of": "2026-08-31"}, date(2027, 2, 28)),
    ("BL", {"report_end": "2026-09-30", "covers_from": "2026-10-01", "covers_until": "2026-11-30"}, date(2026, 11, 30)),
    ("BL", {"report_end": "2026-09-30", "covers_from": "2026-10-01", "covers_until": "2027-06-30"}, date(2026, 12, 30)),
    (
        "ISO",
        {"issued_on": "2024-06-15", "expires_on": "2027-06-14", "surveillance_on": "2026-06-20"},
        date(2027, 6, 14),
    ),
    (
        "ISO",
        {"issued_on": "2024-06-15", "expires_on": "2027-06-14", "surveillance_on": "2025-06-20"},
        date(2026, 6, 20),
    ),
    ("ISO", {"issued_on": "2024-06-15", "expires_on": "2027-06-14"}, date(2025, 6, 15)),
    ("ISO42", {"issued_on": "2026-06-15", "expires_on": "2029-06-14"}, date(2027, 6, 15)),
    ("STAR", {"dated_on": "2026-03-01"}, date(2027, 3, 1)),
    ("PT", {"tested_until": "2026-02-19"}, date(2027, 2, 19)),
    ("VS", {"scanned_on": "2026-11-01"}, date(2026, 12, 6)),
    ("INS", {"starts_on": "2026-01-01", "expires_on": "2026-12-31"}, date(2026, 12, 31)),
    ("DPA", {"signed_on": "2024-01-01"}, None),
    ("SPL", {"as_of": "2026-11-01"}, date(2027, 1, 30)),
    ("BCP", {"tested_on": "2026-05-05"}, date(2027, 5, 5)),
    ("IRP", {"exercised_on": "2025-08-31"}, date(2026, 8, 31)),
    ("DEL", {"deleted_on": "2020-01-01"}, None),
    ("VER", {"checked_until": "2026-02-28"}, date(2027, 2, 28)),
    ("TRN", {"completed_on": "2026-01-10"}, date(2027, 1, 10)),
    ("ARC", {"dated_on": "2024-02-29"}, date(2025, 2, 28)),
    ("SBOM", {"made_on": "2026-11-01"}, date(2027, 1, 30)),
    ("SCR", {"taken_on": "2026-11-01"}, date(2027, 1, 30)),
    ("LOG", {"range_until": "2026-11-01"}, date(2027, 1, 30)),
    ("POL", {"approved_on": "2026-10-01"}, date(2027, 10, 1)),
    ("POL", {"approved_on": "2026-10-01", "next_review_on": "2027-04-01"}, date(2027, 4, 1)),
    ("CON", {"starts_on": "2026-01-01", "ends_on": "2027-12-31"}, date(2027, 12, 31)),
    ("CON", {"starts_on": "2026-01-01"}, None),
    ("RPT", {"dated_on": "2026-01-01"}, date(2027, 1, 1)),
    ("ATT", {"dated_on": "2026-01-01"}, date(2027, 1, 1)),
]


@pytest.mark.parametrize(("kind", "details", "until"), EXACT)
def test_each_kind_holds_to_the_day_of_its_rule(kind: str, details: dict[str, str], until: date | None) -> None:
    found = validity(kind, details, UPLOADED)
    assert found.valid_until == until
    assert not found.is_provisional


def test_there_are_23_kinds_and_each_has_a_rule_a_check_and_a_required_field() -> None:
    assert len(KINDS) == 23
    assert {kind for kind, _, _ in EXACT} == set(KINDS)
    for kind in KINDS.values():
        assert kind.checks
        assert kind.holds
        assert any(field.required for field in kind.fields)
        assert len({field.name for field in kind.fields}) == len(kind.fields)


@pytest.mark.parametrize("kind", list(KINDS))
def test_without_its_dates_a_file_holds_for_30_days_from_its_upload(kind: str) -> None:
    assert validity(kind, {}, UPLOADED) == Validity(UPLOADED, date(2026, 12, 24), rules.PROVISIONAL)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_fields_a_rule_needs_are_required(kind: str) -> None:
    details = {
        field.name: {"date": "2026-10-01", "choice": field.options[0][0] if field.options else ""}.get(field.type, "x")
        for field in KINDS[kind].fields
        if field.required
    }
    assert not rules.missing(kind, details)
    assert not validity(kind, details, UPLOADED).is_provisional


@given(days, st.integers(0, 48))
def test_months_are_calendar_months(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == min(day.day, monthrange(later.year, later.month)[1])


@given(days, days, st.integers(0, 36))
def test_a_later_start_never_ends_earlier(one: date, other: date, months: int) -> None:
    first, last = sorted((one, other))
    assert add_months(first, months) <= add_months(last, months)


@given(
    st.sampled_from(list(KINDS)),
    st.dictionaries(
        st.sampled_from(sorted({field.name for kind in KINDS.values() for field in kind.fields})),
        st.one_of(days.map(date.isoformat), st.text(max_size=12), st.integers(0, 9)),
    ),
    days,
)
def test_whatever_is_stored_a_file_never_ends_before_it_begins(
    kind: str, details: dict[str, object], uploaded: date
) -> None:
    found = validity(kind, details, uploaded)
    assert found.rule
    if found.valid_from and found.valid_until and kind not in {"ISO", "ISO42", "INS", "POL", "CON"}:
        assert found.valid_until >= found.valid_from


@dataclass(frozen=True)
class File:
    valid_from: date | None
    valid_until: date | None


@pytest.mark.parametrize(
    ("on", "standing"),
    [
        (date(2026, 9, 30), Standing.NOT_YET),
        (date(2026, 10, 1), Standing.VALID),
        (date(2027, 7, 2), Standing.VALID),
        (date(2027, 7, 3), Standing.ENDS_SOON),
        (date(2027, 10, 1), Standing.ENDS_SOON),
        (date(2027, 10, 2), Standing.ENDED),
    ],
)
def test_a_file_counts_through_its_last_day(on: date, standing: Standing) -> None:
    assert state_on(File(date(2026, 10, 1), date(2027, 10, 1)), on) is standing


def test_what_has_no_end_stays_valid() -> None:
    assert state_on(File(date(2020, 1, 1), None), date(2099, 1, 1)) is Standing.VALID


@given(days, days)
def test_a_file_never_comes_back_once_it_ended(until: date, on: date) -> None:
    file = File(None, until)
    if state_on(file, on) is Standing.ENDED:
        assert state_on(file, on + timedelta(days=1)) is Standing.ENDED
