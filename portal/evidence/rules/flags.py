"""What in a report a reviewer should look at twice. A lint, never a verdict: nothing scores or blocks by it. Pure.

Source of the list: spec/evidence.md, "Red flags to compute automatically".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from portal.evidence.rules.anatomy import Part, Passage, parts
from portal.evidence.rules.cells import day_words
from portal.evidence.rules.companies import among, companies_in, company_key, form_of, is_same
from portal.evidence.rules.flag_texts import certificate_flags, clean_flags, scope_flags, type_flags
from portal.evidence.rules.flag_values import (
    MOST_QUOTE,
    TITLES,
    Firm,
    Flag,
    FlagCode,
    ReportFacts,
    Resemblance,
    Seen,
    Weight,
    capital,
    first_in,
    listed,
    pointed,
)
from portal.evidence.rules.traits import edits
from portal.evidence.rules.validity import BRIDGE_MONTHS, add_months

__all__ = ["TITLES", "Firm", "Flag", "FlagCode", "ReportFacts", "Resemblance", "Seen", "Weight", "flags"]

SHORTEST_PERIOD: Final = 90
SOONEST_OPINION: Final = 3


def flags(report: ReportFacts) -> tuple[Flag, ...]:
    """Return what a reviewer should look at twice, in the order of the list; nothing for a sound file."""
    if report.kind == "SOC2":
        found = parts(report.pages)
        sources: tuple[Iterable[Flag], ...] = (
            _entity(report, found),
            _dates(report),
            type_flags(report, found),
            _auditor(report),
            _boilerplate(report),
            clean_flags(report),
            scope_flags(report, found),
            certificate_flags(report, found),
        )
    elif report.kind == "BL":
        sources = (_entity(report, {}), _bridge(report))
    else:
        sources = ()
    every = [flag for source in (*sources, _edited(report)) for flag in source]
    order = list(FlagCode)
    return tuple(sorted(every, key=lambda flag: (order.index(flag.code), flag.weight is not Weight.STRONG)))


# --- whose report it is


def _entity(report: ReportFacts, found: Mapping[Part, Passage]) -> Iterator[Flag]:
    names = [name for name in (report.legal_name, report.vendor_name) if name]
    field_names = ("entity", "assertion_entity") if report.kind == "SOC2" else ("issuer",)
    told: set[str] = set()
    for name in field_names:
        value = report.text(name)
        if value and names and not among(value, names) and company_key(value) not in told:
            told.add(company_key(value))
            where = "The management’s assertion" if name == "assertion_entity" else "The file"
            yield pointed(
                report,
                FlagCode.ENTITY,
                f"{where} names {value}; the vendor’s legal name is {names[0]}. Ask how the two belong together, and "
                "whether the company that we contract with is covered.",
                name,
                weight=Weight.STRONG,
            )
        elif value and report.legal_name and _other_form(value, report.legal_name) and form_of(value) not in told:
            told.add(form_of(value))
            yield pointed(
                report,
                FlagCode.ENTITY,
                f"The file names {value}; the vendor’s legal name is {report.legal_name}. The legal form differs: ask "
                "whether that is a sister company.",
                name,
            )
    yield from _between_parts(report, found)


def _other_form(one: str, other: str) -> bool:
    a, b = form_of(one), form_of(other)
    return bool(a and b and a != b and company_key(one) == company_key(other))


_PART_WORDS: Final = {
    Part.OPINION: "the auditor’s report",
    Part.ASSERTION: "the management’s assertion",
    Part.DESCRIPTION: "the system description",
}


def _between_parts(report: ReportFacts, found: Mapping[Part, Passage]) -> Iterator[Flag]:
    strangers = [report.text("auditor"), *(name for name, _purpose in report.carved_out)]
    order = [part for part in _PART_WORDS if part in found]
    if not order or not (subject := _subject(found[order[0]].text, strangers)):
        return
    for part in order[1:]:
        text = found[part].text
        other = _subject(text, strangers)
        spoken_of = among(subject, companies_in(text))
        if part is Part.DESCRIPTION:
            # Long, and full of other companies: it is another's only if ours is not in it at all.
            spoken_of = spoken_of or company_key(subject).split()[0] in text.casefold()
        if other and not spoken_of:
            page, quote = first_in(re.escape(other.rsplit(" ", 1)[0]), found[part])
            yield Flag(
                FlagCode.ENTITY,
                f"{capital(_PART_WORDS[order[0]])} speaks of {subject}, {_PART_WORDS[part]} of {other}. Ask for the "
                "report of one company, or for the words that join the two.",
                page,
                quote,
                Weight.STRONG,
            )
            return


def _subject(text: str, strangers: Sequence[str]) -> str:
    """Return the company that a part speaks of most often with its legal form, leaving out those that serve it."""
    counted = companies_in(text)
    own = {
        name: times
        for name, times in counted.items()
        if not among(name, strangers) and not _audits(name) and not _serves(name, text)
    }
    return max(own, key=lambda name: own[name], default="")


def _serves(name: str, text: str) -> bool:
    """Return whether a text calls a company a subservice organisation."""
    words = r"\s+".join(re.escape(word) for word in name.split()[:-1])
    return bool(re.search(rf"{words},?\s+[\w.]{{2,14}},? a subservice|subservice[^.]{{0,40}}{words}\b", text))


def _audits(name: str) -> bool:
    return form_of(name) in {"llp", "pllc", "pc"} or bool(re.search(r"\b(?:CPAs?|Assurance|Auditors?)\b", name))


# --- when


def _dates(report: ReportFacts) -> Iterator[Flag]:
    start, end = report.day("period_start"), report.day("period_end") or report.day("as_of")
    opinion = report.day("opinion_on")
    if opinion and end and opinion < end:
        yield pointed(
            report,
            FlagCode.DATES,
            f"The opinion is of {day_words(opinion)}, before the period ended on {day_words(end)}. An auditor cannot "
            "sign before that: ask the firm.",
            "opinion_on",
            weight=Weight.STRONG,
        )
    elif opinion and end and report.day("period_end") and (opinion - end).days <= SOONEST_OPINION:
        yield pointed(
            report,
            FlagCode.DATES,
            f"The opinion was signed {_after((opinion - end).days)}. Tests take weeks: ask the firm when it did its "
            "work.",
            "opinion_on",
        )
    if start and end and (end - start).days + 1 < SHORTEST_PERIOD:
        yield pointed(
            report,
            FlagCode.DATES,
            f"The period is {max(0, (end - start).days + 1)} days long. Below {SHORTEST_PERIOD} days a Type 2 report "
            "shows little: ask for the next one early.",
            "period_end",
        )
    for name, words in (
        ("period_end", "The period ends"),
        ("as_of", "The report describes a day"),
        ("opinion_on", "The opinion is dated"),
    ):
        value = report.day(name)
        if value and value > report.today:
            yield pointed(
                report,
                FlagCode.DATES,
                f"{words} in the future: {day_words(value)}. Ask the vendor for the true date.",
                name,
                weight=Weight.STRONG,
            )


def _after(days: int) -> str:
    if not days:
        return "on the day on which the period ended"
    return f"{days} {'day' if days == 1 else 'days'} after the end of the period"


# --- by whom


def _auditor(report: ReportFacts) -> Iterator[Flag]:
    name = report.text("auditor")
    if not name:
        if report.pages or report.fields:
            yield Flag(
                FlagCode.AUDITOR,
                "No audit firm is named. Find who signed the opinion; a report without a licensed firm proves nothing.",
                weight=Weight.STRONG,
            )
        return
    checked = next((firm for firm in report.firms if is_same(firm.name, name)), None)
    licence = report.text("licence_no")
    if checked is not None and not checked.licensed:
        yield pointed(
            report,
            FlagCode.AUDITOR,
            f"{name} was looked up on {day_words(checked.checked_on)} in {checked.source} and not found as a licensed "
            "firm. Ask the vendor for the firm’s licence before you verify the file.",
            "auditor",
            weight=Weight.STRONG,
        )
    elif checked is not None and licence and _plain(licence) not in _plain(checked.licence):
        yield pointed(
            report,
            FlagCode.AUDITOR,
            f"The report gives licence {licence}; our list has {checked.licence} for {checked.name}. Look it up again.",
            "licence_no",
        )
    elif checked is None and not licence:
        yield pointed(
            report,
            FlagCode.AUDITOR,
            f"{name} gives no licence number and is not in the list of checked firms. Look it up in the state’s "
            "register and in the peer-review file, then add it to the list.",
            "auditor",
            weight=Weight.STRONG,
        )
    elif checked is None:
        yield pointed(
            report,
            FlagCode.AUDITOR,
            f"Nobody has looked up {name} (licence {licence}) yet. Look it up, then add it to the list of checked "
            "firms.",
            "auditor",
        )


def _plain(licence: str) -> str:
    return re.sub(r"[^a-z0-9]", "", licence.casefold())


# --- what it says


def _boilerplate(report: ReportFacts) -> Iterator[Flag]:
    for other in sorted(report.resembles, key=lambda each: (-each.per_mille, each.vendor)):
        yield Flag(
            FlagCode.BOILERPLATE,
            f"{other.per_mille // 10} % of the system description, names masked, also stands in a report of "
            f"{other.vendor}. Compare the passages, then ask who wrote the description and who tested it.",
            other.page,
            weight=Weight.STRONG if other.per_mille >= 800 else Weight.PLAIN,
        )


# --- what the file itself shows


def _edited(report: ReportFacts) -> Iterator[Flag]:
    for edit in edits(report.traits, report.day("opinion_on")) if report.traits is not None else ():
        weight = Weight.STRONG if edit.strong else Weight.PLAIN
        yield Flag(FlagCode.EDITED, edit.words, edit.page, edit.quote[:MOST_QUOTE], weight)


# --- bridge letters


def _bridge(report: ReportFacts) -> Iterator[Flag]:
    end, first, last = (report.day(name) for name in ("report_end", "covers_from", "covers_until"))
    if end and last and last > add_months(end, BRIDGE_MONTHS):
        yield pointed(
            report,
            FlagCode.BRIDGE,
            f"It reaches to {day_words(last)}, more than {BRIDGE_MONTHS} months after the report’s end. What goes "
            "beyond does not count: ask for the next report.",
            "covers_until",
            weight=Weight.STRONG,
        )
    if end and first and first > end + timedelta(days=1):
        yield pointed(
            report,
            FlagCode.BRIDGE,
            f"It begins on {day_words(first)}, the report ended on {day_words(end)}. Ask for a letter that closes the "
            "gap.",
            "covers_from",
            weight=Weight.STRONG,
        )
    if not report.text("signer"):
        yield Flag(
            FlagCode.BRIDGE,
            "Nobody is named as its signer. A letter bridges only if an officer of the vendor signed it.",
            weight=Weight.STRONG,
        )
    if end and report.report_ends and end not in report.report_ends:
        ends = listed([day_words(each) for each in sorted(report.report_ends)[-3:]])
        yield pointed(
            report,
            FlagCode.BRIDGE,
            f"It continues a report that ended on {day_words(end)}; the vendor’s reports here ended on {ends}. Ask "
            "which report it belongs to.",
            "report_end",
        )
