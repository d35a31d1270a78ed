"""Dates and ranges of dates as reports write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from portal.evidence.rules.prefill.text import Text
from portal.evidence.rules.validity import add_months

_MONTHS: Final = "january february march april may june july august september october november december".split()  # noqa: SIM905
_NAME = (
    r"(?P<{0}>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DATE = re.compile(
    r"\b(?:"
    + _NAME.format("m1")
    + r" ?(?P<d1>[0-3]?[0-9])(?:st|nd|rd|th)?,? (?P<y1>(?:19|20)[0-9]{2})"
    + r"|(?P<d2>[0-3]?[0-9])(?:st|nd|rd|th)?(?: day of| of)? ?"
    + _NAME.format("m2")
    + r",? (?P<y2>(?:19|20)[0-9]{2})"
    + r"|(?P<y3>(?:19|20)[0-9]{2})-(?P<m3>[01][0-9])-(?P<d3>[0-3][0-9])"
    + r"|(?P<a4>[0-3]?[0-9])[/.](?P<b4>[0-3]?[0-9])[/.](?P<y4>(?:19|20)[0-9]{2})"
    + r")\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dated:
    """A day at a place of the text; ``sure`` is False for 03/04/2025, which two countries read differently."""

    day: date
    start: int
    end: int
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Range:
    """Two days that belong together, or a length and its last day ("for the six months ended")."""

    first: date
    last: date
    start: int
    end: int
    method: str
    sure: bool = True


def dates_in(text: Text, most: int = 300) -> list[Dated]:
    """Return the days named in a text, in order, no more than any report has."""
    found = []
    for match in text.find(_DATE, most):
        try:
            day, sure = _day(match)
        except ValueError:
            continue
        found.append(Dated(day, match.start(), match.end(), sure))
    return found


def _day(match: re.Match[str]) -> tuple[date, bool]:
    if match["y1"]:
        return date(int(match["y1"]), _month(match["m1"]), int(match["d1"])), True
    if match["y2"]:
        return date(int(match["y2"]), _month(match["m2"]), int(match["d2"])), True
    if match["y3"]:
        return date(int(match["y3"]), int(match["m3"]), int(match["d3"])), True
    one, two, year = int(match["a4"]), int(match["b4"]), int(match["y4"])
    if one > 12 or "." in match[0]:
        return date(year, two, one), True
    return date(year, one, two), two > 12 or one == two


def _month(name: str) -> int:
    start = name.lower()[:3]
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(start))


_BETWEEN = re.compile(
    r",?\s?(?:\(?inclusive\)?,? )?(?:to|through|thru|until|till|up to|–|—|-|→|and|and (?:ending|ended|ends|concluding"
    r"|concluded|terminating|terminated|finishing|finished)(?: on)?"
    r"|(?:up )?to and including|through and including|until and including|through to)(?: and including)?(?: the)? ",
    re.IGNORECASE,
)
_LABELLED = re.compile(r",? (?:End|Ending|To|Until|Last day|End of (?:the )?period)(?: date)?: ", re.IGNORECASE)
_AND = re.compile(r"\band$", re.IGNORECASE)
_BEFORE_AND = re.compile(
    r"\b(?:between|starting|beginning|commencing|start date of|started on|starting on)\b[^.]{0,20}$", re.IGNORECASE
)
_LOOSE = re.compile(r"[^.]{0,12}\b(?:end date of|ending|ended|to|through|until)(?: on| the)? ", re.IGNORECASE)


def ranges_in(text: Text, dates: Sequence[Dated]) -> list[Range]:
    """Return the ranges written as two days, and those written as a length and its end."""
    found = []
    for one, two in pairwise(dates):
        between = text.whole[one.end : two.start]
        if len(between) > 40 or not one.day < two.day:
            continue
        plain = f"{between} " if between in {"–", "-", "—"} else between
        strict = _BETWEEN.fullmatch(plain) or _LABELLED.fullmatch(plain)
        if (
            strict
            and _AND.search(plain.strip())
            and not _BEFORE_AND.search(text.whole[max(0, one.start - 60) : one.start])
        ):
            strict = None
        if strict or _LOOSE.fullmatch(plain):
            method = "two dates" if strict else "two dates, loosely joined"
            found.append(Range(one.day, two.day, one.start, two.end, method, one.sure and two.sure))
    return found + _by_length(text, dates)


_LENGTHS: Final = {
    "three": 3, "3": 3, "four": 4, "4": 4, "five": 5, "5": 5, "six": 6, "6": 6, "seven": 7, "7": 7, "eight": 8, "8": 8,
    "nine": 9, "9": 9, "ten": 10, "10": 10, "eleven": 11, "11": 11, "twelve": 12, "12": 12, "year": 12,
    "quarter": 3, "half-year": 6,
}  # fmt: skip
_LENGTH = re.compile(
    r"\b(three|four|five|six|seven|eight|nine|ten|eleven|twelve|[3-9]|1[0-2]|year|quarter|half-year)"
    r"(?: \([0-9]{1,2}\))?(?:[ -]months?)?(?: period)?,? (?:that )?(?:ended|ending|to|through)(?: on)? (?:the )?$",
    re.IGNORECASE,
)


def _by_length(text: Text, dates: Sequence[Dated]) -> list[Range]:
    found = []
    for each in dates:
        left = max(text.start, each.start - 60)
        match = _LENGTH.search(text.whole[left : each.start])
        if match is None:
            continue
        word = match[1].lower()
        if word not in {"year", "quarter", "half-year"} and "month" not in match[0].lower():
            continue
        first = add_months(each.day + timedelta(days=1), -_LENGTHS[word])
        found.append(Range(first, each.day, left + match.start(), each.end, "a length and its end", each.sure))
    return found
