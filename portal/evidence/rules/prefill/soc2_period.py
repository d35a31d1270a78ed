"""The type, the period or the day, of a SOC 2 report: by its dates first, by its numeral second. Pure."""
# ruff: noqa: E501 - patterns are kept whole

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from portal.evidence.rules.prefill.dates import Dated, Range, dates_in, ranges_in
from portal.evidence.rules.prefill.sections import Parts, Section
from portal.evidence.rules.prefill.text import Text, sentence_around
from portal.evidence.rules.prefill.values import Confidence, Proposal

SHORTEST, LONGEST = 25, 560
_ELSEWHEN = re.compile(
    r"\b(?:previous|prior|preceding|earlier|former|subsequent|next|upcoming|following year|insurance|lease|contract|last)\b",
    re.IGNORECASE,
)
_PERIOD = re.compile(
    r"\b(?:period|throughout|during|covering|covers?|from|for the|over the|window|between|examined|report)\b",
    re.IGNORECASE,
)
_AS_OF = re.compile(
    r"\b(?:as of|as at|at|on|as it stood on|(?:examination|report|reporting|review|audit)? ?date(?: covered| under review)?:?"
    r"|position (?:at|on)|date of examination:?)(?: the)? ?\(?$",
    re.IGNORECASE,
)
_REPORT_DATE = re.compile(r"\b(?:report date|date of (?:this )?(?:report|opinion)):? $", re.IGNORECASE)
_NUMERAL = re.compile(r"\btype[ -]?(2|II|two|1|I|one)\b(?![.-][0-9])", re.IGNORECASE)
_TWO = {"2", "ii", "two"}
_COUNTED = (Section.COVER, Section.AUDITOR, Section.ASSERTION)


def read_period(parts: Parts) -> Iterable[Proposal]:
    """Propose the type, and the period or the day it describes."""
    text = parts.text
    dates = [each for section in _COUNTED if (part := parts.of(section)) for each in dates_in(part)]
    dates.sort(key=lambda each: each.start)
    ranges = [each for each in ranges_in(text, dates) if _counts(parts, each)]
    days = [each for each in dates if _is_as_of(parts, each)]
    numerals = _numerals(parts)
    period = _best(parts, ranges)
    two = {bool(kind) for kind, _match in numerals}
    tested = parts.of(Section.TESTS) is not None
    if period is not None:
        chosen, sure = period
        agrees = two == {True} or (not two and tested)
        yield _type(text, "type2", chosen.start, chosen.end, numerals, agrees=agrees)
        confidence = sure if agrees else _lower(sure)
        for field, day in (("period_start", chosen.first), ("period_end", chosen.last)):
            yield Proposal(
                field,
                day.isoformat(),
                text.page_at(chosen.start),
                text.quote(chosen.start, chosen.end),
                chosen.method,
                confidence,
            )
    elif ranges:
        # Several periods and none of them the likelier: not for a program to choose.
        return
    elif days:
        yield from _as_of(parts, days, numerals, agrees=two == {False} and not tested)
    elif len(two) == 1:
        kind, match = numerals[0]
        yield Proposal(
            "report_type",
            "type2" if kind else "type1",
            text.page_at(match.start()),
            text.quote(match.start(), match.end()),
            "numeral only",
            Confidence.LOW,
        )


def _type(
    text: Text, value: str, start: int, end: int, numerals: Sequence[tuple[bool, re.Match[str]]], *, agrees: bool
) -> Proposal:
    if agrees and numerals:
        match = numerals[0][1]
        start, end = match.start(), match.end()
    method = "dates and numeral" if agrees else "dates against numeral" if numerals else "dates only"
    confidence = Confidence.HIGH if agrees and numerals else Confidence.LOW if numerals else Confidence.MEDIUM
    return Proposal("report_type", value, text.page_at(start), text.quote(start, end), method, confidence)


def _numerals(parts: Parts) -> list[tuple[bool, re.Match[str]]]:
    found = []
    for section in (Section.COVER, Section.AUDITOR):
        part = parts.of(section)
        if part is not None:
            found += [(match[1].lower() in _TWO, match) for match in part.find(_NUMERAL)]
    return found


def _counts(parts: Parts, each: Range) -> bool:
    """Whether a range is one of the report's own: in a part that states it, and not told of another time."""
    if parts.where(each.start) not in _COUNTED or not SHORTEST <= (each.last - each.first).days <= LONGEST:
        return False
    return not _elsewhen(parts.text, each.start, each.end)


def _elsewhen(text: Text, start: int, end: int) -> bool:
    begin, _stop = sentence_around(text, start)
    return bool(_ELSEWHEN.search(text.whole, max(begin, start - 160), end))


def _best(parts: Parts, ranges: Sequence[Range]) -> tuple[Range, Confidence] | None:
    """Return the range that the parts agree on, and how surely; None if they do not."""
    votes: dict[tuple[date, date], set[Section | None]] = defaultdict(set)
    seen: dict[tuple[date, date], list[Range]] = defaultdict(list)
    for each in ranges:
        key = (each.first, each.last)
        votes[key].add(parts.where(each.start))
        seen[key].append(each)
    if not votes:
        return None
    order = sorted(votes, key=lambda key: (-len(votes[key]), -len(seen[key])))
    best = order[0]
    in_auditors = [each for each in seen[best] if parts.where(each.start) is Section.AUDITOR]
    strict = [each for each in in_auditors or seen[best] if each.method == "two dates"]
    chosen = (strict or in_auditors or seen[best])[0]
    if len(order) > 1:
        return (chosen, Confidence.LOW) if len(votes[best]) > len(votes[order[1]]) else None
    told = any(_PERIOD.search(parts.text.whole, max(0, each.start - 80), each.start) for each in seen[best])
    if not chosen.sure:
        return chosen, Confidence.LOW
    if len(seen[best]) >= 2 and told and (strict or len({each.method for each in seen[best]}) > 1):
        return chosen, Confidence.HIGH
    return chosen, Confidence.MEDIUM if told else Confidence.LOW


def _is_as_of(parts: Parts, each: Dated) -> bool:
    if parts.where(each.start) not in _COUNTED or _elsewhen(parts.text, each.start, each.end):
        return False
    before = parts.text.whole[max(0, each.start - 40) : each.start]
    if parts.where(each.start) is not Section.COVER and _REPORT_DATE.search(before):
        return False
    return bool(_AS_OF.search(before.rstrip() if before.endswith(" ") else before))


def _as_of(
    parts: Parts, days: Sequence[Dated], numerals: Sequence[tuple[bool, re.Match[str]]], *, agrees: bool
) -> Iterable[Proposal]:
    text = parts.text
    votes: dict[date, set[Section | None]] = defaultdict(set)
    for each in days:
        votes[each.day].add(parts.where(each.start))
    order = sorted(votes, key=lambda day: (-len(votes[day]), day))
    if len(order) > 1 and len(votes[order[0]]) == len(votes[order[1]]):
        return
    chosen = next(
        (each for each in days if each.day == order[0] and parts.where(each.start) is Section.AUDITOR),
        next(each for each in days if each.day == order[0]),
    )
    yield _type(text, "type1", chosen.start, chosen.end, numerals, agrees=agrees)
    often = sum(each.day == chosen.day for each in days)
    confidence = Confidence.HIGH if often > 1 and len(order) == 1 and agrees and chosen.sure else Confidence.MEDIUM
    yield Proposal(
        "as_of",
        chosen.day.isoformat(),
        text.page_at(chosen.start),
        text.quote(chosen.start, chosen.end),
        "as of",
        confidence if agrees else _lower(confidence),
    )


def _lower(confidence: Confidence) -> Confidence:
    return Confidence.MEDIUM if confidence is Confidence.HIGH else Confidence.LOW
