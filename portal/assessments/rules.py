"""The states of an assessment and the only ways between them; what the engagement says of the scoping. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from portal.kernel.words import said
from portal.terms import ANSWERABLE_STATES, ASSESSMENT_STATE_WORDS, FINAL_STATES, N_, AssessmentState

_S = AssessmentState
MAX_REASON: Final = 1_000
MAX_TITLE: Final = 160
LONGEST_NOTICE: Final = timedelta(days=730)
GRACE: Final = timedelta(days=14)


MOVED: Final = said(
    "This assessment moved to a newer version of the questionnaire since you opened it. Nothing was saved. "
    "Open the page again, then answer."
)
"""The refusal of what was written for the version before."""


class Move(StrEnum):
    """A verb that takes an assessment from one state to another."""

    TOUCH = "touch"
    SUBMIT = "submit"
    TAKE_INTO_REVIEW = "take into review"
    REQUEST_CHANGES = "request changes"
    RECOMMEND = "recommend"
    RETURN_TO_REVIEW = "return to review"
    DECIDE = "decide"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Way:
    """From which states a move starts, and where it ends."""

    starts: frozenset[AssessmentState]
    ends: AssessmentState


MOVES: Final[Mapping[Move, Way]] = MappingProxyType(
    {
        Move.TOUCH: Way(frozenset({_S.DRAFT}), _S.IN_PROGRESS),
        Move.SUBMIT: Way(frozenset({_S.IN_PROGRESS, _S.CHANGES_REQUESTED}), _S.SUBMITTED),
        Move.TAKE_INTO_REVIEW: Way(frozenset({_S.SUBMITTED}), _S.IN_REVIEW),
        Move.REQUEST_CHANGES: Way(frozenset({_S.IN_REVIEW}), _S.CHANGES_REQUESTED),
        Move.RECOMMEND: Way(frozenset({_S.IN_REVIEW}), _S.RECOMMENDED),
        Move.RETURN_TO_REVIEW: Way(frozenset({_S.RECOMMENDED}), _S.IN_REVIEW),
        Move.DECIDE: Way(frozenset({_S.RECOMMENDED}), _S.DECIDED),
        Move.CANCEL: Way(frozenset({_S.DRAFT, _S.IN_PROGRESS, _S.CHANGES_REQUESTED}), _S.CANCELLED),
        Move.WITHDRAW: Way(frozenset({_S.SUBMITTED, _S.IN_REVIEW}), _S.WITHDRAWN),
    }
)
"""Every move there is (security.md, state machines). What is not here is refused and changes nothing."""

STANDING: Final[Mapping[AssessmentState, str]] = MappingProxyType(
    {
        _S.DRAFT: N_("not started"),
        _S.IN_PROGRESS: N_("in progress"),
        _S.SUBMITTED: N_("submitted and waits for a reviewer"),
        _S.IN_REVIEW: N_("in review"),
        _S.CHANGES_REQUESTED: N_("back with the vendor"),
        _S.RECOMMENDED: N_("waiting for a decision"),
        _S.DECIDED: N_("decided"),
        _S.CANCELLED: N_("cancelled"),
        _S.WITHDRAWN: N_("withdrawn"),
    }
)


MOVABLE: Final = frozenset({_S.DRAFT, _S.IN_PROGRESS})
"""Where nothing is signed yet, so that an assessment can still be pinned to a newer version."""


def may_move(state: AssessmentState, move: Move) -> bool:
    """Whether the move starts from this state."""
    return state in MOVES[move].starts


def not_now(state: AssessmentState) -> str:
    """Return the refusal of a move that does not start from this state, naming the state."""
    return said("This assessment is %(state)s. Nothing was changed.", state=said(STANDING[state]))


def next_revision(state: AssessmentState, revision: int) -> int:
    """Return the revision that the next signature will make: one more after questions came back."""
    return revision + 1 if state is _S.CHANGES_REQUESTED else revision


def is_final(state: AssessmentState) -> bool:
    """Whether nothing moves from here; a renewal is a new assessment."""
    return state in FINAL_STATES


def is_answerable(state: AssessmentState) -> bool:
    """Whether the vendor can answer now."""
    return state in ANSWERABLE_STATES


def is_overdue(state: AssessmentState, due_on: date, on: date) -> bool:
    """Whether the vendor still owes it after the day it was due."""
    return is_answerable(state) and on > due_on


def is_expired(state: AssessmentState, due_on: date, on: date) -> bool:
    """Whether it lapsed: owed for longer than the days of grace. Derived when read, never stored."""
    return is_answerable(state) and on > due_on + GRACE


def word_of(state: AssessmentState) -> str:
    """Return the state as pages say it."""
    return ASSESSMENT_STATE_WORDS[state]


def scoping_from(
    *,
    project: str,
    services: Sequence[str],
    data_classes: Sequence[int],
    access_modes: Sequence[str],
    persons: Sequence[str],
) -> dict[str, Any]:
    """Return what an engagement says of the scoping facts that are the lab's to state, by key (catalogue 4.1)."""
    return {
        "scp.services": sorted(services),
        "scp.data": [{"engagement": project, "class": f"D{each}"} for each in sorted(data_classes)],
        "scp.access": sorted(access_modes),
        "scp.persons": sorted(persons),
    }


@dataclass(frozen=True, slots=True)
class SectionScope:
    """A section of one assessment, for the policy: whose vendor it is, and to whom it was given (None: to nobody)."""

    vendor_id: object
    section: str
    assignee_ids: frozenset[object] | None


def scope_of_section(vendor_id: object, section: str, assignees: Collection[object]) -> SectionScope:
    """Return the section as the policy asks for it; one without assignments is everybody's."""
    return SectionScope(vendor_id, section, frozenset(assignees) or None)
