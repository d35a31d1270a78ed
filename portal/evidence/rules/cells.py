"""Reading one value of a form by its type: a text, a day, a number, a choice, an amount of money. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any, Final
from uuid import UUID

from portal.evidence.rules.fields import CURRENCIES, Column, Field, FieldType
from portal.kernel.words import said, spelled

MAX_TEXT: Final = 300
MAX_LONG: Final = 2_000
MAX_NUMBER: Final = 10_000_000
MAX_AMOUNT: Final = 1_000_000_000_000
FIRST_YEAR, LAST_YEAR = 1990, 2100
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "mio": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9}


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


def parse_amount(text: str) -> int | None:
    """Return the whole amount written as 5,000,000 or 5 M or 2.5 million; None if it is none, or not whole.

    A part after the point needs a unit: 5.000 is five thousand to some and five to others.
    """
    match = re.fullmatch(r"([0-9]+|[0-9]{1,3}(?:[ ,'’][0-9]{3})+)(?:\.([0-9]{1,6}))? *([a-z]*)", text.strip().lower())
    if match is None or match[3] not in _UNITS or (match[2] and not match[3]):
        return None
    digits, cents = re.sub(r"[^0-9]", "", match[1]), match[2] or ""
    if len(digits) > 16:
        return None
    scaled = int(digits + cents) * _UNITS[match[3]]
    whole, rest = divmod(scaled, 10 ** len(cents))
    return whole if rest == 0 and whole <= MAX_AMOUNT else None


def amount_words(value: Any) -> str:
    """Return "5,000,000 USD" for a stored amount; a text from before amounts had a type stays as it is."""
    if isinstance(value, dict):
        amount = value.get("amount")
        return f"{amount:,} {value.get('currency', '')}".strip() if isinstance(amount, int) else ""
    return str(value)


def tidy(text: str, limit: int | None = None) -> str:
    """Return text on one line, without control characters and the marks that turn the reading direction."""
    kept = "".join(c if unicodedata.category(c) not in {"Cc", "Zl", "Zp"} else " " for c in text)
    kept = "".join(c for c in kept if unicodedata.category(c) not in {"Cf", "Cs", "Co", "Cn"})
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", kept)).strip()[:limit]


def read_cell(field: Field | Column, text: str, today: date | None) -> tuple[Any, str]:
    """Return what a tidy text says for a field or a column, or what is wrong with it; nothing is said by no text."""
    if not text:
        return None, ""
    if field.type is FieldType.ID:
        return _read_id(text), ""
    if field.type in (FieldType.TEXT, FieldType.LONG):
        most = MAX_LONG if field.type is FieldType.LONG else MAX_TEXT
        return (
            (text, "")
            if len(text) <= most
            else (None, said("Use at most %(most)s characters for %(the)s", most=most, the=said(field.the)))
        )
    if field.type is FieldType.CHOICE:
        return (text, "") if text in dict(field.options) else (None, said("Choose %(the)s", the=said(field.the)))
    if field.type is FieldType.NUMBER:
        plain = text.replace(",", "").replace(" ", "")
        if re.fullmatch(r"[0-9]{1,8}", plain) and int(plain) <= MAX_NUMBER:
            return int(plain), ""
        return None, said("Enter %(the)s as a whole number, for example 12", the=said(field.the))
    return _read_day(field, text, today)


def read_money(the: str, text: str, currency: str) -> tuple[dict[str, Any] | None, str]:
    """Return an amount with its currency, or what is wrong with it. The currency may stand behind the amount."""
    behind = re.fullmatch(r"(.*?) *([A-Za-z]{3})", text)
    if behind and behind[2].upper() in CURRENCIES:
        text, currency = behind[1], currency or behind[2].upper()
    if not text:
        return None, ""
    amount = parse_amount(text)
    if amount is None:
        return None, said("Enter %(the)s as an amount, for example 5,000,000 or 5 M", the=said(the))
    if currency not in CURRENCIES:
        return None, said("Choose the currency of %(the)s", the=said(the))
    return {"amount": amount, "currency": currency}, ""


def _read_id(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _read_day(field: Field | Column, text: str, today: date | None) -> tuple[str | None, str]:
    day = parse_day(text)
    if day is None:
        return None, said("Enter %(the)s as a date, for example 30 September 2026", the=said(field.the))
    if field.past and today is not None and day > today:
        return None, said(
            "%(the)s must not be after today, %(day)s",
            the=spelled(field.the[:1].upper() + field.the[1:], field.the),
            day=today,
        )
    return day.isoformat(), ""
