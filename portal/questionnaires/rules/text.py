"""Text as people type it, made safe to keep: one kind of line end, nothing that cannot be stored or seen."""

import re
from datetime import date
from decimal import Decimal
from typing import Final

MAX_DIGITS: Final = 9
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
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
