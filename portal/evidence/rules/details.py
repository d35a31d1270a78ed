"""Reading the metadata of a file from a form, and saying what is wrong with it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from portal.evidence.rules.kinds import KINDS, Field, FieldType, Kind
from portal.evidence.rules.validity import BRIDGE_MONTHS, add_months, as_day

MAX_TEXT: Final = 300
MAX_TITLE: Final = 200
MAX_NUMBER: Final = 10_000_000
FIRST_YEAR, LAST_YEAR = 1990, 2100
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)

Details = dict[str, str | int]


class Problems(dict[str, str]):
    """What is wrong, one sentence a field; the key is the field's name in the form."""


def day_words(day: date) -> str:
    """Return "1 October 2025"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def parse_day(text: str) -> date | None:
    """Return the day written as 2026-09-30, 30 September 2026 or 30 Sep 2026; None if it is none of our time."""
    found: date | None = None
    try:
        if match := re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text):
            found = date(int(match[1]), int(match[2]), int(match[3]))
        elif match := re.fullmatch(r"([0-9]{1,2}) +([A-Za-z]{3,9}) +([0-9]{4})", text):
            name = match[2].lower()
            months = [n for n, month in enumerate(_MONTHS, 1) if name in (month.lower(), month[:3].lower())]
            found = date(int(match[3]), months[0], int(match[1])) if months else None
    except ValueError:
        return None
    return found if found is not None and FIRST_YEAR <= found.year <= LAST_YEAR else None


def parse_details(
    kind: str, raw: Mapping[str, str], *, today: date | None = None, draft: bool = False
) -> Details | Problems:
    """Return the metadata of a file of this kind as it is stored, or what is wrong with it.

    :param raw: the form; fields are named ``detail-<name>``, others are left alone.
    :param today: refuses days that must have come and have not.
    :param draft: lets required fields be missing: they can be given later.
    :raises KeyError: for a kind that is not one of ours.
    """
    asked = KINDS[kind]
    problems = Problems()
    details: Details = {}
    for field in asked.fields:
        text = tidy(str(raw.get(field.id, "")))
        if not _applies(field, raw):
            continue
        if not text:
            if field.required and not draft:
                problems[field.id] = f"{'Choose' if field.type is FieldType.CHOICE else 'Enter'} {field.the}"
            continue
        value, problem = _read(field, text, today)
        if problem:
            problems[field.id] = problem
        elif value is not None:
            details[field.name] = value
    if not problems:
        _compare(asked, details, problems)
    return problems or details


def missing(kind: str, details: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the required fields that are not given."""
    return tuple(
        field
        for field in KINDS[kind].fields
        if field.required
        and (field.when is None or details.get(field.when[0]) == field.when[1])
        and not details.get(field.name)
    )


def tidy(text: str, limit: int | None = None) -> str:
    """Return text on one line, without control characters and the marks that turn the reading direction."""
    kept = "".join(c if unicodedata.category(c) not in {"Cc", "Zl", "Zp"} else " " for c in text)
    kept = "".join(c for c in kept if unicodedata.category(c) not in {"Cf", "Cs", "Co", "Cn"})
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", kept)).strip()[:limit]


def _applies(field: Field, raw: Mapping[str, str]) -> bool:
    return field.when is None or str(raw.get(f"detail-{field.when[0]}", "")).strip() == field.when[1]


def _read(field: Field, text: str, today: date | None) -> tuple[str | int | None, str]:
    if field.type is FieldType.TEXT:
        if len(text) > MAX_TEXT:
            return None, f"Use at most {MAX_TEXT} characters for {field.the}"
        return text, ""
    if field.type is FieldType.CHOICE:
        if text in dict(field.options):
            return text, ""
        return None, f"Choose {field.the}"
    if field.type is FieldType.NUMBER:
        plain = text.replace(",", "").replace(" ", "")
        if re.fullmatch(r"[0-9]{1,8}", plain) and int(plain) <= MAX_NUMBER:
            return int(plain), ""
        return None, f"Enter {field.the} as a whole number, for example 12"
    day = parse_day(text)
    if day is None:
        return None, f"Enter {field.the} as a date, for example 30 September 2026"
    if field.past and today is not None and day > today:
        return None, f"{field.the[:1].upper()}{field.the[1:]} must not be after today, {day_words(today)}"
    return day.isoformat(), ""


def _compare(kind: Kind, details: Details, problems: Problems) -> None:
    days = {name: found for name, value in details.items() if (found := as_day(value)) is not None}
    for order in kind.orders:
        first, last = days.get(order.earlier), days.get(order.later)
        if first and last and (last < first or (order.strict and last == first)):
            problems[kind.field(order.later).id] = f"{order.words}, {day_words(first)}"
    if kind.code == "ISO" and details.get("edition") == "2013":
        problems["detail-edition"] = (
            "Upload a certificate to the 2022 edition. Certificates to the 2013 edition ended on 31 October 2025"
        )
    if kind.code == "BL" and not problems and {"report_end", "covers_from", "covers_until"} <= days.keys():
        _compare_bridge(days, problems)


def _compare_bridge(days: Mapping[str, date], problems: Problems) -> None:
    follows = days["report_end"] + timedelta(days=1)
    most = add_months(days["report_end"], BRIDGE_MONTHS)
    if days["covers_from"] > follows:
        problems["detail-covers_from"] = (
            f"The letter must begin where the report ends, by {day_words(follows)}. Add a letter that closes the gap"
        )
    elif days["covers_from"] > most:
        problems["detail-covers_from"] = f"A bridge letter holds until {day_words(most)}. Upload the next report"
