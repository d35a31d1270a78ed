"""Compiles the parts of a question: options, steps, columns, detail fields, knock-outs and conditions."""

import re
from typing import Final

from portal.questionnaires.rules.conditions import Condition, ConditionError, Over, parse
from portal.questionnaires.rules.definition import (
    BELOW_FULL_LIMIT,
    FULL_CREDIT,
    NO,
    Column,
    CrossRule,
    DetailField,
    FieldKind,
    Kind,
    KnockOut,
    Length,
    Option,
    Severity,
    Step,
    Warning_,
)
from portal.questionnaires.rules.facts import FLAGS, MODES
from portal.questionnaires.rules.reader import Reader, spot
from portal.questionnaires.rules.text import number_from
from portal.questionnaires.rules.tree import Branch, Leaf, Record

DEFAULT_ROWS: Final = 50
MAX_ROWS: Final = 500
_STEP: Final = re.compile(r"(<=|>=|<|>|=) ?([0-9.]{1,12})", re.ASCII)
_SETTABLE: Final = frozenset(FLAGS) | MODES
_COLUMN_KINDS: Final = (
    *(FieldKind.TEXT, FieldKind.NUMBER, FieldKind.DATE, FieldKind.CHOICE, FieldKind.YES_NO, FieldKind.URL),
)
# What a compensating control is asked for with, unless the file says it better.
COMPENSATING: Final = "What do you do instead?"


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


_DETAIL: Final = ("key", "label", "kind", "help", "options", "columns", "rows", "min_rows", "length")


def details_of(read: Reader, record: Record) -> tuple[DetailField, ...]:
    """Return the unscored fields under a question."""
    found: dict[str, DetailField] = {}
    for item in read.records(record, "details", "a question"):
        read.fields(item, _DETAIL, "a detail field")
        key = read.name_at(item, "key", "a detail field")
        if key in found:
            read.problem(spot(item), f"The detail field “{key}” is listed twice")
        kind = FieldKind(read.one_of(item, "kind", "a detail field", tuple(FieldKind), default="text"))
        options = options_of(read, item, scored=False)
        columns = columns_of(read, item)
        _check_choice(read, item, kind, options)
        if (kind is FieldKind.TABLE) != bool(columns):
            read.problem(spot(item), "A detail field has “columns” if, and only if, it is a table")
        if "length" in item.items and kind is not FieldKind.TEXT:
            read.problem(item.places["length"], "A detail field has a “length” only if it is a text")
        rows = rows_of(read, item) if columns else 0
        found[key] = DetailField(
            key=key,
            label=read.text(item, "label", "a detail field"),
            kind=kind,
            help=read.text(item, "help", "a detail field", required=False),
            options=options,
            columns=columns,
            rows=rows,
            min_rows=min_rows_of(read, item, rows),
            length=length_of(read, item, "a detail field"),
        )
    return tuple(found.values())


def rows_of(read: Reader, record: Record) -> int:
    """Return the most rows a table takes."""
    return read.integer(record, "rows", "a table", 1, MAX_ROWS, default=DEFAULT_ROWS)


def min_rows_of(read: Reader, record: Record, rows: int) -> int:
    """Return the fewest rows a table takes; none unless the file says so."""
    if "min_rows" not in record.items:
        return 0
    if not rows:
        read.problem(record.places["min_rows"], "Only a table has “min_rows”")
        return 0
    fewest = read.integer(record, "min_rows", "a table", 0, MAX_ROWS)
    if fewest > rows:
        read.problem(record.places["min_rows"], f"“min_rows” is {fewest}, and the table takes at most {rows} rows")
    return fewest


def length_of(read: Reader, record: Record, what: str) -> str:
    """Return whether a text is short or long; empty where the file leaves it open."""
    return read.one_of(record, "length", what, tuple(Length), default="")


def remarks_of(read: Reader, record: Record) -> tuple[Warning_, ...]:
    """Return the remarks on a weak answer, in the order of the file."""
    found: list[Warning_] = []
    for item in read.records(record, "warnings", "a question"):
        read.fields(item, ("when", "severity", "text"), "a warning")
        when = condition_of(read, item, "when", Over.OWN, what="a warning", required=True)
        severity = Severity(read.one_of(item, "severity", "a warning", tuple(Severity)))
        text = read.text(item, "text", "a warning")
        if when is not None:
            found.append(Warning_(when, severity, text))
    return tuple(found)


def compensating_of(read: Reader, record: Record) -> str:
    """Return the question for what is done instead of what was asked; empty where the file does not offer it."""
    node = record.items.get("compensating")
    if node is None:
        return ""
    if isinstance(node, Record):
        read.fields(node, ("ask",), "compensating")
        return read.text(node, "ask", "compensating")
    if not isinstance(node, Leaf) or node.text not in ("true", "false"):
        read.problem(spot(node), "“compensating” is true, or says what to “ask”")
        return ""
    return COMPENSATING if node.text == "true" else ""


def rules_of(read: Reader, root: Record, positions: dict[str, tuple[int, int]]) -> tuple[CrossRule, ...]:
    """Return the rules across questions, by their keys: their order in the file means nothing."""
    found: dict[str, CrossRule] = {}
    for item in read.records(root, "rules", "a questionnaire"):
        read.fields(item, ("key", "at", "when", "unless", "message"), "a rule")
        key = read.name_at(item, "key", "a rule")
        if key in found:
            read.problem(spot(item), f"The rule “{key}” is written twice")
        positions[f"rules/{key}"] = spot(item)
        positions.update({f"rules/{key}/{part}": place for part, place in item.places.items()})
        at, message = read.dotted(item, "at", "a rule"), read.text(item, "message", "a rule")
        if ("when" in item.items) == ("unless" in item.items):
            read.problem(spot(item), "A rule has either “when”, what must not be, or “unless”, what must be")
            continue
        unless = "unless" in item.items
        condition = condition_of(read, item, "unless" if unless else "when", Over.RULE, what="a rule", required=True)
        if condition is not None:
            found[key] = CrossRule(key, at, condition, unless, message)
    return tuple(found[key] for key in sorted(found))


def _check_choice(read: Reader, item: Record, kind: FieldKind, options: tuple[Option, ...]) -> None:
    if (kind is FieldKind.CHOICE) != bool(options):
        read.problem(spot(item), "A field has “options” if, and only if, it is a choice")


def condition_of(
    read: Reader, record: Record, key: str, over: Over, *, what: str = "a question", required: bool = False
) -> Condition | None:
    """Return the condition at the key; its problems point into its text."""
    node = read.leaf(record, key, what, required=required)
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
