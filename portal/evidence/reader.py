"""Take the text out of a hostile PDF, some pages at a time. Runs only inside the sandbox."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

MOST_PAGES = 600
PAGE_CHARACTERS = 20_000
ROOM = 900_000
"""What fits through the sandbox's answer, in bytes of JSON."""

DAMAGED, ENCRYPTED = "damaged", "encrypted"
_HYPHENS = ("\ufffe", "\x02")
"""What PDFium writes for a hyphen at the end of a line."""


def read(path: str, first: int) -> dict[str, Any]:
    """Return the texts of the pages from ``first`` on that fit into one answer, at least one.

    The answer: ``problem`` (empty, or why nothing can be read), ``pages`` (how many there are in all), ``texts``
    (one for each page read), ``cut`` (the numbers of pages that are longer than we take).
    """
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError:
        locked = raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD
        return _problem(ENCRYPTED if locked else DAMAGED)
    if raw.FPDF_GetSecurityHandlerRevision(document) != -1:
        return _problem(ENCRYPTED)
    pages = len(document)
    texts: list[str] = []
    cut: list[int] = []
    used = 0
    for number in range(first, min(pages, MOST_PAGES) + 1):
        text, longer = _page(document, number)
        used += len(json.dumps(text)) + 2
        if texts and used > ROOM:
            break
        texts.append(text)
        if longer:
            cut.append(number)
    return {"problem": "", "pages": pages, "texts": texts, "cut": cut}


def _problem(code: str) -> dict[str, Any]:
    return {"problem": code, "pages": 0, "texts": [], "cut": []}


def _page(document: Any, number: int) -> tuple[str, bool]:
    """Return the text of one page and whether there is more of it; a page that cannot be read has none."""
    import pypdfium2 as pdfium

    try:
        page = document[number - 1]
        inside = page.get_textpage()
        count = inside.count_chars()
        # PDFium counts also characters that it does not give; a few more cost nothing.
        text = inside.get_text_range(0, min(count, PAGE_CHARACTERS)) if count > 0 else ""
        inside.close()
        page.close()
    except pdfium.PdfiumError:
        return "", False
    return clean(text)[:PAGE_CHARACTERS], count > PAGE_CHARACTERS


def clean(text: str) -> str:
    """Return text in lines: words broken at a line's end are whole again, and nothing invisible is left."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for hyphen in _HYPHENS:
        text = text.replace(hyphen + "\n", "").replace(hyphen, "-")
    text = unicodedata.normalize("NFC", text)
    kept = "".join(_kept(c) for c in text)
    lines = (" ".join(line.split()) for line in kept.split("\n"))
    return "\n".join(lines).strip("\n")


def _kept(character: str) -> str:
    if character == "\n":
        return "\n"
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    # Marks that turn the reading direction, half characters, private and unknown ones.
    return "" if category[0] == "C" else character
