"""Reports of service auditors as they are found in life, generated: real PDFs, their text, and what is true of them.

``report(seed, **wishes)`` draws everything from the seed; wishes replace what was drawn and nothing else, so that two
reports of one seed with other names differ in their names only, and two seeds with one firm share its wording only.
"""
# ruff: noqa: S311 - chance makes test data here, not secrets

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from tests.factories.pdfs import scanned_pdf, text_pdf, wrapped
from tests.factories.reporting.description import describe
from tests.factories.reporting.facts import CATEGORIES, Facts, draw, us
from tests.factories.reporting.firms import TUNED, Style

LINES_A_PAGE = 58
CONTROLS = 14


@dataclass(frozen=True)
class Report:
    """A report: its pages as a PDF reader gives them, and the values of its fields (absent: it does not say)."""

    text_pages: tuple[str, ...]
    truth: dict[str, Any]
    facts: Facts
    section_three: str

    def pdf(self, **more: str) -> bytes:
        """The report as a PDF with a text layer."""
        return text_pdf(self.text_pages, **more)

    def scan(self) -> bytes:
        """As many pages without any text."""
        return scanned_pdf(len(self.text_pages))


def report(seed: int, *, style: Style | None = None, firm: str = "", **wishes: Any) -> Report:
    """Return a report. Wishes: any field of ``Facts`` (entity, short, system, type, start, end, opinion, traps …).

    :param style: how it is worded; by default one of the firms that the patterns know, by the seed.
    :param firm: another name for the audit firm.
    """
    drawn = draw(seed)
    chosen = style or TUNED[seed % len(TUNED)]
    if "system" not in wishes and "short" in wishes:
        wishes["system"] = drawn.system.replace(drawn.short, wishes["short"])
    if "as_of" not in wishes and "end" in wishes:
        wishes["as_of"] = wishes["end"]
    if "opinion_on" not in wishes and "end" in wishes:
        wishes["opinion_on"] = wishes["end"] + (drawn.opinion_on - drawn.end)
    if wishes.get("type", drawn.type) == 1:
        wishes.setdefault("exceptions", ())
    facts = replace(drawn, **{**wishes, "traps": frozenset(wishes.get("traps", ()))})
    words = random.Random(f"description {seed}")
    third = "\n".join(describe(facts, words))
    sections = _sections(facts, chosen, third, random.Random(f"controls {seed}"))
    renamed = firm or chosen.firm
    pages = tuple(page.replace(chosen.firm, renamed) for page in _pages(sections))
    return Report(pages, _truth(facts, chosen, renamed), facts, third)


def _truth(facts: Facts, style: Style, firm: str) -> dict[str, Any]:
    truth: dict[str, Any] = {
        "report_type": f"type{facts.type}",
        "opinion": facts.opinion,
        "opinion_on": facts.opinion_on.isoformat(),
        "auditor": firm,
        "entity": facts.entity,
        "system": facts.system,
        "categories": ",".join(
            each.lower().replace(" ", "_") for each in sorted(facts.categories, key=CATEGORIES.index)
        ),
        "assertion_entity": facts.in_two,
        "cuec": "; ".join(facts.cuecs),
        "carved_out": "; ".join(name for name, _purpose in facts.carved_out),
    }
    if facts.type == 2:
        truth |= {"period_start": facts.start.isoformat(), "period_end": facts.end.isoformat()}
    else:
        truth["as_of"] = facts.as_of.isoformat()
    if style.licence_said:
        truth["licence_no"] = facts.licence
    if facts.exceptions and style.exceptions_counted:
        truth["exceptions"] = len(facts.exceptions)
    return truth


def _sections(f: Facts, style: Style, third: str, chance: random.Random) -> list[str]:
    auditor = "\n".join((style.auditor(f), _decoys(f), style.opinion[f.opinion](f), _restricted(f), style.signature(f)))
    if "numeral" in f.traps:
        # It calls itself the other type on its cover.
        cover = style.cover(f)
        for this, other in (("Type 2", "Type 1"), ("TYPE 2", "TYPE 1"), ("Type II", "Type I"), ("TWO", "ONE")):
            cover = cover.replace(this, other) if f.type == 2 else cover.replace(other, this)
    else:
        cover = style.cover(f)
    heads = HEADS[len(style.firm) % len(HEADS)]
    first, second = auditor, style.assertion(f)
    if f.swapped:
        first, second = second, first
    described = "\n".join(
        (style.description(f), third, _third_decoys(f), "Complementary user entity controls", *_cuecs(f))
    )
    parts = [f"{cover}\n{style.firm}"]
    if f.seed % 2:
        parts.append(_contents(heads, swapped=f.swapped, tested=f.type == 2))
    parts += [f"{head}\n{body}" for head, body in zip(heads, (first, second, described), strict=False)]
    if f.type == 2:
        parts.append(f"{heads[3]}\n" + "\n".join((style.tests(f), *_controls(f, style, chance))))
    if "other information" in f.traps:
        parts.append(
            f"{heads[4]}\nOther information provided by management, not covered by the report of the service auditor\n"
            f"A further exception noted by our own staff was corrected on {us(f.end + timedelta(days=90))}."
        )
    return parts


HEADS = (
    ("Section I", "Section II", "Section III", "Section IV", "Section V"),
    ("Section 1", "Section 2", "Section 3", "Section 4", "Section 5"),
    ("SECTION ONE", "SECTION TWO", "SECTION THREE", "SECTION FOUR", "SECTION FIVE"),
    ("Part A", "Part B", "Part C", "Part D", "Part E"),
    ("", "", "", "", ""),
)


def _contents(heads: Sequence[str], *, swapped: bool, tested: bool) -> str:
    titles = ["Independent Service Auditor’s Report", "Management’s Assertion", "Description of the System"]
    if swapped:
        titles[0], titles[1] = titles[1], titles[0]
    titles += ["Tests of Controls and Results"] if tested else []
    lines = [
        f"{head} {title} ........ {number * 2 + 1}"
        for number, (head, title) in enumerate(zip(heads, titles, strict=False), 1)
    ]
    return "\n".join(("Table of contents", *lines))


def _decoys(f: Facts) -> str:
    said = []
    if "adverse" in f.traps:
        said.append(
            "An adverse event at a supplier was considered; we did not issue a qualified opinion because of it."
        )
    if "prior" in f.traps:
        before = f.start - timedelta(days=1)
        said.append(
            f"Our previous report covered the period {us(date(before.year - 1, before.month, 1))} to {us(before)} and "
            "was issued with a different scope."
        )
    if "inherent" in f.traps:
        said.append(
            "There are inherent limitations: controls may become inadequate after the date of this report. Had we done "
            "more work, an adverse opinion or a disclaimer of opinion might have been needed in other circumstances."
        )
    return "\n".join(said)


def _third_decoys(f: Facts) -> str:
    said = [
        f"Adverse events are reported to the board. As of {us(f.end + timedelta(days=10))} the company held an "
        "insurance against incidents, except for acts of war."
        if "except" in f.traps
        else "The board meets four times a year."
    ]
    if "as of" in f.traps:
        said.append(f"As of {us(f.end)}, there were 240 active raters. The headcount is reviewed each quarter.")
    if f.inclusive or f.carved_out:
        said.append("The suppliers named in the report of the service auditor are reviewed once a year.")
    return "\n".join(said)


def _restricted(f: Facts) -> str:
    return (
        "Restricted use\nThis report is intended solely for the information and use of "
        f"{f.entity}, user entities of the system and others who have sufficient knowledge to understand it."
    )


def _cuecs(f: Facts) -> list[str]:
    return [
        "The controls were designed on the assumption that user entities are responsible for the following:",
        *(f"• {each}." for each in f.cuecs),
    ]


_CONTROL = (
    "Access to production is limited to named persons",
    "New accounts are approved by the owner of the system",
    "Changes are reviewed before they are deployed",
    "Backups are taken each day and kept in another region",
    "Alerts are followed up by the person on call",
    "Risks are assessed once a year",
    "Suppliers are reviewed before they are used",
    "Laptops are encrypted and managed",
    "Policies are approved by management each year",
    "Vulnerabilities are fixed within set times",
)
_TEST = ("Inspected a sample of records", "Inquired of management and inspected the configuration", "Observed the act")


def _controls(f: Facts, style: Style, chance: random.Random) -> list[str]:
    lines = [
        f"CC{chance.randrange(1, 10)}.{chance.randrange(1, 5)}.{index}  {chance.choice(_CONTROL)}.  "
        f"{chance.choice(_TEST)}.  {style.passed}"
        for index in range(1, CONTROLS + 1)
    ]
    for index, (criterion, text) in enumerate(f.exceptions):
        place = chance.randrange(0, len(lines))
        lines.insert(
            place,
            f"{criterion}.{index + 20}  {chance.choice(_CONTROL)}.  {chance.choice(_TEST)}.  "
            f"{style.failed.format(text)}\nManagement’s response: the matter was corrected, and staff trained.",
        )
    return lines


def _pages(sections: Sequence[str]) -> list[str]:
    """Each section begins a page; a page holds so many lines, none of them empty."""
    pages = []
    for section in sections:
        lines = [line for line in wrapped(section).split("\n") if line.strip()]
        pages += ["\n".join(lines[at : at + LINES_A_PAGE]) for at in range(0, len(lines), LINES_A_PAGE)]
    return pages


ALL_TRAPS = ("adverse", "prior", "inherent", "except", "as of", "numeral", "other information")
