"""Tables of an answer on sheets of their own: rows keep their numbers, a row that is gone changes nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.exchange.rules.fields import Fields, rows_as_fields
from portal.exchange.rules.typed import CLEAR, Typed, Unclear, label_of, prose, same, value_in, word
from portal.kernel.words import said
from portal.questionnaires.rules import Column, DetailField, FieldKind, Kind, Question

ROW: Final = "row"
"""The first column of a table: the number of a row that was exported, nothing for a new one."""

MAX_NAME: Final = 31
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of a question, or of a field under it."""

    id: str
    question: Question
    label: str
    columns: tuple[Column, ...]
    most: int
    prefix: str
    field: DetailField | None = None


def grids_of(question: Question) -> tuple[Grid, ...]:
    """Return the tables of a question in their order."""
    found: list[Grid] = []
    if question.kind is Kind.TABLE:
        found.append(Grid(question.key, question, question.label, question.columns, question.rows, "rows"))
    found += [
        Grid(f"{question.key}#{each.key}", question, each.label, each.columns, each.rows, f"details.{each.key}", each)
        for each in question.details
        if each.kind is FieldKind.TABLE
    ]
    return tuple(found)


def sheet_names(grids: Sequence[Grid], taken: Collection[str]) -> dict[str, str]:
    """Return a name for the sheet of each table that every program accepts: short, unique, without special signs."""
    used = {name.casefold() for name in taken}
    found: dict[str, str] = {}
    for grid in grids:
        plain = _FORBIDDEN.sub(" ", f"{grid.question.number} {grid.label}")
        stem = " ".join(plain.split()).strip("' ") or "Table"
        name, count = stem[:MAX_NAME].strip("' "), 1
        while name.casefold() in used:
            count += 1
            tail = f" {count}"
            name = stem[: MAX_NAME - len(tail)].strip("' ") + tail
        used.add(name.casefold())
        found[grid.id] = name
    return found


def headings(grid: Grid) -> tuple[str, ...]:
    """Return the heads of the columns; two that read alike are told apart by their keys."""
    labels = [word(column.label) for column in grid.columns]
    return tuple(
        column.label if labels.count(word(column.label)) == 1 and word(column.label) != ROW else column.key
        for column in grid.columns
    )


def shown(column: Column, value: str) -> str:
    """Return a value as its cell says it."""
    return label_of(column.choices, value) if column.choices else value


@dataclass(frozen=True, slots=True)
class TypedGrid:
    """The rows of a sheet as they came, by the heads of their columns; the number of each in the sheet for messages."""

    heads: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Typed, ...]], ...]


@dataclass(frozen=True, slots=True)
class GridReading:
    """What a sheet says of a table."""

    fields: Fields
    touched: bool
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_grid(grid: Grid, base: Sequence[Mapping[str, str]], typed: TypedGrid) -> GridReading:
    """Return the table with what the sheet changes in it.

    A row is known by its number. A missing one stays; `(clear)` in its first column removes it, in another blanks that
    cell; rows without a number are new and follow the others.
    """
    places = {word(head): index for index, head in enumerate(typed.heads) if head}
    missing = [head for head in headings(grid) if word(head) not in places]
    if missing:
        return GridReading(
            {},
            False,
            (said("The column “%(what)s” of “%(label)s” is gone. Put it back", what=missing[0], label=grid.label),),
        )
    rows: dict[int, dict[str, str] | None] = {number + 1: dict(row) for number, row in enumerate(base)}
    problems: list[str] = []
    seen: set[int] = set()
    added: list[dict[str, str]] = []
    for at, cells in typed.rows:
        told = {
            column: cells[places[word(head)]] if places[word(head)] < len(cells) else Typed()
            for column, head in zip(grid.columns, headings(grid), strict=True)
        }
        mark = prose(cells[places[ROW]].text) if ROW in places and places[ROW] < len(cells) else ""
        known = int(mark) if mark.isascii() and mark.isdigit() and len(mark) <= 4 else 0
        if all(each.is_blank for each in told.values()):
            seen.add(known)
        elif mark and (known not in rows or known in seen):
            problems.append(
                said(
                    "%(label)s, line %(at)s: the number %(mark)s in the column “row” is %(why)s",
                    label=grid.label,
                    at=at,
                    mark=mark,
                    why=_why(known, seen),
                )
            )
        else:
            seen.add(known if mark else -1)
            row = _row(grid, rows[known] if mark else {}, told, at, problems)
            if mark:
                rows[known] = row
            elif row:
                added.append(row)
    kept = [row for row in rows.values() if row] + added
    gone = sorted(set(rows) - seen)
    touched = kept != [dict(row) for row in base]
    return GridReading(rows_as_fields(grid.prefix, kept), touched, tuple(problems), _notes(grid, gone))


def _why(known: int, seen: set[int]) -> str:
    return (
        "there twice. Leave it empty for a new row"
        if known in seen
        else "not one of ours. Leave it empty for a new row"
    )


def _notes(grid: Grid, gone: list[int]) -> tuple[str, ...]:
    if not gone:
        return ()
    rows = "1 row is" if len(gone) == 1 else said("%(count)s rows are", count=len(gone))
    return (f"{grid.label}: {rows} not in the file and stays. To remove a row, write {CLEAR} into its first cell",)


def _row(
    grid: Grid, base: Mapping[str, str] | None, told: Mapping[Column, Typed], at: int, problems: list[str]
) -> dict[str, str] | None:
    row = dict(base or {})
    for number_of, (column, typed) in enumerate(told.items()):
        was = shown(column, row.get(column.key, ""))
        if typed.is_blank or same(typed, was):
            continue
        if word(typed.text) == CLEAR:
            if number_of == 0:
                return None
            row.pop(column.key, None)
            continue
        try:
            row[column.key] = value_in(column.kind, column.choices, typed)
        except Unclear as unclear:
            problems.append(f"{grid.label}, line {at}, {column.label}: {unclear}")
    return row
