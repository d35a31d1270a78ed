"""An answer against the engagement: data classes, access modes, people and days. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from portal.evidence.rules import as_day
from portal.questionnaires.rules.nodes import Flag, atoms_of
from portal.questionnaires.rules.text import date_from, day_words, number_from
from portal.reviews.rules.check_values import (
    WHOLE,
    Case,
    Check,
    CheckKind,
    Source,
    Spoken,
    counted,
    days_apart,
    named,
    number,
)

_CLASS: Final = re.compile(r"(?<![\w.])D([0-5])(?![\w.-])")
_CELL: Final = re.compile(r"[Dd][0-5]")
_MODE: Final = re.compile(r"\b(?:access )?mode (A[1-5])\b", re.IGNORECASE)

FACT_WORDS: Final[Mapping[str, str]] = {
    "multi": "work for other AI developers",
    "crowd": "an open crowd",
    "byod": "workers’ own devices",
    "subs": "agencies or a crowd",
    "dev": "an own platform",
    "synth": "synthetic data",
    "aitools": "AI tools that are allowed",
    "pii": "personal data",
    "special": "special personal data",
    "office": "work at a site",
    "A1": "access mode A1",
    "A2": "access mode A2",
    "A3": "access mode A3",
    "A4": "access mode A4",
    "A5": "access mode A5",
}


def _exposure(case: Case) -> Iterator[tuple[str, Check]]:
    for key, spoken in case.spoken.items():
        for words in (*_denied(case, spoken), *_above(case, spoken), *_too_late(case, spoken)):
            yield key, Check(CheckKind.EXPOSURE, words, (case.answer_at(key), case.engaged_at))
    mode = case.said("end.mode")
    if mode is not None and mode.answer.choice == "managed_device" and case.facts.byod:
        words = (
            "The answer says that our data are seen on managed devices only; workers’ own devices are stated as in use."
        )
        yield mode.key, Check(CheckKind.EXPOSURE, words, (case.answer_at(mode.key), case.engaged_at))


def _denied(case: Case, spoken: Spoken) -> Iterator[str]:
    """A question that was asked because of a fact, and is said not to apply."""
    when = spoken.question.when
    if not spoken.answer.na or when is None:
        return
    facts = [
        FACT_WORDS[atom.name]
        for atom in atoms_of(when.node)
        if isinstance(atom, Flag) and atom.name in FACT_WORDS and _holds(case, atom.name)
    ]
    if facts:
        yield f"The answer says that this does not apply; it is asked because the engagement has {named(facts)}."


def _holds(case: Case, name: str) -> bool:
    return name in case.facts.modes if name.startswith("A") else case.facts.flag(name)


def _above(case: Case, spoken: Spoken) -> Iterator[str]:
    """A data class or an access mode that an answer speaks of and nobody engaged the vendor for."""
    highest = max(case.engaged.data_classes, default=0)
    texts, cells = [spoken.answer.comment, spoken.answer.text], []
    for value in (spoken.answer.rows, *spoken.answer.details.values()):
        if isinstance(value, tuple):
            cells += [cell for row in value for cell in row.values()]
        elif isinstance(value, str):
            texts.append(value)
    classes = {int(found) for text in texts for found in _CLASS.findall(text)}
    # A cell that is nothing but a class says it by the key of an option.
    classes |= {int(cell[1]) for cell in cells if _CELL.fullmatch(cell)}
    classes |= {int(found) for cell in cells for found in _CLASS.findall(cell)}
    texts += cells
    if above := [f"D{each}" for each in sorted(classes) if each > highest]:
        by = max(classes) - highest
        yield (
            f"The answer speaks of {named(above)}; the engagement has D{highest} at most, "
            f"{counted(by, 'class', 'classes')} lower."
        )
    modes = {found.upper() for text in texts for found in _MODE.findall(text)}
    if strange := sorted(modes - set(case.engaged.access_modes)):
        yield f"The answer speaks of {named(strange)}; the engagement has {named(sorted(case.engaged.access_modes))}."


_ENDS: Final = (("gov.insurance.cyber", "expiry", "Cover ends"),)


def _too_late(case: Case, spoken: Spoken) -> Iterator[str]:
    """What is planned for after the engagement, and what ends before it."""
    last = case.engaged.ends_on
    planned = spoken.answer.planned_on
    if last is not None and planned is not None and planned > last:
        yield (
            f"The rest is planned for {day_words(planned)}; the engagement ends on {day_words(last)}, "
            f"{days_apart(planned, last)}."
        )
    for key, name, what in _ENDS:
        day = date_from(str(spoken.answer.details.get(name, ""))) if spoken.key == key else None
        if day is None:
            continue
        if day < case.today:
            yield f"{what} on {day_words(day)}, which is past: {days_apart(day, case.today)}."
        elif last is not None and day < last:
            yield f"{what} on {day_words(day)}; the engagement runs to {day_words(last)}, {days_apart(day, last)}."
    if last is None or spoken.question.section == "gov":
        return
    for file in spoken.files:
        ends = as_day(file.details.get("ends_on")) if file.kind == "CON" else None
        if ends is not None and ends < last:
            yield (
                f"The contract in {file.name} ends on {day_words(ends)}; the engagement runs to {day_words(last)}, "
                f"{days_apart(ends, last)}."
            )


def _scoping(case: Case) -> Iterator[tuple[str, Check]]:
    """What the vendor states of the engagement, against what the lab declared."""
    engaged = case.engaged
    for label, stated, declared in (
        ("data classes", _classes(case), {f"D{each}" for each in engaged.data_classes}),
        ("access modes", _keys(case, "scp.access"), set(engaged.access_modes)),
        ("services", _keys(case, "scp.services"), set(engaged.services)),
    ):
        if stated is None or stated == declared:
            continue
        more, fewer = sorted(stated - declared), sorted(declared - stated)
        parts = [
            *([f"{named(more)} more than declared"] if more else ()),
            *([f"{named(fewer)} less"] if fewer else ()),
        ]
        words = f"The vendor states other {label} than the engagement: {' and '.join(parts)}."
        yield WHOLE, Check(CheckKind.EXPOSURE, words, (Source(f"As stated: {label}", case.here), case.engaged_at))
    people = number_from(str(_value(case, "scp.people") or ""))
    if people is not None and engaged.people and people < engaged.people:
        by = engaged.people - people
        words = (
            f"The vendor states {number(people)} people with access; the engagement has {number(engaged.people)}, "
            f"{number(by)} more."
        )
        yield WHOLE, Check(CheckKind.EXPOSURE, words, (Source("As stated: people", case.here), case.engaged_at))


def _value(case: Case, key: str) -> Any:
    given = case.scoping.get(key)
    return given.get("value") if isinstance(given, Mapping) else given


def _keys(case: Case, key: str) -> set[str] | None:
    value = _value(case, key)
    return {str(each) for each in value} if isinstance(value, list) else None


def _classes(case: Case) -> set[str] | None:
    rows = _value(case, "scp.data")
    if not isinstance(rows, list):
        return None
    return {str(row.get("class")) for row in rows if isinstance(row, Mapping) and row.get("class")}


def against_engagement(case: Case) -> Iterator[tuple[str, Check]]:
    """Yield where an answer, or what is stated of the work, and the engagement disagree."""
    yield from _exposure(case)
    yield from _scoping(case)
