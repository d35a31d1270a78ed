"""Our answers in the words of another catalogue's workbook, and its cells written without touching anything else. Pure.

A workbook that a customer sent keeps its shape: only the named cells of its sheets are replaced, in the text of the
part that holds them (ECMA-376 part 1, 18.3.1). What cannot be said with Yes, No or NA is left for a person to choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from portal.exchange.rules.external import Layout, Page, control_of, identifier
from portal.exchange.rules.suggesting import controls_of
from portal.questionnaires.rules import Answer, Kind, Question, Questionnaire

MAX_CELL: Final = 8_000
_YES_NO: Final = frozenset({Kind.YES_PARTIAL_NO, Kind.YES_NO, Kind.YES_NO_STRICT})
_WORDS: Final[Mapping[str, str]] = {"yes": "Yes", "no": "No", "na": "NA", "partial": "Partly"}


class NotWritten(ValueError):
    """The sheet is written in a way that we do not edit."""


@dataclass(frozen=True, slots=True)
class Told:
    """What goes into one row: the answer, empty where a person has to choose, and the words beside it."""

    answer: str
    words: str


@dataclass(frozen=True, slots=True)
class Filled:
    """The cells to write by sheet and reference, and how many rows got an answer, words only, or nothing."""

    cells: Mapping[str, Mapping[str, str]]
    answered: int
    words_only: int
    empty: int


def told_of(
    questionnaire: Questionnaire, answers: Mapping[str, Answer], framework: str, version: str
) -> dict[str, Told]:
    """Return what our answers say to each control of this version of a catalogue.

    :param answers: those that are asked and not blank.
    """
    by_control: dict[str, list[tuple[Question, Answer]]] = {}
    for question in questionnaire.questions:
        for control in controls_of(questionnaire, question, framework, version):
            if question.key in answers:
                by_control.setdefault(control, []).append((question, answers[question.key]))
    return {
        control: Told(_answer(pairs), "\n".join(_line(*pair) for pair in pairs)[:MAX_CELL])
        for control, pairs in by_control.items()
    }


def fill(pages: Sequence[Page], layouts: Iterable[Layout], told: Mapping[str, Told]) -> Filled:
    """Return the cells that are written: answer and words of each row whose answer cell is empty."""
    cells: dict[str, dict[str, str]] = {}
    answered = words_only = empty = 0
    for layout in layouts:
        page = pages[layout.sheet]
        for number, row in enumerate(page.rows[layout.first :], start=layout.first + 1):
            control = control_of(identifier(row[layout.question][:40] if layout.question < len(row) else ""))
            if not control or (layout.answer < len(row) and row[layout.answer].strip()):
                continue
            said = told.get(control)
            if said is None:
                empty += 1
                continue
            mine = cells.setdefault(page.name, {})
            if said.answer:
                mine[f"{letters(layout.answer)}{number}"] = said.answer
            free = layout.text is not None and not (layout.text < len(row) and row[layout.text].strip())
            if free and layout.text is not None:
                mine[f"{letters(layout.text)}{number}"] = said.words
            answered, words_only = answered + bool(said.answer), words_only + (not said.answer)
    return Filled(cells, answered, words_only, empty)


def letters(column: int) -> str:
    """Return the letters of a column, A for 0."""
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def written(xml: str, cells: Mapping[str, str]) -> str:
    """Return the text of a sheet with these cells replaced or added; a cell with a formula is left alone.

    :raises NotWritten: if the sheet is not written as spreadsheet programs write it.
    """
    if "<!" in xml or not re.search(r"<sheetData[\s>]", xml):
        raise NotWritten
    by_row: dict[int, dict[str, str]] = {}
    for reference, text in cells.items():
        by_row.setdefault(int(reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), {})[reference] = text
    done: set[int] = set()

    def row(found: re.Match[str]) -> str:
        number = re.search(r'\sr="([0-9]{1,7})"', found[1])
        if number is None or int(number[1]) not in by_row:
            return found[0]
        done.add(int(number[1]))
        return f"<row{found[1]}>{_row(found[2] or '', by_row[int(number[1])])}</row>"

    result = re.sub(r"<row((?:\s[^<>]*?)?)(?:/>|>(.*?)</row>)", row, xml, flags=re.DOTALL)
    if done != set(by_row):
        raise NotWritten
    return result


def _row(inner: str, cells: Mapping[str, str]) -> str:
    there: dict[str, tuple[int, int, str]] = {}
    for found in re.finditer(r"<c((?:\s[^<>]*?)?)(?:/>|>.*?</c>)", inner, flags=re.DOTALL):
        place = re.search(r'\sr="([A-Z]{1,3}[0-9]{1,7})"', found[1])
        if place is None:
            raise NotWritten
        there[place[1]] = (found.start(), found.end(), found[1])
    pieces: list[tuple[int, int, str]] = []
    for reference in sorted(cells, key=_column):
        if reference in there:
            start, end, attributes = there[reference]
            if "<f" not in inner[start:end]:
                style = re.search(r'\ss="[0-9]{1,6}"', attributes)
                pieces.append((start, end, _cell(reference, style[0] if style else "", cells[reference])))
        else:
            after = [start for each, (start, _, _) in there.items() if _column(each) > _column(reference)]
            at = min(after, default=len(inner))
            pieces.append((at, at, _cell(reference, "", cells[reference])))
    # From the back, so that places stay true; of several at one place, the last goes in first.
    for start, end, text in reversed(sorted(pieces, key=lambda piece: (piece[0], piece[1]))):  # noqa: C413
        inner = inner[:start] + text + inner[end:]
    return inner


def _cell(reference: str, style: str, text: str) -> str:
    return f'<c r="{reference}"{style} t="inlineStr"><is><t xml:space="preserve">{escape(_clean(text))}</t></is></c>'


def _clean(text: str) -> str:
    """Leave out what XML has no way to write."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", text)


def _column(reference: str) -> tuple[int, str]:
    name = reference.rstrip("0123456789")
    return len(name), name


def _answer(pairs: Sequence[tuple[Question, Answer]]) -> str:
    """Return the one answer that ours come to, or nothing: a partial yes is no yes, and a number is none at all."""
    told = {_choice(question, answer) for question, answer in pairs}
    if told == {"na"}:
        return "NA"
    told.discard("na")
    return {frozenset({"yes"}): "Yes", frozenset({"no"}): "No"}.get(frozenset(told), "")


def _choice(question: Question, answer: Answer) -> str:
    if answer.na:
        return "na"
    return answer.choice or "" if question.kind in _YES_NO else ""


def _line(question: Question, answer: Answer) -> str:
    choice = _choice(question, answer)
    option = question.option(answer.choice) if answer.choice else None
    said = _WORDS.get(choice) or (option.label if option else "")
    if answer.number is not None:
        said = f"{answer.number} {question.unit}".strip()
    words = [f"{question.label}: {said}" if said else question.label, answer.na_reason or answer.comment]
    if answer.planned_on is not None:
        words.append(f"Planned by {answer.planned_on.isoformat()}")
    return ". ".join(each.strip().rstrip(".") for each in words if each.strip()) + "."
