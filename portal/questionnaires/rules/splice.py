"""Changes a YAML file as text: scalars, whole entries and list items, with every other byte left alone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import yaml

from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.reader import spot
from portal.questionnaires.rules.tree import Branch, Leaf, Node, Record

_ODD_BREAKS: Final = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
_DASH: Final = re.compile(r"( *)-( +)", re.ASCII)

Origin = tuple[str, int, int]
"""Where a line came from: file, line, and by how many columns it was moved to the right."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Puts `lines` in place of what stands from `start` to `end`; both are (line, column) from 1, the end exclusive.

    `rank` orders insertions at one place.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    lines: tuple[str, ...]
    origins: tuple[Origin, ...] = ()
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Lines:
    """A YAML text by its lines, which knows where each value ends."""

    name: str
    lines: tuple[str, ...]
    line_end: str
    _ends: dict[tuple[int, int], tuple[int, int]] = field(repr=False)

    @classmethod
    def of(cls, source: bytes, name: str) -> "Lines":
        """Take a text apart that `tree.grow` has read without complaint.

        :raises DefinitionError: if its lines end in a way that YAML and people count differently.
        """
        text = source.decode("utf-8")
        if found := _ODD_BREAKS.search(text):
            line = text.count("\n", 0, found.start()) + 1
            column = found.start() - (text.rfind("\n", 0, found.start()) + 1) + 1
            raise DefinitionError(
                [Problem(name, line, column, "A line ends here in an unusual way; use one kind of line end")]
            )
        line_end = "\r\n" if "\r\n" in text else "\n"
        return cls(name, tuple(text.replace("\r\n", "\n").split("\n")), line_end, _ends(text))

    # --- where things are

    def last_line(self, node: Node) -> int:
        """Return the line of the last character of a value, comments behind it apart."""
        here = self._ends.get(spot(node), (node.line, 1))
        last = here[0] if here[1] > 1 else here[0] - 1
        if isinstance(node, Record | Branch):
            # Of a block, the parser only says where the next thing begins; its values know better.
            inner = node.items.values() if isinstance(node, Record) else node.items
            return max([node.line, last, *(self.last_line(each) for each in inner)])
        while last > node.line and not self.lines[last - 1].strip():
            last -= 1
        return max(last, node.line)

    def first_line(self, line: int) -> int:
        """Return the first line of the comment that stands directly above a line, or the line itself."""
        indent = len(self.lines[line - 1]) - len(self.lines[line - 1].lstrip(" "))
        while line > 1 and re.fullmatch(rf" {{{indent}}}#.*", self.lines[line - 2]):
            line -= 1
        return line

    def dash(self, record: Record) -> int:
        """Return the column of the dash before an item of a list.

        :raises DefinitionError: if the item does not begin on the line of its dash.
        """
        before = self.lines[record.line - 1][: record.column - 1]
        shape = _DASH.fullmatch(before)
        if shape is None:
            message = "Write this question as a block that begins “- key: …”, so that others can be put behind it"
            raise DefinitionError([Problem(self.name, record.line, record.column, message)])
        return len(shape.group(1)) + 1

    # --- what to change

    def value(self, record: Record, key: str, text: str) -> Edit:
        """Replace the scalar at a key."""
        node = record.items[key]
        end_line, end_column = self._ends[spot(node)]
        if end_column == 1:  # a block scalar ends where the next line begins
            end_line, end_column = self.last_line(node), len(self.lines[self.last_line(node) - 1]) + 1
        return Edit(spot(node), (end_line, end_column), (text,), ((self.name, node.line, 0),))

    def before(self, record: Record, key: str, lines: Sequence[str], *, rank: int = 0) -> Edit:
        """Put lines before the entry at a key, and before the comment above it."""
        line = self.first_line(record.places[key][0])
        return self._insert(line, lines, self.origins(lines, line), rank)

    def behind(self, record: Record, key: str, lines: Sequence[str]) -> Edit:
        """Put lines behind the entry at a key, as deep as the entry."""
        line = max(record.places[key][0], self.last_line(record.items[key]))
        indent = " " * (record.places[key][1] - 1)
        return self._insert(line + 1, [indent + each for each in lines], self.origins(lines, line))

    def without(self, record: Record, key: str) -> Edit:
        """Take away the entry at a key with the comment above it."""
        first, last = self.first_line(record.places[key][0]), self.last_line(record.items[key])
        if last < len(self.lines):
            return Edit((first, 1), (last + 1, 1), ())
        return Edit((first, 1), (last, len(self.lines[last - 1]) + 1), ())

    def items_behind(self, anchor: Record, other: "Lines", records: Sequence[Record], *, remark: str) -> Edit:
        """Put list items of another text behind an item of this one, moved as deep as it is."""
        depth = self.dash(anchor) - 1
        after = self.last_line(anchor) + 1
        # A blank line apart, where the base keeps its questions apart.
        is_airy = after <= len(self.lines) and not self.lines[after - 1].strip()
        lines: list[str] = []
        origins: list[Origin] = []
        for record in records:
            if is_airy:
                lines.append("")
                origins.append((other.name, record.line, 0))
            if record is records[0]:
                lines.append(" " * depth + remark)
                origins.append((other.name, record.line, 0))
            shift = depth - (other.dash(record) - 1)
            for number in range(other.first_line(record.line), other.last_line(record) + 1):
                lines.append(_moved(other.lines[number - 1], shift))
                origins.append((other.name, number, shift))
        return self._insert(after, lines, origins)

    def origins(self, lines: Sequence[str], line: int) -> list[Origin]:
        """Name one line as the place that new lines come from."""
        return [(self.name, line, 0)] * len(lines)

    def _insert(self, line: int, lines: Sequence[str], origins: Sequence[Origin], rank: int = 0) -> Edit:
        return Edit((line, 1), (line, 1), (*lines, ""), tuple(origins), rank)


def spliced(text: Lines, edits: Iterable[Edit]) -> tuple[bytes, list[Origin]]:
    """Return the text with the edits made, and where each of its lines came from."""
    lines = list(text.lines)
    origins = [(text.name, number, 0) for number in range(1, len(lines) + 1)]
    for edit in sorted(edits, key=lambda each: (each.start, -each.rank), reverse=True):
        first, last = edit.start[0] - 1, min(edit.end[0] - 1, len(lines) - 1)
        if first > len(lines) - 1:  # behind a last line that has no line end
            lines.append("")
            origins.append((text.name, first, 0))
            last = first
        head, tail = lines[first][: edit.start[1] - 1], lines[last][edit.end[1] - 1 :]
        new = list(edit.lines) or [""]
        new[0] = head + new[0]
        new[-1] += tail
        kept = origins[last]
        lines[first : last + 1] = new
        moved = list(edit.origins[: len(new) - 1])
        origins[first : last + 1] = [*moved, kept] if len(new) > 1 else [kept]
    return text.line_end.join(lines).encode("utf-8"), origins


def _moved(line: str, shift: int) -> str:
    if shift >= 0:
        return " " * shift + line if line.strip() else ""
    return line[-shift:] if not line[:-shift].strip() else line.lstrip(" ")


def _ends(text: str) -> dict[tuple[int, int], tuple[int, int]]:
    """Return where each scalar and each flow collection ends, by where it begins."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    open_: list[tuple[tuple[int, int], bool]] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:
            continue
        begin, finish = (start.line + 1, start.column + 1), (end.line + 1, end.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            found[begin] = finish
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            open_.append((begin, bool(event.flow_style)))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            place, is_flow = open_.pop()
            if is_flow:
                found[place] = finish
    return found


def leaf_text(record: Record, key: str) -> str:
    """Return the text at a key, empty if it is not plain text."""
    node = record.items.get(key)
    return node.text if isinstance(node, Leaf) else ""
