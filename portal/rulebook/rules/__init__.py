"""What a kind of policy is, and how two texts of it differ line by line. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, Final

MAX_TEXT: Final = 100_000
CONTEXT: Final = 3
"""How many unchanged lines are shown around a change."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of policy: its name in addresses and rows, its title, and what makes a text one of them.

    ``check`` returns what is wrong with a text, in sentences, nothing if it may be published. ``first`` is the text of
    version 1, which is in force until another is published: nothing needs to be stored for it. ``against``, given a
    transaction and a text, returns what stands against it among what is stored; no such text is published either.
    """

    name: str
    title: str
    check: Callable[[str], list[str]]
    first: str
    about: str = ""
    against: Callable[[Any, str], list[str]] | None = None


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


class Side(StrEnum):
    """Where a line of a comparison stands."""

    BOTH = "both"
    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison with its number in each text; None where it is not in that text."""

    side: Side
    old: int | None
    new: int | None
    text: str


def compared(old: str, new: str) -> tuple[tuple[Line, ...], ...]:
    """Return the places where two texts differ, each with the lines around it; nothing if they are the same."""
    before, after = old.splitlines(), new.splitlines()
    groups = SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(CONTEXT)
    return tuple(tuple(_lines(before, after, group)) for group in groups) if before != after else ()


def _lines(before: Sequence[str], after: Sequence[str], group: Sequence[tuple[str, int, int, int, int]]) -> list[Line]:
    found = []
    for tag, old_from, old_to, new_from, new_to in group:
        if tag == "equal":
            pairs = zip(range(old_from, old_to), range(new_from, new_to), strict=True)
            found += [Line(Side.BOTH, old + 1, new + 1, before[old]) for old, new in pairs]
            continue
        found += [Line(Side.OLD, at + 1, None, before[at]) for at in range(old_from, old_to)]
        found += [Line(Side.NEW, None, at + 1, after[at]) for at in range(new_from, new_to)]
    return found
