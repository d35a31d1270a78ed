"""Companies as they are written: the same one with and without its legal form, and the ones a text names. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final

from portal.evidence.rules.masking import LEGAL_FORMS

_SAME_FORM: Final = {
    "incorporated": "inc",
    "corporation": "inc",
    "corp": "inc",
    "limited": "ltd",
    "company": "co",
}
_FORM = (
    r"(?:Inc(?:orporated)?|Corp(?:oration)?|Co|Ltd|Limited|L\.?L\.?C|L\.?L\.?P|PLC|plc|GmbH|AG|S\.?A\.?S?|B\.?V|N\.?V|AB|Oy"
    r"|ApS|Pty\.? Ltd|Pte\.? Ltd|P\.?C|PLLC|PBC|UAB|S\.?r\.?l|s\.r\.o)"
)
_NAMED = re.compile(rf"\b((?:[A-Z][\w&'’.-]*[ \t]+){{0,5}}[A-Z][\w&'’-]*),?\s+({_FORM})\b\.?")
_LEADING: Final = frozenset(
    {"the", "of", "to", "and", "for", "by", "management", "directors", "our", "at", "in", "a", "an"}
)


def company_key(name: str) -> str:
    """Return what makes a company one and the same however it is written: no case, no marks, no legal form."""
    words = _words(name)
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words.pop()
    return " ".join(words[1:] if len(words) > 1 and words[0] == "the" else words)


def form_of(name: str) -> str:
    """Return the legal form that a name ends in, one word for its spellings; empty if it has none."""
    words = _words(name)
    return _SAME_FORM.get(words[-1], words[-1]) if len(words) > 1 and words[-1] in LEGAL_FORMS else ""


def is_same(one: str, other: str) -> bool:
    """Return whether two names can be one company's: the same, or the one a short form of the other."""
    a, b = company_key(one).split(), company_key(other).split()
    shorter = min(len(a), len(b))
    return bool(shorter) and a[:shorter] == b[:shorter]


def companies_in(text: str) -> Counter[str]:
    """Return the companies that a text names with their legal form, and how often."""
    found: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for match in _NAMED.finditer(_unwrapped(text)):
        words = match[1].split()
        while words and words[0].casefold() in _LEADING:
            words.pop(0)
        if not words:
            continue
        name = f"{' '.join(words)} {match[2]}"
        found[spelled.setdefault(company_key(name), name)] += 1
    return found


def _unwrapped(text: str) -> str:
    """Return a text whose long lines are joined, for a name may be broken between two of them."""
    return re.sub(r"(?<=[^\n]{50})\n", " ", text)


def among(name: str, others: Iterable[str]) -> bool:
    """Return whether a name can be that of one of these companies."""
    return any(is_same(name, other) for other in others if other)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", name).casefold().replace("&", " and ").replace(".", "")
    return re.sub(r"[^\w]+", " ", plain).split()
