"""Reads the answer workbooks of other catalogues as rows of text: which file it is, and what was answered where.

Layouts: CAIQ 4.x and AI-CAIQ have a header row with "Question ID" among the first twenty; HECVAT 4 has identifiers in
its first column. Only identifiers, answers and the vendor's own words are kept, never the text of a question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from portal.kernel.words import said

HEADER_ROWS: Final = 20
MAX_ANSWERS: Final = 2_000
MAX_WORDS: Final = 8_000
MAX_NOTES: Final = 20


class Family(StrEnum):
    """Whose workbook it is."""

    CAIQ = "caiq"
    AI_CAIQ = "ai-caiq"
    HECVAT = "hecvat"

    @property
    def word(self) -> str:
        """Its name as people say it."""
        return {"caiq": "CAIQ", "ai-caiq": "AI-CAIQ", "hecvat": "HECVAT"}[self.value]

    @property
    def framework(self) -> str:
        """The key of the catalogue whose controls its answers are about."""
        return {"caiq": "ccm", "ai-caiq": "aicm", "hecvat": "hecvat"}[self.value]

    @property
    def catalogue(self) -> str:
        """The name of that catalogue."""
        return {"caiq": "CCM", "ai-caiq": "AICM", "hecvat": "HECVAT"}[self.value]


class Answered(StrEnum):
    """An answer in the one form that all catalogues share; ``other`` is anything in words."""

    YES = "yes"
    NO = "no"
    NA = "na"
    PARTIAL = "partial"
    OTHER = "other"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet as rows of text; ``rows[0]`` is the sheet's first row."""

    name: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class External:
    """What was answered to one question of a catalogue. ``sheet`` and ``row`` say where it stands."""

    question_id: str
    control_id: str
    answer: Answered
    written: str
    text: str = ""
    ownership: str = ""
    responsibilities: str = ""
    sheet: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One workbook. ``named`` is what it calls itself, ``version`` what that seems to say; a person confirms it."""

    family: Family
    named: str
    version: str
    answers: tuple[External, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of one sheet stand; ``first`` is the index of the first row below the header."""

    sheet: int
    first: int
    question: int
    answer: int
    text: int | None = None
    ownership: int | None = None
    responsibilities: int | None = None


class NotRead(ValueError):
    """It is none of the workbooks that are read; the words say what to upload instead."""


NOT_OURS: Final = said(
    "We found no completed CAIQ 4, AI-CAIQ or HECVAT 4 in this workbook. "
    "Upload the one with the column “Question ID”, as an .xlsx file"
)
_CAIQ_ID: Final = re.compile(r"([A-Z][A-Z&]{1,4}-[0-9]{2})(?:\.[0-9]{1,2})?", re.ASCII)
_HECVAT_ID: Final = re.compile(r"[A-Z]{4}-[0-9]{2,3}", re.ASCII)
_VERSION: Final = r"[^0-9]{0,40}?(?<![0-9.])v?\.?\s*([0-9]{1,2}(?:\.[0-9]{1,2}){0,2})(?![0-9])"
_FOUR: Final = said("We read version 4 of it: earlier ones use the same identifiers for other controls")

_ANSWERS: Final[Mapping[str, Answered]] = MappingProxyType(
    {
        **dict.fromkeys(("yes", "y"), Answered.YES),
        **dict.fromkeys(("no", "n"), Answered.NO),
        **dict.fromkeys(("na", "n/a", "n.a.", "not applicable", "does not apply"), Answered.NA),
        **dict.fromkeys(("partial", "partially", "partly", "yes, partially", "yes, partly"), Answered.PARTIAL),
    }
)


def read(pages: Sequence[Page], file_name: str = "") -> Reading:
    """Return what a workbook answers.

    :raises NotRead: if it is no workbook that we know, of a version before 4, or without a single answer.
    """
    family = _family(pages, file_name)
    if family is Family.HECVAT:
        return _finished(family, pages, file_name, _hecvat(pages))
    if not (found := layouts(pages)):
        raise NotRead(NOT_OURS)
    return _finished(family, pages, file_name, _caiq(pages, found))


def recognised(pages: Sequence[Page], file_name: str = "") -> tuple[Family, str, str]:
    """Return whose workbook it is, what it calls itself, and the version that this seems to name."""
    family = _family(pages, file_name)
    return (family, *_named(family, pages, file_name))


def layouts(pages: Sequence[Page]) -> list[Layout]:
    """Return the sheets that have the header row of a CAIQ, with where their columns stand."""
    return [found for number, page in enumerate(pages) if (found := _layout(number, page)) is not None]


def control_of(question_id: str) -> str:
    """Return the control of a question of the CAIQ, such as A&A-02 of A&A-02.1; empty if it is no identifier."""
    found = _CAIQ_ID.fullmatch(question_id)
    return found[1] if found else ""


def identifier(text: str) -> str:
    """Return an identifier as catalogues write it: no blanks, plain hyphens and digits, capital letters."""
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    return re.sub(r"\s+", "", plain).upper()


def answered(text: str) -> Answered:
    """Return a written answer in the shared form."""
    plain = tidy(text).casefold().rstrip(".")
    return _ANSWERS.get(plain, Answered.OTHER) if plain else Answered.BLANK


def tidy(text: str) -> str:
    """Return a text with its blanks in order; line breaks stay."""
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in unicodedata.normalize("NFC", text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _finished(family: Family, pages: Sequence[Page], file_name: str, found: Iterable[External]) -> Reading:
    named, version = _named(family, pages, file_name)
    if version and family is not Family.AI_CAIQ and version.split(".")[0] != "4":
        raise NotRead(
            said("This is %(named)s. %(four)s. Upload a %(word)s 4", named=named, four=_FOUR, word=family.word)
        )
    notes: list[str] = []
    answers = _once(found, notes)
    if all(each.answer is Answered.BLANK and not each.text for each in answers):
        raise NotRead(said("This %(word)s has no answers yet. Upload it once it is filled in", word=family.word))
    if len(answers) > MAX_ANSWERS:
        raise NotRead(
            said(
                "The workbook has more than %(max_answers)s answers. Upload the catalogue's own file",
                max_answers=MAX_ANSWERS,
            )
        )
    return Reading(family, named, version, answers, tuple(notes[:MAX_NOTES]))


def _once(found: Iterable[External], notes: list[str]) -> tuple[External, ...]:
    """Return each question once; one that is answered in two ways is left out, and that is noted."""
    by_id: dict[str, External] = {}
    torn: set[str] = set()
    for each in found:
        other = by_id.get(each.question_id)
        if other is None or (other.answer is Answered.BLANK and not other.text):
            by_id[each.question_id] = each
        elif (each.answer, each.text) != (other.answer, other.text) and (
            each.answer is not Answered.BLANK or each.text
        ):
            if each.question_id not in torn:
                places = said("%(one)s and %(other)s", one=_place(other), other=_place(each))
                notes.append(
                    said(
                        "%(question_id)s is answered in two ways, in %(places)s. Neither is used",
                        question_id=each.question_id,
                        places=places,
                    )
                )
            torn.add(each.question_id)
        if len(by_id) > MAX_ANSWERS:
            break
    return tuple(each for key, each in by_id.items() if key not in torn)


def _place(each: External) -> str:
    return said("row %(row)s of “%(sheet)s”", row=each.row, sheet=each.sheet)


def _caiq(pages: Sequence[Page], found: Iterable[Layout]) -> Iterator[External]:
    for layout in found:
        page = pages[layout.sheet]
        for number, row in enumerate(page.rows[layout.first :], start=layout.first + 1):
            question_id = identifier(_cell(row, layout.question)[:40])
            control_id = control_of(question_id)
            if not control_id:
                # A merged title, a footer, or an empty row.
                continue
            written = tidy(_cell(row, layout.answer))[:MAX_WORDS]
            yield External(
                question_id=question_id,
                control_id=control_id,
                answer=answered(written),
                written=written,
                text=_words(row, layout.text),
                ownership=_words(row, layout.ownership)[:200],
                responsibilities=_words(row, layout.responsibilities),
                sheet=page.name,
                row=number,
            )


def _hecvat(pages: Sequence[Page]) -> Iterator[External]:
    for page in pages:
        answer, text = _hecvat_columns(page)
        for number, row in enumerate(page.rows, start=1):
            question_id = identifier(_cell(row, 0)[:40])
            if not _HECVAT_ID.fullmatch(question_id):
                continue
            written = tidy(_cell(row, answer))[:MAX_WORDS]
            yield External(
                question_id=question_id,
                control_id=question_id,
                answer=answered(written),
                written=written,
                text=_words(row, text),
                sheet=page.name,
                row=number,
            )


def _hecvat_columns(page: Page) -> tuple[int, int]:
    for row in page.rows[:HEADER_ROWS]:
        heads = [_folded(cell) for cell in row[:12]]
        for number, head in enumerate(heads):
            if head.startswith("additional info") and number:
                named = next((each for each, words in enumerate(heads[:number]) if "answer" in words), number - 1)
                return named, number
    return 2, 3


def _layout(number: int, page: Page) -> Layout | None:
    for index, row in enumerate(page.rows[:HEADER_ROWS]):
        heads = [_folded(cell) for cell in row[:40]]
        question = next((at for at, head in enumerate(heads) if head.endswith("question id")), None)
        if question is None:
            continue
        answers = [at for at, head in enumerate(heads) if "answer" in head and "customer" not in head]
        if not answers:
            below = [_folded(cell) for each in page.rows[index : index + 2] for cell in each[:40]]
            if {"yes", "no"} <= set(below):
                raise NotRead(
                    said(
                        "This CAIQ has one column for each answer, as version 3 has. %(four)s. Upload a CAIQ 4",
                        four=_FOUR,
                    )
                )
            continue
        return Layout(
            sheet=number,
            first=index + 1,
            question=question,
            answer=answers[0],
            text=_column(heads, "description"),
            ownership=_column(heads, "ownership"),
            responsibilities=_column(heads, "responsibilit"),
        )
    return None


def _column(heads: Sequence[str], part: str) -> int | None:
    return next((at for at, head in enumerate(heads) if part in head), None)


def _family(pages: Sequence[Page], file_name: str) -> Family:
    texts = list(_titles(pages, file_name))
    told = " ".join(texts).casefold()
    ids = [identifier(_cell(row, 0)[:40]) for page in pages for row in page.rows[:400]]
    if "hecvat" in told or sum(bool(_HECVAT_ID.fullmatch(each)) for each in ids) >= 20:
        return Family.HECVAT
    # Model security is a domain that only the catalogue for AI has.
    if re.search(r"ai[ -]?caiq|aicm", told) or any(each.startswith("MDS-") for each in ids):
        return Family.AI_CAIQ
    return Family.CAIQ


def _named(family: Family, pages: Sequence[Page], file_name: str) -> tuple[str, str]:
    """Return what a file calls itself, and the version that this seems to name."""
    patterns = {
        Family.CAIQ: (r"\bCCM" + _VERSION, r"\bCAIQ\)?" + _VERSION),
        Family.AI_CAIQ: (r"\bAICM" + _VERSION, r"AI[ -]?CAIQ\)?" + _VERSION),
        Family.HECVAT: (r"HECVAT" + _VERSION,),
    }[family]
    texts = [re.sub(r"[_\s]+", " ", unicodedata.normalize("NFKC", each)) for each in _titles(pages, file_name)]
    for pattern in patterns:
        for text in texts:
            if found := re.search(pattern, text, re.IGNORECASE | re.ASCII):
                name = family.catalogue if pattern is patterns[0] else family.word
                return f"{name} {found[1]}", found[1]
    return family.word, ""


def _titles(pages: Sequence[Page], file_name: str) -> Iterator[str]:
    """Yield where a file says what it is: its sheets' names, their first rows, its own name."""
    for page in pages[:40]:
        yield page.name
    for page in pages[:40]:
        for row in page.rows[:HEADER_ROWS]:
            yield from (cell[:300] for cell in row[:12] if cell)
    yield file_name[:300]


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _words(row: Sequence[str], column: int | None) -> str:
    return "" if column is None else tidy(_cell(row, column))[:MAX_WORDS]


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text[:200])).strip().casefold()
