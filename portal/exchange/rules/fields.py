"""A kept answer as the form that says it, so that single parts of it can be replaced before it is read again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.questionnaires.rules import FieldKind, Kind, Question
from portal.questionnaires.rules.text import period_from

Fields = dict[str, list[str]]
"""The fields of `questionnaires.rules.parse_answer`, each with everything that stands in it."""


def fields_of(question: Question, content: Mapping[str, Any]) -> Fields:
    """Return the form of an answer in the shape of `to_json`; reading it gives the same answer."""
    found: Fields = {}
    for name in ("choice", "number", "text", "url", "comment", "planned_on", "na_reason", "compensating"):
        if content.get(name):
            found[name] = [str(content[name])]
    if content.get("na"):
        found |= {"choice": ["na"], "na": ["1"]}
    if content.get("date"):
        found["day"] = [content["date"]]
    if content.get("choices"):
        found["choices"] = list(content["choices"])
    found |= {name: [value] for name, value in content.get("range", {}).items()}
    found |= rows_as_fields("rows", content.get("rows", ()))
    kinds = {each.key: each.kind for each in question.details}
    for key, value in content.get("details", {}).items():
        name = f"details.{key}"
        if not isinstance(value, str):
            found |= rows_as_fields(name, value)
        elif kinds.get(key) is FieldKind.RANGE:
            found |= period_as_fields(f"{name}.", value)
        else:
            found[name] = [value]
    return found


def rows_as_fields(prefix: str, rows: Iterable[Mapping[str, str]]) -> Fields:
    """Return the fields of the rows of a table."""
    return {f"{prefix}.{number}.{key}": [value] for number, row in enumerate(rows) for key, value in row.items()}


def period_as_fields(prefix: str, value: str) -> Fields:
    """Return the two fields of a period that is kept as one text."""
    first, last = period_from(value) or (None, None)
    return {f"{prefix}{name}": [day.isoformat()] for name, day in (("from", first), ("to", last)) if day is not None}


def without(fields: Fields, *prefixes: str) -> Fields:
    """Return the fields but those with one of these names, and their rows."""
    gone = tuple(f"{prefix}." for prefix in prefixes)
    return {name: value for name, value in fields.items() if name not in prefixes and not name.startswith(gone)}


MAIN: tuple[str, ...] = ("choice", "na", "number", "choices", "day", "from", "to", "text", "url", "rows")
"""The fields of the answer itself; the others say something beside it."""


def has_cell(question: Question) -> bool:
    """Tell whether the answer itself fits into one cell: tables have sheets of their own, files cannot be typed."""
    return question.kind not in (Kind.TABLE, Kind.FILE)
