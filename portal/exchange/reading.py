"""Reads an uploaded workbook or CSV file of answers into plain lines, and refuses what is none, in words.

A workbook is parsed in a limited process (`portal.kernel.spreadsheet`); at most two at once in one process of ours, so
that hostile files cannot take all its threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from portal.exchange.rules.grid import ROW, TypedGrid
from portal.exchange.rules.sheet import COLUMNS, LOCKED, Cells
from portal.exchange.rules.typed import EMPTY, CellKind, Typed, prose, unguarded, word
from portal.exchange.workbook import META, META_KEYS
from portal.kernel.errors import Refused, Unavailable
from portal.kernel.sniff import too_large
from portal.kernel.spreadsheet import MAX_FILE, Cell, Kind, Sheet, read_csv, read_workbook
from portal.kernel.words import said
from portal.terms import N_

MAX_ROWS: Final = 8_000
"""Rows of all sheets; the tables of one questionnaire may have some thousands."""

MAX_LINES: Final = 2_000
"""Lines of answers."""

WRONG_TYPE: Final = said("The file must be XLSX or CSV, downloaded here")
NOT_OURS: Final = N_(
    "This is not a file that was downloaded here: the column “%(name)s” is not in it. "
    "Download a copy, and copy your answers into it"
)
UNSIGNED: Final = said(
    "The file does not say where it comes from: its hidden part is gone. "
    "Download a new copy, and copy your answers into it"
)
TOO_MANY: Final = N_(
    "The file has more than %(most)s lines of answers. Delete those that are not of this questionnaire"
)
BUSY: Final = said("Other files are being read. Nothing was lost. Try again in a minute")

_BUSY: Final = threading.BoundedSemaphore(2)
PATIENCE: Final = 5.0
"""Seconds that a file waits for its turn."""

_KINDS: Final[Mapping[Kind, CellKind]] = {
    Kind.NUMBER: CellKind.NUMBER,
    Kind.DATE: CellKind.DATE,
    Kind.TRUTH: CellKind.TRUTH,
    Kind.FORMULA: CellKind.FORMULA,
    Kind.ERROR: CellKind.ERROR,
}


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line of answers as it came, with its place in the file."""

    place: str
    locked: tuple[str, ...]
    cells: Cells
    mark: str


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One table as it came."""

    place: str
    mark: str
    typed: TypedGrid


@dataclass(frozen=True, slots=True)
class Upload:
    """What a file says: where it comes from, its lines in their order, and its tables."""

    meta: Mapping[str, str]
    lines: tuple[tuple[str, SheetLine], ...]
    tables: tuple[tuple[str, SheetTable], ...] = field(default=())


def kind_of(file_name: str) -> str:
    """Return xlsx or csv.

    :raises Refused: if the name says neither.
    """
    kind = file_name.rpartition(".")[2].lower()
    if kind not in ("xlsx", "csv"):
        raise Refused(problems={"file": [WRONG_TYPE]})
    return kind


def read(path: Path, kind: str) -> Upload:
    """Return what an uploaded file says.

    :raises Refused: with words for the person: too large, not readable, or not one of our files.
    :raises Unavailable: if other files are being read.
    """
    size = path.stat().st_size
    if size > MAX_FILE:
        raise Refused(problems={"file": [too_large(size, MAX_FILE)]})
    try:
        sheets = [read_csv(path.read_bytes(), max_rows=MAX_ROWS)] if kind == "csv" else _workbook(path)
    except Refused as refusal:
        raise Refused(problems={"file": [refusal.message]}) from refusal
    return understand(sheets)


def _workbook(path: Path) -> list[Sheet]:
    if not _BUSY.acquire(timeout=PATIENCE):
        raise Unavailable(BUSY, retry_after=60)
    try:
        return read_workbook(path, max_rows=MAX_ROWS)
    finally:
        _BUSY.release()


def understand(sheets: Sequence[Sheet]) -> Upload:
    """Return what the sheets of a file say; they are known by their heads, not by their names or order.

    :raises Refused: if they are not ours.
    """
    meta: dict[str, str] = {}
    lines: list[tuple[str, SheetLine]] = []
    tables: list[tuple[str, SheetTable]] = []
    missing = COLUMNS[0]
    for sheet in sheets:
        if word(sheet.name) == META:
            meta = {word(_at(row, 0).text): unguarded(_at(row, 1).text.strip()) for row in sheet.rows if row}
            continue
        head = _head_of(sheet)
        if head is None:
            tables += _table(sheet)
            continue
        at, places = head
        missing = next((name for name in COLUMNS if name not in places), "")
        if missing:
            break
        for number, row in enumerate(sheet.rows[at + 1 :], start=at + 2):
            name = prose(_at(row, places[COLUMNS[0]]).text)
            if name == META:
                meta = _meta_in(_at(row, places["row_hash"]).text)
            elif name or not _line(sheet, number, row, places).cells.is_blank:
                lines.append((name, _line(sheet, number, row, places)))
    if missing:
        raise Refused(problems={"file": [said(NOT_OURS, name=missing)]})
    if len(lines) > MAX_LINES:
        raise Refused(problems={"file": [said(TOO_MANY, most=MAX_LINES)]})
    if set(META_KEYS) - meta.keys():
        raise Refused(problems={"file": [UNSIGNED]})
    return Upload(meta, tuple(lines), tuple(tables))


def _meta_in(text: str) -> dict[str, str]:
    pieces = [piece.strip() for piece in text.split(";")]
    return dict(zip(META_KEYS, pieces, strict=True)) if len(pieces) == len(META_KEYS) else {}


def _head_of(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    """Return the row of the heads among the first twenty, and the column of each."""
    for number, row in enumerate(sheet.rows[:20]):
        heads = [word(cell.text) for cell in row]
        if COLUMNS[0] in heads and "answer" in heads:
            return number, {name: heads.index(word(name)) for name in COLUMNS if word(name) in heads}
    return None


def _line(sheet: Sheet, number: int, row: Sequence[Cell], places: Mapping[str, int]) -> SheetLine:
    def cell(name: str) -> Cell:
        return _at(row, places[name])

    return SheetLine(
        place=said("%(sheet)s, row %(number)s", sheet=sheet.name, number=number)
        if sheet.name
        else said("row %(number)s", number=number),
        locked=tuple(prose(unguarded(cell(name).text)) for name in LOCKED),
        cells=Cells(
            answer=_typed(cell("answer")),
            details=_typed(cell("details")),
            na_reason=_typed(cell("NA reason")),
            evidence=_typed(cell("evidence references")),
        ),
        mark=cell("row_hash").text.strip(),
    )


def _table(sheet: Sheet) -> Iterator[tuple[str, SheetTable]]:
    """Yield the table of a sheet whose first cell is an id and whose second row has the heads."""
    if len(sheet.rows) < 2 or word(_at(sheet.rows[1], 0).text) != ROW or not sheet.rows[0]:
        return
    typed = TypedGrid(
        heads=tuple(cell.text for cell in sheet.rows[1]),
        rows=tuple((number, tuple(map(_typed, row))) for number, row in enumerate(sheet.rows[2:], start=3) if row),
    )
    yield prose(_at(sheet.rows[0], 0).text), SheetTable(sheet.name, sheet.rows[0][-1].text.strip(), typed)


def _at(row: Sequence[Cell], column: int) -> Cell:
    return row[column] if column < len(row) else Cell()


def _typed(cell: Cell) -> Typed:
    return Typed(cell.text, _KINDS.get(cell.kind, CellKind.TEXT)) if cell.text else EMPTY
