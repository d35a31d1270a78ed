"""The opinion in a SOC 2 report limits the level of assurance, by a reviewer's verification only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.evidence.rules import Record, opinion_cap
from portal.scoring.rules import Finding
from portal.scoring.translate import ASSURANCE_KEY, Paper, capped
from portal.terms import EvidenceState

REVIEWER = UUID(int=7)


def paper(cap: int | None, *, number: int = 1, key: str = ASSURANCE_KEY, judged_by: UUID | None = REVIEWER) -> Paper:
    return Paper(
        UUID(int=number), key, UUID(int=number), "0" * 64, "SOC2", True, None, date(2027, 1, 1), cap, judged_by
    )


@pytest.mark.parametrize(("cap", "credit", "left"), [(60, 90, 60), (60, 40, None), (0, 90, 0), (100, 100, None)])
def test_a_verified_opinion_leaves_at_most_its_cap(cap: int, credit: int, left: int | None) -> None:
    found = capped(ASSURANCE_KEY, credit, None, [paper(cap)])
    assert (found.credit if found else None) == left
    if found:
        assert found.author == str(REVIEWER)
        assert found.evidence == (str(UUID(int=1)),)


def test_a_report_that_nobody_verified_costs_nothing() -> None:
    assert capped(ASSURANCE_KEY, 90, None, [paper(None)]) is None
    assert capped(ASSURANCE_KEY, 90, None, []) is None


def test_the_best_verified_opinion_counts_and_only_at_its_own_question() -> None:
    assert capped(ASSURANCE_KEY, 90, None, [paper(0), paper(100, number=2)]) is None
    assert capped("iam.mfa", 90, None, [paper(0, key="iam.mfa")]) is None
    assert capped(ASSURANCE_KEY, 90, None, [paper(0, key="iam.mfa")]) is None


def test_a_stricter_finding_of_a_reviewer_stays() -> None:
    finding = Finding(20, "somebody", "no report at all")
    assert capped(ASSURANCE_KEY, 90, finding, [paper(60)]) is finding
    stricter = capped(ASSURANCE_KEY, 90, finding, [paper(0)])
    assert stricter is not None
    assert stricter.credit == 0


_opinions = st.sampled_from(["unqualified", "qualified", "adverse", "disclaimer", ""])
_reports = st.lists(
    st.builds(
        lambda state, opinion: Record("SOC2", state, {"report_type": "type2", "opinion": opinion}),
        st.sampled_from([EvidenceState.ATTACHED, EvidenceState.VERIFIED]),
        _opinions,
    ),
    max_size=4,
)


def left(reports: list[Record], credit: int) -> int:
    papers = [paper(opinion_cap(each), number=number) for number, each in enumerate(reports, start=1)]
    found = capped(ASSURANCE_KEY, credit, None, papers)
    return credit if found is None else found.credit


@given(_reports, _opinions, st.integers(0, 100))
def test_attaching_a_report_changes_nothing_and_only_verifying_a_bad_opinion_lowers(
    reports: list[Record], opinion: str, credit: int
) -> None:
    before = left(reports, credit)
    report = Record("SOC2", EvidenceState.ATTACHED, {"report_type": "type2", "opinion": opinion})
    assert left([*reports, report], credit) == before
    after = left([*reports, replace(report, state=EvidenceState.VERIFIED)], credit)
    if opinion in {"unqualified", ""} or any(opinion_cap(each) is not None for each in reports):
        assert after >= before
    else:
        assert after == min(before, {"qualified": 60}.get(opinion, 0))


@given(_reports, st.integers(0, 100), st.dates(), st.dates())
def test_the_cap_does_not_lapse_with_the_report(reports: list[Record], credit: int, first: date, last: date) -> None:
    ended = [replace(each, valid_from=first, valid_until=last) for each in reports]
    assert left(ended, credit) == left(reports, credit)
