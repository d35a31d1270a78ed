"""When a question applies: a closed little language over facts and earlier answers. Nothing in it can run code.

    condition := term { "or" term }
    term      := factor { "and" factor }
    factor    := "not" factor | "(" condition ")" | atom
    atom      := flag | ("dmax" | "people") operator number | "svc" "in" "(" name { "," name } ")"
               | said operator (value | said) | said "in" "(" value { "," value } ")" | field
    said      := "ans" "(" key ")" | "answer" | field
    field     := "field" "(" key "," name ")"
    value     := option | number | day
    operator  := "=" | "!=" | "<" | "<=" | ">" | ">="

`when` of a question speaks of facts (it hides and excludes); `requires` speaks of earlier answers (it hides and counts
as zero); `when` of a warning speaks of `answer`, its own; a rule speaks of answers and detail fields. An atom is a
comparison with a value of the file or with another answer; there is nothing to call, and nothing that repeats.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Final, NoReturn

from portal.questionnaires.rules.facts import FLAGS, MODES, Facts
from portal.questionnaires.rules.nodes import (
    OWN,
    AllOf,
    Among,
    Amount,
    Answered,
    AnyOf,
    Atom,
    Compared,
    Filled,
    Flag,
    Literal,
    Node,
    Not,
    Said,
    Service,
    Test,
    atoms_of,
    closure,
    keys_of,
)
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.text import date_from

MAX_LENGTH: Final = 500
MAX_DEPTH: Final = 16
MAX_TOKENS: Final = 120

_NUMBERS: Final = frozenset({"dmax", "people"})
_OPERATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
# Each alternative can be read in one way only, so that matching takes as many steps as there are characters.
_TOKEN: Final = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)|(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9A-Za-z_.-]))"
    r"|(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?(?![0-9A-Za-z_.]))|(?P<sign><=|>=|!=|=|<|>|\(|\)|,)"
)


class Over(Enum):
    """What a condition may speak of."""

    FACTS = "facts"
    ANSWERS = "answers"
    OWN = "own"
    RULE = "rule"


_WORDS: Final[Mapping[Over, str]] = {
    Over.FACTS: "`when` speaks of facts",
    Over.ANSWERS: "`requires` speaks of earlier answers",
    Over.OWN: "A warning speaks of `answer`, the answer to its own question",
    Over.RULE: "A rule speaks of answers and detail fields",
}
_HOMES: Final[Mapping[str, str]] = {
    "a fact": "a fact belongs in `when`",
    "ans": "an answer belongs in `requires`",
    "answer": "`answer` belongs in the `when` of a warning",
    "field": "a detail field belongs in a rule",
}


class ConditionError(DefinitionError):
    """A condition cannot be understood; `offset` is the place in its text, from 0."""

    def __init__(self, message: str, offset: int) -> None:
        self.message = message
        self.offset = offset
        super().__init__([Problem("condition", 1, offset + 1, message)])


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition, ready to be asked."""

    source: str
    node: Node
    atoms: tuple[Atom, ...] = field(compare=False)
    keys: tuple[str, ...] = field(compare=False)
    _test: Test = field(compare=False, repr=False)

    def evaluate(self, facts: Facts, answers: Mapping[str, Said]) -> bool:
        """Tell whether the condition holds. An answer that was not given satisfies no comparison."""
        return self._test(facts, answers)


def parse(source: str, over: Over) -> Condition:
    """Read a condition over facts, over answers, over the answer to its own question, or of a rule.

    :raises ConditionError: if it is too long, too deep, not of the grammar, or speaks of the other kind of thing.
    """
    if len(source) > MAX_LENGTH:
        raise ConditionError(f"A condition has at most {MAX_LENGTH} characters", MAX_LENGTH)
    node = _Parser(source, over).whole()
    atoms = tuple(atoms_of(node))
    keys = tuple(dict.fromkeys(key for atom in atoms for key in keys_of(atom)))
    return Condition(source=source, node=node, atoms=atoms, keys=keys, _test=closure(node))


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
        if name in ("ans", "answer", "field"):
            return self._said(name, start)
        if name in FLAGS or name in MODES:
            self._only({Over.FACTS}, "a fact", start)
            return Flag(name)
        if name in _NUMBERS:
            self._only({Over.FACTS}, "a fact", start)
            operator = self._operator()
            return Amount(name, operator, Decimal(self._take("number", "a number")))
        if name != "svc":
            self._refuse(f"“{name}” is not a known fact", start)
        self._only({Over.FACTS}, "a fact", start)
        return self._services()

    def _services(self) -> Service:
        self._expect("in")
        self._expect("(")
        names = [self._plain_name("the key of a service")]
        while self._took(","):
            names.append(self._plain_name("the key of a service"))
        self._expect(")")
        return Service(tuple(names))

    def _said(self, name: str, start: int) -> Node:
        """An answer or a field: compared with a value or with another one, looked for in a list, or just filled in."""
        key, part = self._place(name, start)
        if self._took("in"):
            return Among(key, self._values(), part)
        token = self._peek()
        if part and (token is None or token.text not in _OPERATORS):
            return Filled(key, part)
        operator = self._operator()
        token = self._peek()
        if token is not None and token.text in ("ans", "field") and self._opens():
            start, self._next = self._next, self._next + 1
            other, other_part = self._place(token.text, start)
            return Compared(key, operator, other, part, other_part)
        value = self._value()
        if isinstance(value, str) and operator not in ("=", "!="):
            self._refuse(f"“{operator}” compares numbers and days; expected one", self._next - 1)
        return Answered(key, operator, value, part)

    def _place(self, name: str, start: int) -> tuple[str, str]:
        """Read which answer, or which field of it, is meant."""
        if name == "answer":
            self._only({Over.OWN}, name, start)
            return OWN, ""
        self._only({Over.RULE} if name == "field" else {Over.ANSWERS, Over.RULE}, name, start)
        self._expect("(")
        key = self._take("name", "the key of a question" if name == "field" else "the key of an earlier question")
        part = ""
        if name == "field":
            self._expect(",")
            part = self._take("name", "the key of a detail field")
        self._expect(")")
        return key, part

    def _values(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> Literal:
        token = self._peek()
        if token is not None and token.kind == "number":
            self._next += 1
            return Decimal(token.text)
        if token is not None and token.kind == "day":
            day = date_from(token.text)
            if day is None:
                self._refuse(f"“{token.text}” is not a day of the calendar")
            self._next += 1
            return day
        return self._plain_name("an option, a number or a day")

    def _opens(self) -> bool:
        """Whether a bracket follows the next word."""
        following = self._next + 1
        return following < len(self._tokens) and self._tokens[following].text == "("

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

    def _only(self, allowed: set[Over], what: str, position: int) -> None:
        if self._over not in allowed:
            self._refuse(f"{_WORDS[self._over]}; {_HOMES[what]}", position)

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
