"""Reads JSON as people write templates: with comments, trailing commas, texts joined by `+`; keeps places."""

import re
from bisect import bisect_right
from typing import Final, NoReturn

from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.tree import Branch, Leaf, Node, Record, decoded

MAX_BYTES: Final = 4_000_000
MAX_DEPTH: Final = 48
MAX_NODES: Final = 200_000
MAX_STRING: Final = 200_000

_BLANK: Final = re.compile(r"[ \t\r\n\ufeff]+")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x08\x0a-\x1f]|\\.)*"')
_WORD: Final = re.compile(r"-?[A-Za-z0-9_.$+-]{1,64}")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": "", '"': '"', "\\": "\\", "/": "/", "'": "'"}
_SURROGATES: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def parse(source: bytes, name: str) -> Record:
    """Return the tree of a JSON file whose top is an object; texts are leaves that are not `plain`.

    :raises DefinitionError: naming line and column, if it is not UTF-8, not such JSON, larger than 4 MB, deeper than
        48 levels, or says a key twice.
    """
    if len(source) > MAX_BYTES:
        raise DefinitionError([Problem(name, 1, 1, "The file must be smaller than 4 MB")])
    return _Parser(decoded(source, name), name).whole()


class _Parser:
    """Recursive descent; the depth is bounded."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self._depth = 0
        self._nodes = 0
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def whole(self) -> Record:
        self._skip()
        if self._peek() != "{":
            self._refuse("The file must begin with {, an object of keys and values")
        node = self._value()
        self._skip()
        if self._at < len(self._text):
            self._refuse("Nothing may follow the last bracket")
        if not isinstance(node, Record):  # pragma: no cover - it began with {
            self._refuse("The file must hold an object")
        return node

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(f"The file has more than {MAX_NODES:,} values")

    def _value(self) -> Node:
        self._count()
        self._skip()
        sign = self._peek()
        if sign == "{":
            return self._object()
        if sign == "[":
            return self._list()
        line, column = self._place(self._at)
        if sign == '"':
            return Leaf(line, column, self._joined(), plain=False)
        word = _WORD.match(self._text, self._at)
        if word is None or not (word.group() in ("true", "false", "null") or _NUMBER.fullmatch(word.group())):
            self._refuse("Expected a value: a text in double quotes, a number, true, false, null, [ or {")
        self._at = word.end()
        return Leaf(line, column, word.group())

    def _object(self) -> Record:
        node = Record(*self._place(self._at))
        for _ in self._items("}"):
            place = self._place(self._at)
            if self._peek() != '"':
                self._refuse("Expected a key in double quotes, or }")
            key = self._string()
            if key in node.items:
                self._refuse(f"The key “{key[:40]}” is written twice", place)
            self._skip()
            self._take(":", "Expected “:” behind the key")
            node.items[key] = self._value()
            node.places[key] = place
        return node

    def _list(self) -> Branch:
        node = Branch(*self._place(self._at))
        for _ in self._items("]"):
            node.items.append(self._value())
        return node

    def _items(self, closing: str) -> "_Items":
        return _Items(self, closing)

    def _joined(self) -> str:
        parts = [self._string()]
        while True:
            here = self._at
            self._skip()
            if self._peek() != "+":
                self._at = here
                return "".join(parts)
            self._at += 1
            self._skip()
            if self._peek() != '"':
                self._refuse("Expected a text in double quotes behind “+”")
            self._count()
            parts.append(self._string())

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if found is None:
            self._refuse("This text has no closing quote on its line, or holds a control character")
        if found.end() - found.start() > MAX_STRING:
            self._refuse(f"This text has more than {MAX_STRING:,} characters")
        for escape in _ESCAPE.finditer(found.group()):
            code = escape.group(1)
            if code not in _ESCAPES and not (code[0] == "u" and len(code) == 5):
                self._refuse(f"“\\{code}” is not understood in a text", self._place(self._at + escape.start()))
        self._at = found.end()
        text = _ESCAPE.sub(
            lambda escape: (
                chr(int(escape.group(1)[1:], 16)) if len(escape.group(1)) == 5 else _ESCAPES[escape.group(1)]
            ),
            found.group()[1:-1],
        )
        return _SURROGATES.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)

    def _skip(self) -> None:
        """Pass over blanks and comments."""
        while True:
            if blank := _BLANK.match(self._text, self._at):
                self._at = blank.end()
            if self._text.startswith("//", self._at):
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif self._text.startswith("/*", self._at):
                end = self._text.find("*/", self._at + 2)
                if end < 0:
                    self._refuse("This comment is never closed by */")
                self._at = end + 2
            else:
                return

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, sign: str, message: str) -> None:
        if self._peek() != sign:
            self._refuse(message)
        self._at += 1

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1

    def _refuse(self, message: str, place: tuple[int, int] | None = None) -> NoReturn:
        raise DefinitionError([Problem(self._name, *(place or self._place(self._at)), message)])


class _Items:
    """Steps from item to item of an object or a list; a comma before the closing bracket is let pass."""

    def __init__(self, parser: _Parser, closing: str) -> None:
        self._parser = parser
        self._closing = closing
        self._first = True

    def __iter__(self) -> "_Items":
        self._parser._depth += 1
        if self._parser._depth > MAX_DEPTH:
            self._parser._refuse(f"Nested deeper than {MAX_DEPTH} levels")
        self._parser._at += 1
        return self

    def __next__(self) -> None:
        parser = self._parser
        parser._skip()
        if not self._first and parser._peek() != self._closing:
            parser._take(",", f"Expected “,” or “{self._closing}”")
            parser._skip()
        self._first = False
        if parser._peek() == self._closing:
            parser._at += 1
            parser._depth -= 1
            raise StopIteration
