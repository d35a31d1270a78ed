"""A text with its names masked: who wrote it, where and when is taken out, what it says stays. Pure.

Two reports that a person, a place or a number tells apart read the same afterwards. A name is known from the record of
the file, or is a word that is written with a capital inside a sentence and nowhere without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

NAME: Final = "▢"
NUMBER: Final = "#"

_TOKEN = re.compile(
    r"(?P<link>https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?P<word>[^\W\d_]+(?:['’&][^\W\d_]+)*)"
    r"|(?P<number>\d[\d.,/:%-]*)"
    r"|(?P<stop>[.!?:;•▪●|\n])"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NUMBERS: Final = _set(
    """
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million january february march
    april june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec
    """
)
_SMALL: Final = _set(
    """
    a an the this that these those it its we our they their he she his her in on at by for from of to with and or but
    if as is are was were be been all each any no not when where which who what there here such some both after before
    during under once only also
    """
)
LEGAL_FORMS: Final = _set(
    """
    inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg ug sa sas sarl srl spa bv nv ab
    oy aps pty pte pbc pllc pc kk ulc sl uab ou sro
    """
)
"""What companies are called by law; names are compared without it."""

_WRAPPED: Final = 50
_BETWEEN: Final = frozenset({"and", "of", "or", "the"})


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it counts, and where in the text it stands."""

    masked: str
    start: int
    end: int


@dataclass(slots=True)
class _Raw:
    text: str
    start: int
    end: int
    opens: bool
    masked: str = ""

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()


def mask(text: str, names: Iterable[str] = ()) -> tuple[Word, ...]:
    """Return the words of a text in lower case; names, dates, numbers and addresses became one sign each.

    :param names: what is known by name: companies, systems, people; however it is written.
    """
    raw = _raw(text)
    known = {word.casefold() for name in names for word in re.findall(r"[^\W\d_]{2,}", name)} - _SMALL
    lower = {each.text for each in raw if not each.capital}
    called = {
        each.text.casefold()
        for each in raw
        if each.capital and not each.opens and each.text.casefold() not in lower | _SMALL
    }
    _mask_known(raw, names)
    _mask_runs(raw, called, known - lower)
    return tuple(_collapsed(raw))


def _raw(text: str) -> list[_Raw]:
    found: list[_Raw] = []
    opens = True
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "stop":
            opens = opens or match[0] != "\n" or not _runs_on(text, match.start())
            continue
        each = _Raw(re.sub(r"['’]s?$", "", match[0]), match.start(), match.end(), opens)
        if match.lastgroup == "link":
            each.masked = NAME
        elif match.lastgroup == "number":
            each.masked = NUMBER
        found.append(each)
        opens = False
    for each in found:
        if not each.masked and (each.text.casefold() in _NUMBERS or each.text == "May"):
            each.masked = NUMBER
    return found


def _runs_on(text: str, end: int) -> bool:
    """Return whether the line that ends here goes on in the next: it is long, as lines of running text are."""
    return end - text.rfind("\n", 0, end) > _WRAPPED


def _mask_known(raw: Sequence[_Raw], names: Iterable[str]) -> None:
    """Mask whole names, also where they are written in small letters or made of common words."""
    words = [each.text.casefold() for each in raw]
    firsts: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        firsts.setdefault(word, []).append(at)
    for name in names:
        phrase = [each.casefold() for each in re.findall(r"[^\W\d_]+(?:['’&][^\W\d_]+)*|\d+", name)]
        while phrase and phrase[-1] in LEGAL_FORMS:
            phrase.pop()
        if not phrase or (len(phrase) == 1 and (len(phrase[0]) < 3 or phrase[0] in _SMALL)):
            continue
        for at in firsts.get(phrase[0], ()):
            if words[at : at + len(phrase)] == phrase:
                for each in raw[at : at + len(phrase)]:
                    each.masked = NAME


def _mask_runs(raw: Sequence[_Raw], called: set[str], known: set[str]) -> None:
    at = 0
    while at < len(raw):
        end = at
        while end < len(raw) and _joins(raw[end]) and (end == at or not raw[end].opens):
            end += 1
        run = raw[at:end]
        if not run:
            at += 1
            continue
        inside = [each for each in run if not each.opens]
        proper = [each for each in run if each.masked == NAME or each.text.casefold() in called | known]
        if proper or len(inside) >= 2:
            for each in run:
                if each.masked != NUMBER:
                    each.masked = NAME
        at = end


def _joins(each: _Raw) -> bool:
    return each.masked == NAME or (not each.masked and each.capital and each.text.casefold() not in _SMALL)


def _collapsed(raw: Sequence[_Raw]) -> list[Word]:
    words: list[Word] = []
    for each in raw:
        said = each.masked or ("a" if each.text.casefold() == "an" else each.text.casefold())
        if said in (NAME, NUMBER) and (back := _back(words, said)):
            words[-back:] = [Word(said, words[-back].start, each.end)]
            continue
        if said in LEGAL_FORMS and words and words[-1].masked == NAME:
            words[-1] = Word(NAME, words[-1].start, each.end)
            continue
        words.append(Word(said, each.start, each.end))
    return words


def _back(words: Sequence[Word], said: str) -> int:
    """Return how many words before a sign it takes in: another of its kind, also over an "and"."""
    if words and words[-1].masked == said:
        return 1
    return 2 if len(words) > 1 and words[-1].masked in _BETWEEN and words[-2].masked == said else 0
