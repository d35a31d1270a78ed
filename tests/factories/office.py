"""A spreadsheet program: opens an export, writes into cells, saves it with the habits of such programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from portal.attestations import service as attestations
from portal.exchange import export, offline, reading
from portal.exchange.models import AnswerImport
from portal.exchange.offline import Applied
from portal.exchange.reading import Upload
from portal.exchange.rules.merge import Choice
from portal.exchange.workbook import csv_bytes, xlsx_bytes
from portal.kernel.actor import Actor
from portal.questionnaires.rules import to_json
from tests.factories.attestations import LAB, Desk

Value = str | int | float | date | bool


def exported(desk: Desk, actor: Actor | None = None, *, what: str = "xlsx") -> bytes:
    """Return the file that a person of a desk downloads now."""
    with desk.at(actor or desk.respondent.actor) as (tx, row):
        book = export.gather(tx, row, keyring=desk.house.keyring, lab=LAB)
    return xlsx_bytes(book) if what == "xlsx" else csv_bytes(book)


def read(data: bytes, folder: Path, what: str = "xlsx") -> Upload:
    """Return what a file says, read as an upload is."""
    path = folder / f"upload.{what}"
    path.write_bytes(data)
    return reading.read(path, what)


def stage(desk: Desk, upload: Upload, actor: Actor | None = None, *, what: str = "xlsx") -> offline.ImportLine:
    """Compare a file with what stands."""
    with desk.at(actor or desk.respondent.actor) as (tx, row):
        staged = offline.stage(
            tx,
            assessment=row,
            upload=upload,
            what=what,
            file_name=f"answers.{what}",
            sha256="a" * 64,
            keyring=desk.house.keyring,
        )
        return offline.line_of(tx, staged)


def apply(
    desk: Desk, staged: offline.ImportLine, choices: Mapping[str, Choice] | None = None, actor: Actor | None = None
) -> Applied:
    """Write what a file changes."""
    with desk.at(actor or desk.respondent.actor) as (tx, row):
        found: AnswerImport = offline.get(tx, row, staged.id)
        return offline.apply_import(tx, assessment=row, staged=found, choices=choices or {})


def answers(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return what stands online, by question, without what is blank."""

    with desk.at(desk.admin.actor) as (tx, row):
        lines = attestations.answers_of(tx, row)
    return {key: content for key, line in lines.items() if (content := to_json(line.answer))}


def edited(data: bytes, cells: Mapping[tuple[str, str], Value], *, sheet: str = "Answers") -> bytes:
    """Write into cells, each named by the id of its line and the head of its column, and save."""

    def write(workbook: Workbook) -> None:
        page = workbook[sheet]
        heads = {cell.value: cell.column for cell in page[1]}
        lines = {page.cell(number, heads["question_id"]).value: number for number in range(2, page.max_row + 1)}
        for (name, column), value in cells.items():
            page.cell(lines[name], heads[column]).value = value  # type: ignore[assignment]

    return saved(data, write)


def answering(data: bytes, answers: Mapping[str, Value]) -> bytes:
    """Write into the answer cells of questions, and save."""
    return edited(data, {(name, "answer"): value for name, value in answers.items()})


def saved(data: bytes, change: Callable[[Workbook], None]) -> bytes:
    """Open a workbook, change it, and save it anew."""
    workbook = load_workbook(io.BytesIO(data))
    change(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def resaved(data: bytes, *, keep: Callable[[str], bool] = lambda _: True, backwards: bool = True) -> bytes:
    """Save a workbook as another program does after a person moved columns, sorted, filtered and deleted rows.

    Numbers and days that stood there as text come back as true ones, marks that a cell is text are gone, the sheets
    have another order, and the program leaves its own styles, widths and a filter behind.
    """

    def change(workbook: Workbook) -> None:
        page = workbook["Answers"]
        rows = [[cell.value for cell in row] for row in page.iter_rows()]
        head, lines = rows[0], [row for row in rows[1:] if keep(str(row[rows[0].index("question_id")]))]
        lines.sort(key=lambda row: str(row[head.index("question")]), reverse=True)
        if backwards:
            head, lines = head[::-1], [row[::-1] for row in lines]
        place = workbook.index(page)
        workbook.remove(page)
        fresh = workbook.create_sheet("Answers", place)
        _fill(fresh, [head, *lines])
        fresh.auto_filter.ref = f"A1:{fresh.cell(1, len(head)).column_letter}{len(lines) + 1}"
        fresh.auto_filter.add_filter_column(0, ["something"])
        workbook.move_sheet("_meta", -3)

    return saved(data, change)


def _fill(page: Worksheet, rows: Iterable[list[Any]]) -> None:
    for at, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            page.cell(at, column).value = _as_program_keeps(value)


def _as_program_keeps(value: Any) -> Any:
    """Return a text as a true number or day, as a program keeps it once somebody touched its cell."""
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and len(value) < 6:
            return int(value)
        try:
            return datetime.strptime(value, "%Y-%m-%d")  # noqa: DTZ007 - cells have no zone
        except ValueError:
            return value
    return value


def csv_edited(data: bytes, answers: Mapping[str, str], *, delimiter: str = ",", encoding: str = "utf-8-sig") -> bytes:
    """Write into the answer cells of a CSV file and save it as a program of another country does."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    at = rows[0].index("answer")
    for row in rows[1:]:
        if row[0] in answers:
            row[at] = answers[row[0]]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)
