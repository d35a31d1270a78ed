"""How one text became another, word by word."""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

MOST_PAIRS: Final = 1_000_000
"""Texts of more words than this, multiplied, are shown one after the other: comparing them would take seconds."""

_ABOUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "added": "the addition",
        "removed": "the removal",
        "moved": "the new place",
        "revision": "the revision",
        "kind": "the kind of answer",
        "text": "the text",
        "label": "the label",
        "option_added": "the new option “{}”",
        "option_removed": "the removed option “{}”",
        "option_relabelled": "the label of the option “{}”",
        "option_credit": "the credit of the option “{}”",
        "option_description": "the description of the option “{}”",
        "option_sets": "what the option “{}” sets",
        "option_order": "the order of the options",
        "options_from": "where the options are from",
        "when": "the condition “when”",
        "requires": "the condition “requires”",
        "knock_out": "the knock-out",
        "evidence": "the evidence expected",
        "maps": "the crosswalk",
        "why": "why we ask",
        "strong": "what a strong answer says",
        "good_evidence": "what good evidence shows",
        "min_rows": "the fewest rows",
        "rows": "the most rows",
        "expects": "the promised counts",
        "compensating": "the question for a compensating control",
    }
)


def about(part: str) -> str:
    """Return a part of a change in words, such as: the label of the option “soc2”."""
    aspect, _, option = part.partition(":")
    return _ABOUT.get(aspect, f"the {aspect.replace('_', ' ')}").format(option)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that stayed, went out or came in."""

    kind: Literal["same", "out", "in"]
    text: str


def words(old: str, new: str) -> tuple[Piece, ...]:
    """Return how one text became the other, word by word; very long ones as a whole.

    All but `in` is the old text, all but `out` the new one.
    """
    before, after = _tokens(old), _tokens(new)
    if len(before) * len(after) > MOST_PAIRS:
        return Piece("out", old), Piece("in", new)
    pieces: list[Piece] = []
    for _, a, b, c, d in _joined(difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes(), before):
        if before[a:b] == after[c:d]:
            pieces.append(Piece("same", "".join(before[a:b])))
            continue
        if a < b:
            pieces.append(Piece("out", "".join(before[a:b])))
        if c < d:
            pieces.append(Piece("in", "".join(after[c:d])))
    return tuple(pieces)


_TOKEN: Final = re.compile(r"\s+|\w+|[^\w\s]")
# What may come and go without another meaning; a sign such as < or %, and whatever stands inside a number, may not.
_SAID: Final = re.compile(r"[-−]?\d+(?:[.,:]\d+)*|[^\W\d]\w*|[^\w\s.,;:!?…'\"()\[\]‘’“”«»–—-]")


def says_the_same(old: str, new: str) -> bool:
    """Tell whether two texts differ in case, spacing or punctuation alone."""
    return said(old) == said(new)


def said(text: str) -> list[str]:
    """Return what a text says: its words and numbers in small letters, and the signs that mean something."""
    return _SAID.findall(unicodedata.normalize("NFC", text).casefold())


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


Code = tuple[str, int, int, int, int]


def _joined(codes: Sequence[Code], before: Sequence[str]) -> Iterator[Code]:
    """Join changes that only a space holds apart, so that a phrase is read as one."""
    waiting: Code | None = None
    for index, (tag, a, b, c, d) in enumerate(codes):
        is_gap = tag == "equal" and not "".join(before[a:b]).strip()
        if waiting and (tag != "equal" or (is_gap and index + 1 < len(codes))):
            waiting = ("replace", waiting[1], b, waiting[3], d)
        elif tag == "equal":
            if waiting:
                yield waiting
            waiting = None
            yield (tag, a, b, c, d)
        else:
            waiting = (tag, a, b, c, d)
    if waiting:
        yield waiting
