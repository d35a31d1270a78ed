"""Reads fields and tables as people fill them in; every refusal says what is wrong and how to mend it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.questionnaires.rules.definition import Column, DetailField, FieldKind, Option
from portal.questionnaires.rules.text import date_from, number_from, number_text, tidy

MAX_COMMENT: Final = 4_000
MAX_CELL: Final = 500

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
    return f"Enter a number in {unit}, for example {example}" if unit else f"Enter a number, for example {example}"


def cell(field: Column | DetailField, value: str, name: str, refusals: list[Refusal], limit: int = MAX_CELL) -> str:
    """Return one filled-in value in its canonical form; an unusable one is noted and returned as typed."""
    if not value:
        return ""
    if field.kind is FieldKind.NUMBER:
        number = number_from(value)
        if number is not None:
            return number_text(number)
        refusals.append(Refusal(name, f"{field.label}: enter a number, for example 12"))
    elif field.kind is FieldKind.DATE:
        day = date_from(value)
        if day is not None:
            return day.isoformat()
        refusals.append(Refusal(name, f"{field.label}: enter a date as year-month-day, for example 2026-11-30"))
    elif field.kind is FieldKind.CHOICE:
        if not chosen((value,), field.options):
            refusals.append(Refusal(name, f"{field.label}: choose one of the options"))
    elif len(value) > limit:
        refusals.append(Refusal(name, f"{field.label}: shorten to {limit:,} characters; this has {len(value):,}"))
    return value


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
            refusals.append(Refusal(prefix, f"{label}: shorten to {rows} rows, or attach the rest as a file"))
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
        else:
            value = cell(field, one(raw, name), name, refusals, MAX_COMMENT)
        if value:
            found[field.key] = value
    return found
