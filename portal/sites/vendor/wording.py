"""An answer as form fields and as words: what a card is filled with, and what a reader reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.questionnaires.rules import Answer, Column, Question, field_words, period_words
from portal.questionnaires.rules.text import day_words as day_words
from portal.questionnaires.rules.text import number_text, period_from, url_from

Row = Mapping[str, str]
Fields = Mapping[str, Sequence[str]]
"""The fields of one form, each with everything that was typed in it."""

SPARE_ROWS = 3
"""Empty rows under a table, so that rows can be added without a script."""

NOT_APPLICABLE = "Does not apply to us"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table that was filled in."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer in words. ``main`` is empty where nothing was answered."""

    main: tuple[str, ...] = ()
    grid: Grid | None = None
    comment: str = ""
    planned_on: date | None = None
    na_reason: str = ""
    details: tuple[tuple[str, str | Grid], ...] = ()
    instead: str = ""
    address: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to read."""
        return not (self.main or self.grid or self.comment or self.details or self.instead)

    @property
    def line(self) -> str:
        """The answer in one line, for lists."""
        if self.grid is not None:
            return f"{len(self.grid.rows)} {'row' if len(self.grid.rows) == 1 else 'rows'}"
        return ", ".join(self.main)


def said(question: Question, answer: Answer | None, labels: Mapping[str, str] | None = None) -> Said:
    """Return an answer in words.

    :param labels: names of the keys that a question with ``options_from`` takes.
    """
    if answer is None:
        return Said()
    details: list[tuple[str, str | Grid]] = []
    for field in question.details:
        value = answer.details.get(field.key)
        if isinstance(value, str):
            details.append((field.label, field_words(field, value)))
        elif value:
            details.append((field.label, _grid(field.columns, value)))
    return Said(
        main=_main(question, answer, labels or {}),
        grid=_grid(question.columns, answer.rows) if answer.rows else None,
        comment=answer.comment,
        planned_on=answer.planned_on,
        na_reason=answer.na_reason,
        details=tuple(details),
        instead=answer.compensating,
        # Kept answers were read when they were typed; what is made a link is read again.
        address=url_from(answer.url) or "",
    )


def _main(question: Question, answer: Answer, labels: Mapping[str, str]) -> tuple[str, ...]:
    if answer.na:
        return (NOT_APPLICABLE,)
    if answer.choice is not None:
        option = question.option(answer.choice)
        return (option.label if option else answer.choice,)
    if answer.number is not None:
        return (number_words(number_text(answer.number), question.unit),)
    if answer.choices:
        known = {option.key: option.label for option in question.options}
        return tuple(known.get(key, labels.get(key, key)) for key in answer.choices)
    if answer.day is not None:
        return (day_words(answer.day),)
    if answer.period is not None:
        return (period_words(answer.period),)
    plain = answer.url or answer.text
    return (plain,) if plain else ()


def number_words(number: str, unit: str) -> str:
    """Return a number with its unit; percent has its sign."""
    return f"{number} %" if unit == "percent" else f"{number} {unit}".strip()


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in words: "a moment ago", "2 minutes ago", else on which day."""
    if at is None:
        return ""
    minutes = int((now - at) / timedelta(minutes=1))
    if minutes < 1:
        return "a moment ago"
    if minutes < 60:
        return f"{minutes} minute{'' if minutes == 1 else 's'} ago"
    hours = minutes // 60
    if hours < 24:
        return f"{hours} hour{'' if hours == 1 else 's'} ago"
    return f"on {day_words(at.date())}"


def _grid(columns: Sequence[Column], rows: Iterable[Row]) -> Grid:
    return Grid(
        tuple(column.label for column in columns),
        tuple(tuple(field_words(column, row.get(column.key, "")) for column in columns) for row in rows),
    )


def fields(answer: Answer | None) -> dict[str, list[str]]:
    """Return the form that says an answer; ``questionnaires.rules.parse_answer`` reads it back as the same answer."""
    if answer is None:
        return {}
    found: dict[str, list[str]] = {
        "comment": [answer.comment],
        "na_reason": [answer.na_reason],
        "planned_on": [answer.planned_on.isoformat() if answer.planned_on else ""],
        "text": [answer.text],
        "day": [answer.day.isoformat() if answer.day else ""],
        "number": [number_text(answer.number) if answer.number is not None else ""],
        "choices": list(answer.choices or ()),
        "choice": [answer.choice or ""],
        "url": [answer.url],
        "compensating": [answer.compensating],
    }
    if answer.period is not None:
        found |= _days("", (answer.period.first, answer.period.last))
    if answer.na:
        found["choice"], found["na"] = ["na"], ["1"]
    found |= rows("rows", answer.rows or ())
    for key, value in answer.details.items():
        if isinstance(value, str):
            found |= detail_fields(key, value)
        else:
            found |= rows(f"details.{key}", value)
    return found


def detail_fields(key: str, value: str) -> dict[str, list[str]]:
    """Return the fields of one detail; a period has two, which any other kind ignores."""
    return {f"details.{key}": [value], **_days(f"details.{key}.", period_from(value) or (None, None))}


def _days(prefix: str, days: tuple[date | None, date | None]) -> dict[str, list[str]]:
    """Return the fields of a period."""
    named = zip(("from", "to"), days, strict=True)
    return {f"{prefix}{name}": [day.isoformat()] for name, day in named if day is not None}


def rows(prefix: str, filled: Iterable[Row]) -> dict[str, list[str]]:
    """Return the fields of a table."""
    return {
        f"{prefix}.{number}.{column}": [value] for number, row in enumerate(filled) for column, value in row.items()
    }


def row_numbers(form: Fields, prefix: str, most: int) -> range:
    """Return the rows to draw: those with anything in them, then a few empty ones."""
    start = f"{prefix}."
    numbers = [
        int(number)
        for name, values in form.items()
        if name.startswith(start) and any(values)
        for number in [name[len(start) :].split(".", 1)[0]]
        if number.isascii() and number.isdigit() and len(number) <= 4
    ]
    filled = max(numbers, default=-1) + 1
    return range(max(min(filled, most), min(filled + SPARE_ROWS, most)))
