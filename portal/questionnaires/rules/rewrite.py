"""Edits a questionnaire file at one place and leaves every other byte alone."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from portal.questionnaires.rules.definition import Changes, Decision
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.text import tidy
from portal.questionnaires.rules.tree import Branch, Leaf, Node, Record, grow

_NAME: Final = "questionnaire"
_LINE: Final = re.compile(r"[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029]|\Z)")
# What YAML would fold, or not take, inside quotation marks.
_ESCAPED: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


def with_decisions(source: bytes, changes: Changes) -> bytes:
    """Return the file with these decisions as its last block, in place of those it has.

    :raises DefinitionError: if the file is not one that a block can be added to, such as one in braces.
    """
    root = grow(source, _NAME)
    text = source.decode()
    lines = _lines(text)
    if place := root.places.get("changes"):
        del lines[place[0] - 1 : _end_of_block(lines, place[0] - 1)]
    kept = "".join(lines)
    end = "\r\n" if "\r\n" in text else "\n"
    if kept and not kept.endswith(("\n", "\r")):
        kept += end
    gap = "" if _ends_open(kept) else end
    written = (kept + gap + "".join(f"{line}{end}" for line in block_of(changes))).encode()
    return _checked(written, {**_values(root), "changes": _expected(changes)})


def with_revision(source: bytes, key: str, revision: int) -> bytes:
    """Return the file with another revision of one question.

    :raises DefinitionError: if there is no such question, or it says no revision.
    """
    root = grow(source, _NAME)
    for section in _records(root.items.get("sections")):
        for question in _records(section.items.get("questions")):
            if _text(question.items.get("key")) == key:
                leaf = _leaf(question, "revision")
                written = _replaced(source, leaf, str(revision))
                leaf.text = str(revision)
                return _checked(written, _values(root))
    raise DefinitionError([Problem(_NAME, 1, 1, f"“{key}” is not a question of this file")])


def with_version(source: bytes, version: int) -> bytes:
    """Return the file as another version.

    :raises DefinitionError: if it says no version.
    """
    root = grow(source, _NAME)
    leaf = _leaf(root, "version")
    written = _replaced(source, leaf, str(version))
    leaf.text = str(version)
    return _checked(written, _values(root))


def block_of(changes: Changes) -> Iterator[str]:
    """Yield the lines that say these decisions in a file."""
    yield "changes:"
    yield f"  since: {changes.since}"
    if not changes.decisions:
        yield "  decisions: []"
        return
    yield "  decisions:"
    for each in changes.decisions:
        note = f", note: {_quoted(tidy(each.note))}" if each.note else ""
        what = f"key: {_word(each.key)}, part: {_word(each.part)}"
        yield f"    - {{{what}, claim: {each.claim}, of: {_word(each.of)}{note}}}"


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def _expected(changes: Changes) -> Any:
    return {"since": str(changes.since), "decisions": [_decision(each) for each in changes.decisions]}


def _decision(each: Decision) -> dict[str, str]:
    plain = {"key": each.key, "part": each.part, "claim": each.claim.value, "of": each.of}
    return {**plain, "note": tidy(each.note)} if each.note else plain


def _lines(text: str) -> list[str]:
    """Split where YAML counts a line, ends kept."""
    return [line for line in _LINE.findall(text) if line]


def _end_of_block(lines: list[str], start: int) -> int:
    """Return the line after the last one that belongs to the block: indented, or between such lines."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and line[0] not in " \t#":
            break
        if line[0] in " \t" and line.strip():
            end = number + 1
    return end


def _ends_open(kept: str) -> bool:
    """Whether the text ends with an empty line already."""
    return not kept or kept.replace("\r", "").endswith("\n\n")


def _replaced(source: bytes, leaf: Leaf, value: str) -> bytes:
    """Put a plain value where another stood, quotation marks and all."""
    lines = _lines(source.decode())
    line = lines[leaf.line - 1]
    start = leaf.column - 1
    length = len(leaf.text) if leaf.plain else len(leaf.text) + 2
    lines[leaf.line - 1] = line[:start] + value + line[start + length :]
    return "".join(lines).encode()


def _checked(written: bytes, expected: dict[str, Any]) -> bytes:
    """Return the bytes once they say what was meant; a file of an unusual shape is refused, not broken."""
    try:
        said = _values(grow(written, _NAME))
    except DefinitionError:
        said = None
    if said != expected:
        words = "Write the top of the file as one key a line, without braces around it: then it can be edited here"
        raise DefinitionError([Problem(_NAME, 1, 1, words)])
    return written


def _values(node: Node) -> Any:
    if isinstance(node, Leaf):
        return node.text
    if isinstance(node, Branch):
        return [_values(item) for item in node.items]
    return {key: _values(item) for key, item in node.items.items()}


def _records(node: Node | None) -> Iterator[Record]:
    for item in node.items if isinstance(node, Branch) else ():
        if isinstance(item, Record):
            yield item


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Leaf) else None


def _leaf(record: Record, key: str) -> Leaf:
    node = record.items.get(key)
    if not isinstance(node, Leaf):
        raise DefinitionError([Problem(_NAME, record.line, record.column, f"“{key}” is missing here")])
    return node
