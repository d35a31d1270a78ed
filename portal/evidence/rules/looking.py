"""How a file can be looked at without opening it, how much of it one person may, and how that is said. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from portal.kernel.words import said, said_n, together
from portal.terms import Look

FILES_AN_HOUR: Final = 60
"""Different files that one person of the lab opens within an hour (security.md, threat 15). Each counts once."""

PAGES_AN_HOUR: Final = 1_200
"""Different pages: a page turned is no file, and looking at one again is neither."""

DRAW_TRIES: Final = 3
"""How often a page that could not be drawn is tried (security.md, R4) before it rests."""

DRAW_RESTS: Final = timedelta(days=1)
"""After that long it is tried again: a machine that was busy is no fault of the file."""

ZOOMS: Final = (50, 75, 100, 150, 200, 300)
"""Per cent of the width of the page's place."""

FIT_PIXELS: Final = 1_100
MOST_WORDS: Final = 200
"""Characters of what is searched for."""

ROWS: Final = 60
COLUMNS: Final = 12
LETTERS: Final = 300
PARAGRAPHS: Final = 400
"""How much of a table or a text is shown: enough to judge it, not enough to replace the original."""

_FOLDED: Final = str.maketrans(
    {"ß": "ss", "Æ": "Ae", "æ": "ae", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d"}
)


class Shape(StrEnum):
    """What a file can be shown as."""

    PAGES = "pages"
    PICTURE = "picture"
    TABLE = "table"
    TEXT = "text"


_SHAPES: Final = {
    "application/pdf": Shape.PAGES,
    "image/png": Shape.PICTURE,
    "image/jpeg": Shape.PICTURE,
    "text/csv": Shape.TABLE,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Shape.TABLE,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Shape.TEXT,
    "text/plain": Shape.TEXT,
}


def shape_of(mime: str | None) -> Shape | None:
    """Return how a file of this type can be shown, None if it cannot."""
    return _SHAPES.get(mime or "")


def pages_of(mime: str | None, page_count: int | None) -> int:
    """Return how many pictures a file has: the pages of a PDF, one of a picture, none of the others."""
    shape = shape_of(mime)
    if shape is Shape.PICTURE:
        return 1
    return (page_count or 0) if shape is Shape.PAGES else 0


def pixels_at(zoom: int) -> int:
    """Return how wide a page is drawn for a zoom, never less than what fits its place."""
    return FIT_PIXELS * max(100, zoom) // 100


def zoom_in(zoom: int) -> int | None:
    """Return the next larger step."""
    return next((each for each in ZOOMS if each > zoom), None)


def zoom_out(zoom: int) -> int | None:
    """Return the next smaller step."""
    return next((each for each in reversed(ZOOMS) if each < zoom), None)


def is_marked(*, by_lab: bool, restricted: bool, kind: str) -> bool:
    """Whether the pictures carry the name of who looks: for the lab all, else where readers are limited.

    A SOC 2 report is restricted by its own author (evidence.md, common fields).
    """
    return by_lab or restricted or kind == "SOC2"


def plain_name(name: str, otherwise: str) -> str:
    """Return a name in the letters that every drawing knows, ``otherwise`` if too little of it is left."""
    folded = unicodedata.normalize("NFKD", name.translate(_FOLDED)).encode("ascii", "ignore").decode()
    letters = sum(map(str.isalnum, folded))
    return folded.strip() if letters * 2 > sum(map(str.isalnum, name)) else otherwise


def over_limit(files: int, pages: int) -> str:
    """Return the sentence for somebody who opened this many within the hour, empty if that is within bounds."""
    if files > FILES_AN_HOUR:
        return said(
            "You opened %(most)s files within the hour, which is the most. Go on later, with the files that you opened "
            "already, or ask a colleague",
            most=FILES_AN_HOUR,
        )
    if pages > PAGES_AN_HOUR:
        return said("You looked at %(most)s pages within the hour, which is the most. Go on later", most=PAGES_AN_HOUR)
    return ""


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers in few characters: 1, 2, 3 and 7 are "1–3, 7"."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def looked_at(looks: Iterable[Look], pages: Sequence[int]) -> str:
    """Return what was looked at in words: "page 3, original"."""
    found = set(looks)
    words = []
    if pages:
        words.append(said_n("page %(pages)s", "pages %(pages)s", len(set(pages)), pages=ranges(pages)))
    for look, name in (
        (Look.TABLE, said("table")),
        (Look.TEXT, said("text")),
        (Look.SEARCH, said("search in the text")),
        (Look.ORIGINAL, said("original")),
    ):
        if look in found:
            words.append(name)
    return together(words, between=", ")
