"""Service levels, stages, signals, and in which order a reviewer reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.reviews.rules import (
    Changed,
    Kind,
    Stage,
    changed_how,
    due_at,
    kind_of,
    signals_of,
    spent,
    stage_of,
    time_left,
)
from portal.terms import AssessmentState

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("signed", "tier", "due"),
    [
        (TUESDAY, 1, datetime(2026, 12, 2, 9, 0, tzinfo=UTC)),
        (TUESDAY, 2, datetime(2026, 12, 4, 9, 0, tzinfo=UTC)),
        (TUESDAY, 3, datetime(2026, 12, 8, 9, 0, tzinfo=UTC)),
        (datetime(2026, 11, 28, 9, 0, tzinfo=UTC), 1, datetime(2026, 12, 8, 9, 0, tzinfo=UTC)),
    ],
)
def test_reviews_are_due_in_working_days_by_tier(signed: datetime, tier: int, due: datetime) -> None:
    assert due_at(signed, tier) == due


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=1, hours=2), "1 d 2 h"),
        (timedelta(days=4), "4 d"),
        (timedelta(hours=5, minutes=59), "5 h"),
        (timedelta(minutes=20), "20 min"),
        (-timedelta(days=1, hours=4), "1 d 4 h over"),
    ],
)
def test_time_left_is_said_in_words(left: timedelta, words: str) -> None:
    assert time_left(TUESDAY + left, TUESDAY) == words


def test_used_time_stays_between_nothing_and_all() -> None:
    due = TUESDAY + timedelta(days=10)
    assert [spent(TUESDAY, due, TUESDAY + timedelta(days=days)) for days in (-1, 0, 5, 10, 99)] == [0, 0, 50, 100, 100]


def test_the_kind_says_why_there_is_something_to_review() -> None:
    assert kind_of(revision=1, signed_before=False) is Kind.FIRST
    assert kind_of(revision=1, signed_before=True) is Kind.RENEWAL
    assert kind_of(revision=2, signed_before=True) is Kind.REPLY


@pytest.mark.parametrize(
    ("state", "claimed", "proposed", "stage"),
    [
        (AssessmentState.SUBMITTED, False, False, Stage.NEW),
        (AssessmentState.IN_REVIEW, True, False, Stage.REVIEWING),
        (AssessmentState.IN_REVIEW, False, False, Stage.NEW),
        (AssessmentState.CHANGES_REQUESTED, True, False, Stage.WITH_VENDOR),
        (AssessmentState.RECOMMENDED, True, False, Stage.TO_DECIDE),
        (AssessmentState.RECOMMENDED, True, True, Stage.TO_COSIGN),
    ],
)
def test_stages(state: AssessmentState, claimed: bool, proposed: bool, stage: Stage) -> None:
    assert stage_of(state, claimed=claimed, proposed=proposed) is stage


def test_the_gravest_signal_comes_first() -> None:
    reasons = [{"code": "evidence_missing", "keys": ["SOC2", "ISO"]}, {"code": "score_below", "keys": []}]

    found = signals_of(failed=2, still_open=1, reasons=reasons, high=1)

    assert [each.words for each in found] == [
        "2 knock-outs failed",
        "1 high finding",
        "1 knock-out open",
        "No SOC2 or ISO",
    ]


@pytest.mark.parametrize(
    ("old", "new", "credits", "same_files", "how"),
    [
        (None, {"choice": "yes"}, (None, 100), True, Changed.NEW),
        ({"choice": "yes"}, {"choice": "partial"}, (100, 50), True, Changed.DOWN),
        ({"choice": "yes"}, {"na": True}, (100, None), True, Changed.DOWN),
        ({"choice": "no"}, {"choice": "yes"}, (0, 100), True, Changed.CHANGED),
        ({"choice": "yes"}, {"choice": "yes"}, (100, 100), False, Changed.EVIDENCE),
        ({"choice": "yes"}, {"choice": "yes"}, (100, 100), True, Changed.UNCHANGED),
    ],
)
def test_answers_are_read_by_what_became_of_them(
    old: dict[str, object] | None,
    new: dict[str, object],
    credits: tuple[int | None, int | None],
    same_files: bool,
    how: Changed,
) -> None:
    found = changed_how(old=old, new=new, old_credit=credits[0], new_credit=credits[1], same_files=same_files)

    assert found is how
