"""An answer against the one that was signed before: what went up without anything new, what shrank. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from portal.questionnaires.rules import FieldKind, Kind, Question
from portal.questionnaires.rules.text import number_from
from portal.reviews.rules.check_values import (
    Case,
    Check,
    CheckKind,
    Spoken,
    counted,
    named,
    number,
    quoted,
)

SHORTEST_REPEATED: Final = 20
"""Words of this length that stand there again say that nobody rewrote them; a shorter "Yes, all." says nothing."""


def against_before(case: Case) -> Iterator[tuple[str, Check]]:
    """Yield where an answer and the one before disagree."""
    if not case.before:
        return
    for spoken in case.spoken.values():
        if spoken.before is None or not spoken.is_said:
            continue
        for words in (*_raised(spoken), *_shrunk(spoken)):
            at = (case.answer_at(spoken.key), case.before_at(spoken.key))
            yield spoken.key, Check(CheckKind.LAST_YEAR, words, at)


def _raised(spoken: Spoken) -> Iterator[str]:
    now, then = spoken.credit, spoken.credit_before
    if now is None or then is None or now <= then or spoken.before is None or spoken.before.na:
        return
    by = f"from {then} to {now} points, by {now - then}"
    same = spoken.files_before >= {each.sha256 for each in spoken.files}
    if spoken.level and same:
        files = "the files are those of before" if spoken.files else "no file backs it"
        yield f"The claim went up {by}, and {files}."
    comment, earlier = (" ".join(each.comment.split()) for each in (spoken.answer, spoken.before))
    if len(comment) >= SHORTEST_REPEATED and comment.casefold() == earlier.casefold():
        yield f"The claim went up {by}, and the words are the same as before: {quoted(comment)}."


def _shrunk(spoken: Spoken) -> Iterator[str]:
    question, now, then = spoken.question, spoken.answer, spoken.before
    if then is None:
        return
    fell = now.number is not None and then.number is not None and now.number < then.number
    if fell and question.kind is Kind.NUMBER and _more_is_better(question):
        yield _fell(question.label, question.unit, then.number or Decimal(0), now.number or Decimal(0))
    if question.kind is Kind.TABLE:
        yield from _fewer_rows(question.label, _rows(then.rows), _rows(now.rows), _first(question.columns))
    for each in question.details:
        old, new = then.details.get(each.key), now.details.get(each.key)
        if each.kind is FieldKind.TABLE:
            yield from _fewer_rows(each.label, _rows(old), _rows(new), _first(each.columns))
        elif each.kind is FieldKind.NUMBER and isinstance(old, str) and isinstance(new, str):
            one, other = number_from(old), number_from(new)
            if one is not None and other is not None and other < one and (question.key, each.key) in LESS_IS_WORSE:
                yield _fell(each.label, "", one, other)


LESS_IS_WORSE: Final = frozenset({("gov.insurance.cyber", "aggregate")})
"""Number fields under a question of which less is worse; of the number of a question its own steps say so."""


def _more_is_better(question: Question) -> bool:
    return any(each.operator in {">", ">="} for each in question.steps)


def _fell(label: str, unit: str, then: Decimal, now: Decimal) -> str:
    of = f" {unit}" if unit and unit != "percent" else ("%" if unit else "")
    return f"{label} fell from {number(then)} to {number(now)}{of}, by {number(then - now)}."


def _first(columns: tuple[Any, ...]) -> str:
    return columns[0].key if columns else ""


def _rows(value: Any) -> tuple[Mapping[str, str], ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _fewer_rows(
    label: str, then: tuple[Mapping[str, str], ...], now: tuple[Mapping[str, str], ...], column: str
) -> Iterator[str]:
    if len(now) >= len(then):
        return
    kept = [row.get(column, "").strip().casefold() for row in now]
    gone = [row.get(column, "").strip() for row in then if row.get(column, "").strip().casefold() not in kept]
    missing = f": {named([each for each in gone if each])}" if any(gone) else ""
    by = len(then) - len(now)
    yield f"“{label}” has {counted(len(now), 'row', 'rows')}, {len(then)} before, {by} fewer{missing}."
