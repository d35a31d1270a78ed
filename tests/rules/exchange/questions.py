"""One question of every kind, with fields of every kind below it, and random answers to them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from portal.questionnaires.rules import (
    Column,
    DetailField,
    FieldKind,
    Kind,
    Option,
    Question,
    Step,
    parse_answer,
    to_json,
)
from portal.questionnaires.rules.answers import Answer

LEVELS = (
    Option("soc2", "SOC 2 Type 2; with exceptions", 90),
    Option("iso", "ISO 27001", 80),
    Option("none", "None", 0),
)
TYPES = (Option("a", "Type A"), Option("b", "Type B"))
COLUMNS = (
    Column("name", "Supplier"),
    Column("since", "Works for you since", FieldKind.DATE),
    Column("people", "People", FieldKind.NUMBER),
    Column("kind", "Kind", FieldKind.CHOICE, TYPES),
)
FIELDS = (
    DetailField("auditor", "Auditor"),
    DetailField("ends", "Ends on", FieldKind.DATE),
    DetailField("size", "Size", FieldKind.NUMBER),
    DetailField("type", "Type", FieldKind.CHOICE, options=TYPES),
    DetailField("named", "Named in the report", FieldKind.YES_NO),
    DetailField("page", "Trust page", FieldKind.URL),
    DetailField("period", "Period", FieldKind.RANGE),
    DetailField("suppliers", "Suppliers in the report", FieldKind.TABLE, columns=COLUMNS, rows=20),
)


def question(kind: Kind, *, details: tuple[DetailField, ...] = FIELDS, **given: Any) -> Question:
    """Return a question of a kind."""
    made: dict[str, Any] = {
        "key": f"x.{kind.name.lower()}",
        "revision": 1,
        "section": "x",
        "number": "7.2",
        "label": "Leavers",
        "text": "How soon are accounts of leavers disabled?",
        "kind": kind,
        "weight": 3,
        "tiers": frozenset({1, 2}),
        "details": details,
        "compensating": "What do you do instead?",
    }
    if kind is Kind.ONE_CHOICE:
        made["options"] = LEVELS
    if kind is Kind.MANY_CHOICES:
        made |= {"options": TYPES, "weight": 0}
    if kind is Kind.NUMBER:
        made |= {"unit": "hours", "steps": (Step("<=", Decimal(24), 100), Step(None, None, 0))}
    if kind is Kind.TABLE:
        made |= {"columns": COLUMNS, "rows": 20, "weight": 0}
    return Question(**{**made, **given})


EVERY = tuple(question(kind) for kind in Kind)

_chars = st.characters(codec="utf-8", exclude_categories=["Cs"])
texts = st.text(_chars, max_size=40) | st.sampled_from(
    ["=1+1", "'=x", "-5", "@a", "“so”", "a\nPlanned by: 2026-01-01", "7"]
)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(date.isoformat)
numbers = st.decimals(min_value=0, max_value=99_999, places=2).map(lambda number: format(number, "f"))
rows = st.fixed_dictionaries(
    {}, optional={"name": texts, "since": days, "people": numbers, "kind": st.sampled_from(["a", "b"])}
)
beside = st.fixed_dictionaries(
    {},
    optional={
        "comment": texts,
        "planned_on": days,
        "na_reason": texts,
        "compensating": texts,
        "details.auditor": texts,
        "details.ends": days,
        "details.size": numbers,
        "details.type": st.sampled_from(["a", "b"]),
        "details.named": st.sampled_from(["yes", "no"]),
        "details.page": st.just("https://trust.example/report"),
    },
)


@st.composite
def contents(draw: st.DrawFn, asked: Question) -> dict[str, Any]:
    """Draw an answer to a question as it is kept; blank ones too."""
    raw: dict[str, Any] = dict(draw(beside))
    tables = [("rows", draw(st.lists(rows, max_size=3))), ("details.suppliers", draw(st.lists(rows, max_size=3)))]
    for prefix, filled in tables:
        raw |= {f"{prefix}.{at}.{key}": value for at, row in enumerate(filled) for key, value in row.items()}
    first = draw(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
    if draw(st.booleans()):
        later = first + timedelta(days=draw(st.integers(1, 900)))
        raw |= {"details.period.from": first.isoformat(), "details.period.to": later.isoformat()}
    raw |= {
        "choice": draw(
            st.sampled_from(["", *(["na"] if asked.may_not_apply else []), *(each.key for each in asked.choices)])
        ),
        "choices": draw(st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True)),
        "number": draw(numbers),
        "day": draw(days),
        "from": first.isoformat(),
        "to": (first + timedelta(days=30)).isoformat(),
        "text": draw(texts),
        "url": "https://trust.example/?a=1",
    }
    answer = parse_answer(asked, raw, draft=True)
    assert isinstance(answer, Answer), answer
    return to_json(answer)
