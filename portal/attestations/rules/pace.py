"""How long what is left takes a team, from the way it has answered so far.

The rule. Every write of an answer is a moment of one person. A person's writes of the same question in a row are one
piece of work, which ends with the last of them. The time that an answer took is the gap between the ends of two pieces
of the same person. Gaps under ``SHORTEST`` are several answers of one act (a list confirmed, a file brought back) and
say nothing; gaps over ``LONGEST`` are pauses and say nothing either. The pace is the median of the other gaps, so that
one hard question or one telephone call does not move it. With fewer than ``ENOUGH`` gaps there is no pace yet, and
``ASSUMED`` stands in its place. An earlier answer that only needs a word takes ``CONFIRMING``, whoever confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

SHORTEST: Final = timedelta(seconds=5)
LONGEST: Final = timedelta(minutes=15)
ENOUGH: Final = 8
ASSUMED: Final = timedelta(minutes=2)
CONFIRMING: Final = timedelta(seconds=9)


@dataclass(frozen=True, slots=True)
class Moment:
    """One write of one answer: by whom, which question of which assessment, and when."""

    by: object
    question: object
    at: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one answer takes. ``own``: measured from what this team did, not assumed."""

    each: timedelta
    own: bool


def pace(moments: Iterable[Moment]) -> Pace:
    """Return the pace of a team from all its writes, in any order."""
    gaps = _gaps(moments)
    if len(gaps) < ENOUGH:
        return Pace(ASSUMED, own=False)
    return Pace(timedelta(seconds=median(each.total_seconds() for each in gaps)), own=True)


def time_left(at: Pace, *, to_answer: int, to_confirm: int) -> timedelta:
    """Return how long so many answers take, to the next five minutes; nothing if nothing is left."""
    exact = at.each * max(0, to_answer) + CONFIRMING * max(0, to_confirm)
    five = timedelta(minutes=5)
    return -(-exact // five) * five


def _gaps(moments: Iterable[Moment]) -> list[timedelta]:
    theirs: dict[object, list[Moment]] = {}
    for each in sorted(moments, key=lambda each: (each.at, str(each.question))):
        theirs.setdefault(each.by, []).append(each)
    found: list[timedelta] = []
    for own in theirs.values():
        ends = [one.at for one, after in pairwise(own) if one.question != after.question] + [own[-1].at]
        found += [after - one for one, after in pairwise(ends)]
    return [each for each in found if SHORTEST <= each <= LONGEST]
