"""What is searched for, in words; and where a text says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST_WORD: Final = 40
SHORTEST_WORD: Final = 2
MOST_WORDS: Final = 6
_WORD: Final = re.compile(r"[^\W_]+")


class Found(StrEnum):
    """What can be found, in the order of a page of results."""

    VENDOR = "vendor"
    FINDING = "finding"
    ANSWER = "answer"
    EVIDENCE = "evidence"


def asked_words(text: str) -> tuple[str, ...]:
    """Return the words that are searched for, in their order, at most ``MOST_WORDS``; each may be a beginning."""
    found = dict.fromkeys(match.group().lower()[:LONGEST_WORD] for match in _WORD.finditer(text))
    return tuple(each for each in found if len(each) >= SHORTEST_WORD)[:MOST_WORDS]


def says(text: str, wanted: Sequence[str]) -> bool:
    """Whether a text has words that begin with every wanted one."""
    have = [match.group().lower()[:LONGEST_WORD] for match in _WORD.finditer(text)]
    return bool(wanted) and all(any(each.startswith(word) for each in have) for word in wanted)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A place in a text: what stands before, the word itself, what follows."""

    before: str
    hit: str
    after: str


def excerpt_of(text: str, wanted: Sequence[str], *, around: int = 80) -> Excerpt | None:
    """Return where a text first says one of the wanted words, with some of what stands around it; None if nowhere."""
    for match in _WORD.finditer(text):
        if any(match.group().lower().startswith(word) for word in wanted):
            start, end = max(0, match.start() - around), min(len(text), match.end() + around)
            before = ("…" if start else "") + text[start : match.start()]
            after = text[match.end() : end] + ("…" if end < len(text) else "")
            return Excerpt(before, match.group(), after)
    return None
