"""What no template and no style sheet may hold, so that the content policy never has to stop one of our own pages.

``python -m tests.house.template_lint`` prints each finding and fails when there is one.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPRITE = ROOT / "static/icons/icons.txt"
# A template that may mark text as safe, and the one expression it may do that to. Empty: nothing needs it.
SAFE: frozenset[tuple[str, str]] = frozenset()

COMMENT = re.compile(r"{#.*?#}|<!--.*?-->", re.DOTALL)
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# An expression may hold ">" and quotes, so inside a tag it counts as one piece.
PIECE = r"""(?:{{.*?}}|{%.*?%}|"(?:{{.*?}}|{%.*?%}|[^"])*"|'[^']*'|[^>])*"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line that breaks a rule."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Take comments out while keeping the lines where they are."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def _tags(name: str, text: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"<{name}\b{PIECE}>", text, re.DOTALL | re.IGNORECASE)


SIMPLE = {
    r"[\s\"']style\s*=\s*[\"'{]": "style attribute: use a class",
    r"<style\b": "inline style sheet: use static/css",
    r"[\s\"']on[a-z]{3,}\s*=\s*[\"']": "event attribute: use a script of static/js",
    r"\bhttps?:": "address of another host",
    r"[\"'(]//[a-z]": "address of another host",
    r"\bdata:\s*[a-z]+/": "data: address, which the policy forbids",
    r"\bhx-on\b": "hx-on: use a script of static/js",
    r"[\"']\s*(?:js|javascript):": "js: value: use a script of static/js",
    r"<(?:iframe|object|embed|base)\b(?![^>]*\bsandbox)": "active content without a sandbox",
}


def lint_template(path: str, source: str, icons: Iterable[str] = ()) -> list[Finding]:
    """Return what a template does that no template may do."""
    text = _blank(COMMENT, source)
    found: list[tuple[int, str]] = []
    for pattern, rule in SIMPLE.items():
        found += [(match.start(), rule) for match in re.finditer(pattern, text, re.IGNORECASE)]
    found += _unsafe(path, text)
    for tag in _tags("script", text):
        if "nonce=" not in tag.group():
            found.append((tag.start(), "script without nonce"))
        if not re.search(r"\bsrc=", tag.group()):
            found.append((tag.start(), "inline script: use a file of static/js"))
    for tag in _tags("img", text):
        if not re.search(r"\balt=", tag.group()):
            found.append((tag.start(), "img without alt"))
    found += _forms(text)
    found += _htmx(text)
    known = set(icons)
    for match in re.finditer(r"\bicon\(\s*[\"']([a-z0-9-]+)[\"']", text):
        if known and match.group(1) not in known:
            found.append((match.start(), f"icon {match.group(1)} is not in static/icons/icons.txt"))
    return [Finding(path, text.count("\n", 0, at) + 1, rule) for at, rule in sorted(found)]


def _unsafe(path: str, text: str) -> Iterator[tuple[int, str]]:
    for match in re.finditer(r"([\w.()\[\]\"']+)\s*\|\s*safe\b", text):
        if (path, match.group(1)) not in SAFE:
            yield match.start(), "|safe: let the template escape it"
    for match in re.finditer(r"{%-?\s*autoescape\s+false", text):
        yield match.start(), "autoescape off"


def _forms(text: str) -> Iterator[tuple[int, str]]:
    for tag in _tags("form", text):
        if not re.search(r"method=[\"']?post", tag.group(), re.IGNORECASE):
            continue
        end = text.find("</form", tag.end())
        if not re.search(r"csrf_token|hidden_tag\(", text[tag.end() : end if end > 0 else None]):
            yield tag.start(), "post form without csrf token"


def _htmx(text: str) -> Iterator[tuple[int, str]]:
    for tag in _tags("[a-z]+", text):
        if re.search(r"\shx-(?:get|post|put|patch|delete)\s*=", tag.group()) and not re.search(
            r"\bhx-nonce=|{{-?\s*hx\(", tag.group()
        ):
            yield tag.start(), "htmx element without hx-nonce: add {{ hx(csp_nonce()) }}"


def lint_style(path: str, source: str) -> list[Finding]:
    """Return what a style sheet does that would leave this host or meet the policy."""
    text = _blank(CSS_COMMENT, source)
    rules = {
        r"\bhttps?:|url\(\s*[\"']?//": "address of another host",
        r"\bdata:": "data: address, which the policy forbids",
        r"@import\b": "@import: one request more, put it in the file",
    }
    found = [(m.start(), rule) for pattern, rule in rules.items() for m in re.finditer(pattern, text)]
    return [Finding(path, text.count("\n", 0, at) + 1, rule) for at, rule in sorted(found)]


def lint_all(root: Path = ROOT) -> list[Finding]:
    """Return the findings in every template and every style sheet of the project."""
    icons = SPRITE.read_text("utf-8").split()
    found: list[Finding] = []
    for path in sorted((root / "portal/sites").glob("*/templates/**/*.html")):
        found += lint_template(path.relative_to(root).as_posix(), path.read_text("utf-8"), icons)
    for path in sorted((root / "static/css").glob("*.css")):
        found += lint_style(path.relative_to(root).as_posix(), path.read_text("utf-8"))
    return found


def main() -> int:
    """Print the findings; 1 when there are any."""
    found = lint_all()
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
