"""What a contractor's template or view says without gettext, and so in one language only.

``python -m tests.house.language_lint`` prints each finding and fails when there is one.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment

from portal.sites.shared.ui import STATUS
from tests.house.template_lint import ROOT, Finding

SAID_AS_IT_IS = frozenset(
    "Gatehouse SHA OSCAL VSAQ CAIQ HECVAT XLSX CSV PDF ZIP PNG JPG DOCX UTC kB MB GB req Tab Enter Esc".split()  # noqa: SIM905
)
"""Names that are the same in every language."""

SPOKEN = ("aria-label", "placeholder", "title", "alt", "aria-description")
GETTEXT = frozenset({"_", "gettext", "ngettext"})
QUIET = frozenset({"status", "status_look", "replace", "startswith", "endswith"})
"""What takes a word of the vocabulary and tells it itself, and what compares or changes texts."""

MACHINE = frozenset({"light dark", "wait send stop again refused", "username webauthn"})
"""Words of attributes that are read by browsers and scripts."""

_LETTERS = re.compile(r"[A-Za-z]{2,}")
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_SKIPPED = frozenset({"script", "style", "code"})


def lint_template(path: str, source: str, classes: frozenset[str] = frozenset()) -> list[Finding]:
    """Return each text of a template that gettext does not see: between tags, in attributes that are read out, in words
    that an expression prints."""
    html, strings = _pieces(source)
    page = _Page()
    page.feed(html)
    page.close()
    found = [Finding(path, line, f"says “{_short(words)}” without gettext") for line, words in page.said]
    found += [
        Finding(path, line, f"prints “{_short(words)}” without gettext")
        for line, words in strings
        if _is_spoken(words, classes)
    ]
    return sorted(found, key=lambda each: each.line)


def _short(words: str) -> str:
    return " ".join(words.split())[:60]


def _pieces(source: str) -> tuple[str, list[tuple[int, str]]]:
    """Return the mark-up with what expressions print as one sign each, and the words that expressions hold themselves.

    What stands inside of a trans block is gettext's, and goes.
    """
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    html: list[str] = []
    strings: list[tuple[int, str]] = []
    in_trans, tag, depth, within, before = False, "", 0, [], ""
    for line, kind, value in environment.lex(source):
        if kind == "data":
            html.append(re.sub(r"[^\n]", "", value) if in_trans else value)
        elif kind == "variable_begin":
            tag, within, before = "{{", [], ""
            html.append("\x01")
        elif kind == "block_begin":
            tag, within, before = "{%", [], ""
        elif kind in {"variable_end", "block_end", "comment", "comment_begin", "comment_end"}:
            html.append("\n" * value.count("\n"))
            tag = ""
        elif kind == "whitespace":
            html.append("\n" * value.count("\n"))
        elif kind == "name" and tag == "{%" and before == "" and value in {"trans", "endtrans"}:
            in_trans, before = value == "trans", value
        elif kind == "name" and before == "block" and value == "body_class":
            in_trans, before = True, value  # a class of the body, not a text
        elif kind == "name" and tag == "{%" and before == "" and value == "endblock":
            in_trans, before = False, value
        elif kind == "operator" and value == "(":
            within.append(before)
            before = "("
        elif kind == "operator" and value == ")":
            if within:
                within.pop()
            before = ")"
        elif kind == "string":
            depth = len(within)
            quiet = (
                GETTEXT & set(within)
                or (depth and within[-1] in QUIET)
                or before in {"==", "!=", "in", "import", "from", "extends", "include", "["}
            )
            if not quiet:
                strings.append((line, ast.literal_eval(value)))
            before = value
        else:
            before = value
    return "".join(html), strings


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[tuple[int, str]] = []
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._quiet += tag in _SKIPPED
        for name, value in attrs:
            if name in SPOKEN and value and _speaks(value):
                self.said.append((self.getpos()[0], value.replace("\x01", "…")))

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in _SKIPPED and self._quiet > 0

    def handle_data(self, data: str) -> None:
        is_attribute = re.search(r'\w="', data)  # a macro that writes the attributes of a tag
        if not self._quiet and not is_attribute and _speaks(data):
            lead = len(data) - len(data.lstrip())
            self.said.append((self.getpos()[0] + data[:lead].count("\n"), data.replace("\x01", "…")))


def _speaks(text: str) -> bool:
    return any(word not in SAID_AS_IT_IS for word in _LETTERS.findall(text))


def _is_spoken(words: str, classes: frozenset[str]) -> bool:
    """Tell whether a text of an expression is meant to be read: a sentence, a heading, a piece of one."""
    if (
        not _speaks(words)
        or words in MACHINE
        or words in STATUS
        or re.search(r"[/<>={}%]|::|^[.#-]|^[a-z_]+\.[a-z_]+$", words)
    ):
        return False
    if re.fullmatch(r"[A-Z][a-z’']+(?: .*)?", words, re.DOTALL):
        return True
    if " " not in words:
        return False
    tokens = words.split()
    return not all(each in classes or re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", each) for each in tokens)


def classes_of(style: str) -> frozenset[str]:
    """Return the names of the classes of a style sheet."""
    return frozenset(_CLASS.findall(style))


def lint_view(path: str, source: str) -> list[Finding]:
    """Return each sentence that a view flashes without gettext."""
    return [
        Finding(path, node.lineno, "flashes a text without gettext")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "flash"
        and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
        and not _told_parts_only(node.args[0])
    ]


def _told_parts_only(node: ast.expr) -> bool:
    if not isinstance(node, ast.JoinedStr):
        return False
    return not any(isinstance(each, ast.Constant) and _speaks(str(each.value)) for each in node.values)


def lint_all(root: Path = ROOT) -> Iterator[Finding]:
    """Yield the findings in every template and view that a contractor meets."""
    classes = classes_of((root / "static/css/gatehouse.css").read_text("utf-8"))
    for site in ("shared", "vendor"):
        for path in sorted((root / "portal/sites" / site / "templates").rglob("*.html")):
            yield from lint_template(path.relative_to(root).as_posix(), path.read_text("utf-8"), classes)
        for path in sorted((root / "portal/sites" / site).rglob("*.py")):
            yield from lint_view(path.relative_to(root).as_posix(), path.read_text("utf-8"))


def main() -> int:
    """Print the findings; 1 when there are any."""
    found = list(lint_all())
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
