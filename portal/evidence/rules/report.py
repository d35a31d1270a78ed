"""What stands inside a SOC 2 report, apart from its dates: exceptions, organisations, controls left to us. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from portal.evidence.rules.kinds_assurance import NO_EXCEPTIONS
from portal.kernel.words import said, said_n

APART: Final = ("exception_rows", "carve_out_rows", "user_control_rows")
MAX_QUESTIONS: Final = 50
_KEY: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportRows:
    """The rows of a form, as ``parse_details`` read them; ``id`` names the stored row that one stands for."""

    exceptions: Sequence[_Row] = ()
    carve_outs: Sequence[_Row] = ()
    controls: Sequence[_Row] = ()


def split(details: Mapping[str, Any]) -> tuple[dict[str, Any], ReportRows]:
    """Return the details without the rows that are kept apart, and those rows."""
    kept = {name: value for name, value in details.items() if name not in APART}
    return kept, ReportRows(*(tuple(details.get(name, ())) for name in APART))


def question_keys(text: str) -> tuple[str, ...] | None:
    """Return the keys of questions in a text, without repeats; None if something else stands there or too many."""
    found = dict.fromkeys(each for each in re.split(r"[\s,;]+", text.strip()) if each)
    if len(found) > MAX_QUESTIONS or any(len(each) > 80 or not _KEY.fullmatch(each) for each in found):
        return None
    return tuple(found)


def organisation_key(name: str) -> str:
    """Return what makes an organisation one and the same however it is written: no case, no marks, no legal form."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    words = re.sub(r"[^\w&+]+", " ", plain).split()
    while len(words) > 1 and words[-1] in _FORMS:
        words.pop()
    return " ".join(words) or plain.strip()


_FORMS: Final = frozenset("inc ltd llc llp plc gmbh ag sa sas sarl bv nv ab oy as pte corp co limited".split())  # noqa: SIM905


def exception_count(details: Mapping[str, Any]) -> int | None:
    """Return how many exceptions a report lists as a person said it; None while nobody did. Silence is not nought."""
    if details.get("exceptions_listed") == NO_EXCEPTIONS:
        return 0
    value = details.get("exceptions")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value) if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 8 else None


def mismatch(details: Mapping[str, Any], entered: int) -> str:
    """Return what is to be said when the number of exceptions and their rows do not agree, nothing if they do."""
    stated = exception_count(details)
    if stated is None or stated == entered:
        return ""
    are = said_n("%(num)s is entered", "%(num)s are entered", entered) if entered else said("none are entered")
    if stated == 0:
        return said("The report is said to list no exceptions; %(are)s.", are=are)
    return said_n(
        "The report lists %(num)s exception; %(are)s.", "The report lists %(num)s exceptions; %(are)s.", stated, are=are
    )


def needs_criteria(kind: str, details: Mapping[str, Any]) -> bool:
    """Return whether a reviewer has to name the criteria that the opinion is qualified on (spec/evidence.md)."""
    return kind == "SOC2" and details.get("opinion") == "qualified"
