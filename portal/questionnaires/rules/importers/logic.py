"""Conditions of VSAQ templates (`a && !b || (c)` over identifiers), and how they read in our own grammar."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 12
_TOKEN: Final = re.compile(r"\s*(&&|\|\||!(?!=)|\(|\)|[A-Za-z0-9_][A-Za-z0-9_:.\-]{0,120}(?:/(?:yes|no))?(?![\w/]))\s*")


class NotUnderstood(Exception):
    """The condition says something that our grammar cannot say; the words are for a note."""


@dataclass(frozen=True, slots=True)
class Name:
    """Whether the thing of this identifier is chosen; `side` is what stands behind its slash, `yes` or `no`."""

    identifier: str
    side: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class Both:
    """Every part holds."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part holds."""

    parts: tuple["Node", ...]


Node = Name | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Target:
    """What an identifier stands for here: an answer of a question. Without an option it cannot be compared."""

    question: str
    option: str = ""
    is_many: bool = False


def read(condition: str) -> Node:
    """Return a condition as a tree.

    :raises NotUnderstood: if it is more than names, `!`, `&&`, `||` and brackets.
    """
    if len(condition) > MAX_LENGTH:
        raise NotUnderstood("it is too long")
    return _Reader(condition).whole()


def names_of(node: Node) -> Iterator[Name]:
    """Yield the names in a condition."""
    if isinstance(node, Name):
        yield node
    elif isinstance(node, Not):
        yield from names_of(node.part)
    else:
        for part in node.parts:
            yield from names_of(part)


def written(node: Node, atom: Callable[[Name], str]) -> str:
    """Return the condition in our grammar; `atom` says how a name reads."""
    return _written(node, atom, 0)


def earlier_answers(targets: Mapping[str, Target]) -> Callable[[Name], str]:
    """Return how a name reads in `requires`: as a comparison of an earlier answer."""

    def atom(name: Name) -> str:
        target = _target(name, targets)
        return f"ans({target.question})={target.option}"

    return atom


def own_answer(targets: Mapping[str, Target]) -> Callable[[Name], str]:
    """Return how a name reads in a warning, which speaks of the answer to its own question."""
    return lambda name: f"answer={_target(name, targets).option}"


def _target(name: Name, targets: Mapping[str, Target]) -> Target:
    target = targets.get(f"{name.identifier}/{name.side}" if name.side else name.identifier)
    if target is None:
        raise NotUnderstood(f"“{name.identifier}” is not asked before")
    if not target.option:
        raise NotUnderstood(f"“{name.identifier}” is not a choice")
    return target


def _written(node: Node, atom: Callable[[Name], str], binding: int) -> str:
    """Write with the brackets that are needed; `binding` is 0 for or, 1 for and, 2 for not."""
    if isinstance(node, Name):
        return atom(node)
    if isinstance(node, Not):
        return f"not {_written(node.part, atom, 2)}"
    own, word = (1, " and ") if isinstance(node, Both) else (0, " or ")
    text = word.join(_written(part, atom, own + 1) for part in node.parts)
    return f"({text})" if own < binding else text


class _Reader:
    """Recursive descent; the depth is bounded."""

    def __init__(self, condition: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while at < len(condition):
            found = _TOKEN.match(condition, at)
            if found is None:
                raise NotUnderstood(f"“{condition[at : at + 20].strip()}” is not understood")
            self._tokens.append(found.group(1))
            at = found.end()
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        if not self._tokens:
            raise NotUnderstood("it is empty")
        node = self._either()
        if self._next < len(self._tokens):
            self._refuse()
        return node

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotUnderstood("it is nested too deep")
        parts = [self._both()]
        while self._took("||"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Node:
        parts = [self._factor()]
        while self._took("&&"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _factor(self) -> Node:
        negative = False
        while self._took("!"):
            negative = not negative
        if self._took("("):
            node = self._either()
            if not self._took(")"):
                self._refuse()
        else:
            node = self._name()
        return Not(node) if negative else node

    def _name(self) -> Node:
        if self._next >= len(self._tokens) or self._tokens[self._next] in ("&&", "||", "!", "(", ")"):
            self._refuse()
        identifier, _, side = self._tokens[self._next].partition("/")
        self._next += 1
        return Name(identifier, side)

    def _took(self, text: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next] == text:
            self._next += 1
            return True
        return False

    def _refuse(self) -> NoReturn:
        found = self._tokens[self._next] if self._next < len(self._tokens) else "the end"
        raise NotUnderstood(f"“{found}” does not belong there")
