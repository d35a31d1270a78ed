"""The opinion in a SOC 2 report limits the level of assurance, by a reviewer's verification only."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from portal.scoring.rules import Finding
from portal.scoring.translate import ASSURANCE_KEY, Paper, capped

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
