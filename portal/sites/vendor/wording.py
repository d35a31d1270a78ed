"""An answer as form fields and as words: what a card is filled with, and what a reader reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.kernel.words import symbols
from portal.questionnaires.rules import Answer, Column, DetailField, FieldKind, Question, field_words
from portal.questionnaires.rules.answers import Period
from portal.questionnaires.rules.text import date_from, number_text, period_from, url_from
from portal.questionnaires.rules.wording import Piece, words
from portal.sites.shared.language import _, language, ngettext
from portal.sites.shared.ui import day as as_read
from portal.terms import N_

Row = Mapping[str, str]
Fields = Mapping[str, Sequence[str]]
"""The fields of one form, each with everything that was typed in it."""

day_words = as_read
"""Days as pages say them."""

SPARE_ROWS = 3
"""Empty rows under a table, so that rows can be added without a script."""

NOT_APPLICABLE = N_("Does not apply to us")


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
            return ngettext("%(num)s row", "%(num)s rows", len(self.grid.rows))
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
            details.append((field.label, _words(field, value)))
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
        return (_(NOT_APPLICABLE),)
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
        return (_period(answer.period),)
    plain = answer.url or answer.text
    return (plain,) if plain else ()


@dataclass(frozen=True, slots=True)
class Change:
    """One part of an answer that differs between two versions: what it is, and the words that went and came."""

    name: str
    pieces: tuple[Piece, ...]


def changes(
    question: Question, before: Answer | None, after: Answer | None, labels: Mapping[str, str] | None = None
) -> tuple[Change, ...]:
    """Return what differs between two versions of an answer, word by word, in the order a card has the fields."""
    old, new = _parts(question, before, labels), _parts(question, after, labels)
    found = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name, ""), new.get(name, "")
        if was == now:
            continue
        if name == N_("Answer") or not was or not now:
            sides = [Piece("out", was), Piece("same", " "), Piece("in", now)] if was and now else []
            sides = sides or [Piece("out", was) if was else Piece("in", now)]
            found.append(Change(name, tuple(sides)))
        else:
            found.append(Change(name, words(was, now)))
    return tuple(found)


def _parts(question: Question, answer: Answer | None, labels: Mapping[str, str] | None) -> dict[str, str]:
    """Return an answer as named texts, each of a field of its card; empty ones are left out."""
    here = said(question, answer, labels)
    parts = {
        N_("Answer"): ", ".join(here.main) if here.main else _rows_words(here.grid),
        N_("Why it does not apply"): here.na_reason,
        N_("By when the rest is planned"): day_words(here.planned_on) if here.planned_on else "",
        N_("What you do instead"): here.instead,
        N_("How you know"): here.comment,
    }
    for name, value in here.details:
        parts[name] = value if isinstance(value, str) else _rows_words(value)
    return {name: text for name, text in parts.items() if text}


def _rows_words(grid: Grid | None) -> str:
    return "\n".join(", ".join(cell for cell in row if cell) for row in grid.rows) if grid else ""


def number_words(number: str, unit: str) -> str:
    """Return a number with its unit; percent has its sign."""
    return f"{_tenths(number)} %" if unit == "percent" else f"{_tenths(number)} {unit}".strip()


def _tenths(number: str) -> str:
    """Return a number as it is kept with the reader's sign before the decimals."""
    return number.replace(".", symbols(language())[0])


def _words(field: Column | DetailField, value: str) -> str:
    """Return a filled-in value as it is read, days in the reader's language."""
    if field.kind is FieldKind.DATE and (day := date_from(value)) is not None:
        return day_words(day)
    if field.kind is FieldKind.RANGE and (days := period_from(value)) is not None:
        return _period(Period(*days))
    return field_words(field, value)


def _period(period: Period) -> str:
    """Return a period in words; a day that is not known is left open."""
    if period.first is None or period.last is None:
        return (
            _("until %(day)s", day=day_words(period.last))
            if period.last
            else _("from %(day)s", day=day_words(period.first or date.min))
        )
    return _("%(first)s to %(last)s", first=day_words(period.first), last=day_words(period.last))


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in words: "a moment ago", "2 minutes ago", else on which day."""
    if at is None:
        return ""
    minutes = int((now - at) / timedelta(minutes=1))
    if minutes < 1:
        return _("a moment ago")
    if minutes < 60:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
    hours = minutes // 60
    if hours < 24:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", hours)
    return _("on %(day)s", day=day_words(at))


def _grid(columns: Sequence[Column], rows: Iterable[Row]) -> Grid:
    return Grid(
        tuple(column.label for column in columns),
        tuple(tuple(_words(column, row.get(column.key, "")) for column in columns) for row in rows),
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
