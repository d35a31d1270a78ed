"""Writes the workbook and the CSV file in which answers are given offline: plain values in, bytes out.

The same values give the same bytes. Nothing in a cell is ever a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import xlsxwriter

from portal.exchange.rules.fields import has_cell
from portal.exchange.rules.grid import ROW, Grid, headings, shown
from portal.exchange.rules.sheet import COLUMNS, LOCKED, NOT_APPLICABLE, Entry
from portal.exchange.rules.typed import CLEAR, CONFIRM, fits, guarded, label_of

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

FORMAT: Final = "gatehouse-offline 1"
ANSWERS: Final = "Answers"
START: Final = "Start"
LISTS: Final = "_lists"
META: Final = "_meta"
RESERVED: Final = (START, ANSWERS, LISTS, META)

_WIDTHS: Final = (22, 5, 20, 46, 40, 18, 26, 11, 30, 44, 24, 30, 34, 24, 10)
_MOST_LINES: Final = 12
_EDITABLE: Final = range(8, 12)
_TOO_LONG: Final = "(Too long for a cell. Read it on the page.)"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an export was made from, and when."""

    assessment_id: UUID
    questionnaire_digest: str
    revision: int
    exported_at: datetime

    @property
    def parts(self) -> tuple[str, ...]:
        """The stamp as texts, for the file and for its proof."""
        return (
            str(self.assessment_id),
            self.questionnaire_digest,
            str(self.revision),
            self.exported_at.isoformat(timespec="microseconds"),
        )


META_KEYS: Final = ("format", "assessment", "questionnaire", "base_revision", "exported_at", "signature")
"""The lines of the sheet `_meta`, and the pieces of the last line of a CSV file."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet of answers."""

    entry: Entry
    locked: tuple[str, ...]
    answer: tuple[str, str, str]
    evidence: str
    comment: str
    state: str
    mark: str
    confirmable: bool = False

    def is_open(self, column: int) -> bool:
        """Whether a person may write into a column of this line."""
        if column == _EDITABLE[0]:
            return not self.entry.is_main or self.confirmable or has_cell(self.entry.question)
        return self.entry.is_main and column in _EDITABLE

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the columns A to O."""
        return (*self.locked, *self.answer, self.evidence, self.comment, self.state, self.mark)


@dataclass(frozen=True, slots=True)
class Table:
    """One table on its own sheet."""

    grid: Grid
    name: str
    rows: Sequence[Mapping[str, str]]
    mark: str


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that stands in an export."""

    vendor: str
    lab: str
    title: str
    questionnaire: str
    due_on: date
    stamp: Stamp
    signature: str
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]

    @property
    def meta(self) -> tuple[str, ...]:
        """What says where the file comes from, in the order of `META_KEYS`."""
        return (FORMAT, *self.stamp.parts, self.signature)


def csv_bytes(book: Book) -> bytes:
    """Return the lines as CSV: UTF-8 with its mark, RFC 4180, CRLF. Tables are in the workbook only."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(COLUMNS)
    for line in book.lines:
        writer.writerow([_safe(cell) for cell in line.cells])
    note = "Leave this line as it is: it says where the file comes from"
    writer.writerow([META, "", "", note, *[""] * (len(COLUMNS) - 5), ";".join(book.meta)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def xlsx_bytes(book: Book) -> bytes:
    """Return the workbook: Start, Answers, a sheet for each table, and two hidden ones."""
    data = io.BytesIO()
    workbook = xlsxwriter.Workbook(data, {"in_memory": True})
    workbook.set_properties(
        {
            "title": _safe(book.title),
            "company": _safe(book.vendor),
            "created": book.stamp.exported_at.replace(tzinfo=None),
        }
    )
    sheets = _Sheets(workbook)
    sheets.start(book)
    sheets.answers(book.lines)
    for table in book.tables:
        sheets.table(table)
    sheets.lists()
    sheets.meta(book.meta)
    workbook.close()
    return data.getvalue()


def _safe(text: str) -> str:
    return guarded(text) if fits(f"'{text}") else _TOO_LONG


_HOW: Final = (
    ("Answer", f"Fill in the white cells of the sheet “{ANSWERS}”: columns I to L. Grey cells are read only."),
    (
        "Leave empty",
        "An empty cell changes nothing. You can filter and delete rows: what is gone stays as it is online.",
    ),
    ("Sort", "Unprotect the sheet first; there is no password. The order of the rows says nothing."),
    ("Blank", f"Write {CLEAR} into a cell to remove what stands there online."),
    (
        "Confirm",
        f"Where the state says “To confirm”, write {CONFIRM} to keep the earlier answer. Left empty, it waits.",
    ),
    ("Partly", "Say in “details” what is missing, and end with a line like: Planned by: 2026-12-31"),
    ("Does not apply", f"Choose “{NOT_APPLICABLE}” and say why in “NA reason”."),
    ("Dates, numbers", "Dates as 2026-12-31. Numbers in digits, such as 1500 or 2.5."),
    ("Tables", f"Each has its own sheet. New rows need no number; {CLEAR} in the first column removes a row."),
    ("Files", "Files cannot travel in a workbook. Name files of your library; upload new ones on the page."),
    ("Bring it back", "Upload the file where you got it. You see what it would change before anything is saved."),
)
"""How to work in the workbook, on its first sheet."""


class _Sheets:
    """Fills the sheets of one workbook, with the formats and lists that they share."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._columns: dict[tuple[str, ...], int] = {}
        base = {"valign": "top", "text_wrap": True, "num_format": "@"}
        self._title: Format = workbook.add_format({"bold": True, "font_size": 16, "valign": "top"})
        self._label: Format = workbook.add_format({"bold": True, "valign": "top"})
        self._head: Format = workbook.add_format({**base, "bold": True, "bg_color": "#DDE3EA", "bottom": 1})
        self._locked: Format = workbook.add_format({**base, "bg_color": "#F2F4F6", "font_color": "#3A424B"})
        self._open: Format = workbook.add_format({**base, "locked": False, "border": 1, "border_color": "#C4CCD4"})
        self._plain: Format = workbook.add_format(base)

    def _sheet(self, name: str) -> Any:
        """Add a sheet that prints on A4, across, as wide as the page."""
        sheet = self._workbook.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def start(self, book: Book) -> None:
        sheet = self._sheet(START)
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 90)
        _write(sheet, 0, 0, book.title, self._title)
        told = (
            ("Asked by", book.lab),
            ("Answered by", book.vendor),
            ("Questionnaire", book.questionnaire),
            ("Due", book.due_on.isoformat()),
            ("Downloaded", f"{book.stamp.exported_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
            ("", ""),
            *_HOW,
        )
        for row, (label, words) in enumerate(told, start=2):
            _write(sheet, row, 0, label, self._label if label else self._plain)
            _write(sheet, row, 1, words, self._plain)
        sheet.protect()

    def answers(self, lines: Sequence[Line]) -> None:
        sheet = self._sheet(ANSWERS)
        for index, (name, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
            sheet.set_column(index, index, width, None, {"hidden": name == "row_hash"})
            _write(sheet, 0, index, name, self._head)
        sheet.set_row(0, 30)
        for number, line in enumerate(lines, start=1):
            sheet.set_row(number, _height(line.cells))
            for index, text in enumerate(line.cells):
                _write(sheet, number, index, text, self._open if line.is_open(index) else self._locked)
            if line.entry.options or line.confirmable:
                self._offer(sheet, (number, _EDITABLE[0], number, _EDITABLE[0]), _offers(line))
        sheet.freeze_panes(1, len(LOCKED[:1]))
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, max(len(lines), 1), len(COLUMNS) - 1)
        sheet.protect("", {"sort": True, "autofilter": True, "format_columns": True, "format_rows": True})
        sheet.activate()

    def table(self, table: Table) -> None:
        sheet = self._sheet(table.name)
        heads, columns = headings(table.grid), table.grid.columns
        sheet.set_column(0, 0, 8, self._locked)
        sheet.set_column(1, len(columns), 28, self._open)
        sheet.set_column(len(columns) + 1, len(columns) + 1, 10, None, {"hidden": True})
        _write(sheet, 0, 0, table.grid.id, self._locked)
        _write(sheet, 0, 1, f"{table.grid.question.number} {table.grid.label}", self._head)
        for index in range(2, len(columns) + 1):
            _write(sheet, 0, index, "", self._head)
        _write(sheet, 0, len(columns) + 1, table.mark, self._locked)
        for index, head in enumerate((ROW, *heads)):
            _write(sheet, 1, index, head, self._head)
        for number, row in enumerate(table.rows, start=1):
            _write(sheet, number + 1, 0, str(number), self._locked)
            for index, column in enumerate(columns, start=1):
                _write(sheet, number + 1, index, shown(column, row.get(column.key, "")), self._open)
        for index, column in enumerate(columns, start=1):
            if column.choices:
                names = tuple(shown(column, option.key) for option in column.choices)
                self._offer(sheet, (2, index, table.grid.most + 1, index), (*names, CLEAR))
        sheet.freeze_panes(2, 0)
        sheet.protect("", {"sort": True, "format_columns": True, "format_rows": True, "insert_rows": True})

    def lists(self) -> None:
        sheet = self._workbook.add_worksheet(LISTS)
        for names, column in self._columns.items():
            for row, name in enumerate(names):
                _write(sheet, row, column, name, self._plain)
        sheet.hide()

    def meta(self, told: Sequence[str]) -> None:
        sheet = self._workbook.add_worksheet(META)
        for row, (key, value) in enumerate(zip(META_KEYS, told, strict=True)):
            _write(sheet, row, 0, key, self._plain)
            _write(sheet, row, 1, value, self._plain)
        sheet.protect()
        sheet.hide()

    def _offer(self, sheet: Worksheet, cells: tuple[int, int, int, int], names: tuple[str, ...]) -> None:
        """Offer a drop-down from a range: a list inside the rule itself may have 255 characters only."""
        column = self._columns.setdefault(names, len(self._columns))
        letters = xlsxwriter.utility.xl_col_to_name(column, True)
        sheet.data_validation(
            *cells,
            {
                "validate": "list",
                "source": f"={LISTS}!{letters}$1:{letters}${len(names)}",
                "error_type": "warning",
                "error_title": "Not on the list",
                "error_message": "Choose one of the list, or it cannot be taken when you bring the file back.",
            },
        )


def _height(cells: Sequence[str]) -> float:
    """Return the height of a line in points: enough to read it all, within reason.

    Not every program finds it itself.
    """
    rows = (
        sum(-(-max(len(part), 1) // width) for part in text.split("\n"))
        for text, width in zip(cells, _WIDTHS, strict=True)
    )
    return 15.0 * min(max(list(rows)[:-1]), _MOST_LINES)


def _offers(line: Line) -> tuple[str, ...]:
    options = line.entry.options
    names = [label_of(options, option.key) for option in options]
    if line.entry.is_main and line.entry.question.may_not_apply:
        names.append(NOT_APPLICABLE)
    return (*names, *((CONFIRM,) if line.confirmable else ()), CLEAR)


def _write(sheet: Any, row: int, column: int, text: str, style: Any) -> None:
    if text:
        sheet.write_string(row, column, _safe(text), style)
    else:
        sheet.write_blank(row, column, None, style)
