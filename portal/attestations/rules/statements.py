"""The words under which an officer signs."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from portal.kernel.canonical import digest
from portal.terms import N_

TEXTS: Final = (
    ("authority", N_("I have authority to sign for {vendor}.")),
    (
        "truth",
        N_(
            "To the best of my knowledge, having asked the people named above, "
            "the answers are true and complete on {day}."
        ),
    ),
    (
        "changes",
        N_(
            "If an answer stops being true, we will tell {lab} within 10 working days. "
            "A change to data access or a breach: within 24 hours."
        ),
    ),
)
"""Key and text of each statement; every one has to be ticked."""

Texts = tuple[tuple[str, str], ...]
ENGLISH: Final = "en"


def version(texts: Texts = TEXTS, language: str = ENGLISH) -> str:
    """Return what names these very texts, so that what was signed can be told from a later wording.

    It ends with the language that they are in; English does not need to say so.
    """
    named = f"Statements {digest(texts)[:16]}"
    return named if language == ENGLISH else f"{named} {language}"


VERSION: Final = version()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the signatory reads it."""

    key: str
    text: str


def statements(*, vendor: str, lab: str, day: str, texts: Texts = TEXTS) -> tuple[Statement, ...]:
    """Return the statements as they are read on a day, with the legal name of the vendor and the lab's name.

    :param day: the day in words, in the language of the texts.
    """
    read = ((key, text.format(vendor=vendor, lab=lab, day=day)) for key, text in texts)
    # "for Quillmark, Inc." has its full stop already.
    return tuple(Statement(key, text[:-1] if text.endswith("..") else text) for key, text in read)


def signed_text(shown: Collection[Statement], *, named: str = VERSION) -> str:
    """Return the statements as they are stored and fingerprinted: what names their texts, then one a line."""
    return "\n".join([named, *(each.text for each in shown)])


def language_of(signed: str) -> str:
    """Return the language that a stored text was signed in."""
    words = signed.partition("\n")[0].split(" ")
    return words[2] if len(words) > 2 else ENGLISH


def sentences_of(signed: str) -> tuple[str, ...]:
    """Return the sentences of a stored text."""
    return tuple(signed.split("\n")[1:])


def same_name(typed: str, account: str) -> bool:
    """Whether a typed name is the account's: case, spacing and the way letters are composed make no difference."""
    return bool(_folded(typed)) and _folded(typed) == _folded(account)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
