"""Metadata as it was stored before fields had these types: read as if it were written today, and put into forms. Pure.

Nothing stored is rewritten: what a person typed stays as typed until a person describes the file again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from portal.evidence.rules.cells import read_money
from portal.evidence.rules.fields import Field, FieldType
from portal.evidence.rules.kinds import KINDS
from portal.evidence.rules.kinds_assurance import CATEGORIES, NO_EXCEPTIONS

_Details = dict[str, Any]


def current(kind: str, details: Mapping[str, Any]) -> _Details:
    """Return stored metadata in today's names and types; what does not fit a type stays the text it was.

    :raises KeyError: for a kind that is not one of ours.
    """
    asked = KINDS[kind]
    found = dict(details)
    if kind in _MOVES:
        _MOVES[kind](found)
    for field in asked.fields:
        value = found.get(field.name)
        if field.type is FieldType.NUMBER and isinstance(value, str) and re.fullmatch("[0-9]{1,8}", value):
            found[field.name] = int(value)
    return found


def form_values(kind: str, details: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return what a form of this kind shows for stored metadata, by the names of its fields.

    :raises KeyError: for a kind that is not one of ours.
    """
    now = current(kind, details)
    shown: dict[str, str | list[str]] = {}
    for field in KINDS[kind].fields:
        value = now.get(field.name)
        if value is None:
            continue
        if field.type is FieldType.TABLE:
            shown.update(_cells(field, value))
        elif field.type is FieldType.MULTI and isinstance(value, list):
            shown[field.id] = [str(each) for each in value]
        elif field.type is FieldType.MONEY and isinstance(value, dict):
            shown[field.id] = f"{value.get('amount', ''):,}" if isinstance(value.get("amount"), int) else ""
            shown[field.currency_id] = str(value.get("currency", ""))
        else:
            shown[field.id] = str(value)
    return shown


def _cells(field: Field, rows: object) -> dict[str, str]:
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return {}
    return {
        field.cell_id(number, column.name): str(row[column.name])
        for number, row in enumerate(rows)
        if isinstance(row, Mapping)
        for column in field.columns
        if row.get(column.name) is not None
    }


def _soc2(found: _Details) -> None:
    categories = found.get("categories")
    if isinstance(categories, str):
        low = categories.casefold()
        named = [key for key, label in CATEGORIES.items() if label.casefold() in low]
        found["categories"] = named or categories
    licence = found.pop("licence", None)
    if licence:
        number, _, state = str(licence).rpartition(",")
        found.setdefault("licence_no", (number or state).strip())
        if number and state.strip():
            found.setdefault("licence_state", state.strip())
    carved = found.pop("carved_out", None)
    if carved and "carve_out_rows" not in found:
        names = [each.strip() for each in re.split(r"[,;]", str(carved))]
        found["carve_out_rows"] = [{"organisation": each, "method": "carve_out"} for each in names if each]
    if str(found.get("exceptions")) == "0":
        # Nobody but a person could have entered it.
        found.setdefault("exceptions_listed", NO_EXCEPTIONS)


def _insurance(found: _Details) -> None:
    limit = found.pop("limit", None)
    if limit and "limit_claim" not in found:
        amount, _ = read_money("the limit", str(limit), "")
        found["limit_claim"] = amount or str(limit)
    exclusions = found.pop("exclusions", None)
    if exclusions and "exclusion_rows" not in found:
        found["exclusion_rows"] = [{"about": "other", "text": str(exclusions)}]


def _continuity(found: _Details) -> None:
    targets = found.pop("targets", None)
    if targets:
        found.setdefault("rto_target", str(targets))


def _deletion(found: _Details) -> None:
    datasets, systems = found.pop("datasets", None), found.pop("systems", None)
    if (datasets or systems) and "deleted_rows" not in found:
        row = {"dataset": datasets, "systems": systems}
        found["deleted_rows"] = [{name: str(words) for name, words in row.items() if words}]


_MOVES: Final[Mapping[str, Callable[[_Details], None]]] = MappingProxyType(
    {"SOC2": _soc2, "INS": _insurance, "BCP": _continuity, "DEL": _deletion}
)
