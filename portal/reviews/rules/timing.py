"""Service levels: by when a review is due, and what kind of work it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

WORKING_DAYS: Final[Mapping[int, int]] = MappingProxyType({1: 6, 2: 8, 3: 10})
"""How many working days a review takes at most, by tier, from the signature on."""

_SATURDAY: Final = 5


class Kind(StrEnum):
    """Why there is something to review."""

    FIRST = "first"
    RENEWAL = "renewal"
    REPLY = "reply"


KIND_WORDS: Final[Mapping[Kind, str]] = MappingProxyType(
    {Kind.FIRST: "First review", Kind.RENEWAL: "Renewal", Kind.REPLY: "Re-review"}
)


class Stage(StrEnum):
    """Where a review stands, as the queue says it."""

    NEW = "new"
    REVIEWING = "reviewing"
    WITH_VENDOR = "with_vendor"
    TO_DECIDE = "to_decide"
    TO_COSIGN = "to_cosign"


STAGE_WORDS: Final[Mapping[Stage, str]] = MappingProxyType(
    {
        Stage.NEW: "New",
        Stage.REVIEWING: "Reviewing",
        Stage.WITH_VENDOR: "With vendor",
        Stage.TO_DECIDE: "To decide",
        Stage.TO_COSIGN: "To co-sign",
    }
)


def after_working_days(start: datetime, days: int) -> datetime:
    """Return the same time of day so many working days later; a weekend counts as its following Monday."""
    day = start
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    for _ in range(days):
        day += timedelta(days=1)
        while day.weekday() >= _SATURDAY:
            day += timedelta(days=1)
    return day


def due_at(signed_at: datetime, tier: int) -> datetime:
    """Return by when a signed revision of a tier is to be judged."""
    return after_working_days(signed_at, WORKING_DAYS[tier])


def kind_of(*, revision: int, signed_before: bool) -> Kind:
    """Return why there is something to review; ``signed_before``: an earlier assessment of the same was signed."""
    if revision > 1:
        return Kind.REPLY
    return Kind.RENEWAL if signed_before else Kind.FIRST


def spent(opened_at: datetime, due: datetime, now: datetime) -> int:
    """Return how much of the time is used, in whole percent from 0 to 100."""
    whole = (due - opened_at).total_seconds()
    if whole <= 0 or now >= due:
        return 100
    return max(0, int((now - opened_at).total_seconds() * 100 // whole))


def time_left(due: datetime, now: datetime) -> str:
    """Return the time left in words: "2 d 3 h", "5 h", "20 min", and "1 d 4 h over" when it is past."""
    over = now > due
    minutes = int(abs((due - now).total_seconds()) // 60)
    days, rest = divmod(minutes, 1_440)
    hours = rest // 60
    parts = [f"{days} d"] if days else []
    if hours or not days:
        parts.append(f"{hours} h" if hours else f"{rest} min")
    return " ".join([*parts, "over"] if over else parts)
