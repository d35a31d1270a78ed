"""Answers as the cells of a spreadsheet, and cells read back as answers. Pure.

Source: interchange.md, "XLSX round trip". One line for a question, and one below it for each field under it; tables
stand on sheets of their own. An empty cell changes nothing, `(clear)` blanks, `(confirm)` confirms an earlier answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.exchange.rules.fields import MAIN, Fields, fields_of, has_cell, without
from portal.exchange.rules.grid import Grid, TypedGrid, grids_of, read_grid
from portal.exchange.rules.typed import (
    CLEAR,
    CONFIRM,
    EMPTY,
    Typed,
    Unclear,
    chosen,
    day,
    days,
    fits,
    label_of,
    number,
    prose,
    refuse_computed,
    same,
    says_not_applicable,
    unguarded,
    value_in,
    word,
)
from portal.questionnaires.rules import (
    DetailField,
    FieldKind,
    Kind,
    Option,
    Problems,
    Question,
    example_of,
    parse_answer,
    to_json,
)
from portal.questionnaires.rules.text import period_from

COLUMNS: Final = (
    "question_id",
    "rev",
    "domain",
    "question",
    "help",
    "type",
    "options",
    "required now",
    "answer",
    "details",
    "NA reason",
    "evidence references",
    "reviewer comment",
    "state",
    "row_hash",
)
"""The columns A to O."""

LOCKED: Final = COLUMNS[:8]
"""What a line says of its question; nobody edits it, and a change of it is noticed."""

NOT_APPLICABLE: Final = "Does not apply to us"
INSTEAD: Final = "_instead"
"""The line of what is done instead; no field is named so, because their names begin with a letter."""

_PLANNED: Final = re.compile(r"planned (?:by|on|for):?\s*(\S.*)", re.IGNORECASE)
_IN_CELLS: Final = "(Too long for a cell: {count:,} characters. It stays as it is online unless you write over it.)"

_TYPES: Final[Mapping[str, str]] = {
    Kind.YES_PARTIAL_NO: "Yes, partly or no",
    Kind.YES_NO: "Yes or no",
    Kind.YES_NO_STRICT: "Yes or no",
    Kind.ONE_CHOICE: "One choice",
    Kind.MANY_CHOICES: "Several choices, one a line or with ; between",
    Kind.NUMBER: "Number",
    Kind.TABLE: "Table, on its own sheet",
    Kind.DATE: "Date, year-month-day",
    Kind.RANGE: "Period: first day to last day",
    Kind.TEXT: "Text",
    Kind.URL: "Web address",
    Kind.FILE: "File, uploaded on the page",
}
_FIELD_TYPES: Final[Mapping[str, str]] = {
    FieldKind.TEXT: "Text",
    FieldKind.NUMBER: "Number",
    FieldKind.DATE: "Date, year-month-day",
    FieldKind.CHOICE: "One choice",
    FieldKind.YES_NO: "Yes or no",
    FieldKind.URL: "Web address",
    FieldKind.RANGE: "Period: first day to last day",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the sheet: the question itself, a field under it, or what is done instead."""

    id: str
    question: Question
    field: DetailField | None = None

    @property
    def is_main(self) -> bool:
        """Whether it is the question's own line."""
        return self.id == self.question.key

    @property
    def options(self) -> tuple[Option, ...]:
        """What can be chosen in its answer cell."""
        if self.field is not None:
            return self.field.choices
        return self.question.choices if self.is_main else ()

    @property
    def name(self) -> str:
        """The line in sentences."""
        tail = f", {self.field.label}" if self.field else "" if self.is_main else ", what you do instead"
        return f"{self.question.number} {self.question.label}{tail}"


def entries_of(question: Question) -> tuple[Entry, ...]:
    """Return the lines of a question in their order."""
    found = [Entry(question.key, question)]
    if question.compensating:
        found.append(Entry(f"{question.key}#{INSTEAD}", question))
    found += [
        Entry(f"{question.key}#{each.key}", question, each)
        for each in question.details
        if each.kind is not FieldKind.TABLE
    ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Cells:
    """What a person may edit on one line."""

    answer: Typed = EMPTY
    details: Typed = EMPTY
    na_reason: Typed = EMPTY
    evidence: Typed = EMPTY

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in any of them."""
        return all(each.is_blank for each in (self.answer, self.details, self.na_reason, self.evidence))


def locked_cells(entry: Entry, domain: str, required: str) -> tuple[str, ...]:
    """Return what columns A to H say of a line."""
    question, field = entry.question, entry.field
    if field is not None:
        told = (f"{question.number} {question.label}: {field.label}", field.help, _FIELD_TYPES.get(field.kind, "Text"))
    elif not entry.is_main:
        told = (f"{question.number} {question.label}: what you do instead", question.compensating, "Text")
    else:
        hints = (question.guidance, question.why and f"Why we ask: {question.why}")
        kind = _TYPES.get(question.kind, "Text")
        unit = {"percent": "%"}.get(question.unit, question.unit)
        told = (
            f"{question.number} {question.text}",
            "\n\n".join(filter(None, hints)),
            f"{kind}, {unit}" if unit else kind,
        )
    return (entry.id, str(question.revision), domain, *told, _offered(entry), required)


def _offered(entry: Entry) -> str:
    names = [option.label for option in entry.options]
    if entry.is_main and entry.question.may_not_apply:
        names.append(NOT_APPLICABLE)
    return " | ".join(names)


def rendered(entry: Entry, content: Mapping[str, Any], sheet_name: str = "") -> tuple[str, str, str]:
    """Return the answer, the details and the reason as the cells of a line say them."""
    if entry.field is not None:
        value = content.get("details", {}).get(entry.field.key, "")
        return _cell(_field_words(entry.field, value)), "", ""
    if not entry.is_main:
        return _cell(content.get("compensating", "")), "", ""
    details = content.get("comment", "")
    if content.get("planned_on"):
        details = f"{details}\nPlanned by: {content['planned_on']}".lstrip("\n")
    return _cell(_main_words(entry.question, content, sheet_name)), _cell(details), _cell(content.get("na_reason", ""))


def _cell(text: str) -> str:
    return text if fits(f"'{text}") else _IN_CELLS.format(count=len(text))


def _main_words(question: Question, content: Mapping[str, Any], sheet_name: str) -> str:
    if question.kind is Kind.TABLE:
        rows = len(content.get("rows", ()))
        return f"{rows} {'row' if rows == 1 else 'rows'}, on the sheet “{sheet_name}”" if sheet_name else f"{rows} rows"
    if content.get("na"):
        return NOT_APPLICABLE
    if "choice" in content:
        return label_of(question.choices, content["choice"])
    if "choices" in content:
        return "\n".join(label_of(question.options, key) for key in content["choices"])
    if "range" in content:
        return f"{content['range'].get('from', '?')} to {content['range'].get('to', '?')}"
    return str(next((content[name] for name in ("number", "date", "text", "url") if name in content), ""))


def _field_words(field: DetailField, value: str) -> str:
    if field.choices:
        return label_of(field.choices, value)
    if field.kind is FieldKind.RANGE and (found := period_from(value)):
        first, last = (each.isoformat() if each else "?" for each in found)
        return f"{first} to {last}"
    return value


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says of one question: the whole answer with it, and what could not be read.

    ``touched`` says whether anything differs from the export; ``confirms`` whether it confirms an earlier answer.
    """

    fields: Fields
    content: Mapping[str, Any]
    touched: bool
    confirms: bool = False
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Base:
    """What stood in the export of one question. ``earlier`` is an answer to confirm, which counted as blank."""

    content: Mapping[str, Any]
    earlier: Mapping[str, Any] | None = None


def read(
    question: Question,
    base: Base,
    cells: Mapping[str, Cells],
    grids: Mapping[str, TypedGrid],
    *,
    sheet_names: Mapping[str, str] | None = None,
    offered: Collection[str] = (),
) -> Reading:
    """Return the answer that the lines and tables of a question say, on top of what was exported.

    :param cells: by the id of the line; a line that is gone changes nothing.
    :param grids: by the id of the table; a sheet that is gone changes nothing.
    """
    names = sheet_names or {}
    edits: list[tuple[Entry, str, Typed]] = []
    for entry in entries_of(question):
        line = cells.get(entry.id, Cells())
        before = rendered(entry, base.content, names.get(entry.id, ""))
        for part, typed, was in zip(_PARTS, (line.answer, line.details, line.na_reason), before, strict=True):
            if not typed.is_blank and not same(typed, was):
                edits.append((entry, part, typed))
    problems: list[str] = []
    notes: list[str] = []
    confirms = any(word(typed.text) == CONFIRM for _, _, typed in edits)
    edits = [each for each in edits if word(each[2].text) != CONFIRM]
    if confirms and base.earlier is None:
        problems.append("There is no earlier answer to confirm here. Write the answer itself")
    starts_from = base.earlier if base.earlier is not None and (edits or confirms) else base.content
    fields = fields_of(question, starts_from)
    for entry, part, typed in edits:
        try:
            fields = _edited(fields, entry, part, typed, offered)
        except Unclear as unclear:
            problems.append(f"{entry.name}: {unclear}" if not entry.is_main else str(unclear))
    touched = bool(edits) or confirms
    for grid in grids_of(question):
        if (typed_grid := grids.get(grid.id)) is not None:
            told = read_grid(grid, _rows(base.content, grid), typed_grid)
            problems += told.problems
            notes += told.notes
            if told.touched:
                touched = True
                fields = {**without(fields, grid.prefix), **told.fields}
    return _reading(question, fields, touched, confirms, problems, notes, offered)


_PARTS: Final = ("answer", "details", "na_reason")


def _rows(content: Mapping[str, Any], grid: Grid) -> list[Mapping[str, str]]:
    inside = content.get("rows", ()) if grid.field is None else content.get("details", {}).get(grid.field.key, ())
    return list(inside)


def _reading(
    question: Question,
    fields: Fields,
    touched: bool,
    confirms: bool,
    problems: list[str],
    notes: list[str],
    offered: Collection[str],
) -> Reading:
    answer = parse_answer(question, fields, draft=True, offered=offered)
    if isinstance(answer, Problems):
        found = [each.message for each in answer.items] if touched else []
        return Reading(fields, {}, touched, confirms, (*problems, *found), tuple(notes))
    return Reading(fields, to_json(answer), touched, confirms, tuple(problems), tuple(notes))


def _edited(fields: Fields, entry: Entry, part: str, typed: Typed, offered: Collection[str]) -> Fields:
    """Return the fields with one cell written into them.

    :raises Unclear: if the cell cannot be read.
    """
    refuse_computed(typed)
    text = prose(unguarded(typed.text))
    clears = word(text) == CLEAR
    if part == "na_reason":
        return {**fields, "na_reason": [] if clears else [text]}
    if part == "details":
        if not entry.is_main:
            raise Unclear("Write it into the answer cell of this line")
        return {**fields, **({"comment": [], "planned_on": []} if clears else dict(_details(text)))}
    if entry.field is not None:
        return _field_edited(fields, entry.field, typed, clears)
    if not entry.is_main:
        return {**fields, "compensating": [] if clears else [text]}
    rest = without(fields, *MAIN)
    if not has_cell(entry.question):
        where = (
            "Change the rows on its own sheet" if entry.question.kind is Kind.TABLE else "Upload the file on the page"
        )
        raise Unclear(f"This cell cannot be changed. {where}")
    return rest if clears else {**rest, **_main(entry.question, typed, text, offered)}


def _details(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the comment, and the day by which the rest is planned if the last line says one."""
    *above, last = text.split("\n")
    found = _PLANNED.fullmatch(last.strip())
    if found is None:
        yield "comment", [text]
        return
    yield "planned_on", [day(Typed(found[1]))]
    yield "comment", ["\n".join(above).strip()]


def _field_edited(fields: Fields, field: DetailField, typed: Typed, clears: bool) -> Fields:
    name = f"details.{field.key}"
    rest = without(fields, name)
    if clears:
        return rest
    if field.kind is FieldKind.RANGE:
        first, last = days(typed)
        return {**rest, f"{name}.from": [first], f"{name}.to": [last]}
    return {**rest, name: [value_in(field.kind, field.choices, typed)]}


def _main(question: Question, typed: Typed, text: str, offered: Collection[str]) -> Fields:
    if question.may_not_apply and says_not_applicable(text):
        return {"choice": ["na"], "na": ["1"]}
    if question.choices and question.kind is not Kind.MANY_CHOICES:
        return {"choice": [chosen(question.choices, text)]}
    if question.kind is Kind.MANY_CHOICES:
        return {"choices": list(_many(question, text, offered))}
    if question.kind is Kind.NUMBER:
        return {"number": [number(typed, unit=question.unit, example=example_of(question))]}
    if question.kind is Kind.DATE:
        return {"day": [day(typed)]}
    if question.kind is Kind.RANGE:
        first, last = days(typed)
        return {"from": [first], "to": [last]}
    return {"url" if question.kind is Kind.URL else "text": [text]}


def _many(question: Question, text: str, offered: Collection[str]) -> Iterator[str]:
    for piece in re.split(r"[\n;]", text):
        if (name := piece.strip()) in offered:
            yield name
        elif name:
            yield chosen(question.options, name)
