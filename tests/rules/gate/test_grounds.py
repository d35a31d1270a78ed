"""What evidence does to the gate: it ends an approval by the clock, and only reviewers make it hold longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.evidence.rules import NEVER, Letter, Record, add_months, reach
from portal.gate.rules import (
    Clearance,
    Engagement,
    Ground,
    Question,
    Reason,
    World,
    counts_until,
    decide,
    earliest,
    latest_day,
)
from portal.terms import ClearanceAct, EvidenceState

START = date(2026, 1, 1)
END = date(2026, 1, 31)
KEPT = (EvidenceState.ATTACHED, EvidenceState.VERIFIED)
days = st.dates(START, date(2028, 12, 31))
ends = st.none() | days | st.just(NEVER)
grounds = st.lists(st.builds(Ground, st.sampled_from([("SOC2", "ISO"), ("SPL",), ("PT",)]), ends), max_size=3)

letters = st.builds(
    Letter,
    report_end=st.just(END),
    covers_from=st.dates(END, END + timedelta(days=40)),
    covers_until=st.dates(END + timedelta(days=1), END + timedelta(days=500)),
    signer=st.sampled_from(["", "Ingrid Solheim"]),
    next_start=st.none() | st.just(END + timedelta(days=1)),
    next_auditor=st.sampled_from(["", "Fairholm Assurance"]),
)
reports = st.builds(
    lambda state, end, held: Record(
        "SOC2",
        state,
        {"report_type": "type2", "period_end": END.isoformat()},
        valid_until=end,
        letters=tuple(held),
    ),
    st.sampled_from(KEPT),
    st.just(add_months(END, 12)),
    st.lists(letters, max_size=3),
)


def world(*held: Ground) -> World:
    scope = {"data_classes": frozenset({3}), "access_modes": frozenset({"A2"}), "tier": 2}
    engagement = Engagement(id="e1", slug="rankings", starts_on=START, ends_on=None, **scope)
    step = Clearance("e1", 4, ClearanceAct.APPROVE, valid_until=date(2027, 12, 31), grounds=held, **scope)
    return World("acme", False, (engagement,), (step,), (), 4)


@given(grounds, days)
def test_the_gate_never_allows_after_the_first_last_day_and_says_when_it_is(held: list[Ground], day: date) -> None:
    now = datetime.combine(day, time(12), tzinfo=UTC)
    answer = decide(world(*held), Question("acme", "D3", "A2", "ranking"), now)
    last = earliest([date(2027, 12, 31), *(ground.until for ground in held)])
    assert last is not None
    assert answer.allow is (day <= last)
    assert (Reason.EVIDENCE_EXPIRED in answer.reasons) is any(not ground.holds(day) for ground in held)
    if answer.allow:
        assert answer.valid_until == datetime.combine(last + timedelta(days=1), time.min, tzinfo=UTC)
        assert now < answer.valid_until


@given(reports, st.lists(letters, max_size=3), st.lists(letters, max_size=3))
def test_letters_that_nobody_verified_never_lengthen_what_was_pinned(
    decided: Record, kept: list[Letter], later: list[Letter]
) -> None:
    decided = replace(decided, letters=tuple(kept))
    pinned = reach(decided).valid_until
    for record in (replace(decided, letters=(*kept, *later)), replace(decided, letters=tuple(later))):
        assert _not_after(counts_until(record, pinned), pinned)


@given(reports, days, days)
def test_a_vendor_that_describes_an_unverified_file_anew_never_lengthens_what_was_pinned(
    record: Record, pinned: date, said: date
) -> None:
    described = replace(record, state=EvidenceState.ATTACHED, valid_until=said)
    assert _not_after(counts_until(described, pinned), pinned)


@given(reports, ends)
def test_the_gate_never_counts_a_file_longer_than_the_score(record: Record, pinned: date | None) -> None:
    assert _not_after(counts_until(record, pinned), reach(record).valid_until)


@given(reports, st.lists(letters, min_size=1, max_size=3), ends)
def test_what_a_reviewer_verifies_never_shortens(record: Record, more: list[Letter], pinned: date | None) -> None:
    verified = replace(record, state=EvidenceState.VERIFIED)
    assert _not_after(counts_until(record, pinned), counts_until(verified, pinned))
    with_letters = replace(verified, letters=tuple(replace(letter, verified=True) for letter in more))
    without = replace(with_letters, letters=tuple(more))
    assert _not_after(counts_until(without, pinned), counts_until(with_letters, pinned))


def test_a_file_that_is_not_kept_counts_on_no_day() -> None:
    for state in set(EvidenceState) - set(KEPT):
        assert counts_until(Record("SPL", state, valid_until=None), None) == NEVER


def test_of_several_files_the_one_that_holds_longest_counts_and_of_several_requirements_the_first_to_end() -> None:
    assert latest_day([date(2027, 1, 1), NEVER, date(2026, 1, 1)]) == date(2027, 1, 1)
    assert latest_day([date(2027, 1, 1), None]) is None
    assert latest_day([]) == NEVER
    assert earliest([date(2027, 1, 1), None, date(2026, 1, 1)]) == date(2026, 1, 1)
    assert earliest([None]) is None


def _not_after(one: date | None, other: date | None) -> bool:
    return (one or date.max) <= (other or date.max)
