"""How long the lab usually takes, in working days from the signature on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

ENOUGH: Final = 5
"""With fewer decisions a median says more of single vendors than of the lab; then nothing is said."""

_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Case:
    """One decided revision: when it was signed, when a reviewer claimed it, and when it was decided."""

    signed_at: datetime
    claimed_at: datetime | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """The usual wait: half begun within ``begun`` days, half decided within ``decided``, 9 in 10 within ``most``."""

    cases: int
    begun: int | None
    decided: int
    most: int


def usual(cases: Sequence[Case]) -> Wait | None:
    """Return the usual wait; None while there are too few cases."""
    if len(cases) < ENOUGH:
        return None
    decided = sorted(working_days(each.signed_at.date(), each.decided_at.date()) for each in cases)
    begun = sorted(
        working_days(each.signed_at.date(), each.claimed_at.date()) for each in cases if each.claimed_at is not None
    )
    return Wait(
        cases=len(cases),
        begun=_within(begun, 50) if len(begun) >= ENOUGH else None,
        decided=_within(decided, 50),
        most=_within(decided, 90),
    )


def working_days(start: date, end: date) -> int:
    """Return how many working days lie after one day, up to and with another; none if it is not later."""
    if end <= start:
        return 0
    weeks, rest = divmod((end - start).days, 7)
    return 5 * weeks + sum((start + timedelta(days=day)).weekday() < _SATURDAY for day in range(1, rest + 1))


def _within(ordered: Sequence[int], percent: int) -> int:
    """Return the least of the values within which so many percent of them lie."""
    return ordered[-(-len(ordered) * percent // 100) - 1]
