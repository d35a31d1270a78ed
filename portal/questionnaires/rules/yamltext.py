"""Writes text as YAML scalars in the way the questionnaire files are written by hand. Any text comes back as it was."""

import re
import textwrap
from typing import Final

from portal.questionnaires.rules.text import tidy

WIDTH: Final = 110
_SHORT: Final = 90
# What YAML does not let a file hold, and the line separators that it would take for line ends.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_SEPARATORS: Final = re.compile("[\u2028\u2029\x85]")


def plain(text: str) -> str:
    """Return the text as a questionnaire can hold it: tidied, lines without outer space, at most one blank line."""
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in _SEPARATORS.sub("\n", _clean(text)).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str) -> str:
    """Return the text on one line."""
    return " ".join(plain(text).split())


def quoted(text: str) -> str:
    """Return the text as a double-quoted scalar on one line."""
    escaped = _SEPARATORS.sub("\n", _clean(text)).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def entry(key: str, text: str, indent: str) -> list[str]:
    """Return the lines of `key: text`: quoted if short, folded if long, literal if it has several short lines.

    The text must have been through `plain`, which block scalars give back unchanged.
    """
    head = f"{indent}{key}: "
    if "\n" not in text and (len(head) + len(text) <= _SHORT or " " not in text):
        return [head + quoted(text)]
    inner = indent + "  "
    if "\n" in text and all(len(inner) + len(line) <= WIDTH for line in text.split("\n")):
        return [f"{head}|-", *(f"{inner}{line}" if line else "" for line in text.split("\n"))]
    folded: list[str] = []
    for number, line in enumerate(text.split("\n")):
        wrapped = textwrap.wrap(line, WIDTH - len(inner), break_long_words=False, break_on_hyphens=False)
        if " ".join(wrapped) != line:
            return [head + quoted(text)]
        # In a folded text a line end is a blank; a blank line is a line end.
        folded.extend([*([""] if number else []), *(inner + each for each in wrapped)])
    return [f"{head}>-", *folded]


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("", tidy(_SEPARATORS.sub("\n", text)))
