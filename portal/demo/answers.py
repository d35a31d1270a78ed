"""What the demo's vendors say, Deterministic: the same vendor always says the same. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from portal.questionnaires.rules import DetailField, FactKind, FieldKind, Kind, Question, ScopingFact

_BY_KIND = {
    "yes": (
        "The {label} rule is written down, applies to everybody on your project, freelancers included, and was checked "
        "in {month}.",
        "In place since last year: {label} is part of onboarding, and the security lead reviews it every quarter.",
        "Enforced by the system, not by habit. Exceptions need the security lead and end by themselves after 14 days.",
    ),
    "partial": (
        "In place for the core team. Two partner sites follow with the next release; until then they see no restricted "
        "task.",
        "Covers production. The staging system is not included yet and holds none of your data.",
    ),
    "no": (
        "Not in place today. We plan it with the next audit cycle and can show the plan.",
        "We looked at it and have not started. Your data are not in the systems concerned.",
    ),
    "number": (
        "The slowest case of the last 12 months. The median is about half of it.",
        "Measured from ticket times over the last two quarters.",
    ),
    "choice": ("Decided by the security board in {month} and checked by internal audit.",),
}
_MONTHS = ("January", "March", "May", "June", "August", "September")


def dice(*parts: object, sides: int) -> int:
    """Return a number from 0 to sides - 1 that is always the same for the same parts."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % sides


def answer_to(question: Question, *, vendor: str, strength: int, weak: Collection[str], today: date) -> dict[str, Any]:
    """Return the form of one answer: full for most questions of a strong vendor, poor where it is weak."""
    roll = dice(vendor, question.key, sides=100)
    full = question.key not in weak and (roll < strength or question.knock_out is not None)
    raw: dict[str, Any] = {}
    if question.kind is Kind.NUMBER:
        raw["number"] = _number(question, full=full)
        words = "number"
    elif question.kind is Kind.MANY_CHOICES:
        raw["choices"] = [option.key for option in question.options[:2]]
        words = "choice"
    elif question.kind is Kind.DATE:
        raw["day"] = (today - timedelta(days=20)).isoformat()
        words = "choice"
    elif question.kind is Kind.TEXT:
        raw["text"] = "As agreed in the data-handling plan."
        words = "choice"
    elif question.kind is Kind.RANGE:
        raw |= {"from": (today - timedelta(days=380)).isoformat(), "to": (today - timedelta(days=16)).isoformat()}
        words = "choice"
    elif question.kind is Kind.URL:
        raw["url"] = f"https://trust.{vendor}.example/security"
        words = "choice"
    elif question.kind in (Kind.TABLE, Kind.FILE):
        words = "choice"
    else:
        words = _choose(question, raw, full=full, weak=question.key in weak)
        if raw["choice"] == "partial":
            raw["planned_on"] = (today + timedelta(days=60 + dice(vendor, question.key, "plan", sides=90))).isoformat()
    raw["comment"] = _comment(words, question, vendor)
    for field in question.details:
        raw |= _detail(field, today)
    return raw


def _number(question: Question, *, full: bool) -> str:
    best = max(question.steps, key=lambda step: step.credit)
    if full and best.bound is not None:
        return str(best.bound)
    middle = [step for step in question.steps if 0 < step.credit < 100 and step.bound is not None]
    return str(middle[0].bound) if middle else str(best.bound or 1)


def _choose(question: Question, raw: dict[str, Any], *, full: bool, weak: bool) -> str:
    options = sorted(question.choices, key=lambda option: -(option.credit or 0))
    scored = [option for option in options if option.key != "na"]
    if full or len(scored) == 1:
        raw["choice"] = scored[0].key
    elif weak:
        raw["choice"] = scored[-1].key
    else:
        raw["choice"] = scored[1].key
    return raw["choice"] if raw["choice"] in _BY_KIND else "choice"


def _comment(words: str, question: Question, vendor: str) -> str:
    choices = _BY_KIND[words]
    sentence = choices[dice(vendor, question.key, "words", sides=len(choices))]
    month = _MONTHS[dice(vendor, question.key, "month", sides=len(_MONTHS))]
    return sentence.format(label=question.label[:1].lower() + question.label[1:], month=month)


def _detail(field: DetailField, today: date) -> dict[str, Any]:
    name = f"details.{field.key}"
    if field.kind is FieldKind.TABLE:
        return {
            f"{name}.0.{column.key}": _cell(column.kind, [option.key for option in column.choices], today)
            for column in field.columns
        }
    if field.kind is FieldKind.RANGE:
        days = {"from": today - timedelta(days=380), "to": today - timedelta(days=16)}
        return {f"{name}.{end}": day.isoformat() for end, day in days.items()}
    return {name: _cell(field.kind, [option.key for option in field.choices], today)}


def _cell(kind: FieldKind, options: list[str], today: date) -> str:
    if kind is FieldKind.DATE:
        return (today - timedelta(days=90)).isoformat()
    if kind is FieldKind.NUMBER:
        return "1"
    if kind in (FieldKind.CHOICE, FieldKind.YES_NO):
        return options[0] if options else ""
    if kind is FieldKind.URL:
        return "https://trust.example/security"
    return "As in our register"


def fact_form(
    fact: ScopingFact, *, people: int, workforce: Collection[str], devices: Collection[str], labs: bool, platform: bool
) -> dict[str, Any]:
    """Return the form of a scoping fact that is the vendor's to state."""
    if fact.key == "scp.people":
        return {"number": str(people)}
    if fact.key == "scp.workforce":
        return {"choices": list(workforce)}
    if fact.key == "scp.devices":
        return {"choices": list(devices)}
    if fact.key == "scp.labs":
        return {"choice": "yes" if labs else "no"}
    if fact.key == "scp.platform":
        return {"choice": "yes" if platform else "no"}
    if fact.kind is FactKind.TABLE:
        row = {
            column.key: column.options[0].key
            if column.options
            else {"country": "Portugal", "site": "Lisbon"}.get(column.key, "Lisbon")
            for column in fact.columns
        }
        return {f"rows.0.{key}": value for key, value in row.items()}
    return {}
