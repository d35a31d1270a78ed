"""Reads the sheets of a workbook or a CSV file as rows of text, whatever the file turns out to be.

A workbook is parsed in a process of its own (`portal.kernel.sandbox`); formulas are never computed.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

from portal.kernel.errors import Refused
from portal.kernel.sandbox import Failing, SandboxFailure, run_limited
from portal.kernel.sniff import too_large
from portal.kernel.words import said
from portal.terms import N_

MAX_FILE: Final = 20_000_000
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 256
MAX_CELLS: Final = 300_000  # filled ones
MAX_CHARACTERS: Final = 8_000_000
MAX_CELL: Final = 32_767  # what a cell of a spreadsheet holds
_ANSWER: Final = 64 * 1024 * 1024
_SECONDS: Final = 30

# One sentence per refusal: what is wrong, and how to put it right. `where` says it as exactly as is known.
WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "empty": N_("The file is empty"),
        "encrypted": N_("The workbook is password-protected. Remove the password and upload it again"),
        "mismatch": N_("The file is not a workbook. Save it as .xlsx and upload the new copy"),
        "macros": N_("The workbook contains macros. Save it as .xlsx without macros and upload it again"),
        "active": N_("The workbook contains other files or programs. Remove them and upload it again"),
        "linked": N_("The workbook loads parts from elsewhere. Break its links and upload it again"),
        "too_much": N_(
            "The workbook unpacks to far more than it seems. Copy the rows into a new workbook and upload that"
        ),
        "damaged": N_("The workbook could not be read. Save it as .xlsx again and upload the new copy"),
        "rows": N_("%(where)s has more than %(limit)s rows, empty ones included. Delete the rows that are not needed"),
        "columns": N_("%(where)s has more than %(limit)s columns. Delete the columns that are not needed"),
        "cells": N_("The file has more than %(limit)s filled cells. Split it into several files"),
        "cell": N_("%(where)s holds more than %(limit)s characters. Shorten it"),
        "characters": N_("The file holds more than %(limit)s characters. Split it into several files"),
        "sheets": N_("The workbook has more than %(limit)s sheets. Delete those that are not needed"),
        "encoding": N_("%(where)s has a character that is not text. Save the file as CSV in UTF-8 and upload it again"),
        "quotes": N_("%(where)s has a quotation mark that is never closed or not doubled. Save the file as CSV again"),
    }
)


class Kind(StrEnum):
    """What a cell holds."""

    BLANK = "blank"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TRUTH = "truth"
    ERROR = "error"
    FORMULA = "formula"


class State(StrEnum):
    """Whether a sheet is shown; a very hidden one cannot be unhidden from the menus."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    VERY_HIDDEN = "veryHidden"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as text: numbers without exponents, dates in ISO form, truths as TRUE or FALSE.

    Of a formula, `text` is the formula with its equals sign and `result` what the last program computed.
    """

    text: str = ""
    kind: Kind = Kind.BLANK
    result: str = ""


BLANK: Final = Cell()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: `rows[0]` is the first row of the sheet, blank rows and cells keep their places."""

    name: str
    state: State
    rows: list[list[Cell]]


class RefusedSheet(Refused):
    """The file is not read; ``message`` is for the person, ``code`` (a key of WORDS) for the record."""

    def __init__(self, code: str, *, where: str = "", limit: int = 0) -> None:
        super().__init__(said(WORDS[code], where=where, limit=limit))
        self.code = code


def read_workbook(path: Path, *, max_rows: int = MAX_ROWS) -> list[Sheet]:
    """Return the sheets of an XLSX file in their order, hidden ones too.

    :raises RefusedSheet: with words for the person: not a workbook, protected, with macros, too large in any
        direction, or the parser died of it.
    """
    size = path.stat().st_size
    if size > MAX_FILE:
        raise _large(size)
    try:
        found = run_limited(
            "portal.kernel.workbook:read",
            path,
            timeout=_SECONDS,
            arguments={
                "max_rows": max_rows,
                "max_columns": MAX_COLUMNS,
                "max_cells": MAX_CELLS,
                "max_characters": MAX_CHARACTERS,
                "max_cell": MAX_CELL,
            },
            answer_bytes=_ANSWER,
        )
    except SandboxFailure as failure:
        code = "damaged" if failure.failing is Failing.CRASH else "too_much"
        raise RefusedSheet(code) from failure
    if not isinstance(found, dict):
        raise RefusedSheet("damaged")
    if "refused" in found:
        code = str(found["refused"])
        raise RefusedSheet(
            code if code in WORDS else "damaged", where=str(found.get("where", "")), limit=int(found.get("limit", 0))
        )
    return [_sheet(each) for each in found["sheets"]]


def read_csv(data: bytes, *, max_rows: int = MAX_ROWS) -> Sheet:
    """Return a CSV file as one sheet; every cell is text.

    UTF-8 (with or without its mark), UTF-16 with its mark, else Windows-1252; the delimiter is whichever of comma,
    semicolon and tab the first line uses most, outside of quotation marks.

    :raises RefusedSheet: with words for the person, naming the line.
    """
    if len(data) > MAX_FILE:
        raise _large(len(data))
    if not data.strip():
        raise RefusedSheet("empty")
    text = _decoded(data)
    if len(text) > MAX_CHARACTERS:
        raise RefusedSheet("characters", limit=MAX_CHARACTERS)
    rows: list[list[Cell]] = []
    filled = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for fields in reader:
            rows.append(_fields(fields, line))
            filled += sum(map(bool, fields))
            if filled > MAX_CELLS:
                raise RefusedSheet("cells", limit=MAX_CELLS)
            if len(rows) > max_rows:
                raise RefusedSheet("rows", where=said("The file"), limit=max_rows)
            line = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error) or "field larger" in str(error):
            raise RefusedSheet("cell", where=said("A cell in line %(number)s", number=line), limit=MAX_CELL) from error
        raise RefusedSheet("quotes", where=said("Line %(number)s", number=line)) from error
    while rows and not any(cell.text for cell in rows[-1]):
        rows.pop()
    return Sheet("", State.VISIBLE, rows)


def _fields(fields: list[str], line: int) -> list[Cell]:
    if len(fields) > MAX_COLUMNS:
        raise RefusedSheet("columns", where=said("Line %(number)s", number=line), limit=MAX_COLUMNS)
    if any(len(field) > MAX_CELL for field in fields):
        raise RefusedSheet("cell", where=said("A cell in line %(number)s", number=line), limit=MAX_CELL)
    return [Cell(field, Kind.TEXT) if field else BLANK for field in fields]


def _decoded(data: bytes) -> str:
    encodings: tuple[str, ...]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif data.startswith(b"\xef\xbb\xbf"):
        encodings = ("utf-8-sig",)
    else:
        # What spreadsheet programs of the West write when nobody asks.
        encodings = ("utf-8", "cp1252")
    text = ""
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError as failure:
            if encoding == encodings[-1]:
                _not_text(data.count(b"\n", 0, failure.start) + 1)
    if found := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        _not_text(text.count("\n", 0, found.start()) + 1)
    return text


def _not_text(line: int) -> NoReturn:
    raise RefusedSheet("encoding", where=said("Line %(number)s", number=line))


def _delimiter(text: str) -> str:
    """Return what separates the cells of the first line that has any."""
    outside = re.sub(r'"[^"]*"', "", text[:100_000].lstrip("\r\n"))
    first = re.split(r"[\r\n]", outside, maxsplit=1)[0]
    return max((",", ";", "\t"), key=first.count)


def _sheet(found: Mapping[str, object]) -> Sheet:
    """Put the cells, which travel as (column, kind, text, result), back into their places."""
    rows: list[list[Cell]] = []
    sparse = found["rows"]
    for number, cells in sparse if isinstance(sparse, list) else ():
        while len(rows) < number - 1:
            rows.append([])
        row: list[Cell] = []
        for column, kind, text, result in cells:
            row.extend([BLANK] * (column - len(row)))
            row.append(Cell(text, Kind(kind), result))
        rows.append(row)
    return Sheet(str(found["name"]), State(str(found["state"])), rows)


def _large(size: int) -> Refused:
    refusal = RefusedSheet("too_much")
    refusal.message = too_large(size, MAX_FILE)
    refusal.args = (refusal.message,)
    return refusal
