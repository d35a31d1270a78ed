"""When a question applies: a closed little language over facts and earlier answers. Nothing in it can run code.

    condition := term { "or" term }
    term      := factor { "and" factor }
    factor    := "not" factor | "(" condition ")" | atom
    atom      := flag | ("dmax" | "people") operator number | "svc" "in" "(" name { "," name } ")"
               | "ans" "(" key ")" operator (option | number)
    operator  := "=" | "!=" | "<" | "<=" | ">" | ">="

`when` speaks of facts (it hides and excludes); `requires` speaks of earlier answers (it hides and counts as zero).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Final, NoReturn, Protocol

from portal.questionnaires.rules.facts import FLAGS, MODES, Facts
from portal.questionnaires.rules.problems import DefinitionError, Problem

MAX_LENGTH: Final = 500
MAX_DEPTH: Final = 16
MAX_TOKENS: Final = 120

_NUMBERS: Final = frozenset({"dmax", "people"})
_OPERATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_TOKEN: Final = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)|(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?(?![0-9A-Za-z_.]))"
    r"|(?P<sign><=|>=|!=|=|<|>|\(|\)|,)"
)


class Over(Enum):
    """What a condition may speak of."""

    FACTS = "facts"
    ANSWERS = "answers"


class Said(Protocol):
    """What a condition reads of an answer."""

    @property
    def choice(self) -> str | None: ...
    @property
    def number(self) -> Decimal | None: ...
    @property
    def choices(self) -> tuple[str, ...] | None: ...


Test = Callable[[Facts, Mapping[str, Said]], bool]


class ConditionError(DefinitionError):
    """A condition cannot be understood; `offset` is the place in its text, from 0."""

    def __init__(self, message: str, offset: int) -> None:
        self.message = message
        self.offset = offset
        super().__init__([Problem("condition", 1, offset + 1, message)])


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
    """A comparison of an earlier answer; without an answer it is false, whatever the operator."""

    key: str
    operator: str
    value: str | Decimal


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


Node = Flag | Amount | Service | Answered | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition, ready to be asked."""

    source: str
    node: Node
    atoms: tuple[Flag | Amount | Service | Answered, ...] = field(compare=False)
    keys: tuple[str, ...] = field(compare=False)
    _test: Test = field(compare=False, repr=False)

    def evaluate(self, facts: Facts, answers: Mapping[str, Said]) -> bool:
        """Tell whether the condition holds. An answer that was not given satisfies no comparison."""
        return self._test(facts, answers)


def parse(source: str, over: Over) -> Condition:
    """Read a condition over facts or over answers.

    :raises ConditionError: if it is too long, too deep, not of the grammar, or speaks of the other kind of thing.
    """
    if len(source) > MAX_LENGTH:
        raise ConditionError(f"A condition has at most {MAX_LENGTH} characters", MAX_LENGTH)
    node = _Parser(source, over).whole()
    atoms = tuple(_atoms(node))
    keys = tuple(dict.fromkeys(atom.key for atom in atoms if isinstance(atom, Answered)))
    return Condition(source=source, node=node, atoms=atoms, keys=keys, _test=_closure(node))


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    kind: str
    offset: int


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    offset = 0
    while offset < len(source):
        if source[offset] in " \t\n":
            offset += 1
            continue
        found = _TOKEN.match(source, offset)
        if found is None:
            raise ConditionError(f"{source[offset]!r} is not understood here", offset)
        tokens.append(_Token(found.group(), str(found.lastgroup), offset))
        offset = found.end()
        if len(tokens) > MAX_TOKENS:
            raise ConditionError(f"A condition has at most {MAX_TOKENS} words and signs", offset)
    return tokens


class _Parser:
    """Recursive descent with one token of foresight; the depth is bounded."""

    def __init__(self, source: str, over: Over) -> None:
        self._tokens = _tokens(source)
        self._end = len(source)
        self._next = 0
        self._depth = 0
        self._over = over

    def whole(self) -> Node:
        if not self._tokens:
            raise ConditionError("The condition is empty", 0)
        node = self._condition()
        if self._next < len(self._tokens):
            self._refuse(f"Expected “and”, “or” or the end, found “{self._tokens[self._next].text}”")
        return node

    def _condition(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"A condition is nested at most {MAX_DEPTH} deep")
        parts = [self._term()]
        while self._took("or"):
            parts.append(self._term())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _term(self) -> Node:
        parts = [self._factor()]
        while self._took("and"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _factor(self) -> Node:
        if self._took("not"):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                self._refuse(f"A condition is nested at most {MAX_DEPTH} deep")
            node = Not(self._factor())
            self._depth -= 1
            return node
        if self._took("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._atom()

    def _atom(self) -> Node:
        start = self._next
        name = self._take("name", "a fact or ans(…)")
        if name == "ans":
            return self._answered(start)
        if name in FLAGS or name in MODES:
            self._only(Over.FACTS, start)
            return Flag(name)
        if name in _NUMBERS:
            self._only(Over.FACTS, start)
            operator = self._operator()
            return Amount(name, operator, Decimal(self._take("number", "a number")))
        if name != "svc":
            self._refuse(f"“{name}” is not a known fact", start)
        self._only(Over.FACTS, start)
        return self._services()

    def _services(self) -> Service:
        self._expect("in")
        self._expect("(")
        names = [self._plain_name("the key of a service")]
        while self._took(","):
            names.append(self._plain_name("the key of a service"))
        self._expect(")")
        return Service(tuple(names))

    def _answered(self, start: int) -> Answered:
        self._only(Over.ANSWERS, start)
        self._expect("(")
        key = self._take("name", "the key of an earlier question")
        self._expect(")")
        operator = self._operator()
        token = self._peek()
        if token is not None and token.kind == "number":
            self._next += 1
            return Answered(key, operator, Decimal(token.text))
        if operator not in ("=", "!="):
            self._refuse(f"“{operator}” compares numbers; expected a number")
        return Answered(key, operator, self._plain_name("an option or a number"))

    def _operator(self) -> str:
        token = self._peek()
        if token is None or token.text not in _OPERATORS:
            self._refuse("Expected one of = != < <= > >=")
        self._next += 1
        return token.text

    def _plain_name(self, wanted: str) -> str:
        start = self._next
        name = self._take("name", wanted)
        if name in ("and", "or", "not", "in", "ans"):
            self._refuse(f"Expected {wanted}, found “{name}”", start)
        return name

    def _only(self, over: Over, position: int) -> None:
        if self._over is over:
            return
        if over is Over.FACTS:
            self._refuse("`requires` speaks of earlier answers; a fact belongs in `when`", position)
        self._refuse("`when` speaks of facts; an answer belongs in `requires`", position)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _took(self, text: str) -> bool:
        token = self._peek()
        if token is None or token.text != text:
            return False
        self._next += 1
        return True

    def _take(self, kind: str, wanted: str) -> str:
        token = self._peek()
        if token is None or token.kind != kind:
            self._refuse(f"Expected {wanted}")
        self._next += 1
        return token.text

    def _expect(self, text: str) -> None:
        if not self._took(text):
            self._refuse(f"Expected “{text}”")

    def _refuse(self, message: str, position: int | None = None) -> NoReturn:
        position = self._next if position is None else position
        offset = self._tokens[position].offset if position < len(self._tokens) else self._end
        raise ConditionError(message, offset)


def _atoms(node: Node) -> list[Flag | Amount | Service | Answered]:
    if isinstance(node, Not):
        return _atoms(node.part)
    if isinstance(node, AllOf | AnyOf):
        return [atom for part in node.parts for atom in _atoms(part)]
    return [node]


def _closure(node: Node) -> Test:
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
    if isinstance(node, Not):
        inner = _closure(node.part)
        return lambda facts, answers: not inner(facts, answers)
    parts = tuple(_closure(part) for part in node.parts)
    if isinstance(node, AllOf):
        return lambda facts, answers: all(part(facts, answers) for part in parts)
    return lambda facts, answers: any(part(facts, answers) for part in parts)


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
    key, operator, value = node.key, node.operator, node.value

    def test(_facts: Facts, answers: Mapping[str, Said]) -> bool:
        said = answers.get(key)
        if said is None:
            return False
        if isinstance(value, Decimal):
            return said.number is not None and holds(said.number, operator, value)
        if said.choices is not None:
            return (value in said.choices) is (operator == "=")
        return said.choice is not None and (said.choice == value) is (operator == "=")

    return test


def holds(left: Decimal, operator: str, right: Decimal) -> bool:
    """Compare two numbers by one of the six operators of the file format."""
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
