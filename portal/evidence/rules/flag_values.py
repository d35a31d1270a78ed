"""What a flag is, and all that flags are computed from. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from portal.evidence.rules.anatomy import Passage
from portal.evidence.rules.traits import Traits
from portal.evidence.rules.validity import as_day
from portal.terms import Service

MOST_QUOTE: Final = 200


class FlagCode(StrEnum):
    """The flags, in the order in which a reviewer reads them."""

    ENTITY = "entity"
    DATES = "dates"
    TYPE = "type"
    AUDITOR = "auditor"
    BOILERPLATE = "boilerplate"
    CLEAN = "clean"
    SCOPE = "scope"
    EDITED = "edited"
    CERTIFICATE = "certificate"
    BRIDGE = "bridge"


class Weight(StrEnum):
    """How much a flag says by itself."""

    STRONG = "strong"
    PLAIN = "plain"


TITLES: Final[Mapping[FlagCode, str]] = {
    FlagCode.ENTITY: "Company names differ",
    FlagCode.DATES: "Dates that do not fit",
    FlagCode.TYPE: "Type 1 or Type 2?",
    FlagCode.AUDITOR: "Auditor not checked",
    FlagCode.BOILERPLATE: "Reads like another vendor’s report",
    FlagCode.CLEAN: "Too clean",
    FlagCode.SCOPE: "Scope leaves out what we use",
    FlagCode.EDITED: "Signs of editing",
    FlagCode.CERTIFICATE: "Speaks of a certificate",
    FlagCode.BRIDGE: "Bridge letter does not hold",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing to look at: ``words`` names it, ``detail`` says what was seen and what to do."""

    code: FlagCode
    detail: str
    page: int | None = None
    quote: str = ""
    weight: Weight = Weight.PLAIN

    @property
    def words(self) -> str:
        """The name of the flag."""
        return TITLES[self.code]


@dataclass(frozen=True, slots=True)
class Seen:
    """One value of the report: as a person said it, or only as it was read (``proposed``), and where."""

    value: Any
    page: int | None = None
    quote: str = ""
    proposed: bool = False


@dataclass(frozen=True, slots=True)
class Firm:
    """What a reviewer found on an audit firm in a public register."""

    name: str
    licence: str
    licensed: bool
    checked_on: date
    source: str


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Another vendor's report that shares much with this one."""

    vendor: str
    per_mille: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that the flags are computed from.

    ``fields``: by the names of the kind. ``earlier``: the details of the vendor's report before this one.
    ``report_ends``: the ends of the periods of the vendor's SOC 2 reports. ``carved_out``: organisation and purpose.
    """

    kind: str
    today: date
    fields: Mapping[str, Seen] = field(default_factory=dict)
    legal_name: str = ""
    vendor_name: str = ""
    pages: Sequence[str] = ()
    services: tuple[Service, ...] = ()
    carved_out: tuple[tuple[str, str], ...] = ()
    firms: tuple[Firm, ...] = ()
    earlier: Mapping[str, Any] | None = None
    report_ends: tuple[date, ...] = ()
    traits: Traits | None = None
    resembles: tuple[Resemblance, ...] = ()

    def text(self, name: str) -> str:
        """Return a field as text, empty if it is not known."""
        seen = self.fields.get(name)
        return str(seen.value) if seen is not None and seen.value is not None else ""

    def day(self, name: str) -> date | None:
        """Return a field as a day."""
        seen = self.fields.get(name)
        return as_day(seen.value) if seen is not None else None


def pointed(report: ReportFacts, code: FlagCode, detail: str, name: str, *, weight: Weight = Weight.PLAIN) -> Flag:
    """Return a flag that points to where a field was read, and says so if nobody confirmed it."""
    seen = report.fields.get(name)
    if seen is None:
        return Flag(code, detail, weight=weight)
    read = " (As read in the file; nobody has confirmed it.)" if seen.proposed else ""
    return Flag(code, detail + read, seen.page, seen.quote[:MOST_QUOTE], weight)


def first_in(pattern: str | re.Pattern[str], *passages: Passage) -> tuple[int | None, str]:
    for passage in passages:
        if match := re.search(pattern, passage.text):
            return passage.page_at(match.start()), quoted(passage.text, match.start(), match.end())
    return None, ""


def quoted(text: str, start: int, end: int) -> str:
    """Return the words around a place, on one line."""
    around = max(0, (MOST_QUOTE - (end - start)) // 2)
    first, last = max(0, start - around), min(len(text), end + around)
    if first:
        first = text.find(" ", first, start) + 1 or first
    if last < len(text):
        space = text.rfind(" ", end, last)
        last = space if space > 0 else last
    return " ".join(text[first:last].split())[:MOST_QUOTE]


def listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]
