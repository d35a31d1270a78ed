"""Text as people type it, made safe to keep: one kind of line end, nothing that cannot be stored or seen."""

import re
from datetime import date
from decimal import Decimal
from typing import Final

MAX_DIGITS: Final = 9
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
MAX_URL: Final = 500
# A host of letters, digits, hyphens and dots, or an IPv6 address; each class ends where the next begins.
_URL: Final = re.compile(
    r"https?://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
    r"(?:[/?#][!#-;=?-\[\]_a-z~\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]*)?"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def tidy(value: str) -> str:
    """Return the text without outer space, with `\\n` line ends, without control and direction characters."""
    return _UNSEEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def number_from(value: str) -> Decimal | None:
    """Return the plain decimal number that the text is, at most nine digits, or nothing.

    Signs, exponents, other scripts' digits, `nan` and `inf` are no numbers here.
    """
    if _NUMBER.fullmatch(value) is None or len(value.replace(".", "")) > MAX_DIGITS:
        return None
    return Decimal(value)


def number_text(number: Decimal) -> str:
    """Write a number in its one canonical form: no exponent, no trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def date_from(value: str) -> date | None:
    """Return the calendar day written as YYYY-MM-DD, or nothing."""
    if _DATE.fullmatch(value) is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def url_from(value: str) -> str | None:
    """Return the absolute http or https address that the text is, at most 500 characters, or nothing.

    A name or password before the host, and anything that a browser would read as another scheme, is no address here.
    """
    found = _URL.fullmatch(value) if len(value) <= MAX_URL else None
    return None if found is None or ".." in found["host"] else value


def period_from(value: str) -> tuple[date | None, date | None] | None:
    """Return the first and last day of a period written as `2026-01-01/2026-06-30`, either of them left open."""
    first, slash, last = value.partition("/")
    days = [date_from(part) if part else None for part in (first, last)]
    if not slash or any(day is None and part for day, part in zip(days, (first, last), strict=True)):
        return None
    return None if days == [None, None] else (days[0], days[1])


def period_text(first: date | None, last: date | None) -> str:
    """Write a period in its one form; the text is empty if neither day is known."""
    if first is None and last is None:
        return ""
    return f"{first.isoformat() if first else ''}/{last.isoformat() if last else ''}"


def day_words(day: date) -> str:
    """Return a day as sentences say it: 1 October 2025."""
    return f"{day.day} {day:%B} {day.year}"
