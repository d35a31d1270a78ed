"""A YAML file as a tree of text with places: no tags, no aliases, no surprises of types, bounded in every direction."""

from dataclasses import dataclass, field
from typing import Final

import yaml

from portal.questionnaires.rules.problems import DefinitionError, Problem

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 16
MAX_NODES: Final = 100_000


@dataclass(slots=True)
class Leaf:
    """A piece of text; its meaning is decided by whoever reads it, so `no` stays the word it is."""

    line: int
    column: int
    text: str
    plain: bool = True


@dataclass(slots=True)
class Branch:
    """A list."""

    line: int
    column: int
    items: "list[Node]" = field(default_factory=list)


@dataclass(slots=True)
class Record:
    """A mapping with text keys, each with its own place."""

    line: int
    column: int
    items: "dict[str, Node]" = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


Node = Leaf | Branch | Record


def decoded(source: bytes, name: str) -> str:
    """Return the text of a file.

    :raises DefinitionError: naming line and column of the first byte that is not UTF-8.
    """
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as failure:
        line = source.count(b"\n", 0, failure.start) + 1
        column = failure.start - (source.rfind(b"\n", 0, failure.start) + 1) + 1
        raise DefinitionError([Problem(name, line, column, "The file must be UTF-8 text")]) from None


def grow(source: bytes, name: str) -> Record:
    """Read the bytes of a YAML file whose top is a mapping.

    :raises DefinitionError: naming line and column, if it is not YAML, not UTF-8, larger than 1 MB, deeper than
        16 levels, or uses tags, anchors, aliases, several documents or a key twice.
    """
    if len(source) > MAX_BYTES:
        raise DefinitionError([Problem(name, 1, 1, "The file must be smaller than 1 MB")])
    text = decoded(source, name)
    try:
        return _Grower(name).grow(text)
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"The file is not YAML here: {failure.problem or failure.context or 'unreadable'}"
        raise DefinitionError([Problem(name, line, column, message)]) from None
    except yaml.YAMLError:
        raise DefinitionError([Problem(name, 1, 1, "The file holds a character that YAML does not allow")]) from None


class _Grower:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stack: list[Branch | Record] = []
        self._keys: list[str | None] = []
        self._root: Node | None = None
        self._nodes = 0

    def grow(self, text: str) -> Record:
        documents = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                self._check(event)
                # The parser in C calls a plain style an empty one.
                self._put(Leaf(*_place(event), event.value, not event.style))
            elif isinstance(event, yaml.MappingStartEvent):
                self._check(event)
                self._open(Record(*_place(event)))
            elif isinstance(event, yaml.SequenceStartEvent):
                self._check(event)
                self._open(Branch(*_place(event)))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._stack.pop()
                self._keys.pop()
            elif isinstance(event, yaml.AliasEvent):
                self._refuse(event, "An alias (*) is not used in a questionnaire; write the value out")
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, "A questionnaire is one YAML document")
        if not isinstance(self._root, Record):
            raise DefinitionError([Problem(self._name, 1, 1, "A questionnaire is a mapping of keys to values")])
        return self._root

    def _check(self, event: yaml.NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(event, f"A questionnaire has at most {MAX_NODES:,} values")
        if event.anchor is not None:
            self._refuse(event, "An anchor (&) is not used in a questionnaire")
        if getattr(event, "tag", None) is not None:
            self._refuse(event, "A tag (!) is not used in a questionnaire")

    def _open(self, node: Branch | Record) -> None:
        self._put(node)
        if len(self._stack) >= MAX_DEPTH:
            raise DefinitionError(
                [Problem(self._name, node.line, node.column, f"Nested deeper than {MAX_DEPTH} levels")]
            )
        self._stack.append(node)
        self._keys.append(None)

    def _put(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        if isinstance(parent, Branch):
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is not None:
            parent.items[key] = node
            self._keys[-1] = None
            return
        if not isinstance(node, Leaf):
            raise DefinitionError([Problem(self._name, node.line, node.column, "A key must be text")])
        if node.text in parent.items:
            message = f"The key “{node.text}” is written twice"
            raise DefinitionError([Problem(self._name, node.line, node.column, message)])
        parent.places[node.text] = (node.line, node.column)
        self._keys[-1] = node.text

    def _refuse(self, event: yaml.Event, message: str) -> None:
        raise DefinitionError([Problem(self._name, *_place(event), message)])


def _place(event: yaml.Event) -> tuple[int, int]:
    """Return line and column of an event, from 1."""
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
