"""From a template and data to a PDF: what may be printed, and the press in its limited process."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from portal.kernel.errors import Refused, Unavailable
from portal.kernel.logging import logger
from portal.kernel.sandbox import Failing, SandboxFailure, run_limited
from portal.kernel.words import said

log = logger(__name__)

HERE = Path(__file__).resolve().parent
MOST_LETTERS = 2_000_000
"""Some six hundred pages; a questionnaire filled to its limits has fewer."""
SECONDS = 20
MEMORY = 1536 * 1024 * 1024
ANSWER_BYTES = 64 * 1024 * 1024

BREAK_AFTER = 20
"""A word longer than two of these may be broken after so many letters, so that it stays on the sheet."""
_LONG = re.compile(rf"\S{{{2 * BREAK_AFTER},}}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[ -~\n]*")
_MAY_BREAK = "\u200b"


class TooLong(Refused):
    """There is more to print than a document takes."""


def render(template: str, data: Mapping[str, Any], *, seconds: float = SECONDS) -> bytes:
    """Return a document as PDF/UA-1: tagged, with a title and a language, and its text can be copied.

    The same template and data give the same bytes, whenever and wherever it is printed.

    :param template: the name of a file in ``templates/``, without its ending.
    :param data: texts, whole numbers, yes and no, nothing, lists and mappings of these. Every document needs
        ``title``, ``language`` ("en"), ``lab``, ``made_at`` (the instant it is dated with) and ``words.page``.
    :raises TooLong: if there is more text than a document takes, or laying it out took too long.
    :raises Unavailable: if the press failed.
    """
    made_at = data["made_at"]
    if not isinstance(made_at, datetime) or made_at.tzinfo is None:
        raise TypeError("made_at is an instant")
    ready = _ready({**data, "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds")})
    text = json.dumps(ready, ensure_ascii=False, sort_keys=True)
    if len(text) > MOST_LETTERS:
        raise TooLong(_TOO_LONG)
    with tempfile.TemporaryDirectory(prefix="gatehouse-paper-") as folder:
        path = Path(folder) / "data.json"
        path.write_text(text, "utf-8")
        try:
            found = run_limited(
                "portal.kernel.paper.press:press",
                path,
                timeout=seconds,
                memory=MEMORY,
                arguments={"template": template, "seconds": int(made_at.timestamp())},
                answer_bytes=ANSWER_BYTES,
                threads=True,
            )
        except SandboxFailure as failure:
            log.error("document could not be printed", template=template, letters=len(text), reason=str(failure))
            if failure.failing is Failing.CRASH:
                raise Unavailable(_FAILED) from failure
            raise TooLong(_TOO_LONG) from failure
    made = base64.b64decode(found["pdf"]) if isinstance(found, dict) else b""
    if not made.startswith(b"%PDF-"):
        raise Unavailable(_FAILED)
    return made


_TOO_LONG = said("This document is too long to be printed. Nothing was lost. Read it on its page instead")
_FAILED = said("The document could not be printed. Nothing was lost. Try again in a minute")


def _ready(value: Any) -> Any:
    """Return data as the press takes it."""
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _ready(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_ready(each) for each in value]
    raise TypeError(f"cannot print a {type(value).__name__}")


def printable(text: str) -> str:
    """Return a text with everything in it visible.

    Letters that the fonts lack and marks without a shape are shown as their code points. Long words get places to
    break at.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    if not _PLAIN.fullmatch(text):
        text = _shown(unicodedata.normalize("NFC", text))
    return _LONG.sub(_breakable, text)


def _shown(text: str) -> str:
    letters = _letters()
    made: list[str] = []
    missing: list[str] = []
    for each in text:
        if each == "\n" or (ord(each) in letters and unicodedata.category(each) not in _SHAPELESS):
            if missing:
                made.append(f"[{' '.join(missing)}]")
                missing.clear()
            made.append(each)
        else:
            missing.append(f"U+{ord(each):04X}")
    if missing:
        made.append(f"[{' '.join(missing)}]")
    return "".join(made)


_SHAPELESS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Among them the marks that turn the reading direction: on paper they would let a text say what it does not."""


def _breakable(word: re.Match[str]) -> str:
    text = word.group()
    if _FINGERPRINT.fullmatch(text):
        return text
    return _MAY_BREAK.join(text[start : start + BREAK_AFTER] for start in range(0, len(text), BREAK_AFTER))


@cache
def _letters() -> frozenset[int]:
    points: set[int] = set()
    for line in (HERE / "fonts/letters.txt").read_text("utf-8").split():
        first, last = (int(each, 16) for each in line.split("-"))
        points.update(range(first, last + 1))
    return frozenset(points)


@cache
def press_mark(template: str) -> str:
    """Return a fingerprint of everything but the data that decides the bytes: template, shared pieces, fonts, press."""
    digest = hashlib.sha256(version("typst").encode())
    for path in ("templates/house.typ", f"templates/{template}.typ", "fonts/fonts.lock", "printing.py", "press.py"):
        digest.update(hashlib.sha256((HERE / path).read_bytes()).digest())
    return digest.hexdigest()
