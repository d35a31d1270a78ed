"""What the demo's vendors say under an answer and state in a file as well: the same in both. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from portal.demo.library import PaperPlan
from portal.evidence.rules.cells import parse_amount
from portal.questionnaires.rules import Question
from portal.reviews.rules.check_files import MILLION, SAME, How

_TABLES: Final[Mapping[tuple[str, str], tuple[str, str, Mapping[str, str]]]] = {
    ("sub.list", "suppliers"): (
        "SPL",
        "rows",
        {"name": "name", "purpose": "purpose", "country": "country", "data_class": "data"},
    ),
    ("gov.assurance.scope", "suppliers"): (
        "SOC2",
        "carve_out_rows",
        {"name": "organisation", "purpose": "purpose", "method": "method"},
    ),
    ("gov.assurance.exceptions", "exceptions"): (
        "SOC2",
        "exception_rows",
        {"exception": "text", "fix": "response"},
    ),
}
"""Tables under an answer and in a file: by question and field the kind, the table there, and its columns."""

_KEYS: Final = {"carve_out": "carved_out"}
"""Options that the two sides name differently."""


def agreed(question: Question, plans: Sequence[PaperPlan]) -> dict[str, str]:
    """Return the fields under an answer that a file of the vendor states, as its form fills them in."""
    by_kind = {each.kind: each.details for each in plans}
    found: dict[str, str] = {}
    for same in SAME:
        stated = by_kind.get(same.kind, {}).get(same.stated, "")
        if same.question == question.key and same.field and stated:
            amount = parse_amount(stated.removesuffix(" USD")) if same.how is How.MILLIONS else None
            found[f"details.{same.field}"] = stated if amount is None else str(amount // MILLION)
    for field in question.details:
        kind, table, columns = _TABLES.get((question.key, field.key), ("", "", {}))
        details, number = by_kind.get(kind, {}), 0
        choices = {each.key: {option.key for option in each.choices} for each in field.columns}
        while any(f"{table}-{number}-{there}" in details for there in columns.values()):
            for here, there in columns.items():
                value = details.get(f"{table}-{number}-{there}", "")
                if choices.get(here):
                    value = _KEYS.get(value, value.lower())
                if value and (not choices.get(here) or value in choices[here]):
                    found[f"details.{field.key}.{number}.{here}"] = value
            number += 1
    if question.key == "inf.pentest" and "PT" in by_kind:
        found["details.open_highs"] = "0"
    return found
