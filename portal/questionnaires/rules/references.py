"""Whether what a condition asks about exists, comes in time, and can be compared that way."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from portal.questionnaires.rules.definition import CHOICE_KINDS, DetailField, FieldKind, Kind, Question, Questionnaire
from portal.questionnaires.rules.nodes import OWN, Among, Answered, Atom, Compared, Filled, Literal

_OF_KIND = {Kind.NUMBER: "number", Kind.DATE: "day"}
_OF_FIELD = {FieldKind.NUMBER: "number", FieldKind.DATE: "day", FieldKind.CHOICE: "option", FieldKind.YES_NO: "option"}
_SHOWN = {"number": "a number", "day": "a day", "option": "one of its options"}


def wrong_references(
    questionnaire: Questionnaire, asked_by: Question | None, atom: Atom, within: Mapping[str, Question]
) -> Iterator[str]:
    """Yield what is wrong with one atom of a condition.

    :param asked_by: the question that the condition belongs to; nothing for a rule.
    :param within: the questions that the condition may speak of.
    """
    if isinstance(atom, Answered):
        yield from _place(questionnaire, asked_by, atom.key, atom.field, within, (atom.value,))
    elif isinstance(atom, Among):
        yield from _place(questionnaire, asked_by, atom.key, atom.field, within, atom.values)
    elif isinstance(atom, Compared):
        yield from _place(questionnaire, asked_by, atom.key, atom.field, within, ())
        yield from _place(questionnaire, asked_by, atom.other, atom.other_field, within, ())
        kinds = [_of(within.get(key), part) for key, part in ((atom.key, atom.field), (atom.other, atom.other_field))]
        if all(kinds) and kinds[0] != kinds[1]:
            yield f"“{_name(atom.key, atom.field)}” and “{_name(atom.other, atom.other_field)}” cannot be compared"
        elif kinds[0] == "option" and atom.operator not in ("=", "!="):
            yield f"“{atom.operator}” compares numbers and days; these are options"
    elif isinstance(atom, Filled):
        yield from _place(questionnaire, asked_by, atom.key, atom.field, within, None)


def _place(
    questionnaire: Questionnaire,
    asked_by: Question | None,
    key: str,
    part: str,
    within: Mapping[str, Question],
    values: tuple[Literal, ...] | None,
) -> Iterator[str]:
    """Check one answer or field that is compared, with these values; None: it is only asked whether it is there."""
    asked = within.get(key)
    if asked is None:
        known = key in questionnaire
        yield f"“{key}” is {'not asked before this question' if known else 'not a question of this version'}"
        return
    field = _field(asked, part) if part else None
    if part and field is None:
        yield f"“{part}” is not a detail field of “{key}”"
        return
    if values is not None:
        yield from _values(asked, field, values)
    if asked_by is not None and asked_by.tiers - asked.tiers:
        yield f"“{key}” is not asked in every tier of this question"


def _values(asked: Question, field: DetailField | None, values: tuple[Literal, ...]) -> Iterator[str]:
    name = _name(asked.key, field.key if field else "")
    kind = _kind(asked, field)
    if not kind:
        yield f"“{name}” cannot be compared: it is neither a choice, nor a number, nor a day"
        return
    options = {option.key for option in (field.choices if field else asked.choices)}
    for value in values:
        found = "number" if isinstance(value, Decimal) else "day" if isinstance(value, date) else "option"
        if kind != found:
            yield f"“{name}” is {_WRONG[kind]} and is compared with {_SHOWN[kind]}"
        elif found == "option" and value not in options and not (field is None and asked.options_from):
            yield f"“{value}” is not an answer to “{name}”"


_WRONG = {"number": "a number", "day": "a date", "option": "not a number"}


def _field(question: Question, key: str) -> DetailField | None:
    return next((each for each in question.details if each.key == key), None)


def _of(question: Question | None, part: str) -> str:
    if question is None:
        return ""
    return _kind(question, _field(question, part) if part else None)


def _kind(question: Question, field: DetailField | None) -> str:
    if field is not None:
        return _OF_FIELD.get(field.kind, "")
    if question.kind in CHOICE_KINDS or question.kind is Kind.MANY_CHOICES:
        return "option"
    return _OF_KIND.get(question.kind, "")


def _name(key: str, part: str) -> str:
    return f"{key}, {part}" if part else ("answer" if key == OWN else key)
