"""What the proposals of a file put into its form, and which of them a person confirmed by saving it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from portal.evidence.rules.cells import day_words
from portal.evidence.rules.fields import Field, FieldType
from portal.evidence.rules.kinds import KINDS
from portal.evidence.rules.prefill.values import Confidence, Proposal
from portal.evidence.rules.validity import as_day

ROWS: Final[Mapping[str, str]] = {
    "carve_out_rows": "subservice",
    "exception_rows": "exception",
    "user_control_rows": "cuec",
}
"""The tables of a report, and the proposals that each of them is filled from."""

_METHOD = re.compile(r"^(?P<name>.+) \((?P<method>carve-out|inclusive)\)$")
_EXCEPTION = re.compile(r"^(?P<control>[A-Z]{1,3}[0-9]{1,2}\.[0-9]{1,2}): (?P<text>.+)$")
_RATE = re.compile(r"\b[0-9]{1,4} of [0-9]{1,5}\b")


def by_field(kind: str, proposals: Sequence[Proposal]) -> dict[str, tuple[Proposal, ...]]:
    """Return the proposals for each field of a kind that has any: one for a value, as many as found for a table."""
    found = {}
    for field in KINDS[kind].fields:
        wanted = ROWS.get(field.name, field.name)
        own = [each for each in proposals if each.field == wanted]
        if own:
            found[field.name] = tuple(own if field.name in ROWS else own[:1])
    return found


def suggested(kind: str, proposals: Sequence[Proposal]) -> dict[str, Any]:
    """Return details as they would be stored, filled from the proposals that are not unsure."""
    details: dict[str, Any] = {}
    for name, own in by_field(kind, proposals).items():
        field = KINDS[kind].field(name)
        values = [each for each in own if each.confidence is not Confidence.LOW]
        if not values or (field.when and details.get(field.when[0]) != field.when[1]):
            continue
        value = [_row(name, each) for each in values] if name in ROWS else _detail(field, values[0].value)
        if value is not None:
            details[name] = value[: field.rows] if isinstance(value, list) and name in ROWS else value
    return details


def confirmed(kind: str, proposals: Sequence[Proposal], details: Mapping[str, Any]) -> dict[str, Proposal]:
    """Return the proposals that a person left in the form: those whose value is now the stored one."""
    kept = {}
    for name, own in by_field(kind, proposals).items():
        stored = details.get(name)
        if stored is None:
            continue
        if name in ROWS:
            texts = {str(row.get(_COLUMN[name], "")) for row in stored if isinstance(row, Mapping)}
            left = [each for each in own if str(_row(name, each)[_COLUMN[name]]) in texts]
            if left:
                kept[name] = left[0]
        elif _detail(KINDS[kind].field(name), own[0].value) == stored:
            kept[name] = own[0]
    return kept


_COLUMN: Final = {"carve_out_rows": "organisation", "exception_rows": "text", "user_control_rows": "text"}


def _row(table: str, proposal: Proposal) -> dict[str, str]:
    value = str(proposal.value)
    if table == "carve_out_rows":
        found = _METHOD.match(value)
        name, method = (found["name"], found["method"]) if found else (value, "carve-out")
        return {"organisation": name, "method": "carve_out" if method == "carve-out" else "inclusive"}
    if table == "exception_rows":
        found = _EXCEPTION.match(value)
        text = found["text"] if found else value
        row = {"control": found["control"], "criterion": found["control"], "text": text} if found else {"text": text}
        rate = _RATE.search(text)
        return row | ({"rate": rate[0]} if rate else {})
    return {"text": value}


def _detail(field: Field, value: str | int) -> Any:
    """Return a proposed value as it would be stored; None if the field cannot hold it."""
    text = str(value)
    if field.type is FieldType.MULTI:
        known = dict(field.options)
        return [each for each in text.split(",") if each in known] or None
    if field.type is FieldType.CHOICE:
        return text if text in dict(field.options) else None
    if field.type is FieldType.NUMBER:
        return int(text) if text.isdigit() else None
    if field.type is FieldType.MONEY:
        amount, _space, currency = text.partition(" ")
        return {"amount": int(amount), "currency": currency} if amount.isdigit() and currency else None
    return text


def said(kind: str, proposal: Proposal) -> str:
    """Return a proposed value in words."""
    field = next((each for each in KINDS[kind].fields if each.name == proposal.field), None)
    if field is not None and field.type is FieldType.DATE and (day := as_day(proposal.value)) is not None:
        return day_words(day)
    known = dict(field.options) if field is not None else {}
    return ", ".join(known.get(each, each) for each in str(proposal.value).split(",")) if known else str(proposal.value)
