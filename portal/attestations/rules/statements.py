"""The words under which an officer signs."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from portal.kernel.canonical import digest

TEXTS: Final = (
    ("authority", "I have authority to sign for {vendor}."),
    (
        "truth",
        "To the best of my knowledge, having asked the people named above, the answers are true and complete on {day}.",
    ),
    (
        "changes",
        "If an answer stops being true, we will tell {lab} within 10 working days. "
        "A change to data access or a breach: within 24 hours.",
    ),
)
"""Key and text of each statement; every one has to be ticked."""

VERSION: Final = f"Statements {digest(TEXTS)[:16]}"
"""Names these very texts, so that what was signed can be told from a later wording."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the signatory reads it."""

    key: str
    text: str


def statements(*, vendor: str, lab: str, on: date) -> tuple[Statement, ...]:
    """Return the statements as they are read on a day, with the legal name of the vendor and the lab's name."""
    day = f"{on.day} {on:%B %Y}"
    return tuple(Statement(key, text.format(vendor=vendor, lab=lab, day=day)) for key, text in TEXTS)


def signed_text(shown: Collection[Statement]) -> str:
    """Return the statements as they are stored and fingerprinted: their version, then one a line."""
    return "\n".join([VERSION, *(each.text for each in shown)])


def sentences_of(signed: str) -> tuple[str, ...]:
    """Return the sentences of a stored text."""
    return tuple(signed.split("\n")[1:])


def same_name(typed: str, account: str) -> bool:
    """Whether a typed name is the account's: case, spacing and the way letters are composed make no difference."""
    return bool(_folded(typed)) and _folded(typed) == _folded(account)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
