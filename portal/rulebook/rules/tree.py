"""Reads a policy's YAML as a flat table: each value under its path, with the line where it stands. Pure.

Only what a policy needs: mappings, lists of plain values, whole numbers and text. A key that is there twice, an anchor
or anything else that YAML knows is refused in a sentence, for two readers could take it for two different things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

Value = int | str | tuple[int | str, ...]
Path = tuple[str, ...]

_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,8})", re.ASCII)


DEEPEST: Final = 10
"""How deep lists and names may stand in each other; a policy has four."""


class Unreadable(ValueError):
    """The text is not such YAML; the message is a sentence with the line."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value and the line where it stands."""

    value: Value
    line: int


def leaves(text: str) -> dict[Path, Leaf]:
    """Return every value by its path, in the order of the lines.

    :raises Unreadable: if the text is anything else than mappings of values.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                # Before the rest is read: what it costs to read grows with the square of the depth.
                raise Unreadable(f"{_line_of(event.start_mark)}this is nested too deep for a policy")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Unreadable(f"{_line_of(event.start_mark)}names for parts (& and *) are not used here")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as failure:
        where = _line_of(failure.problem_mark or failure.context_mark)
        raise Unreadable(
            f"{where}this is not YAML: {failure.problem or failure.context or 'it cannot be read'}"
        ) from None
    except (yaml.YAMLError, RecursionError):
        raise Unreadable("This is not YAML that can be read") from None
    if not isinstance(root, yaml.MappingNode):
        raise Unreadable("Line 1: a policy is a list of names with values, such as “approve: 80”")
    found: dict[Path, Leaf] = {}
    for path, leaf in _walk(root, ()):
        if path in found:
            raise Unreadable(f"Line {leaf.line}: “{'.'.join(path)}” is there twice")
        found[path] = leaf
    return found


def _line_of(mark: Any) -> str:
    return f"Line {mark.line + 1}: " if mark is not None else ""


def _walk(node: yaml.MappingNode, path: Path) -> Iterator[tuple[Path, Leaf]]:
    seen = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable(f"Line {line}: a name is one word")
        if key.value in seen:
            raise Unreadable(f"Line {line}: “{'.'.join((*path, key.value))}” is there twice")
        seen.add(key.value)
        here = (*path, key.value)
        if isinstance(value, yaml.MappingNode):
            yield from _walk(value, here)
        elif isinstance(value, yaml.SequenceNode):
            if any(not isinstance(each, yaml.ScalarNode) for each in value.value):
                raise Unreadable(f"Line {line}: “{'.'.join(here)}” is a list of plain values")
            yield here, Leaf(tuple(_plain(each) for each in value.value), line)
        else:
            yield here, Leaf(_plain(value), line)


def _plain(node: yaml.ScalarNode) -> int | str:
    """Return a whole number or the text as it is written: yes, null and 1.0 are text."""
    text: str = node.value
    return int(text) if node.style is None and _WHOLE.fullmatch(text) else text
