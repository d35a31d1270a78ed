"""Reads typed values out of the tree of a questionnaire file and collects what is wrong on the way."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from portal.questionnaires.rules.problems import Problem
from portal.questionnaires.rules.text import tidy
from portal.questionnaires.rules.tree import Branch, Leaf, Node, Record

_INTEGER: Final = re.compile(r"-?[0-9]{1,6}", re.ASCII)
_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_KEY: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+", re.ASCII)
MAX_KEY: Final = 80


class Reader:
    """Hands out values; a wrong one becomes a problem and a harmless stand-in, so that all are found at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []

    def problem(self, place: tuple[int, int], message: str) -> None:
        """Note something wrong at a line and column."""
        self.problems.append(Problem(self.name, *place, message))

    def fields(self, record: Record, known: Collection[str], what: str) -> None:
        """Note every key that the format does not have."""
        for key, place in record.places.items():
            if key not in known:
                self.problem(place, f"“{key}” is not a key of {what}; known are {', '.join(sorted(known))}")

    def leaf(self, record: Record, key: str, what: str, *, required: bool = True) -> Leaf | None:
        """Return the plain value at the key."""
        node = record.items.get(key)
        if node is None:
            if required:
                self.problem(spot(record), f"{what} needs “{key}”")
            return None
        if not isinstance(node, Leaf):
            self.problem(spot(node), f"“{key}” must be text")
            return None
        return node

    def text(self, record: Record, key: str, what: str, *, required: bool = True) -> str:
        """Return the text at the key, tidied; an empty one counts as missing."""
        node = self.leaf(record, key, what, required=required)
        if node is None:
            return ""
        value = tidy(node.text)
        if required and not value:
            self.problem(spot(node), f"“{key}” is empty")
        return value

    def integer(self, record: Record, key: str, what: str, low: int, high: int, default: int | None = None) -> int:
        """Return the whole number at the key, within its bounds."""
        node = self.leaf(record, key, what, required=default is None)
        if node is None:
            return low if default is None else default
        if _INTEGER.fullmatch(node.text) is None or not low <= int(node.text) <= high:
            self.problem(spot(node), f"“{key}” must be a whole number from {low} to {high}")
            return low
        return int(node.text)

    def truth(self, record: Record, key: str, what: str) -> bool:
        """Return whether the key says `true`; absent means false."""
        return self.one_of(record, key, what, ("true", "false"), default="false") == "true"

    def one_of(self, record: Record, key: str, what: str, allowed: Collection[str], default: str | None = None) -> str:
        """Return the word at the key, one of the allowed ones."""
        node = self.leaf(record, key, what, required=default is None)
        stand_in = next(iter(allowed)) if default is None else default
        if node is None:
            return stand_in
        if node.text not in allowed:
            self.problem(spot(node), f"“{key}” must be one of {', '.join(allowed)}")
            return stand_in
        return node.text

    def slug(self, record: Record, key: str, what: str) -> str:
        """Return a lower-case name with hyphens."""
        return self._shaped(record, key, what, _SLUG, "lower-case words joined by hyphens")

    def name_at(self, record: Record, key: str, what: str) -> str:
        """Return a short key of letters, digits and underscores."""
        return self._shaped(record, key, what, _NAME, "letters, digits and underscores, a letter first")

    def dotted(self, record: Record, key: str, what: str) -> str:
        """Return a permanent key such as `gov.owner`."""
        return self._shaped(record, key, what, _KEY, "lower-case words joined by dots, such as gov.owner")

    def _shaped(self, record: Record, key: str, what: str, shape: re.Pattern[str], words: str) -> str:
        node = self.leaf(record, key, what)
        if node is None:
            return ""
        if shape.fullmatch(node.text) is None or len(node.text) > MAX_KEY:
            self.problem(spot(node), f"“{key}” must be {words}, at most {MAX_KEY} characters")
            return ""
        return node.text

    def words(self, record: Record, key: str, what: str, *, required: bool = False) -> tuple[str, ...]:
        """Return a list of words without repetition."""
        found: list[str] = []
        for node in self.nodes(record, key, what, required=required):
            if not isinstance(node, Leaf):
                self.problem(spot(node), f"“{key}” must be a list of words")
            elif node.text in found:
                self.problem(spot(node), f"“{node.text}” is listed twice")
            else:
                found.append(node.text)
        return tuple(found)

    def tiers(self, record: Record, key: str, what: str) -> frozenset[int]:
        """Return the tiers in a list, of 1, 2 and 3."""
        words = self.words(record, key, what, required=True)
        if any(word not in ("1", "2", "3") for word in words):
            self.problem(spot(record.items[key]), f"“{key}” must list tiers, of 1, 2 and 3")
            return frozenset()
        return frozenset(int(word) for word in words)

    def nodes(self, record: Record, key: str, what: str, *, required: bool = False) -> list[Node]:
        """Return the items of the list at the key."""
        node = record.items.get(key)
        if node is None:
            if required:
                self.problem(spot(record), f"{what} needs “{key}”")
            return []
        if not isinstance(node, Branch):
            self.problem(spot(node), f"“{key}” must be a list")
            return []
        if required and not node.items:
            self.problem(spot(node), f"“{key}” is empty")
        return node.items

    def records(self, record: Record, key: str, what: str, *, required: bool = False) -> Iterator[Record]:
        """Yield the mappings in the list at the key."""
        for node in self.nodes(record, key, what, required=required):
            if isinstance(node, Record):
                yield node
            else:
                self.problem(spot(node), f"Each item of “{key}” must be a mapping")

    def record(self, record: Record, key: str, what: str, *, required: bool = False) -> Record | None:
        """Return the mapping at the key."""
        node = record.items.get(key)
        if node is None:
            if required:
                self.problem(spot(record), f"{what} needs “{key}”")
            return None
        if not isinstance(node, Record):
            self.problem(spot(node), f"“{key}” must be a mapping")
            return None
        return node


def spot(node: Node) -> tuple[int, int]:
    """Return line and column of a node."""
    return node.line, node.column
