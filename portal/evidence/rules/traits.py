"""What a PDF shows of its own history, as far as it can be measured, and what of that is worth a look. Pure.

Not measured, and said so: whether a signature is cryptographically valid, and whether the letters that are drawn are
the letters of the text (that takes somebody's eyes, or character recognition).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from portal.evidence.rules.cells import day_words

NOT_MEASURED: Final = (
    "whether a signature is valid",
    "whether the drawn letters are those of the text that can be searched",
    "what a picture on a page shows",
)
LONG_AFTER: Final = 30
"""Days between the opinion and the last saving from which on it is said; a report is handed on within weeks."""

MOST_FAMILIES: Final = 3
SLACK: Final = 16
"""Bytes after the signed ones that are line ends, not changes."""

_EDITORS: Final = re.compile(
    r"pdfescape|sejda|ilovepdf|smallpdf|pdf-?xchange|phantom ?pdf|foxit|nitro|pdffiller|soda ?pdf|pdfsam|inkscape"
    r"|photoshop|illustrator|canva|gimp|pdf ?editor|pdfelement|dochub",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Words on a page that something is odd with."""

    page: int
    text: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Traits:
    """What was seen. ``signed_to``: where the bytes end that each signature covers. ``pictured``: pages of pictures
    with a text laid over. ``families``: the typefaces of the opinion's page.
    """

    producer: str = ""
    creator: str = ""
    created: date | None = None
    modified: date | None = None
    size: int = 0
    saves: int = 1
    signed_to: tuple[int, ...] = ()
    opinion_page: int | None = None
    families: tuple[str, ...] = ()
    mixed: tuple[Place, ...] = ()
    hidden: tuple[Place, ...] = ()
    pictured: tuple[int, ...] = ()
    pages_looked: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One sign that a file was worked on."""

    words: str
    page: int | None = None
    quote: str = ""
    strong: bool = False


def traits_of(stored: Mapping[str, Any]) -> Traits:
    """Return traits from what the limited process answered; what is missing or odd is left out."""
    return Traits(
        producer=_text(stored.get("producer")),
        creator=_text(stored.get("creator")),
        created=_day(stored.get("created")),
        modified=_day(stored.get("modified")),
        size=_number(stored.get("size")),
        saves=max(1, _number(stored.get("saves"))),
        signed_to=tuple(_number(each) for each in _list(stored.get("signed_to"))),
        opinion_page=_number(stored.get("opinion_page")) or None,
        families=tuple(_text(each) for each in _list(stored.get("families"))),
        mixed=_places(stored.get("mixed")),
        hidden=_places(stored.get("hidden")),
        pictured=tuple(_number(each) for each in _list(stored.get("pictured"))),
        pages_looked=_number(stored.get("pages_looked")),
        problem=_text(stored.get("problem")),
    )


def edits(traits: Traits, opinion_on: date | None = None) -> Iterator[Edit]:
    """Return the signs that a file was worked on after it was written."""
    later = traits.size - max(traits.signed_to, default=0)
    if traits.signed_to and later > SLACK:
        yield Edit(
            f"{later:,} bytes were added after the last signature, so what you see is not what was signed. Ask the "
            "firm for the file as it was signed.",
            strong=True,
        )
    elif not traits.signed_to and traits.saves > 1:
        yield Edit(
            f"The file was saved {traits.saves} times on top of itself, and it bears no signature. Ask what was "
            "changed."
        )
    if opinion_on and traits.modified and (traits.modified - opinion_on).days > LONG_AFTER:
        yield Edit(
            f"It was last saved on {day_words(traits.modified)}, {(traits.modified - opinion_on).days} days after the "
            "opinion. Ask what was changed."
        )
    if _EDITORS.search(f"{traits.producer} {traits.creator}"):
        wrote = traits.producer or traits.creator
        yield Edit(
            f"It was last written by {wrote}, a program for editing. Ask the firm for its own file.", strong=True
        )
    yield from _letters(traits)


def _letters(traits: Traits) -> Iterator[Edit]:
    for place in traits.mixed[:3]:
        yield Edit(
            f"Within one line of the opinion the letters change to {place.how}. Compare these words with the firm’s "
            "copy.",
            place.page,
            place.text,
            strong=True,
        )
    if len(traits.families) > MOST_FAMILIES:
        yield Edit(
            f"The page of the opinion mixes {len(traits.families)} typefaces: {', '.join(traits.families)}. Look at it "
            "closely.",
            traits.opinion_page,
        )
    if traits.hidden:
        pages = sorted({place.page for place in traits.hidden})
        first = traits.hidden[0]
        where = f"page {pages[0]}" if len(pages) == 1 else f"{len(pages)} pages"
        yield Edit(
            f"Words of the text cannot be seen on {where} ({first.how}). A search finds them, a reader does not: trust "
            "the picture.",
            first.page,
            first.text,
            strong=True,
        )
    if traits.pictured:
        yield Edit(
            f"{len(traits.pictured)} {'page is a picture' if len(traits.pictured) == 1 else 'pages are pictures'} with "
            "a text laid over. Compare every quoted word with the picture.",
            traits.pictured[0],
        )


def _text(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _list(value: object) -> Sequence[Any]:
    return value[:50] if isinstance(value, list) else []


def _day(value: object) -> date | None:
    """Read a day as PDF writes it: D:20250630…"""
    match = re.match(r"(?:D:)?(\d{4})(\d{2})(\d{2})", _text(value))
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _places(value: object) -> tuple[Place, ...]:
    return tuple(
        Place(_number(each.get("page")) or 1, _text(each.get("text")), _text(each.get("how")))
        for each in _list(value)
        if isinstance(each, dict)
    )
