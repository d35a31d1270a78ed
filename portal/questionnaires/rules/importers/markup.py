"""Turns HTML and Markdown of other people's questionnaires into plain text; nothing of it is ever kept as mark-up."""

import html
import re
from collections.abc import Mapping
from typing import Final

from portal.questionnaires.rules.yamltext import plain

MAX_TEXT: Final = 50_000
_DROPPED: Final = frozenset({"script", "style", "iframe", "object", "embed", "template", "svg", "math", "noscript"})
_BREAKS: Final = frozenset(
    {
        "br",
        "p",
        "div",
        "ul",
        "ol",
        "table",
        "tr",
        "blockquote",
        "pre",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "section",
    }
)
_TAG: Final = re.compile(r"(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_HREF: Final = re.compile(r"""\bhref\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://[^\s<>\"']{1,2000}", re.IGNORECASE)
_MD_LINK: Final = re.compile(r"\[([^\[\]\n]{1,500})\]\((\S{1,2000}?)\)")
_MD_LIST: Final = re.compile(r"(?m)^(?:> ?)+(?=[-*] )")
_PARAM: Final = re.compile(r"\{\{ {0,9}(?:insert: {0,9}param, {0,9})?([A-Za-z_][A-Za-z0-9_.-]{0,120}) {0,9}\}\}")


def from_html(markup: str) -> tuple[str, bool]:
    """Return the plain text of some HTML, and whether something active (a script, a form of embedding) was dropped.

    Block elements become lines, list items begin with a dash, a link to the web becomes `words (address)`.
    """
    if len(markup) > MAX_TEXT:
        markup = markup[:MAX_TEXT]
    if "<" not in markup:
        return plain(html.unescape(markup)), False
    walker = _Walker(markup)
    return plain(walker.text()), walker.dropped


def from_markdown(text: str, parameters: Mapping[str, str] | None = None) -> str:
    """Return Markdown as plain text: links as `words (address)`, lists as they are, parameters as their text."""
    known = parameters or {}
    for _ in range(3):  # a parameter may speak of another one
        text = _PARAM.sub(lambda found: known.get(found.group(1), f"[{found.group(1)}]"), text[:MAX_TEXT])
    text = _MD_LINK.sub(lambda found: _linked(found.group(1), found.group(2)), text)
    return from_html(_MD_LIST.sub("  ", text))[0]


class _Walker:
    """Goes through the mark-up once, from tag to tag."""

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._pieces: list[str] = []
        self._links: list[tuple[int, str]] = []
        self.dropped = False

    def text(self) -> str:
        at, markup = 0, self._markup
        while at < len(markup):
            begin = markup.find("<", at)
            if begin < 0:
                self._say(markup[at:])
                break
            self._say(markup[at:begin])
            at = self._tag(begin)
        while self._links:
            self._close_link()
        return "".join(self._pieces)

    def _say(self, text: str) -> None:
        # What an entity hides is text as well, never a tag.
        self._pieces.append(html.unescape(text))

    def _tag(self, begin: int) -> int:
        """Deal with what begins at a `<`; return where to go on."""
        markup = self._markup
        if markup.startswith("<!--", begin):
            end = markup.find("-->", begin)
            return len(markup) if end < 0 else end + 3
        if markup.startswith(("<!", "<?"), begin):
            end = markup.find(">", begin)
            return len(markup) if end < 0 else end + 1
        shape = _TAG.match(markup, begin + 1)
        if shape is None:
            self._pieces.append("<")
            return begin + 1
        end = markup.find(">", begin)
        if end < 0:
            return len(markup)
        closing, name = bool(shape.group(1)), shape.group(2).lower()
        if name in _DROPPED:
            self.dropped = True
            return end + 1 if closing else self._behind(name, end + 1)
        if name in _BREAKS:
            self._pieces.append("\n")
        elif name == "li":
            self._pieces.append("" if closing else "\n- ")
        elif name in ("td", "th"):
            self._pieces.append(" ")
        elif name == "a":
            if closing:
                self._close_link()
            else:
                href = _HREF.search(markup, begin, end)
                address = html.unescape(next((part for part in href.groups() if part is not None), "")) if href else ""
                self._links.append((len(self._pieces), address.strip()))
        return end + 1

    def _behind(self, name: str, at: int) -> int:
        """Return where an element that is dropped with all it holds is over."""
        found = re.compile(rf"</{name}\b[^>]*>", re.IGNORECASE).search(self._markup, at)
        return found.end() if found else len(self._markup)

    def _close_link(self) -> None:
        if not self._links:
            return
        begin, address = self._links.pop()
        words = "".join(self._pieces[begin:])
        self._pieces[begin:] = [_linked(words, address)]


def _linked(words: str, address: str) -> str:
    """Return a link as text; an address that is not of the web is left out."""
    if _WEB.fullmatch(address) is None or address in words:
        return words
    return f"{words} ({address})"
