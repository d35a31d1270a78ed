"""Compiles the parts of a question: options, steps, columns, detail fields, knock-outs and conditions."""

import re
from typing import Final

from portal.questionnaires.rules.conditions import Condition, ConditionError, Over, parse
from portal.questionnaires.rules.definition import (
    BELOW_FULL_LIMIT,
    FULL_CREDIT,
    NO,
    Column,
    DetailField,
    FieldKind,
    Kind,
    KnockOut,
    Option,
    Step,
)
from portal.questionnaires.rules.facts import FLAGS, MODES
from portal.questionnaires.rules.reader import Reader, spot
from portal.questionnaires.rules.text import number_from
from portal.questionnaires.rules.tree import Branch, Leaf, Record

DEFAULT_ROWS: Final = 50
MAX_ROWS: Final = 500
_STEP: Final = re.compile(r"(<=|>=|<|>|=) ?([0-9.]{1,12})", re.ASCII)
_SETTABLE: Final = frozenset(FLAGS) | MODES
_COLUMN_KINDS: Final = (FieldKind.TEXT, FieldKind.NUMBER, FieldKind.DATE, FieldKind.CHOICE)


def options_of(read: Reader, record: Record, *, scored: bool, sets: bool = False) -> tuple[Option, ...]:
    """Return the options listed; scored ones need a credit, those of scoping facts may set facts."""
    found: dict[str, Option] = {}
    known = ("key", "label", "description", *(("credit",) if scored else ()), *(("sets",) if sets else ()))
    for item in read.records(record, "options", "a choice"):
        read.fields(item, known, "an option")
        key = read.name_at(item, "key", "an option")
        if key in found:
            read.problem(spot(item), f"The option “{key}” is listed twice")
        flags = read.words(item, "sets", "an option")
        for flag in flags:
            if flag not in _SETTABLE:
                read.problem(spot(item.items["sets"]), f"“{flag}” is not a known fact")
        found[key] = Option(
            key=key,
            label=read.text(item, "label", "an option"),
            credit=read.integer(item, "credit", "an option", 0, FULL_CREDIT) if scored else None,
            sets=flags,
            description=read.text(item, "description", "an option", required=False),
        )
    return tuple(found.values())


def steps_of(read: Reader, record: Record) -> tuple[Step, ...]:
    """Return the steps of a number; the last one, and only it, is `else`."""
    found: list[Step] = []
    for item in read.records(record, "steps", "a number"):
        read.fields(item, ("when", "credit", "label"), "a step")
        if found and found[-1].operator is None:
            read.problem(spot(item), "Nothing can follow the step “else”")
        found.append(_step(read, item))
    if found and found[-1].operator is not None:
        read.problem(spot(record.items["steps"]), "The last step must be “else”, so that every number counts")
    return tuple(found)


def _step(read: Reader, item: Record) -> Step:
    credit = read.integer(item, "credit", "a step", 0, FULL_CREDIT)
    label = read.text(item, "label", "a step", required=False)
    node = read.leaf(item, "when", "a step")
    if node is None or node.text == "else":
        return Step(None, None, credit, label)
    shape = _STEP.fullmatch(node.text)
    bound = number_from(shape.group(2)) if shape else None
    if shape is None or bound is None:
        read.problem(spot(node), "A step reads “<=24”, “>=5” or “else”")
        return Step(None, None, credit, label)
    return Step(shape.group(1), bound, credit, label)


def columns_of(read: Reader, record: Record) -> tuple[Column, ...]:
    """Return the columns of a table."""
    found: dict[str, Column] = {}
    for item in read.records(record, "columns", "a table"):
        read.fields(item, ("key", "label", "kind", "options"), "a column")
        key = read.name_at(item, "key", "a column")
        if key in found:
            read.problem(spot(item), f"The column “{key}” is listed twice")
        kind = FieldKind(read.one_of(item, "kind", "a column", _COLUMN_KINDS, default="text"))
        options = options_of(read, item, scored=False, sets=True)
        _check_choice(read, item, kind, options)
        found[key] = Column(key, read.text(item, "label", "a column"), kind, options)
    return tuple(found.values())


def details_of(read: Reader, record: Record) -> tuple[DetailField, ...]:
    """Return the unscored fields under a question."""
    found: dict[str, DetailField] = {}
    for item in read.records(record, "details", "a question"):
        read.fields(item, ("key", "label", "kind", "help", "options", "columns", "rows"), "a detail field")
        key = read.name_at(item, "key", "a detail field")
        if key in found:
            read.problem(spot(item), f"The detail field “{key}” is listed twice")
        kind = FieldKind(read.one_of(item, "kind", "a detail field", tuple(FieldKind), default="text"))
        options = options_of(read, item, scored=False)
        columns = columns_of(read, item)
        _check_choice(read, item, kind, options)
        if (kind is FieldKind.TABLE) != bool(columns):
            read.problem(spot(item), "A detail field has “columns” if, and only if, it is a table")
        found[key] = DetailField(
            key=key,
            label=read.text(item, "label", "a detail field"),
            kind=kind,
            help=read.text(item, "help", "a detail field", required=False),
            options=options,
            columns=columns,
            rows=rows_of(read, item) if columns else 0,
        )
    return tuple(found.values())


def rows_of(read: Reader, record: Record) -> int:
    """Return the most rows a table takes."""
    return read.integer(record, "rows", "a table", 1, MAX_ROWS, default=DEFAULT_ROWS)


def _check_choice(read: Reader, item: Record, kind: FieldKind, options: tuple[Option, ...]) -> None:
    if (kind is FieldKind.CHOICE) != bool(options):
        read.problem(spot(item), "A field has “options” if, and only if, it is a choice")


def condition_of(read: Reader, record: Record, key: str, over: Over) -> Condition | None:
    """Return the condition at the key; its problems point into its text."""
    node = read.leaf(record, key, "a question", required=False)
    if node is None:
        return None
    try:
        return parse(node.text, over)
    except ConditionError as refusal:
        # The place is exact for a condition on one line; the quotation mark before it takes one column.
        line, column = spot(node)
        quoted = 0 if node.plain else 1
        read.problem((line, column + quoted + refusal.offset), f"{refusal.message}, in “{node.text[:60]}”")
        return None


def knock_out_of(
    read: Reader, record: Record, kind: Kind, options: tuple[Option, ...], steps: tuple[Step, ...]
) -> KnockOut | None:
    """Return the knock-out with the highest credit that still fails (scoring.md, "Knock-outs")."""
    item = read.record(record, "knock_out", "a question")
    if item is None:
        return None
    read.fields(item, ("tiers", "fails"), "a knock-out")
    tiers = read.tiers(item, "tiers", "a knock-out")
    node = item.items.get("fails")
    if isinstance(node, Branch):
        keys = read.words(item, "fails", "a knock-out", required=True)
        limit = _limit_of_options(read, node, keys, kind, options)
        return KnockOut(tiers, limit, ", ".join(keys))
    if isinstance(node, Leaf):
        if node.text == "below_full":
            return KnockOut(tiers, BELOW_FULL_LIMIT, node.text)
        return KnockOut(tiers, _limit_of_step(read, node, steps), node.text)
    read.problem(spot(item), "A knock-out needs “fails”: below_full, a list of options, or a bound such as “>72”")
    return None


def _limit_of_options(
    read: Reader, node: Branch, keys: tuple[str, ...], kind: Kind, options: tuple[Option, ...]
) -> int:
    credits = {option.key: option.credit or 0 for option in options} if options else {"no": 0, "yes": FULL_CREDIT}
    if kind is Kind.YES_PARTIAL_NO:
        credits["partial"] = 50
    unknown = [key for key in keys if key not in credits]
    if unknown:
        read.problem(spot(node), f"“{unknown[0]}” is not an answer to this question")
        return NO.credit or 0
    limit = max((credits[key] for key in keys), default=0)
    passing = [key for key, credit in credits.items() if credit <= limit and key not in keys]
    if passing:
        read.problem(spot(node), f"“{passing[0]}” earns no more than an answer that fails, so it must fail as well")
    return limit


def _limit_of_step(read: Reader, node: Leaf, steps: tuple[Step, ...]) -> int:
    """A bound such as `>72` must be the far side of a step, so that limit and bound say the same."""
    opposite = {">": "<=", "<": ">="}
    for index, step in enumerate(steps[:-1]):
        mirrored = next((sign for sign, other in opposite.items() if other == step.operator), None)
        if mirrored is not None and node.text == f"{mirrored}{step.bound}":
            return max(later.credit for later in steps[index + 1 :])
    read.problem(spot(node), "A knock-out by a number is the far side of one of the steps, such as “>72” for “<=72”")
    return 0
