"""The form for what a file is: its values as stored or as typed, its rows, and questions by their numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from portal.assessments import service as assessments
from portal.evidence.rules import Field, FieldType, Kind, form_values, row_numbers
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires

QUESTIONS = ("exception_rows", "questions")
"""The table and the column in which people name questions."""

Typed = MultiDict[str, str]
Values = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of the questions that a vendor is asked, which people say, and their keys, which are stored."""

    keys: Mapping[str, str]
    words: Mapping[str, str]

    def to_keys(self, text: str) -> str:
        """Return a list of numbers as keys; what is no number of a question stays, to be refused in words."""
        return ", ".join(self.keys.get(each.rstrip("."), each) for each in re.split(r"[\s,;]+", text) if each)

    def to_numbers(self, text: str) -> str:
        """Return a list of keys as numbers; a key that is not asked any more stays a key."""
        by_key = {key: number for number, key in self.keys.items()}
        return ", ".join(by_key.get(each, each) for each in re.split(r"[\s,;]+", text) if each)

    def named(self, keys: Sequence[str]) -> list[str]:
        """Return questions as "7.2 Leavers"."""
        return [self.words.get(each, each) for each in keys]


def numbers_of(tx: Tx, vendor_id: UUID) -> Numbers:
    """Return the numbers of the questions of the assessment of a vendor that presses most."""
    asked = assessments.of_vendor(tx, vendor_id, limit=1)
    if not asked:
        return Numbers({}, {})
    found = questionnaires.compiled(tx, asked[0].questionnaire_id).questions
    return Numbers(
        {each.number: each.key for each in found}, {each.key: f"{each.number} {each.label}" for each in found}
    )


def stored_values(kind: Kind, details: Mapping[str, Any], numbers: Numbers) -> dict[str, str | list[str]]:
    """Return what the form shows of what is stored."""
    shown = form_values(kind.code, details)
    return {name: _asked(name, value, numbers.to_numbers) for name, value in shown.items()}


def typed_values(kind: Kind, typed: Typed) -> dict[str, str | list[str]]:
    """Return what was typed, field by field."""
    shown: dict[str, str | list[str]] = {}
    for field in kind.fields:
        if field.type is FieldType.TABLE:
            names = [field.cell_id(row, each.name) for row in row_numbers(field, typed) for each in field.columns]
            shown.update((name, typed.get(name, "")) for name in names)
        elif field.type is FieldType.MULTI:
            shown[field.id] = typed.getlist(field.id)
        else:
            shown[field.id] = typed.get(field.id, "")
            if field.type is FieldType.MONEY:
                shown[field.currency_id] = typed.get(field.currency_id, "")
    return shown


def with_keys(typed: Typed, numbers: Numbers) -> Typed:
    """Return what was typed with the keys of questions in the place of their numbers."""
    return MultiDict([(name, _asked(name, value, numbers.to_keys)) for name, value in typed.items(multi=True)])


def _asked(name: str, value: Any, change: Any) -> Any:
    table, column = QUESTIONS
    return change(value) if name.startswith(f"detail-{table}-") and name.endswith(f"-{column}") else value


def rows_shown(kind: Kind, values: Values, *, add: str = "", drop: str = "") -> dict[str, list[int]]:
    """Return the numbers of the rows to show of each table, one more or one less if a button asked for it.

    A table that is kept among the details begins with one empty row; a part of a report with none.
    """
    shown: dict[str, list[int]] = {}
    for field in kind.fields:
        if field.type is not FieldType.TABLE:
            continue
        rows = list(row_numbers(field, dict.fromkeys(values, "")))[: field.rows]
        rows = [each for each in rows if drop != f"{field.name}-{each}"]
        if add == field.name and len(rows) < field.rows:
            rows.append(max(rows, default=-1) + 1)
        if not rows and not field.apart and add != field.name:
            rows = [0]
        shown[field.id] = rows
    return shown


def is_rearranging(typed: Typed, kind: Kind) -> bool:
    """Return whether a button for more or fewer rows was pressed, and not the one that saves."""
    tables = {field.name for field in kind.fields if field.type is FieldType.TABLE}
    return typed.get("add", "") in tables or typed.get("drop", "").rpartition("-")[0] in tables


def asked_of_report(kind: Kind) -> tuple[Field, ...]:
    """Return the tables of a report alone: what a reviewer may correct."""
    return tuple(field for field in kind.fields if field.apart)


def summary(kind: Kind, problems: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return what is wrong, each with the address of its field on the page."""
    several = {field.id for field in kind.fields if field.type is FieldType.MULTI}
    return [
        (f"#{name}-0" if name in several else f"#{name}", words)
        for name, sentences in problems.items()
        for words in sentences
    ]
