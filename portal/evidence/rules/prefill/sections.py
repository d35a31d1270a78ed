"""Where the parts of a SOC 2 report begin: by what their headings say, since their order and numbers differ. Pure."""
# ruff: noqa: E501 - patterns are kept whole

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from portal.evidence.rules.prefill.text import Line, Text


class Section(StrEnum):
    """The parts of a report (spec/evidence.md)."""

    COVER = "cover"
    AUDITOR = "auditor"
    ASSERTION = "assertion"
    DESCRIPTION = "description"
    TESTS = "tests"
    OTHER = "other"


_LONGEST = 110
_LISTED = re.compile(r"\.{3,}|…|\s[0-9]{1,3}$")
_NUMBERED = re.compile(
    r"^(?:(?:section|part)\s+(?:[ivx]{1,4}|[1-5]|one|two|three|four|five|[a-e])\b|(?:[ivx]{1,4}|[1-5])[.)])[\s:.–—-]*",
    re.IGNORECASE,
)
_WHO = r"(?:auditor|accountant|practitioner|examiner)s?"
_HEADINGS: tuple[tuple[Section, re.Pattern[str]], ...] = (
    (Section.OTHER, re.compile(r"^other information\b|\bother information provided by\b|^unaudited information", re.I)),
    (
        Section.AUDITOR,
        re.compile(
            rf"^(?:independent )?(?:service )?{_WHO}['’]?s?['’]? (?:assurance )?report\b"
            rf"|^report (?:of|by) (?:the )?independent (?:service )?{_WHO}\b|^independent (?:assurance )?report$",
            re.I,
        ),
    ),
    (
        Section.ASSERTION,
        re.compile(r"\bassertion\b|^(?:management['’]?s? )?statement (?:by|of) |^management['’]?s? statement\b", re.I),
    ),
    (
        Section.TESTS,
        re.compile(
            r"\btests? (?:of|results?|and results)\b|\bresults? of (?:tests?|our testing|testing)\b|^testing\b|^(?:table of )?results$"
            r"|\btest results\b|^control activities and results|\btests carried out\b|\bwas tested\b|\bwhat we tested\b"
            r"|^detailed results$",
            re.I,
        ),
    ),
    (
        Section.DESCRIPTION,
        re.compile(
            r"\bdescription\b.{0,40}\b(?:of|provided by)\b|['’]s description\b|\bsystem (?:description|narrative)\b"
            r"|\bdescription$|^the system\b|: the system and |^about the system\b|^overview of\b",
            re.I,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that were found, each in the numbers of the whole text."""

    text: Text
    bounds: dict[Section, tuple[int, int]]

    def of(self, section: Section) -> Text | None:
        """Return one part, None if it was not found."""
        found = self.bounds.get(section)
        return self.text.part(*found) if found else None

    def where(self, at: int) -> Section | None:
        """Return the part that holds a place."""
        return next((each for each, (start, end) in self.bounds.items() if start <= at < end), None)


def parts_of(text: Text) -> Parts:
    """Split a report into its parts. A part begins where a page or a numbered heading says so first."""
    begins: dict[Section, int] = {}
    lines = text.lines
    for index, line in enumerate(lines):
        if line.page == 1 or len(line.text) > _LONGEST or is_listed(line):
            continue
        plain = _NUMBERED.sub("", line.text)
        numbered = plain != line.text
        on_top = index == 0 or lines[index - 1].page != line.page
        follows = index > 0 and bool(_NUMBERED.fullmatch(lines[index - 1].text)) and not is_listed(lines[index - 1])
        if not (numbered or on_top or follows):
            continue
        section = _named(plain)
        if section is None or section in begins:
            continue
        begins[section] = lines[index - 1].at if follows else line.at
    order = sorted(begins.items(), key=lambda item: item[1])
    bounds = {}
    for place, (section, start) in enumerate(order):
        bounds[section] = (start, order[place + 1][1] if place + 1 < len(order) else text.end)
    first = order[0][1] if order else text.end
    second_page = text.starts[1] if len(text.starts) > 1 else text.end
    bounds[Section.COVER] = (0, min(first, second_page))
    return Parts(text, bounds)


def _named(plain: str) -> Section | None:
    return next((section for section, pattern in _HEADINGS if pattern.search(plain)), None)


def is_listed(line: Line) -> bool:
    """Return whether a line is one of a table of contents."""
    return bool(_LISTED.search(line.text)) and not _NUMBERED.fullmatch(line.text)
