"""The parts of a SOC 2 report, found by their headings: who speaks where. Pure.

Some firms swap parts I and II and number with figures, so a part is known by what its heading says first
(spec/evidence.md, anatomy of a SOC 2 report).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """The five parts of a report."""

    OPINION = "opinion"
    ASSERTION = "assertion"
    DESCRIPTION = "description"
    TESTS = "tests"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Passage:
    """Running text out of a file. ``starts`` pairs the place where a page begins in it with the page's number."""

    text: str
    starts: tuple[tuple[int, int], ...]

    def page_at(self, place: int) -> int:
        """Return the number of the page on which a place of the text stands."""
        found = bisect_right(self.starts, place, key=lambda start: start[0])
        return self.starts[max(0, found - 1)][1] if self.starts else 1


_TITLES: Final = (
    (
        Part.OPINION,
        re.compile(
            r"independent (?:service )?(?:auditor|practitioner|accountant)"
            r"|(?:auditor|accountant|practitioner|examiner)['’]?s?['’]? report"
            r"|\bassurance report\b|report of (?:the )?independent|\bopinion of\b",
            re.IGNORECASE,
        ),
    ),
    (
        Part.ASSERTION,
        re.compile(r"\bassertion\b|\bstatement (?:of|by)\b|\bmanagement['’]?s? statement\b", re.IGNORECASE),
    ),
    (
        Part.TESTS,
        re.compile(
            r"\btests?\b|\btesting\b|\bcontrol activities\b|\bcriteria\b.*\bcontrols?\b|\bcontrols?\b.*\bcriteria\b"
            r"|\bcontrol matri",
            re.IGNORECASE,
        ),
    ),
    (Part.OTHER, re.compile(r"\bother information\b|\bunaudited\b|\bnot covered by\b", re.IGNORECASE)),
    (
        Part.DESCRIPTION,
        re.compile(r"\bdescription\b|\bsystem narrative\b|\bthe system\b|\bsystem overview\b", re.IGNORECASE),
    ),
)
_BY_NUMBER: Final = {
    Part.DESCRIPTION: frozenset({"iii", "3", "three", "c"}),
    Part.TESTS: frozenset({"iv", "4", "four", "d"}),
    Part.OTHER: frozenset({"v", "5", "five", "e"}),
}
"""What a part is by its number alone; the first two change places from firm to firm."""

_NUMBERED = re.compile(
    r"^\W*(?P<word>section|part|chapter)?\s*(?P<number>iii|iv|ii|i|v|[1-5]|one|two|three|four|five|[a-e])\b"
    r"\s*(?P<mark>[.:)\-–—|]*)\s*(?P<title>.*)$",
    re.IGNORECASE,
)
_LEADER = re.compile(r"(?:\.\s?){3,}\s*\d*\s*$|\s\d{1,3}\s*$")
_ROMAN: Final = frozenset({"i", "ii", "iii", "iv", "v"})
_MOST_WORDS: Final = 18
_RUNS_ON = re.compile(r"[,;]$|(?<!\bInc)(?<!\bLtd)(?<!\bCorp)(?<!\bCo)(?<!\.\w)\.$")
"""How a line ends that is no heading; a company's legal form may end one."""

_SHORT: Final = 70
_TOP: Final = 4
"""Among how many lines at the top of a page an unnumbered heading is looked for."""


def parts(pages: Sequence[str]) -> Mapping[Part, Passage]:
    """Return the text of each part that was found; none is guessed."""
    headings = [_headings(text) for text in pages]
    kept: dict[Part, list[tuple[int, str]]] = {}
    current: Part | None = None
    furniture = _furniture(pages)
    for number, (text, found) in enumerate(zip(pages, headings, strict=True), 1):
        contents = len(set(found.values())) >= 3 and any(
            _LEADER.search(line) for at, line in enumerate(text.split("\n")) if at in found
        )
        for at, line in enumerate(text.split("\n")):
            if at in found and not contents:
                current = found[at]
            elif current is not None and not contents and _plain(line) not in furniture:
                kept.setdefault(current, []).append((number, line))
    return {part: _joined(lines) for part, lines in kept.items() if any(line.strip() for _, line in lines)}


def whole(pages: Sequence[str]) -> Passage:
    """Return the running text of a file without what stands on most of its pages."""
    furniture = _furniture(pages)
    return _joined(
        [(n, line) for n, text in enumerate(pages, 1) for line in text.split("\n") if _plain(line) not in furniture]
    )


def _headings(text: str) -> dict[int, Part]:
    lines = [line.strip() for line in text.split("\n")]
    filled = [at for at, line in enumerate(lines) if line]
    found: dict[int, Part] = {}
    for order, at in enumerate(filled):
        match = _NUMBERED.match(lines[at])
        if not match or len(lines[at].split()) > _MOST_WORDS or lines[at].endswith((",", ";")):
            continue
        title = match["title"].strip()
        if not title and order + 1 < len(filled):
            title = lines[filled[order + 1]]
        number = match["number"].casefold()
        # "1. Description of services" within a part is a numbered paragraph, not a part, unless it says so.
        if match["word"]:
            part = _titled(title) or next((part for part, known in _BY_NUMBER.items() if number in known), None)
        else:
            part = _titled(title) if match["mark"] and number in _ROMAN else None
        if part:
            found[at] = part
    if found:
        return found
    titles = [at for order, at in enumerate(filled[:_TOP]) if _is_title(lines[at], first=not order)]
    return {at: part for at in titles if (part := _titled(lines[at]))}


def _is_title(line: str, *, first: bool) -> bool:
    """Return whether a line without a number looks like a heading: short, its longer words in capitals.

    The first of a page may be written as a sentence is, but shorter than running text.
    """
    words = [word for word in re.findall(r"[^\W\d_]+", line) if len(word) > 3]
    if not words or len(line.split()) > _MOST_WORDS or _RUNS_ON.search(line):
        return False
    return all(word[0].isupper() for word in words) or (first and line[:1].isupper() and len(line) <= _SHORT)


def _titled(title: str) -> Part | None:
    return next((part for part, pattern in _TITLES if pattern.search(title)), None)


def _plain(line: str) -> str:
    return re.sub(r"\d+", "#", " ".join(line.split())).casefold()


def _furniture(pages: Sequence[str]) -> frozenset[str]:
    """Return the lines that stand on most pages: running heads, "page # of #", "confidential"."""
    if len(pages) < 4:
        return frozenset()
    seen = Counter(plain for text in pages for plain in {_plain(line) for line in text.split("\n")} if plain)
    return frozenset(line for line, times in seen.items() if times * 2 > len(pages))


def _joined(lines: Sequence[tuple[int, str]]) -> Passage:
    pieces: list[str] = []
    starts: list[tuple[int, int]] = []
    length = 0
    for page, line in lines:
        if not starts or starts[-1][1] != page:
            starts.append((length, page))
        pieces.append(line)
        length += len(line) + 1
    return Passage("\n".join(pieces), tuple(starts))
