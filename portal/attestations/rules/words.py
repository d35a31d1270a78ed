"""What people type beside an answer: the pages of a file, a passage of it, a message."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from portal.kernel.errors import Refused
from portal.kernel.words import said, said_n

MAX_MESSAGE: Final = 4_000
MAX_PAGES: Final = 100
MAX_QUOTE: Final = 500
_PIECE: Final = re.compile(r"([0-9]{1,5})(?:\s*[-–]\s*([0-9]{1,5}))?", re.ASCII)
_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn"}


def tidy_pages(typed: str, page_count: int | None) -> str:
    """Return where to look in a file: page numbers and ranges of a file with pages, else a short text ("Sheet 2").

    :raises Refused: at the field ``pages``.
    """
    text = " ".join(_shown(typed).split())
    if not text:
        return ""
    if page_count is None:
        if len(text) > MAX_PAGES:
            raise Refused(
                problems={
                    "pages": [
                        said("Shorten it to %(most)s characters; this has %(count)s", most=MAX_PAGES, count=len(text))
                    ]
                }
            )
        return text
    pieces = [_PIECE.fullmatch(piece.strip()) for piece in text.split(",")]
    numbers = [(int(found[1]), int(found[2] or found[1])) for found in pieces if found]
    if len(numbers) < len(pieces) or len(text) > MAX_PAGES or any(last < first for first, last in numbers):
        raise Refused(problems={"pages": [said("Enter pages as numbers and ranges, for example 3, 5–7")]})
    if any(first < 1 or last > page_count for first, last in numbers):
        pages = said_n("%(num)s page", "%(num)s pages", page_count)
        raise Refused(problems={"pages": [said("The file has %(pages)s. Enter pages that are in it", pages=pages)]})
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in numbers)


def tidy_quote(typed: str) -> str:
    """Return a passage of a file in one line, without characters that cannot be seen.

    :raises Refused: at the field ``quote``, if it is too long.
    """
    text = " ".join(_shown(typed).split())
    if len(text) > MAX_QUOTE:
        problem = said(
            "Quote at most %(most)s characters; this has %(count)s. The pages say where the rest is",
            most=MAX_QUOTE,
            count=len(text),
        )
        raise Refused(problems={"quote": [problem]})
    return text


def tidy_message(typed: str) -> str:
    """Return a message without outer space and without characters that cannot be seen.

    :raises Refused: at the field ``body``, if nothing is left or it is too long.
    """
    text = _shown(typed.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise Refused(problems={"body": [said("Write your message")]})
    if len(text) > MAX_MESSAGE:
        raise Refused(
            problems={
                "body": [
                    said(
                        "Shorten the message to %(most)s characters; this has %(count)s",
                        most=MAX_MESSAGE,
                        count=len(text),
                    )
                ]
            }
        )
    return text


def _shown(text: str) -> str:
    # The joiners (U+200C, U+200D) are letters' business in several scripts and in emoji; the rest cannot be seen.
    return "".join(each for each in text if each in "\n\t\u200c\u200d" or unicodedata.category(each) not in _HIDDEN)
