"""Takes other people's questionnaires in: reads the files they come in, safely, and hands them to the importers."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from portal.kernel.errors import Refused
from portal.kernel.folder import read_zip
from portal.kernel.sniff import too_large
from portal.kernel.spreadsheet import Cell, Kind, Sheet, State, read_csv, read_workbook
from portal.questionnaires.rules import DefinitionError
from portal.questionnaires.rules.importers import (
    Imported,
    Table,
    import_mapped,
    import_oscal,
    import_table,
    import_vsaq,
)
from portal.questionnaires.rules.overlay import assemble

LIBRARY: Final = Path(__file__).resolve().parents[2] / "questionnaires" / "library"
MVSP: Final = "mvsp-3.0.json"
MAX_UPLOAD: Final = 20_000_000
MAX_OVERLAYS: Final = 20
_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)


class Format(StrEnum):
    """What a questionnaire may come as."""

    VSAQ = "vsaq"
    OSCAL = "oscal"
    MVSP = "mvsp"
    TABLE = "table"
    FOLDER = "folder"
    OVERLAY = "overlay"

    @property
    def origin(self) -> str:
        """What a draft made from it says of where its text is from."""
        return "overlay" if self is Format.OVERLAY else f"import:{self}"


@dataclass(frozen=True, slots=True)
class Given:
    """A file as it was given: its name, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the questionnaire is to be called."""

    slug: str
    version: int = 1
    title: str = ""
    since: int | None = None
    """For overlays: the version of this name that the base's decisions on its changes are measured against."""


def take_in(
    form: Format,
    wanted: Wanted,
    files: Sequence[Given] = (),
    *,
    base: Given | None = None,
    mapping: Given | None = None,
) -> Imported:
    """Return what the files hold as the source of a questionnaire of ours, with notes for whoever reviews it.

    :param files: one file; for overlays all of them; none for the bundled MVSP.
    :param base: the template that a VSAQ extension extends, or the version that overlays are put into.
    :param mapping: for a folder, the file that says where each thing stands.
    :raises Refused: with a field for each problem: ``slug``, ``version``, ``title``, ``file``, ``base``, ``mapping``;
        ``source`` has what is wrong inside of the files, each with file, line and column. Nothing is left behind.
    """
    _check(form, wanted, files, base, mapping)
    try:
        return _taken(form, wanted, files, base, mapping)
    except DefinitionError as failure:
        problems = [str(problem) for problem in failure.problems]
        raise Refused("\n".join(problems), problems={"source": problems}) from failure


def _check(form: Format, wanted: Wanted, files: Sequence[Given], base: Given | None, mapping: Given | None) -> None:
    problems: dict[str, list[str]] = {}
    if _SLUG.fullmatch(wanted.slug) is None or len(wanted.slug) > 80:
        problems["slug"] = ["Write the short name as lower-case words joined by hyphens, such as cloud-basics"]
    if not 1 <= wanted.version <= 9_999:
        problems["version"] = ["Write the version as a number from 1 to 9,999"]
    if form is not Format.MVSP and not files:
        problems["file"] = ["Choose the file that holds the questionnaire"]
    elif len(files) > (MAX_OVERLAYS if form is Format.OVERLAY else 1):
        problems["file"] = [f"Choose at most {MAX_OVERLAYS} overlays" if form is Format.OVERLAY else "Choose one file"]
    if form is Format.OVERLAY and base is None:
        problems["base"] = ["Choose the version that the overlays are for"]
    if form is Format.OVERLAY and not wanted.title:
        problems["title"] = ["Give the assembled questionnaire a title of its own"]
    if form is Format.FOLDER and mapping is None:
        problems["mapping"] = ["Choose the mapping file that says where each thing stands"]
    for field, given in (("file", files), ("base", [base]), ("mapping", [mapping])):
        for each in given:
            if each is not None and len(each.data) > MAX_UPLOAD:
                problems.setdefault(field, []).append(too_large(len(each.data), MAX_UPLOAD))
    if problems:
        raise Refused(problems=problems)


def _taken(form: Format, wanted: Wanted, files: Sequence[Given], base: Given | None, mapping: Given | None) -> Imported:
    slug, version, title = wanted.slug, wanted.version, wanted.title
    if form is Format.MVSP:
        source = files[0].data if files else (LIBRARY / MVSP).read_bytes()
        return import_oscal(source, files[0].name if files else MVSP, slug=slug, version=version, title=title)
    file = files[0]
    if form is Format.VSAQ:
        return import_vsaq(
            file.data,
            file.name,
            slug=slug,
            version=version,
            title=title,
            base=base.data if base else None,
            base_name=base.name if base else "",
        )
    if form is Format.OSCAL:
        return import_oscal(file.data, file.name, slug=slug, version=version, title=title)
    if form is Format.FOLDER and mapping is not None:
        return import_mapped(
            read_zip(file.data),
            mapping.data,
            file.name,
            slug=slug,
            version=version,
            title=title,
            mapping_name=mapping.name,
        )
    if form is Format.OVERLAY and base is not None:
        names = [each.name for each in files]
        source = assemble(
            base.data,
            [each.data for each in files],
            slug=slug,
            version=version,
            title=title,
            since=wanted.since,
            base_name=base.name,
            names=names,
        )
        return Imported(source, (f"Assembled from {base.name} and {', '.join(names)}.",))
    tables, notes = _tables(file)
    return import_table(tables, file.name, slug=slug, version=version, title=title, notes=notes)


def _tables(file: Given) -> tuple[list[Table], list[str]]:
    """Read a CSV file or a workbook as tables of text; hidden sheets are left out."""
    if file.data[:2] != b"PK" and not file.name.lower().endswith((".xlsx", ".xlsm", ".xls")):
        return [Table("", [[cell.text for cell in row] for row in read_csv(file.data).rows])], []
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as kept:
        kept.write(file.data)
        kept.flush()
        sheets = read_workbook(Path(kept.name))
    notes: list[str] = []
    for sheet in sheets:
        if sheet.state is not State.VISIBLE:
            notes.append(f"{file.name}: the hidden sheet “{sheet.name}” is left out.")
        elif count := _formulas(sheet):
            formulas = f"{count} formula{'' if count == 1 else 's'}"
            notes.append(f"{file.name}: of {formulas} in “{sheet.name}”, what the last program computed is taken.")
    shown = [sheet for sheet in sheets if sheet.state is State.VISIBLE]
    return [Table(sheet.name, [[_text(cell) for cell in row] for row in sheet.rows]) for sheet in shown], notes


def _formulas(sheet: Sheet) -> int:
    return sum(1 for row in sheet.rows for cell in row if cell.kind is Kind.FORMULA)


def _text(cell: Cell) -> str:
    """Return what a cell shows; a formula that never showed anything stands as it was written."""
    return cell.result or cell.text if cell.kind is Kind.FORMULA else cell.text
