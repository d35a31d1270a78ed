"""Answers in words, and what changed from one text to the next. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from portal.questionnaires.rules import Answer, Kind, Question, field_words, period_words
from portal.questionnaires.rules.text import url_from

_WORDS = re.compile(r"\s+|[^\s]+")
SHORT_RUN = 6
"""Words and the spaces between them: fewer of the same in a row do not keep two changes apart."""


@dataclass(frozen=True, slots=True)
class TableShown:
    """Rows that a vendor filled in, under the headings of the question."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """An answer as the lab reads it."""

    said: str
    table: TableShown | None
    comment: str
    planned_on: date | None
    instead: str
    address: str
    details: tuple[tuple[str, str | TableShown], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words: the same in both, only before (del), or only now (ins)."""

    how: str
    words: str


def answer_shown(question: Question, answer: Answer | None) -> AnswerShown | None:
    """Return an answer in the words of its question; None if it was not asked."""
    if answer is None:
        return None
    table = None
    if question.kind is Kind.TABLE and answer.rows:
        table = _table(question.columns, answer.rows)
    return AnswerShown(
        said=_said(question, answer),
        table=table,
        comment=answer.comment,
        planned_on=answer.planned_on,
        instead=answer.compensating,
        # Signed answers were read when they were typed; what is made a link is read again.
        address=url_from(answer.url) or "",
        details=tuple(_details(question, answer)),
    )


def _said(question: Question, answer: Answer) -> str:
    if answer.na:
        return f"Does not apply: {answer.na_reason}" if answer.na_reason else "Does not apply"
    if answer.choice is not None:
        option = question.option(answer.choice)
        return option.label if option else answer.choice
    if answer.number is not None:
        return f"{_number(answer.number)} {'%' if question.unit == 'percent' else question.unit}".strip()
    if answer.choices:
        labels = {each.key: each.label for each in question.options}
        return ", ".join(labels.get(key, key) for key in answer.choices)
    if answer.rows:
        return "1 row" if len(answer.rows) == 1 else f"{len(answer.rows)} rows"
    if answer.day is not None:
        return f"{answer.day.day} {answer.day:%B %Y}"
    if answer.period is not None:
        return period_words(answer.period)
    if question.kind is Kind.FILE:
        return "See the files" if not answer.comment else "See the files, or why there are none"
    return answer.url or answer.text or "No answer"


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _table(columns: Sequence[Any], rows: Sequence[Mapping[str, str]]) -> TableShown:
    return TableShown(
        tuple(each.label for each in columns),
        tuple(tuple(field_words(each, row.get(each.key, "")) for each in columns) for row in rows),
    )


def _details(question: Question, answer: Answer) -> list[tuple[str, str | TableShown]]:
    found: list[tuple[str, str | TableShown]] = []
    for each in question.details:
        value = answer.details.get(each.key)
        if value is None or value == "" or value == ():
            continue
        if isinstance(value, str):
            found.append((each.label, field_words(each, value)))
        else:
            found.append((each.label, _table(each.columns, value)))
    return found


MOST_TELLING = 12
_LONG_WORD = re.compile(r"[^\W\d_][\w-]{4,30}|\d{2,6}")
_TELL_NOTHING = frozenset(
    re.findall(
        r"\w+",
        """
        about above access after again against always among answer another because before being below between cannot
        could during each either enough every everybody everyone everything first following further having itself later
        least might month months never nothing often other others ourselves point quarter rather shall should since
        still their there therefore these they thing things those though through under until usually where whether which
        while whole whose within without would years yearly yours today using covers cover shown given
        """,
    )
)


def telling_words(answer: AnswerShown, changed: Sequence[Piece] = ()) -> tuple[str, ...]:
    """Return the words of an answer by which its proof may be found: what is new first, then names, then the rest."""
    new = {each.lower() for piece in changed if piece.how == "ins" for each in _LONG_WORD.findall(piece.words)}
    text = " ".join([answer.comment, answer.instead, answer.said])
    found: dict[str, tuple[bool, bool, int]] = {}
    for at, match in enumerate(_LONG_WORD.finditer(text)):
        word = match[0]
        if word.lower() in _TELL_NOTHING or word.lower() in found:
            continue
        opens = match.start() == 0 or text[: match.start()].rstrip()[-1:] in {"", ".", ":", "!", "?"}
        is_name = word[0].isupper() and not opens
        found[word.lower()] = (word.lower() not in new, not is_name, at)
    kept = {match[0].lower(): match[0] for match in reversed(list(_LONG_WORD.finditer(text)))}
    return tuple(kept[each] for each in sorted(found, key=lambda each: found[each])[:MOST_TELLING])


def pages_with(words: Sequence[str], texts: Sequence[str], *, most: int = 5) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the words that stand in the texts of pages, in the order given, each with its pages.

    What stands on more than half of many pages tells nothing of any of them, and is left out.
    """
    if not words or not texts:
        return ()
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
    where: dict[str, list[int]] = {}
    for page, text in enumerate(texts, 1):
        for word in {each.lower() for each in pattern.findall(text)}:
            where.setdefault(word, []).append(page)
    told = [(word, tuple(where[word.lower()])) for word in words if word.lower() in where]
    return tuple(each for each in told if len(texts) < 8 or 2 * len(each[1]) <= len(texts))[:most]


def difference(before: str, now: str) -> tuple[Piece, ...]:
    """Return the two texts as one, word by word: what went, what came, what stayed."""
    if before == now:
        return (Piece("same", now),) if now else ()
    old, new = _WORDS.findall(before), _WORDS.findall(now)
    pieces: list[Piece] = []
    for how, a, b, c, d in _runs(SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()):
        if how == "equal":
            pieces.append(Piece("same", "".join(new[c:d])))
            continue
        if gone := "".join(old[a:b]):
            pieces.append(Piece("del", gone))
        if came := "".join(new[c:d]):
            pieces.append(Piece("ins", came))
    return tuple(pieces)


def _runs(opcodes: Sequence[tuple[str, int, int, int, int]]) -> list[tuple[str, int, int, int, int]]:
    """Join changes that only a word or two keeps apart: one change of a phrase reads better than five of words."""
    runs: list[tuple[str, int, int, int, int]] = []
    last = len(opcodes) - 1
    for at, (how, a, b, c, d) in enumerate(opcodes):
        between = how == "equal" and 0 < at < last and d - c < SHORT_RUN
        kind = "equal" if how == "equal" and not between else "change"
        if runs and runs[-1][0] == kind == "change":
            _, first_a, _, first_c, _ = runs[-1]
            runs[-1] = (kind, first_a, b, first_c, d)
        else:
            runs.append((kind, a, b, c, d))
    return runs
