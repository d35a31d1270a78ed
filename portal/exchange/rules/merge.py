"""What an answer that comes back from a file does to the one that stands: a merge of three. Pure.

Source: interchange.md, "XLSX round trip": changed only in the file is taken, changed only online is kept, changed in
both is shown side by side. Nothing that is missing in a file changes anything, and no online edit is ever lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

Content = Mapping[str, Any]
"""An answer in the shape of `questionnaires.rules.to_json`; blank is the empty one."""


class Outcome(StrEnum):
    """What becomes of one question of a file."""

    UNCHANGED = "unchanged"
    TAKE = "take"
    KEEP = "keep"
    CONFLICT = "conflict"
    REFUSED = "refused"


class Choice(StrEnum):
    """Which of two answers a person keeps."""

    MINE = "mine"
    THEIRS = "theirs"


def merged(base: Content, mine: Content, theirs: Content) -> Outcome:
    """Return what becomes of an answer: ``base`` was exported, ``mine`` is in the file, ``theirs`` stands now."""
    if mine == theirs:
        return Outcome.UNCHANGED
    if mine == base:
        return Outcome.KEEP
    return Outcome.TAKE if theirs == base else Outcome.CONFLICT


class Settled(StrEnum):
    """What applying a file does to one question at last."""

    NOTHING = "nothing"
    WRITE = "write"
    MOVED = "moved"
    OPEN = "open"


def settled(outcome: Outcome, *, mine: Content, seen: Content, now: Content, choice: Choice | None) -> Settled:
    """Return what is done when a file is applied that was compared a while ago.

    ``seen`` is what stood when the person read the comparison, ``now`` what stands this instant: an answer that moved
    in between is reported and not written over. A conflict without a choice stays open.
    """
    if outcome not in (Outcome.TAKE, Outcome.CONFLICT) or now == mine:
        return Settled.NOTHING
    if outcome is Outcome.CONFLICT and choice is Choice.THEIRS:
        return Settled.NOTHING
    if now != seen:
        return Settled.MOVED
    return Settled.OPEN if outcome is Outcome.CONFLICT and choice is None else Settled.WRITE


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sorted(Generic[T]):
    """The lines of a file by their ids, and those that cannot be matched."""

    lines: Mapping[str, T]
    duplicate: tuple[str, ...]
    unknown: tuple[str, ...]


def sort_out(lines: Iterable[tuple[str, T]], known: Iterable[str]) -> Sorted[T]:
    """Return the lines that have an id of ours once; the order of a file says nothing."""
    found: Sequence[tuple[str, T]] = tuple(lines)
    ours = set(known)
    count = Counter(name for name, _ in found)
    return Sorted(
        lines={name: line for name, line in found if name in ours and count[name] == 1},
        duplicate=tuple(name for name in count if name in ours and count[name] > 1),
        unknown=tuple(name for name in count if name not in ours),
    )


BLANK: Final[Content] = {}
