"""Turns stated scoping facts into the values that conditions ask for; what is not known counts as the worse case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from portal.kernel.words import said
from portal.questionnaires.rules.definition import Column, FactKind, FieldKind, Option, Questionnaire, ScopingFact
from portal.questionnaires.rules.facts import FLAGS, HIGHEST_CLASS, MODES, WIDE_ABOVE, Facts
from portal.questionnaires.rules.forms import Problems, Raw, Refusal, chosen, details, many, number_message, one, table
from portal.questionnaires.rules.text import number_from, number_text

UNKNOWN_PEOPLE: Final = WIDE_ABOVE + 1


def facts_from(stated: Mapping[str, Any], questionnaire: Questionnaire) -> Facts:
    """Return the facts of an engagement from what was stated, by the key of the scoping fact.

    Values are plain JSON: a list of option keys, a number as text, `yes` or `no`, or a list of rows; an object with
    `value` beside `details` is read as well. A fact that is missing or unreadable takes its cautious value: every
    flag and mode it could set is true, every service is bought, the class is D5, the people are more than 1,000. So
    an unknown asks more questions and never makes an engagement look safer. A stated empty list means none.
    """
    flags: set[str] = set()
    services: set[str] = set()
    highest = 0
    people = 0
    for fact in questionnaire.scoping:
        value = _value(stated.get(fact.key))
        keys = _keys_in(fact, value)
        options = _all_options(fact)
        picked = options if keys is None else [option for option in options if option.key in keys]
        flags.update(flag for option in picked for flag in option.sets)
        if fact.drives == "svc":
            services.update(option.key for option in picked)
        elif fact.drives == "dmax":
            classes = [int(option.key[1]) for option in picked if _is_class(option.key)]
            highest = max(highest, HIGHEST_CLASS if keys is None else max(classes, default=0))
        elif fact.drives == "people":
            number = _people(value)
            people = max(people, UNKNOWN_PEOPLE if number is None else number)
    return Facts(
        **{flag: flag in flags for flag in FLAGS},
        svc=frozenset(services),
        dmax=highest,
        modes=frozenset(flags & MODES),
        people=people,
    )


@dataclass(frozen=True, slots=True)
class Stated:
    """One scoping fact as stated: the plain JSON value and the details beside it."""

    value: Any
    details: Mapping[str, Any]


def parse_fact(fact: ScopingFact, raw: Raw) -> Stated | Problems:
    """Return the fact in a form, or what is wrong with it.

    The fields are `choices` (repeated), `choice` (yes/no), `number`, `rows.<n>.<column>` and `details.<field>`. An
    empty selection of choices or rows is a statement: none.
    """
    refusals: list[Refusal] = []
    value: Any
    if fact.kind is FactKind.CHOICES:
        value = sorted(many(raw, "choices"))
        if not chosen(value, fact.options):
            refusals.append(
                Refusal("choices", said("Choose only options that are listed for “%(label)s”", label=fact.label))
            )
    elif fact.kind is FactKind.YES_NO:
        value = one(raw, "choice")
        if not chosen((value,), fact.options):
            refusals.append(Refusal("choice", said("Choose an answer for “%(label)s”", label=fact.label)))
    elif fact.kind is FactKind.NUMBER:
        number = number_from(one(raw, "number"))
        value = "" if number is None else number_text(number)
        if number is None or number != int(number):
            refusals.append(Refusal("number", number_message(fact.unit, "40")))
    else:
        value = [dict(row) for row in table(raw, "rows", fact.columns, fact.rows, fact.label, refusals)]
    beside = details(raw, fact.details, refusals)
    return Problems(tuple(refusals)) if refusals else Stated(value, beside)


def _value(given: Any) -> Any:
    return given.get("value") if isinstance(given, Mapping) else given


def _choice_columns(fact: ScopingFact) -> list[Column]:
    return [column for column in fact.columns if column.kind is FieldKind.CHOICE]


def _all_options(fact: ScopingFact) -> list[Option]:
    return [*fact.options, *(option for column in _choice_columns(fact) for option in column.options)]


def _keys_in(fact: ScopingFact, value: Any) -> frozenset[str] | None:
    """Return the option keys that were stated, or nothing if that is not known."""
    if fact.kind is FactKind.YES_NO:
        word = ("yes" if value else "no") if isinstance(value, bool) else value
        return frozenset({str(word)}) if word in ("yes", "no") else None
    if isinstance(value, str) or not isinstance(value, Sequence):
        return None
    if fact.kind is FactKind.CHOICES:
        known = {option.key for option in fact.options}
        return frozenset(value) if all(isinstance(item, str) and item in known for item in value) else None
    if fact.kind is FactKind.TABLE:
        return _keys_in_rows(fact, value)
    return None


def _keys_in_rows(fact: ScopingFact, rows: Sequence[Any]) -> frozenset[str] | None:
    found: set[str] = set()
    for row in rows:
        if not isinstance(row, Mapping):
            return None
        for column in _choice_columns(fact):
            key = row.get(column.key)
            if key is None and not _decides(fact, column):
                continue
            if key not in {option.key for option in column.options}:
                return None
            found.add(str(key))
    return frozenset(found)


def _decides(fact: ScopingFact, column: Column) -> bool:
    """Whether the choice in a column matters to the facts, so that a row without it is not known."""
    is_class = fact.drives == "dmax" and any(_is_class(option.key) for option in column.options)
    return is_class or any(option.sets for option in column.options)


def _is_class(key: str) -> bool:
    return len(key) == 2 and key[0] == "D" and key[1] in "012345"


def _people(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    number = number_from(str(value)) if isinstance(value, int | str) else None
    return None if number is None else int(number.to_integral_value(rounding="ROUND_CEILING"))
