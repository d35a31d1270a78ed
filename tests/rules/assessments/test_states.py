"""The state machine of an assessment, as a table."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from portal.assessments import rules
from portal.assessments.rules import Move
from portal.terms import FINAL_STATES, AssessmentState

WAYS = """
draft              touch             in_progress
in_progress        submit            submitted
changes_requested  submit            submitted
submitted          take into review  in_review
in_review          request changes   changes_requested
in_review          recommend         recommended
recommended        return to review  in_review
recommended        decide            decided
draft              cancel            cancelled
in_progress        cancel            cancelled
changes_requested  cancel            cancelled
submitted          withdraw          withdrawn
in_review          withdraw          withdrawn
"""


def test_the_documented_ways_are_all_the_ways_there_are() -> None:
    documented = {tuple(part.strip() for part in line.split("  ") if part.strip()) for line in WAYS.split("\n") if line}

    built = {
        (state.value, move.value, rules.MOVES[move].ends.value)
        for state, move in product(AssessmentState, Move)
        if rules.may_move(state, move)
    }

    assert built == documented


def test_nothing_moves_from_a_final_state() -> None:
    assert not any(rules.may_move(state, move) for state, move in product(FINAL_STATES, Move))


@pytest.mark.parametrize("state", AssessmentState)
def test_every_refusal_names_the_state(state: AssessmentState) -> None:
    assert rules.not_now(state) == f"This assessment is {rules.STANDING[state]}. Nothing was changed."


def test_only_a_signature_after_questions_came_back_makes_a_new_revision() -> None:
    assert rules.next_revision(AssessmentState.IN_PROGRESS, 1) == 1
    assert rules.next_revision(AssessmentState.CHANGES_REQUESTED, 1) == 2


@pytest.mark.parametrize(
    ("state", "on", "overdue", "expired"),
    [
        (AssessmentState.IN_PROGRESS, date(2026, 12, 18), False, False),
        (AssessmentState.IN_PROGRESS, date(2026, 12, 19), True, False),
        (AssessmentState.DRAFT, date(2027, 1, 1), True, False),
        (AssessmentState.CHANGES_REQUESTED, date(2027, 1, 2), True, True),
        (AssessmentState.IN_REVIEW, date(2027, 1, 2), False, False),
        (AssessmentState.CANCELLED, date(2027, 1, 2), False, False),
    ],
)
def test_overdue_and_expired_follow_from_the_clock(
    state: AssessmentState, on: date, overdue: bool, expired: bool
) -> None:
    assert rules.is_overdue(state, date(2026, 12, 18), on) is overdue
    assert rules.is_expired(state, date(2026, 12, 18), on) is expired


def test_a_section_given_to_nobody_is_everybodys() -> None:
    assert rules.scope_of_section("v", "gov", []).assignee_ids is None
    assert rules.scope_of_section("v", "gov", ["a"]).assignee_ids == {"a"}
