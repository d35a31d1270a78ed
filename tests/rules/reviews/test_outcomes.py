"""What the policy suggests, what it takes to decide otherwise, and the document that is signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.kernel.canonical import digest, plain
from portal.reviews.rules import (
    Access,
    Condition,
    Exposed,
    FoundWrong,
    Judged,
    Proposal,
    access_after,
    condition_of,
    decision_value,
    differences,
    options,
    problems_of,
)
from portal.terms import Outcome, Recommendation

TODAY = date(2026, 11, 24)
ENCRYPT = Condition("Encrypt every laptop", date(2027, 1, 15), closes_at=4)


def proposal(**given: Any) -> Proposal:
    fields: dict[str, Any] = {
        "outcome": Outcome.APPROVE,
        "conditions": (),
        "valid_until": TODAY + timedelta(days=90),
        "reason": "Because.",
        "letter": "",
    }
    return Proposal(**{**fields, **given})


@pytest.mark.parametrize(
    ("recommendation", "suggested"),
    [
        (Recommendation.APPROVE, Outcome.APPROVE),
        (Recommendation.CONDITIONAL, Outcome.APPROVE_WITH_CONDITIONS),
        (Recommendation.REJECT, Outcome.REJECT),
        (Recommendation.HOLD, None),
        (Recommendation.INCOMPLETE, None),
    ],
)
def test_everything_but_the_suggested_outcome_needs_a_reason(
    recommendation: Recommendation, suggested: Outcome | None
) -> None:
    for choice in options(recommendation, tier=2, today=TODAY):
        assert choice.suggested == (choice.outcome is suggested)
        assert choice.needs_reason != choice.suggested
        assert choice.because
        without = proposal(outcome=choice.outcome, reason="", conditions=())
        assert ("reason" in problems_of(without, recommendation, TODAY)) == choice.needs_reason


@pytest.mark.parametrize("recommendation", [Recommendation.HOLD, Recommendation.REJECT])
def test_approving_against_hold_or_reject_is_an_exception_of_90_days_and_two_people(
    recommendation: Recommendation,
) -> None:
    for tier in (1, 2, 3):
        approve = options(recommendation, tier=tier, today=TODAY)[0]
        assert (approve.exception, approve.signatures, approve.latest) == (True, 2, TODAY + timedelta(days=90))
    assert problems_of(proposal(), recommendation, TODAY) == {}
    assert problems_of(proposal(valid_until=TODAY + timedelta(days=91)), recommendation, TODAY) == {
        "valid_until": ["An exception holds for 90 days at most. Enter 22 February 2027 or earlier"]
    }


@pytest.mark.parametrize(
    ("valid_until", "words"),
    [
        (None, "Enter until when the approval holds"),
        (TODAY - timedelta(days=1), "The last day must be today or later"),
        (TODAY + timedelta(days=401), "An approval holds for 400 days at most. Enter 29 December 2027 or earlier"),
    ],
)
def test_an_approval_ends_within_400_days(valid_until: date | None, words: str) -> None:
    assert problems_of(proposal(valid_until=valid_until), Recommendation.APPROVE, TODAY) == {"valid_until": [words]}


def test_what_is_not_answered_can_be_refused_but_not_approved() -> None:
    assert "outcome" in problems_of(proposal(), Recommendation.INCOMPLETE, TODAY)
    assert problems_of(proposal(outcome=Outcome.REJECT), Recommendation.INCOMPLETE, TODAY) == {}
    assert [each.available for each in options(Recommendation.INCOMPLETE, tier=3, today=TODAY)] == [False, False, True]


@pytest.mark.parametrize(
    ("outcome", "conditions", "words"),
    [
        (Outcome.APPROVE, (ENCRYPT,), "Choose “Approve with conditions”, or take the conditions out"),
        (Outcome.APPROVE_WITH_CONDITIONS, (), "Enter at least one condition, or choose “Approve”"),
        (Outcome.APPROVE_WITH_CONDITIONS, (replace(ENCRYPT, text=""),), "Enter what condition 1 asks for"),
        (Outcome.APPROVE_WITH_CONDITIONS, (replace(ENCRYPT, due_on=None),), "Enter by when condition 1 is to be met"),
        (
            Outcome.APPROVE_WITH_CONDITIONS,
            (replace(ENCRYPT, due_on=date(2027, 3, 1)),),
            "Condition 1 must be met before the approval ends, 22 February 2027",
        ),
        (
            Outcome.APPROVE_WITH_CONDITIONS,
            (replace(ENCRYPT, closes_at=9),),
            "Choose the data class that condition 1 keeps closed",
        ),
    ],
)
def test_conditions_have_words_and_days(outcome: Outcome, conditions: tuple[Condition, ...], words: str) -> None:
    found = problems_of(proposal(outcome=outcome, conditions=conditions), Recommendation.CONDITIONAL, TODAY)

    assert found == {"conditions": [words]}


def test_a_stored_condition_reads_back() -> None:
    assert condition_of(ENCRYPT.stored) == ENCRYPT
    assert ENCRYPT.stored["met"] is False


def test_a_condition_closes_the_classes_it_names_and_the_rest_stay_open() -> None:
    found = access_after(
        Outcome.APPROVE_WITH_CONDITIONS,
        [ENCRYPT],
        data_classes=[3, 4],
        access_modes=["A2"],
        valid_until=date(2027, 11, 23),
    )

    assert found == (
        Access(3, "A2", open=True, because="Open until 23 November 2027"),
        Access(4, "A2", open=False, because="Closed until: Encrypt every laptop"),
    )
    rejected = access_after(Outcome.REJECT, [], data_classes=[3], access_modes=["A2"], valid_until=None)
    assert rejected == (Access(3, "A2", open=False, because="Not approved"),)


def document(**given: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "decision_id": UUID(int=1),
        "number": 101,
        "vendor_id": UUID(int=2),
        "engagement": Exposed(UUID(int=3), "lark", 2, (3,), ("A2",)),
        "judged": Judged(
            UUID(int=4), 1, 2, "a" * 64, "b" * 64, UUID(int=5), "c" * 64, "d" * 64, "e" * 64, Recommendation.APPROVE
        ),
        "proposal": proposal(),
        "findings": [
            FoundWrong(2, "gov.owner", "low", "No name.", "A name.", None, None),
            FoundWrong(1, "dat.transfer", "high", "Open link.", "It is closed.", date(2027, 1, 15), 0),
        ],
        "signatures": 1,
        "proposed_by": UUID(int=6),
        "proposed_at": datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
    }
    return decision_value(**{**fields, **given})


def test_the_same_document_has_the_same_digest_and_any_change_shows() -> None:
    findings = document()["findings"]
    assert digest(document()) == digest(document(findings=list(reversed(findings))))

    changes: list[tuple[dict[str, Any], str]] = [
        (
            {"engagement": Exposed(UUID(int=3), "lark", 2, (3, 4), ("A2",))},
            "Data classes of the engagement: D3 → D3, D4",
        ),
        ({"proposal": proposal(letter="Other words")}, "The letter: nothing → Other words"),
        ({"proposal": proposal(valid_until=TODAY)}, "The last day: 22 February 2027 → 24 November 2026"),
        ({"findings": findings[:1]}, "F-2: No name. → nothing"),
    ]
    for given, words in changes:
        assert digest(document(**given)) != digest(document())
        assert [str(each) for each in differences(plain(document()), plain(document(**given)))] == [words]
