"""Reads fields and tables as people fill them in; every refusal says what is wrong and how to mend it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from portal.kernel.words import said
from portal.questionnaires.rules.definition import Column, DetailField, FieldKind, Length, Option
from portal.questionnaires.rules.text import (
    MAX_URL,
    date_from,
    number_from,
    number_text,
    period_text,
    tidy,
    url_from,
)

MAX_COMMENT: Final = 4_000
MAX_CELL: Final = 500
MAX_SHORT: Final = 200

Row = Mapping[str, str]
# What a browser form or a JSON body gives for one question.
Raw = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with one field, in words for the person who filled it in."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Problems:
    """Why an answer cannot be taken as it is, in the order of the form."""

    items: tuple[Refusal, ...]

    def by_field(self) -> dict[str, str]:
        """Return the first message for each field."""
        found: dict[str, str] = {}
        for item in self.items:
            found.setdefault(item.field, item.message)
        return found


def one(raw: Raw, name: str) -> str:
    """Return the tidied text of a field; of a repeated field, the first."""
    value = raw.get(name, "")
    first = value if isinstance(value, str) else next((item for item in value if isinstance(item, str)), "")
    return tidy(first)


def many(raw: Raw, name: str) -> tuple[str, ...]:
    """Return the tidied, non-empty texts of a repeatable field, each once."""
    value = raw.get(name, ())
    items: Iterable[str] = (value,) if isinstance(value, str) else value
    tidied = (tidy(item) for item in items if isinstance(item, str))
    return tuple(dict.fromkeys(item for item in tidied if item))


def chosen(keys: Iterable[str], options: Iterable[Option]) -> bool:
    """Tell whether every key is on offer."""
    return set(keys) <= {option.key for option in options}


def number_message(unit: str, example: str) -> str:
    """Return how to enter a number, for example in hours."""
    return (
        said("Enter a number in %(unit)s, for example %(example)s", unit=unit, example=example)
        if unit
        else said("Enter a number, for example %(example)s", example=example)
    )


def cell(field: Column | DetailField, value: str, name: str, refusals: list[Refusal], limit: int = MAX_CELL) -> str:
    """Return one filled-in value in its canonical form; an unusable one is noted and returned as typed."""
    if not value:
        return ""
    if field.kind is FieldKind.NUMBER:
        number = number_from(value)
        if number is not None:
            return number_text(number)
        refusals.append(Refusal(name, said("%(label)s: enter a number, for example 12", label=field.label)))
    elif field.kind is FieldKind.DATE:
        day = date_from(value)
        if day is not None:
            return day.isoformat()
        refusals.append(
            Refusal(name, said("%(label)s: enter a date as year-month-day, for example 2026-11-30", label=field.label))
        )
    elif field.kind in (FieldKind.CHOICE, FieldKind.YES_NO):
        if not chosen((value,), field.choices):
            refusals.append(Refusal(name, said("%(label)s: choose one of the options", label=field.label)))
    elif field.kind is FieldKind.URL:
        if url_from(value) is None:
            refusals.append(
                Refusal(name, said("%(label)s: %(problem)s", label=field.label, problem=url_message(value)))
            )
    elif len(value) > limit:
        refusals.append(
            Refusal(
                name,
                said(
                    "%(label)s: shorten to %(most)s characters; this has %(count)s",
                    label=field.label,
                    most=limit,
                    count=len(value),
                ),
            )
        )
    return value


def url_message(value: str) -> str:
    """Return how to enter an address, by what is wrong with this one."""
    if len(value) > MAX_URL:
        return said("Shorten the address to %(most)s characters; this has %(count)s", most=MAX_URL, count=len(value))
    return said("Enter a web address that starts with https://, for example https://trust.example/report")


def _about(label: str, problem: str) -> str:
    return said("%(label)s: %(problem)s", label=label, problem=problem) if label else problem


def period(
    raw: Raw, first_name: str, last_name: str, label: str, refusals: list[Refusal]
) -> tuple[date | None, date | None]:
    """Return the two days of a period; one that cannot be read, or ends before it starts, is noted."""
    days: list[date | None] = []
    for name in (first_name, last_name):
        value = one(raw, name)
        day = date_from(value) if value else None
        if value and day is None:
            refusals.append(
                Refusal(name, _about(label, said("Enter the date as year-month-day, for example 2026-12-31")))
            )
        days.append(day)
    first, last = days
    if first is not None and last is not None and last <= first:
        message = _about(label, said("The end of the period must be after its start, %(day)s", day=first))
        refusals.append(Refusal(last_name, message))
    return first, last


def table(
    raw: Raw, prefix: str, columns: Sequence[Column], rows: int, label: str, refusals: list[Refusal]
) -> tuple[Row, ...]:
    """Return the rows that have anything in them, from fields named `prefix.<row>.<column>`."""
    numbers = _row_numbers(raw, prefix)
    found: list[Row] = []
    for number in numbers:
        row: dict[str, str] = {}
        for column in columns:
            name = f"{prefix}.{number}.{column.key}"
            value = cell(column, one(raw, name), name, refusals)
            if value:
                row[column.key] = value
        if row:
            found.append(row)
        if len(found) > rows:
            refusals.append(
                Refusal(
                    prefix,
                    said("%(label)s: shorten to %(most)s rows, or attach the rest as a file", label=label, most=rows),
                )
            )
            break
    return tuple(found)


def _row_numbers(raw: Raw, prefix: str) -> list[int]:
    """Return the row numbers that occur in the names of fields; a name that is no row is ignored."""
    start = f"{prefix}."
    numbers: set[int] = set()
    for name in raw:
        if not name.startswith(start):
            continue
        number, _, column = name[len(start) :].partition(".")
        if column and number.isascii() and number.isdigit() and len(number) <= 4:
            numbers.add(int(number))
    return sorted(numbers)


def details(raw: Raw, fields: Sequence[DetailField], refusals: list[Refusal]) -> dict[str, str | tuple[Row, ...]]:
    """Return the filled-in detail fields, from form fields named `details.<field>`."""
    found: dict[str, str | tuple[Row, ...]] = {}
    for field in fields:
        name = f"details.{field.key}"
        value: str | tuple[Row, ...]
        if field.kind is FieldKind.TABLE:
            value = table(raw, name, field.columns, field.rows, field.label, refusals)
        elif field.kind is FieldKind.RANGE:
            value = period_text(*period(raw, f"{name}.from", f"{name}.to", field.label, refusals))
        else:
            value = cell(field, one(raw, name), name, refusals, _limit(field))
        if value:
            found[field.key] = value
    return found


def _limit(field: DetailField) -> int:
    return MAX_SHORT if field.length == Length.SHORT else MAX_COMMENT
