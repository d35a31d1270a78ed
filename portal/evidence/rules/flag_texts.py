"""Flags that come from the words of a report: its type, its scope, what was not tested, what it calls itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from portal.evidence.rules.anatomy import Part, Passage
from portal.evidence.rules.flag_values import Flag, FlagCode, ReportFacts, Weight, first_in, listed, pointed, quoted
from portal.evidence.rules.report import exception_count
from portal.terms import SERVICE_WORDS, Service

FEW_PAGES: Final = 4

_TYPE_2 = re.compile(r"\btype\s+(?:2|ii)\b", re.IGNORECASE)
_TYPE_1 = re.compile(r"\btype\s+(?:1|i)\b", re.IGNORECASE)
_AS_OF = re.compile(r"\bas of\s+(?:\d{1,2}\s+)?[A-Z][a-z]+\s+\d{1,2}?,?\s*\d{0,4}", re.IGNORECASE)
_THROUGHOUT = re.compile(
    r"\bthroughout the (?:period|\w+ months)\b|\boperated effectively\b",
    re.IGNORECASE,
)
_RESULTS = re.compile(
    r"no (?:relevant )?exceptions? (?:was |were )?(?:noted|identified|found)|\bresults? of (?:the )?tests?\b"
    r"|\btests? performed\b|\btests? of (?:controls|operating effectiveness)\b|\binspected\b|\bdeviations?\b",
    re.IGNORECASE,
)


def type_flags(report: ReportFacts, found: Mapping[Part, Passage]) -> Iterator[Flag]:
    opinion = found.get(Part.OPINION)
    if not report.pages or opinion is None:
        return
    named_2 = report.text("report_type") == "type2" or bool(_TYPE_2.search(opinion.text))
    throughout = bool(_THROUGHOUT.search(opinion.text))
    as_of = _AS_OF.search(opinion.text)
    if named_2 and as_of and not throughout:
        yield Flag(
            FlagCode.TYPE,
            "It is called Type 2, but the opinion speaks “as of” one day and of no period. Read the opinion: that is "
            "what a Type 1 report says.",
            opinion.page_at(as_of.start()),
            quoted(opinion.text, as_of.start(), as_of.end()),
            Weight.STRONG,
        )
    elif named_2 and not any(_RESULTS.search(text) for text in report.pages):
        yield pointed(
            report,
            FlagCode.TYPE,
            "It is called Type 2, but no tests and no results were found in it. Look for the part with the tests of "
            "controls; without it the report is not whole.",
            "report_type",
            weight=Weight.STRONG,
        )
    elif report.text("report_type") == "type1" and throughout and not as_of:
        page, quote = first_in(_THROUGHOUT, opinion)
        yield Flag(
            FlagCode.TYPE,
            "It is entered as Type 1, but the opinion speaks of a period. Compare the type with the opinion.",
            page,
            quote,
        )


_NOT_OCCURRED = re.compile(
    r"\bdid not occur\b|\bno (?:occurrences?|instances?|events?)\b[^.]{0,80}\b(?:period|occurred)\b"
    r"|\bnot tested (?:because|as|since)\b|\bcould not be tested\b",
    re.IGNORECASE,
)


def clean_flags(report: ReportFacts) -> Iterator[Flag]:
    count = exception_count({name: seen.value for name, seen in report.fields.items() if not seen.proposed})
    if count == 0 and report.earlier is not None and exception_count(report.earlier) == 0:
        yield Flag(
            FlagCode.CLEAN,
            "This report and the one before it list no exception at all. Read how large the samples were and who drew "
            "them.",
        )
    hits = [(page, match) for page, text in enumerate(report.pages, 1) for match in _NOT_OCCURRED.finditer(text)]
    if hits:
        page, match = hits[0]
        many = f"{len(hits)} controls were" if len(hits) > 1 else "A control was"
        yield Flag(
            FlagCode.CLEAN,
            f"{many} not tested because what they guard against did not occur. Nothing is proven of them: see whether "
            "an answer rests on one.",
            page,
            quoted(report.pages[page - 1], match.start(), match.end()),
        )


_SERVICE_SIGNS: Final[Mapping[Service, str]] = {
    Service.LABELLING: r"label|annotat",
    Service.PREFERENCE: r"preference|ranking|human feedback|rlhf|annotat|label",
    Service.EXPERT: r"expert|annotat|label|task",
    Service.SYNTHETIC: r"synthetic|generat",
    Service.EVAL: r"evaluat|benchmark",
    Service.REDTEAM: r"red.?team|adversarial",
    Service.COLLECTION: r"collect|record|capture",
}
_LEANED_ON: Final = (
    (
        r"staff|workforce|freelanc|crowd|contractor|outsourc|talent|recruit|\bbpo\b|payroll",
        "the people who do the work",
    ),
    (r"annotat|label|tasking|task platform", "the annotation tool"),
    (r"\bllm\b|language model|model gateway|gateway|inference|foundation model|generative", "the model gateway"),
)


def scope_flags(report: ReportFacts, found: Mapping[Part, Passage]) -> Iterator[Flag]:
    description = found.get(Part.DESCRIPTION)
    system = report.text("system")
    about = f"{system} {description.text if description else ''}"
    unnamed = [SERVICE_WORDS[each] for each in report.services if not re.search(_SERVICE_SIGNS[each], about, re.I)]
    if unnamed and (system or description):
        yield pointed(
            report,
            FlagCode.SCOPE,
            f"We use this vendor for {listed(unnamed)}, of which the system description never speaks"
            f"{f' (it covers {system})' if system else ''}. Ask whether the system that we use is in scope.",
            "system",
            weight=Weight.STRONG,
        )
    categories = report.fields.get("categories")
    chosen = _categories(categories.value) if categories is not None else set()
    if chosen == {"security"}:
        yield pointed(
            report,
            FlagCode.SCOPE,
            "Only the Security category is covered. Nothing is said of confidentiality or privacy: do not take the "
            "report as proof of either.",
            "categories",
        )
    for name, purpose in report.carved_out:
        for pattern, words in _LEANED_ON:
            if re.search(pattern, f"{name} {purpose}", re.IGNORECASE):
                page, quote = first_in(re.escape(name), *found.values())
                yield Flag(
                    FlagCode.SCOPE,
                    f"{name} is carved out and stands for {words}{f' ({purpose})' if purpose else ''}. The report says "
                    "nothing of its controls: ask for proof from it.",
                    page,
                    quote,
                    Weight.STRONG,
                )
                break


def _categories(value: Any) -> set[str]:
    pieces = value if isinstance(value, list | tuple) else re.split(r"[,;/]|\band\b", str(value))
    return {str(piece).strip().casefold().replace(" ", "_") for piece in pieces if str(piece).strip()}


_CERTIFIED = re.compile(
    r"\bSOC\s*(?:2|II)\b[^.\n]{0,30}\b(?:certified|certification|certificate)\b"
    r"|\b(?:certified|certification|certificate)\b[^.\n]{0,30}\bSOC\s*(?:2|II)\b"
    r"|\bcertificate of (?:compliance|completion|attestation)\b",
    re.IGNORECASE,
)


_EXAMINED = re.compile(r"\bin our opinion\b|\bwe (?:have )?(?:examined|audited)\b|\bour examination\b", re.IGNORECASE)


def certificate_flags(report: ReportFacts, found: Mapping[Part, Passage]) -> Iterator[Flag]:
    if not report.pages:
        return
    hit = next(((n, m) for n, text in enumerate(report.pages, 1) for m in [_CERTIFIED.search(text)] if m), None)
    whole = Part.OPINION in found or any(_EXAMINED.search(text) for text in report.pages)
    if hit is None and (whole or len(report.pages) > FEW_PAGES):
        return
    page, match = hit or (1, None)
    quote = quoted(report.pages[page - 1], match.start(), match.end()) if match else ""
    if whole:
        said = (
            "It speaks of a SOC 2 certificate. There is none: an auditor gives an opinion. Ask who wrote these words."
        )
    else:
        said = (
            "No auditor’s report was found in it: this looks like a badge, a summary or a page of a compliance tool. "
            "Ask for the full report."
        )
    yield Flag(FlagCode.CERTIFICATE, said, page, quote, Weight.PLAIN if whole else Weight.STRONG)
