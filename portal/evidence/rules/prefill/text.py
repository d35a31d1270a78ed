"""The text of a file as the readers walk it: lines with their pages, bounded, each match with its quote. Pure.

Everything here is hostile input. Patterns have no repetition inside a repetition and every gap has a bound, so that
their time grows with the length of the text only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from portal.evidence.rules.prefill.values import MAX_QUOTE

MOST_PAGES: Final = 400
MOST_CHARACTERS: Final = 1_200_000
PAGE_CHARACTERS: Final = 20_000
LETTER_CHARACTERS: Final = 60_000
"""What is read of documents that have a few pages in life."""

_ENDLESS = re.compile(r"(\S{80})(?=\S)")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, where it begins in the running text, and its page."""

    text: str
    at: int
    page: int


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text on one line, or a part of it: ``start`` and ``end`` bound the part."""

    whole: str
    lines: tuple[Line, ...]
    starts: tuple[int, ...]
    start: int
    end: int

    def part(self, start: int, end: int) -> Text:
        """Return a part of it, in the same numbers."""
        return Text(self.whole, self.lines, self.starts, max(start, self.start), min(end, self.end))

    def page_at(self, at: int) -> int:
        """Return the page of a place."""
        low, high = 0, len(self.starts)
        while low < high:
            middle = (low + high) // 2
            if self.starts[middle] <= at:
                low = middle + 1
            else:
                high = middle
        return max(low, 1)

    def find(self, pattern: re.Pattern[str], most: int = 2_000) -> Iterator[re.Match[str]]:
        """Yield the matches inside, no more than any report has."""
        return islice(pattern.finditer(self.whole, self.start, self.end), most)

    def own_lines(self) -> Iterator[Line]:
        """Yield the lines inside."""
        return (line for line in self.lines if self.start <= line.at < self.end)

    def quote(self, start: int, end: int) -> str:
        """Return the words of a match with the rest of their sentence, as far as a quote may go."""
        if end - start >= MAX_QUOTE:
            return self.whole[start : start + MAX_QUOTE].strip()
        room = MAX_QUOTE - (end - start)
        page = self.page_at(start)
        first = max(self.start, self.starts[page - 1] if self.starts else 0)
        last = min(self.end, self.starts[page] if page < len(self.starts) else self.end)
        last = max(last, end)
        left = max(first, start - room // 2)
        before = self.whole[left:start]
        cut = max(before.rfind(". "), before.rfind(": "))
        before = before[cut + 2 :] if cut >= 0 else before.partition(" ")[2] if left > first else before
        after = self.whole[end : min(last, end + room - len(before))]
        stop = after.find(". ")
        after = after[: stop + 1] if stop >= 0 else after.rpartition(" ")[0] if end + len(after) < last else after
        return f"{before}{self.whole[start:end]}{after}".strip()[:MAX_QUOTE]


def text_of(pages: Sequence[str], *, most: int = MOST_CHARACTERS) -> Text:
    """Return pages as one running text, cut where it is longer than any report; no word of it is endless."""
    lines: list[Line] = []
    pieces: list[str] = []
    starts: list[int] = []
    at = 0
    for number, page in enumerate(pages[:MOST_PAGES], 1):
        starts.append(at)
        for raw in page[:PAGE_CHARACTERS].split("\n"):
            line = _SPACES.sub(" ", _ENDLESS.sub(r"\1 ", raw)).strip()
            if not line:
                continue
            lines.append(Line(line, at, number))
            pieces.append(line)
            at += len(line) + 1
        if at > most:
            break
    whole = " ".join(pieces)
    return Text(whole, tuple(lines), tuple(starts), 0, len(whole))


_STOP = re.compile(r"(?<![A-Z])(?<!\bno)(?<!\bInc)(?<!\bLtd)(?<!\bCo)(?<!\bCorp)[.;!?] (?=[A-Z(•“])")


def sentence_around(text: Text, at: int, *, reach: int = 700) -> tuple[int, int]:
    """Return the bounds of the sentence that holds a place, at most so far to each side."""
    left = max(text.start, at - reach)
    begin = left
    for found in _STOP.finditer(text.whole, left, at):
        begin = found.end()
    stop = _STOP.search(text.whole, at, min(text.end, at + reach))
    return begin, stop.start() + 1 if stop else min(text.end, at + reach)
