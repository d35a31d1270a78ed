"""Service levels: how long a review may take by tier, and when it is said that the time runs out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from portal.reviews.rules.timing import WORKING_DAYS, after_working_days
from portal.rulebook.rules.tree import Path, Unreadable, leaves

FORMAT: Final = "gatehouse levels 1"
KIND: Final = "levels"
MOST_DAYS: Final = 60
TIERS: Final = (1, 2, 3)
_SATURDAY: Final = 5


class Stage(StrEnum):
    """What is said of a review's time; each once for a review."""

    NEAR = "near"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Levels:
    """The whole document: working days by tier, and the percentage of them after which it is said."""

    working_days: Mapping[int, int]
    warn_at: int

    def due_at(self, signed_at: datetime, tier: int) -> datetime:
        """Return by when a signed revision of a tier is to be judged."""
        return after_working_days(signed_at, self.working_days[tier])


def worked(start: datetime, end: datetime) -> timedelta:
    """Return how much of the time between two moments lies on working days (UTC); nothing if it runs backwards."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        return timedelta()
    whole = timedelta()
    if (end.date() - start.date()).days > 14:
        weeks = (end.date() - start.date()).days // 7 - 1
        whole, start = timedelta(days=5 * weeks), start + timedelta(weeks=weeks)
    day = start
    while day < end:
        midnight = datetime.combine(day.date() + timedelta(days=1), time.min, tzinfo=UTC)
        if day.weekday() < _SATURDAY:
            whole += min(midnight, end) - day
        day = midnight
    return whole


def stage_of(opened_at: datetime, due: datetime, now: datetime, warn_at: int) -> Stage | None:
    """Return what there is to say of a review's time at a moment: nothing, that it runs out, or that it is over."""
    if now > due:
        return Stage.PASSED
    full = worked(opened_at, due)
    return Stage.NEAR if full and worked(opened_at, now) * 100 >= full * warn_at else None


FIRST: Final = f"""\
# How long a review may take from the signature on, in working days (Monday to Friday), by the tier of the engagement.
# A review keeps the day that it was opened with; what stands here counts for reviews that are opened from then on.
format: {FORMAT}
working_days:
  tier_1: {WORKING_DAYS[1]}
  tier_2: {WORKING_DAYS[2]}
  tier_3: {WORKING_DAYS[3]}

# The reviewer hears of it after this share of the working time, in percent; when it is over, the lead approvers too.
warn_at: 80
"""


def read(text: str) -> Levels:
    """Return a sound document.

    :raises ValueError: if it is not sound; ask ``problems_of`` first.
    """
    if problems := problems_of(text):
        raise ValueError(problems[0])
    found = leaves(text)
    days = {tier: int(str(found["working_days", f"tier_{tier}"].value)) for tier in TIERS}
    return Levels(days, int(str(found[("warn_at",)].value)))


def problems_of(text: str) -> list[str]:
    """Return what keeps a text from being published, in sentences with the line."""
    try:
        found = leaves(text)
    except Unreadable as problem:
        return [str(problem)]
    known: set[Path] = {("format",), ("warn_at",), *(("working_days", f"tier_{tier}") for tier in TIERS)}
    problems = [f"“{'.'.join(path)}” is missing" for path in sorted(known) if path not in found]
    for path, leaf in found.items():
        name = ".".join(path)
        if path not in known:
            problems.append(f"Line {leaf.line}: “{name}” is not known here")
        elif path == ("format",):
            if leaf.value != FORMAT:
                problems.append(f"Line {leaf.line}: the format is “{FORMAT}”")
        elif path == ("warn_at",):
            if not _within(leaf.value, 1, 99):
                problems.append(f"Line {leaf.line}: “{name}” is a whole number of percent from 1 to 99")
        elif not _within(leaf.value, 1, MOST_DAYS):
            problems.append(f"Line {leaf.line}: “{name}” is a whole number of working days from 1 to {MOST_DAYS}")
    if not problems:
        days = [int(str(found["working_days", f"tier_{tier}"].value)) for tier in TIERS]
        if days != sorted(days):
            problems.append("A stricter tier may not take longer than a milder one: tier 1, 2, 3 in rising days")
    return problems


def _within(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and low <= value <= high


def differences(before: Levels, after: Levels) -> Iterator[tuple[str, str, str]]:
    """Yield how two documents differ: what in words, from, to."""
    for tier in TIERS:
        old, new = before.working_days[tier], after.working_days[tier]
        if old != new:
            yield f"Time for a review in tier {tier}", _days(old), _days(new)
    if before.warn_at != after.warn_at:
        yield "The reviewer hears of it after", f"{before.warn_at} %", f"{after.warn_at} %"


def _days(count: int) -> str:
    return f"{count} working {'day' if count == 1 else 'days'}"
