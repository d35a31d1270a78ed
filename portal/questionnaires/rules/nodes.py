"""What a condition is made of, and how each part of it is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from portal.questionnaires.rules.facts import MODES, Facts
from portal.questionnaires.rules.text import date_from, number_from

OWN: Final = ""
"""The key under which a condition finds the answer to its own question."""

Literal = str | Decimal | date
T = TypeVar("T", Decimal, date)
_SIGNS: Final = frozenset({"=", "!="})


class Said(Protocol):
    """What a condition reads of an answer."""

    @property
    def choice(self) -> str | None: ...
    @property
    def number(self) -> Decimal | None: ...
    @property
    def choices(self) -> tuple[str, ...] | None: ...
    @property
    def day(self) -> date | None: ...
    @property
    def details(self) -> Mapping[str, object]: ...


Test = Callable[[Facts, Mapping[str, Said]], bool]


@dataclass(frozen=True, slots=True)
class Flag:
    """A yes/no fact, or an access mode."""

    name: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A comparison of a counted fact."""

    name: str
    operator: str
    bound: Decimal


@dataclass(frozen=True, slots=True)
class Service:
    """Whether any of the named services is bought."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A comparison of an answer, or of a detail field of it; without one it is false, whatever the operator."""

    key: str
    operator: str
    value: Literal
    field: str = ""


@dataclass(frozen=True, slots=True)
class Among:
    """Whether an answer, or a detail field of it, is one of several; without one it is false."""

    key: str
    values: tuple[Literal, ...]
    field: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of two answers or detail fields; while one of them is missing it is false."""

    key: str
    operator: str
    other: str
    field: str = ""
    other_field: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """Whether a detail field of an answer is filled in."""

    key: str
    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Node", ...]


Atom = Flag | Amount | Service | Answered | Among | Compared | Filled
Node = Atom | Not | AllOf | AnyOf


def atoms_of(node: Node) -> list[Atom]:
    """Return the atoms of a condition, from left to right."""
    if isinstance(node, Not):
        return atoms_of(node.part)
    if isinstance(node, AllOf | AnyOf):
        return [atom for part in node.parts for atom in atoms_of(part)]
    return [node]


def keys_of(atom: Atom) -> tuple[str, ...]:
    """Return the keys of the questions that an atom asks about."""
    if isinstance(atom, Compared):
        return (atom.key, atom.other)
    return (atom.key,) if isinstance(atom, Answered | Among | Filled) else ()


def compared_in(atom: Atom) -> tuple[tuple[str, str], ...]:
    """Return what an atom compares, as key and detail field; asking whether a field is filled in compares nothing."""
    if isinstance(atom, Compared):
        return ((atom.key, atom.field), (atom.other, atom.other_field))
    return ((atom.key, atom.field),) if isinstance(atom, Answered | Among) else ()


def closure(node: Node) -> Test:
    """Turn the tree into nested functions once, so that asking costs a few calls."""
    if isinstance(node, Flag):
        return _flag(node.name)
    if isinstance(node, Amount):
        return _amount(node)
    if isinstance(node, Service):
        wanted = frozenset(node.names)
        return lambda facts, _answers: not wanted.isdisjoint(facts.svc)
    if isinstance(node, Answered):
        return _answered(node)
    if isinstance(node, Among):
        return _among(node)
    if isinstance(node, Compared):
        return _compared(node)
    if isinstance(node, Filled):
        key, field = node.key, node.field
        return lambda _facts, answers: (said := answers.get(key)) is not None and bool(said.details.get(field))
    if isinstance(node, Not):
        inner = closure(node.part)
        return lambda facts, answers: not inner(facts, answers)
    parts = tuple(closure(part) for part in node.parts)
    if isinstance(node, AllOf):
        return lambda facts, answers: all(part(facts, answers) for part in parts)
    return lambda facts, answers: any(part(facts, answers) for part in parts)


def said_at(answers: Mapping[str, Said], key: str, field: str) -> Literal | tuple[str, ...] | None:
    """Return what an answer, or a detail field of it, says; nothing if it was not given."""
    said = answers.get(key)
    if said is None:
        return None
    if field:
        value = said.details.get(field)
        return value if isinstance(value, str) and value else None
    if said.number is not None:
        return said.number
    if said.day is not None:
        return said.day
    return said.choices if said.choices is not None else said.choice


def _flag(name: str) -> Test:
    if name in MODES:
        return lambda facts, _answers: name in facts.modes
    return lambda facts, _answers: facts.flag(name)


def _amount(node: Amount) -> Test:
    operator, bound = node.operator, node.bound
    if node.name == "dmax":
        return lambda facts, _answers: holds(Decimal(facts.dmax), operator, bound)
    return lambda facts, _answers: holds(Decimal(facts.people), operator, bound)


def _answered(node: Answered) -> Test:
    key, field, operator, value = node.key, node.field, node.operator, node.value
    return lambda _facts, answers: _meets(said_at(answers, key, field), operator, value)


def _among(node: Among) -> Test:
    key, field, values = node.key, node.field, node.values

    def test(_facts: Facts, answers: Mapping[str, Said]) -> bool:
        said = said_at(answers, key, field)
        return any(_meets(said, "=", value) for value in values)

    return test


def _compared(node: Compared) -> Test:
    left, right, operator = (node.key, node.field), (node.other, node.other_field), node.operator

    def test(_facts: Facts, answers: Mapping[str, Said]) -> bool:
        one, other = said_at(answers, *left), said_at(answers, *right)
        if one is None or other is None or isinstance(other, tuple):
            return False
        if isinstance(one, str) and isinstance(other, str):
            one_value, other_value = _literal(one), _literal(other)
            if type(one_value) is not type(other_value):
                one_value, other_value = one, other
            return _meets(one_value, operator, other_value)
        return _meets(one, operator, _like(other, one))

    return test


def _literal(text: str) -> Literal:
    """Return a filled-in text as the number or the day that it is."""
    number = number_from(text)
    return number if number is not None else date_from(text) or text


def _like(value: Literal, model: Literal | tuple[str, ...]) -> Literal:
    """Return a filled-in text as a number or a day where the other side is one."""
    if isinstance(value, str) and isinstance(model, Decimal):
        return value if (number := number_from(value)) is None else number
    if isinstance(value, str) and isinstance(model, date):
        return date_from(value) or value
    return value


def _meets(said: Literal | tuple[str, ...] | None, operator: str, value: Literal) -> bool:
    """Tell whether what was said stands in the relation to a value; what is of another kind never does."""
    if said is None:
        return False
    if isinstance(value, Decimal):
        number = number_from(said) if isinstance(said, str) else said
        return isinstance(number, Decimal) and holds(number, operator, value)
    if isinstance(value, date):
        day = date_from(said) if isinstance(said, str) else said
        return isinstance(day, date) and holds(day, operator, value)
    if operator not in _SIGNS:
        return False
    if isinstance(said, tuple):
        return (value in said) is (operator == "=")
    return isinstance(said, str) and (said == value) is (operator == "=")


def holds(left: T, operator: str, right: T) -> bool:
    """Compare two numbers, or two days, by one of the six operators of the file format."""
    if operator == "<=":
        return left <= right
    if operator == ">=":
        return left >= right
    if operator == "<":
        return left < right
    if operator == ">":
        return left > right
    if operator == "=":
        return left == right
    return left != right
