"""The first rows of a hostile table, or the first paragraphs of a hostile text, as plain words. Sandbox only."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator
from xml.parsers import expat

PIECE = 256 * 1024
MOST_UNPACKED = 64 * 1024 * 1024
_UNSHOWN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "


def table(path: str, kind: str, sheet: int, rows: int, columns: int, letters: int) -> dict[str, object]:
    """Return the first rows of one sheet, or ``{"refused": code}``, a key of the reader's words.

    :return: ``sheets`` by name, ``rows`` of cells, and whether there are ``more``.
    """
    if kind == "csv":
        names, lines = [""], list(_csv(path, rows + 1))
    else:
        from portal.kernel import spreadsheet, workbook

        found = workbook.read(
            path,
            max_rows=spreadsheet.MAX_ROWS,
            max_columns=spreadsheet.MAX_COLUMNS,
            max_cells=spreadsheet.MAX_CELLS,
            max_characters=spreadsheet.MAX_CHARACTERS,
            max_cell=spreadsheet.MAX_CELL,
        )
        sheets = found.get("sheets")
        if not isinstance(sheets, list):
            return {"refused": found.get("refused", "damaged")}
        names = [each["name"] + ("" if each["state"] == "visible" else " (hidden)") for each in sheets]
        lines = list(_sheet(sheets[sheet - 1]["rows"], rows + 1, columns + 1)) if 1 <= sheet <= len(sheets) else []
    more = len(lines) > rows or any(len(line) > columns for line in lines)
    shown = [[_shown(cell, letters) for cell in line[:columns]] for line in lines[:rows]]
    return {"sheets": [_shown(name, 60) for name in names], "rows": shown, "more": more}


def _sheet(sparse: list[tuple[int, list[tuple[int, str, str, str]]]], rows: int, columns: int) -> Iterator[list[str]]:
    """Put the cells, which come as (column, kind, text, result), into their places; of formulas the result."""
    at = 0
    for number, cells in sparse:
        while at < number - 1:
            at += 1
            if at > rows:
                return
            yield []
        line: list[str] = []
        for column, kind, text, result in cells:
            if column >= columns:
                line += [""] * (columns - len(line))
                break
            line += [""] * (column - len(line))
            line.append((result or text) if kind == "formula" else text)
        at += 1
        if at > rows:
            return
        yield line


def _csv(path: str, rows: int) -> Iterator[list[str]]:
    text, _ = _beginning(path)
    first = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", text.lstrip("\r\n")), maxsplit=1)[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    csv.field_size_limit(PIECE)
    for at, line in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)):
        if at >= rows:
            return
        yield line


def text(path: str, kind: str, paragraphs: int, letters: int) -> dict[str, object]:
    """Return the first paragraphs and whether there are ``more``, or ``{"refused": code}``."""
    if kind == "txt":
        whole, more = _beginning(path)
        found = whole.splitlines()
    else:
        try:
            found, more = _document(path, paragraphs + 1)
        except (zipfile.BadZipFile, KeyError, expat.ExpatError, ValueError, EOFError):
            return {"refused": "damaged"}
    more = more or len(found) > paragraphs
    return {"paragraphs": [_shown(each, letters) for each in found[:paragraphs]], "more": more}


class _Enough(Exception):
    """As many paragraphs as were wanted."""


def _document(path: str, paragraphs: int) -> tuple[list[str], bool]:
    """Return the paragraphs of a DOCX (ECMA-376 part 1, chapter 17), those inside tables too, without empty ones."""
    found: list[str] = []
    line: list[str] = []
    inside = False

    def start(name: str, _attributes: object) -> None:
        nonlocal inside
        inside = name == _W + "t"
        if name in {_W + "tab", _W + "br"}:
            line.append(" ")

    def end(name: str) -> None:
        nonlocal inside
        inside = False
        if name == _W + "p":
            if words := "".join(line).strip():
                found.append(words)
            line.clear()
            if len(found) >= paragraphs:
                raise _Enough

    def data(words: str) -> None:
        if inside:
            line.append(words)

    def refuse(*_: object) -> None:
        raise ValueError("a document type has no place here")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = refuse
    unpacked = 0
    with zipfile.ZipFile(path) as archive, archive.open("word/document.xml") as part:
        try:
            while piece := part.read(1 << 16):
                unpacked += len(piece)
                if unpacked > MOST_UNPACKED:
                    return found, True
                parser.Parse(piece)
            parser.Parse(b"", True)
        except _Enough:
            return found, True
    return found, False


def _beginning(path: str) -> tuple[str, bool]:
    """Return the beginning of a text up to a whole line, however it was written, and whether there is more."""
    with open(path, "rb") as file:
        start, more = file.read(PIECE), bool(file.read(1))
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoded = start[: len(start) // 2 * 2].decode("utf-16", "replace")
    else:
        whole = start[: start.rfind(b"\n") + 1] or start if more else start
        try:
            decoded = whole.decode("utf-8-sig")
        except UnicodeDecodeError:
            decoded = whole.decode("cp1252", "replace")
    return decoded, more


def _shown(words: str, letters: int) -> str:
    plain = _UNSHOWN.sub(" ", words)
    return plain if len(plain) <= letters else plain[: letters - 1] + "…"
