"""How far a file reaches, and that neither time nor a promise makes it reach further."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.evidence.rules import (
    NEVER,
    FileState,
    Gap,
    Letter,
    Reach,
    Record,
    Worth,
    add_months,
    gaps,
    opinion_cap,
    reach,
    state_on_day,
    validity,
)
from portal.terms import EvidenceState

DAY = timedelta(days=1)
END = date(2025, 10, 31)
"""The end of the period: twelve months on is 31 October 2026, the fifteenth month ends on 31 January 2027."""

days = st.dates(date(2025, 1, 1), date(2028, 12, 31))


def report(state: EvidenceState = EvidenceState.VERIFIED, *letters: Letter, end: date = END, **more: Any) -> Record:
    details = {"report_type": "type2", "period_end": end.isoformat(), "opinion": "unqualified"}
    return Record("SOC2", state, details, valid_until=add_months(end, 12), letters=letters, **more)


def letter(until: date, *, begins: date = END + DAY, **more: Any) -> Letter:
    said: dict[str, Any] = {
        "signer": "Ingrid Solheim",
        "next_start": END + DAY,
        "next_auditor": "Fairholm Assurance",
    } | more
    return Letter(END, begins, until, **said)


GOOD = letter(date(2026, 10, 31))


@pytest.mark.parametrize(
    ("letters", "until"),
    [
        pytest.param((), None, id="no letter"),
        pytest.param((GOOD,), date(2027, 1, 31), id="covers the twelve months"),
        pytest.param((letter(date(2026, 9, 15)),), date(2026, 12, 15), id="three months after its last day"),
        pytest.param((letter(date(2027, 6, 30)),), date(2027, 1, 31), id="never past the fifteenth month"),
        pytest.param((letter(date(2026, 7, 31)),), None, id="too old when it is needed"),
        pytest.param((letter(date(2026, 8, 1)),), date(2026, 11, 1), id="one day is enough"),
        pytest.param((replace(GOOD, signer=" "),), None, id="unsigned"),
        pytest.param((replace(GOOD, covers_from=date(2025, 11, 2)),), None, id="hole of a day"),
        pytest.param((replace(GOOD, next_start=None),), None, id="next period not named"),
        pytest.param((replace(GOOD, next_start=date(2026, 11, 2)),), None, id="next period begins too late"),
        pytest.param((replace(GOOD, next_auditor=""),), None, id="next auditor not named"),
        pytest.param((replace(GOOD, report_end=date(2025, 9, 30)),), None, id="of another report"),
        pytest.param(
            (letter(date(2026, 1, 31)), letter(date(2026, 10, 31), begins=date(2026, 2, 1), next_start=None)),
            date(2027, 1, 31),
            id="two letters without a hole",
        ),
        pytest.param(
            (letter(date(2026, 1, 31)), letter(date(2026, 10, 31), begins=date(2026, 2, 2))),
            None,
            id="two letters with a hole",
        ),
    ],
)
def test_letters_carry_a_report_from_the_twelfth_to_the_fifteenth_month(
    letters: tuple[Letter, ...], until: date | None
) -> None:
    found = reach(report(EvidenceState.VERIFIED, *letters))
    assert found.bridged_until == until
    assert found.valid_until == until or (until is None and found.valid_until == date(2026, 10, 31))
    assert found.verified_until == date(2026, 10, 31)


@pytest.mark.parametrize(
    ("on", "worth"),
    [
        (date(2026, 10, 31), Worth.VERIFIED),
        (date(2026, 11, 1), Worth.ATTACHED),
        (date(2027, 1, 31), Worth.ATTACHED),
        (date(2027, 2, 1), Worth.EXPIRED),
    ],
)
def test_a_bridged_report_counts_as_attached_even_if_it_was_verified(on: date, worth: Worth) -> None:
    found = reach(report(EvidenceState.VERIFIED, GOOD))
    assert found.on(on) is worth
    assert found.is_bridged(on) is (worth is Worth.ATTACHED)


@pytest.mark.parametrize(
    ("promised", "until"),
    [(None, date(2026, 12, 30)), ("2026-10-15", date(2026, 10, 15)), ("2030-01-01", date(2026, 12, 30))],
)
def test_a_type_1_report_holds_six_months_or_until_the_promised_type_2(promised: str | None, until: date) -> None:
    details = {"report_type": "type1", "as_of": "2026-06-30", "opinion": "unqualified"}
    details |= {"promised_on": promised} if promised else {}
    holds = validity("SOC2", details, date(2026, 7, 1))
    assert holds.valid_until == until
    assert reach(Record("SOC2", EvidenceState.ATTACHED, details, valid_until=date(2026, 12, 30))).valid_until == until


def test_letters_do_not_carry_a_type_1_report() -> None:
    details = {"report_type": "type1", "as_of": END.isoformat(), "period_end": END.isoformat()}
    record = Record("SOC2", EvidenceState.VERIFIED, details, valid_until=add_months(END, 6), letters=(GOOD,))
    assert reach(record) == Reach(verified=True, verified_until=add_months(END, 6), valid_until=add_months(END, 6))


@pytest.mark.parametrize("edition", ["2013", "2005", 2013])
def test_a_certificate_to_an_older_edition_counts_on_no_day(edition: str | int) -> None:
    record = Record("ISO", EvidenceState.VERIFIED, {"edition": edition}, valid_until=date(2028, 1, 1))
    assert reach(record).on(date(2026, 1, 1)) is Worth.EXPIRED
    assert reach(replace(record, details={"edition": "2022"})).on(date(2028, 1, 1)) is Worth.VERIFIED


@pytest.mark.parametrize("state", sorted(set(EvidenceState) - {EvidenceState.ATTACHED, EvidenceState.VERIFIED}))
def test_what_is_not_kept_reaches_no_day(state: EvidenceState) -> None:
    assert reach(report(state, GOOD)).valid_until == NEVER


def test_a_file_is_called_what_it_is_on_the_day() -> None:
    verified, attached = report(), report(EvidenceState.ATTACHED)
    assert state_on_day(verified, date(2026, 10, 31)) is FileState.VERIFIED
    assert state_on_day(verified, date(2026, 11, 1)) is FileState.EXPIRED
    assert state_on_day(report(EvidenceState.VERIFIED, GOOD), date(2026, 11, 1)) is FileState.ATTACHED
    assert state_on_day(attached, END) is FileState.ATTACHED
    assert state_on_day(replace(attached, taken_up=True), END) is FileState.IN_REVIEW
    assert state_on_day(replace(verified, superseded=True), END) is FileState.SUPERSEDED
    assert state_on_day(report(EvidenceState.REJECTED), END) is FileState.REJECTED
    assert state_on_day(report(EvidenceState.INTEGRITY_FAILURE), END) is FileState.REJECTED


def test_holes_between_periods_are_told_to_the_day() -> None:
    touching = [(date(2024, 1, 1), date(2024, 12, 31)), (date(2025, 1, 1), date(2025, 12, 31))]
    assert gaps(touching) == ()
    assert gaps([*touching, (date(2026, 2, 1), date(2026, 6, 30)), (date(2024, 6, 1), date(2025, 6, 1))]) == (
        Gap(date(2026, 1, 1), date(2026, 1, 31)),
    )
    assert gaps([*touching, (date(2026, 2, 1), date(2026, 6, 30))])[0].days == 31


@pytest.mark.parametrize(
    ("opinion", "cap"), [("unqualified", 100), ("qualified", 60), ("adverse", 0), ("disclaimer", 0), ("", None)]
)
def test_only_a_verified_report_caps_the_level_of_assurance(opinion: str, cap: int | None) -> None:
    record = Record("SOC2", EvidenceState.VERIFIED, {"opinion": opinion})
    assert opinion_cap(record) == cap
    assert opinion_cap(replace(record, state=EvidenceState.ATTACHED)) is None
    assert opinion_cap(replace(record, kind="ISO")) is None


letters = st.builds(
    Letter,
    report_end=st.sampled_from([END, END - DAY]),
    covers_from=st.dates(END - 2 * DAY, END + 200 * DAY),
    covers_until=st.dates(END + DAY, END + 700 * DAY),
    signer=st.sampled_from(["", "Ingrid Solheim"]),
    next_start=st.none() | st.dates(END, END + 500 * DAY),
    next_auditor=st.sampled_from(["", "Fairholm Assurance"]),
)
records = st.builds(
    report,
    st.sampled_from(list(EvidenceState)),
    taken_up=st.booleans(),
    superseded=st.booleans(),
)


@given(records, st.lists(letters, max_size=4), days, st.integers(0, 800))
def test_time_alone_never_makes_a_file_better(record: Record, more: list[Letter], day: date, later: int) -> None:
    found = reach(replace(record, letters=tuple(more)))
    assert found.on(day + later * DAY).rank <= found.on(day).rank
    if found.bridged_until is not None:
        assert found.verified_until is not None
        assert found.verified_until < found.bridged_until <= add_months(END, 15)


@given(records, st.lists(letters, max_size=4), letters, days)
def test_a_letter_more_never_makes_a_report_worse_nor_verified(
    record: Record, more: list[Letter], one: Letter, day: date
) -> None:
    without = reach(replace(record, letters=tuple(more))).on(day)
    with_it = reach(replace(record, letters=(*more, one))).on(day)
    assert with_it.rank >= without.rank
    assert with_it is without or with_it is Worth.ATTACHED


@given(records, st.lists(letters, max_size=4), days)
def test_without_a_reviewer_nothing_is_verified(record: Record, more: list[Letter], day: date) -> None:
    found = reach(replace(record, letters=tuple(more)))
    if record.state is not EvidenceState.VERIFIED:
        assert found.on(day) is not Worth.VERIFIED
    assert found.unchecked().on(day) is not Worth.VERIFIED
    assert found.unchecked().on(day).rank <= found.on(day).rank
    assert (found.unchecked().on(day) is Worth.EXPIRED) is (found.on(day) is Worth.EXPIRED)
