"""Parses the sheets out of an XLSX file, strictly within its limits. Runs only inside the sandbox.

Of the format (ECMA-376 part 1, chapter 18) only what says which text stands in which cell is read.
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from posixpath import join, normpath
from xml.parsers import expat

from portal.kernel.inspection import Refusal, inspect

MAX_SHEETS = 100
_PIECE = 1 << 16
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
# Section 18.8.30: the built-in formats of days and times, Asian ones too.
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class Limit(Refusal):
    """A refusal with its place and bound."""

    def __init__(self, code: str, *, where: str = "", limit: int = 0) -> None:
        super().__init__(code)
        self.where = where
        self.limit = limit


@dataclass(slots=True)
class _Limits:
    rows: int
    columns: int
    cells: int
    cell: int
    characters: int
    used_rows: int = 0
    used_cells: int = 0
    used_characters: int = 0

    def spend(self, text: str) -> None:
        self.used_characters += len(text)
        if self.used_characters > self.characters:
            raise Limit("characters", limit=self.characters)


@dataclass(slots=True)
class _Book:
    archive: zipfile.ZipFile
    limits: _Limits
    strings: list[str] = field(default_factory=list)
    dates: frozenset[int] = frozenset()
    from_1904: bool = False


def read(
    path: str, max_rows: int, max_columns: int, max_cells: int, max_characters: int, max_cell: int
) -> dict[str, object]:
    """Return ``{"sheets": […]}``, or ``{"refused": code, "where": …, "limit": …}``."""
    judged = inspect(path, "xlsx")
    if judged["refused"]:
        return {"refused": judged["refused"]}
    limits = _Limits(max_rows, max_columns, max_cells, max_cell, max_characters)
    try:
        with zipfile.ZipFile(Path(path)) as archive:
            return {"sheets": list(_sheets(_Book(archive, limits)))}
    except Limit as limit:
        return {"refused": str(limit), "where": limit.where, "limit": limit.limit}
    except (Refusal, expat.ExpatError, KeyError, ValueError, OverflowError, zipfile.BadZipFile):
        return {"refused": "damaged"}


def _sheets(book: _Book) -> Iterator[dict[str, object]]:
    listed = _listed(book)
    if len(listed) > MAX_SHEETS:
        raise Limit("sheets", limit=MAX_SHEETS)
    names = set(book.archive.namelist())
    parts, others = _relations(book)
    for part in others.get("sharedStrings", []):
        book.strings = _strings(book, part)
    for part in others.get("styles", []):
        book.dates = _date_styles(book, part)
    for name, state, relation in listed:
        part = parts.get(relation, "")
        # Chart sheets have no cells.
        if part in names and "/worksheets/" in part:
            yield {"name": name, "state": state, "rows": _Cells(book, name).read(part)}


def _listed(book: _Book) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            state = attributes.get("state", "visible")
            state = state if state in ("hidden", "veryHidden") else "visible"
            found.append((attributes.get("name", "")[:100], state, relation))
        elif name == "workbookPr":
            book.from_1904 = attributes.get("date1904") in ("1", "true")

    _parse(book, "xl/workbook.xml", start=start)
    return found


def _relations(book: _Book) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the parts of the workbook by the id of their relation, and by the last word of its type."""
    by_id: dict[str, str] = {}
    by_type: dict[str, list[str]] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name != "Relationship" or attributes.get("TargetMode") == "External":
            return
        target = attributes.get("Target", "")
        part = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
        by_id[attributes.get("Id", "")] = part
        by_type.setdefault(attributes.get("Type", "").rpartition("/")[2], []).append(part)

    _parse(book, "xl/_rels/workbook.xml.rels", start=start)
    return by_id, by_type


def _strings(book: _Book, part: str) -> list[str]:
    """Return the texts that cells refer to by number; readings for Asian scripts (rPh) are not part of them."""
    found: list[str] = []
    pieces: list[str] = []
    inside = {"t": 0, "rPh": 0}

    def start(name: str, _attributes: dict[str, str]) -> None:
        if name == "si":
            pieces.clear()
        elif name in inside:
            inside[name] += 1

    def end(name: str) -> None:
        if name == "si":
            found.append(_text("".join(pieces)))
        elif name in inside:
            inside[name] -= 1

    def data(text: str) -> None:
        if inside["t"] and not inside["rPh"]:
            book.limits.spend(text)
            pieces.append(text)

    _parse(book, part, start=start, end=end, data=data)
    return found


def _date_styles(book: _Book, part: str) -> frozenset[int]:
    """Return the numbers of the cell styles that show a number as a day or a time."""
    formats: set[int] = set()
    styles: list[int] = []
    within: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        within.append(name)
        if name == "numFmt":
            # Quoted and escaped text and [colours] do not make a date of it; an elapsed time, [h], is none.
            code = attributes.get("formatCode", "")[:300]
            shape = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.', "", code).lower()
            is_elapsed = re.search(r"\[(?:h+|m+|s+)\]", code, re.IGNORECASE)
            if re.search(r"[ymdhs]", shape.partition(";")[0]) and "general" not in shape and not is_elapsed:
                formats.add(int(attributes.get("numFmtId", "0")))
        elif name == "xf" and "cellXfs" in within:
            styles.append(int(attributes.get("numFmtId", "0")))

    def end(_name: str) -> None:
        within.pop()

    _parse(book, part, start=start, end=end)
    return frozenset(index for index, style in enumerate(styles) if style in formats or style in _DATE_FORMATS)


class _Cells:
    """Walks one sheet; keeps what is filled in, counts everything."""

    def __init__(self, book: _Book, sheet: str) -> None:
        self._book = book
        self._limits = book.limits
        self._sheet = sheet
        self._rows: list[tuple[int, list[tuple[int, str, str, str]]]] = []
        self._cells: list[tuple[int, str, str, str]] = []
        self._row = 0
        self._written = 0
        self._column = -1
        self._attributes: dict[str, str] = {}
        self._buffers: dict[str, list[str]] = {"v": [], "f": [], "t": []}
        self._has_formula = False
        self._open: list[str] = []
        self._skip = 0

    def read(self, part: str) -> list[tuple[int, list[tuple[int, str, str, str]]]]:
        _parse(self._book, part, start=self._start, end=self._end, data=self._data)
        # Rows that are only numbered, not written, take their places as well.
        self._spend_rows(max(self._rows[-1][0] - self._written, 0) if self._rows else 0)
        return self._rows

    def _spend_rows(self, count: int) -> None:
        self._limits.used_rows += count
        if self._limits.used_rows > self._limits.rows:
            raise Limit("rows", where=f"The workbook, up to the sheet “{self._sheet}”,", limit=self._limits.rows)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        if name == "row":
            self._written += 1
            self._spend_rows(1)
            number = attributes.get("r", "")
            self._row = int(number) if number.isascii() and number.isdigit() else self._row + 1
            self._column = -1
            self._cells = []
            if self._rows and self._row <= self._rows[-1][0]:
                raise Refusal("damaged")
        elif name == "c":
            self._attributes = attributes
            reference = _REFERENCE.fullmatch(attributes.get("r", ""))
            column = _column(reference.group(1)) if reference else self._column + 1
            if column <= self._column:
                raise Refusal("damaged")
            self._column = column
            self._has_formula = False
            for buffer in self._buffers.values():
                buffer.clear()
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":
            self._skip += 1

    def _data(self, text: str) -> None:
        name = self._open[-1] if self._open else ""
        if name in self._buffers and not self._skip and "c" in self._open:
            self._limits.spend(text)
            self._buffers[name].append(text)

    def _end(self, name: str) -> None:
        self._open.pop()
        if name == "rPh":
            self._skip -= 1
        elif name == "c":
            self._keep(*self._cell())
        elif name == "row" and self._cells:
            self._rows.append((self._row, self._cells))

    def _keep(self, kind: str, text: str, result: str) -> None:
        if not text:
            return
        where = f"The sheet “{self._sheet}”"
        if self._row > self._limits.rows:
            raise Limit("rows", where=where, limit=self._limits.rows)
        if self._column >= self._limits.columns:
            raise Limit("columns", where=where, limit=self._limits.columns)
        if max(len(text), len(result)) > self._limits.cell:
            place = f"Cell {_letters(self._column)}{self._row} of the sheet “{self._sheet}”"
            raise Limit("cell", where=place, limit=self._limits.cell)
        self._limits.used_cells += 1
        if self._limits.used_cells > self._limits.cells:
            raise Limit("cells", limit=self._limits.cells)
        self._cells.append((self._column, kind, text, result))

    def _cell(self) -> tuple[str, str, str]:
        kind, text = self._value()
        if not self._has_formula:
            return kind, text, ""
        formula = _text("".join(self._buffers["f"]))
        return "formula", f"={formula}", text

    def _value(self) -> tuple[str, str]:
        value = "".join(self._buffers["v"])
        kind = self._attributes.get("t", "n")
        if kind == "s":
            shared = self._shared(value)
            # Counted for each use: a million cells may all point at one long text.
            self._limits.spend(shared)
            return "text", shared
        if kind == "inlineStr":
            return "text", _text("".join(self._buffers["t"]))
        if kind == "str":
            return "text", _text(value)
        if kind == "b":
            return "truth", {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}.get(value.strip(), "")
        if kind == "e":
            return "error", _text(value)
        if kind == "d":
            return "date", _text(value)
        return self._number(value.strip())

    def _shared(self, value: str) -> str:
        index = int(value) if value else -1
        if value and not 0 <= index < len(self._book.strings):
            raise Refusal("damaged")
        return self._book.strings[index] if value else ""

    def _number(self, value: str) -> tuple[str, str]:
        if not value:
            return "blank", ""
        if not _NUMBER.fullmatch(value):
            raise Refusal("damaged")
        if int(self._attributes.get("s", "0")) in self._book.dates:
            day = _day(value, from_1904=self._book.from_1904)
            if day:
                return "date", day
        return "number", _plain(value)


def _plain(value: str) -> str:
    """Write a stored number as people do: 0.1 for 0.10000000000000001, no exponent, no trailing zeros."""
    try:
        number = Decimal(repr(float(value)))
    except InvalidOperation:
        raise Refusal("damaged") from None
    if not number.is_finite() or abs(number.adjusted()) > 40:
        return value
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _day(value: str, *, from_1904: bool) -> str:
    """Turn a serial day into ISO text: a day, a day with time, or a time alone; nothing if it is out of range."""
    serial = float(value)
    if not 0 <= serial < 2_958_466:
        return ""
    epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - days have no zone
    # The serials below 60 are one day off, because the format keeps a leap day that 1900 did not have.
    if not from_1904 and 1 <= serial < 60:
        epoch += timedelta(days=1)
    moment = epoch + timedelta(seconds=round(serial * 86_400))
    if serial < 1 and not from_1904:
        return moment.time().isoformat("seconds")
    return moment.date().isoformat() if serial.is_integer() else moment.isoformat("T", "seconds")


def _text(value: str) -> str:
    """Undo the _x000D_ way of writing characters that XML has not, and drop those that nothing can store."""
    plain = _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), value)
    return _UNSTORABLE.sub("", plain.replace("\r\n", "\n").replace("\r", "\n"))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _parse(
    book: _Book,
    part: str,
    *,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    data: Callable[[str], None] | None = None,
) -> None:
    """Feed one part through expat, piece by piece; names lose their prefix, and a document type is refused."""

    def begin(name: str, attributes: dict[str, str]) -> None:
        start(name.rpartition(":")[2], attributes)

    def finish(name: str) -> None:
        if end is not None:
            end(name.rpartition(":")[2])

    def doctype(*_arguments: object) -> None:
        raise Refusal("damaged")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = doctype
    with book.archive.open(part) as content:
        while piece := content.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
