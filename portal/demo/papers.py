"""Small PDFs with real text, written by hand: enough for a reviewer to read and a parser to count. Pure."""

from __future__ import annotations

from collections.abc import Sequence

LINE = 92
LINES_A_PAGE = 46
NEW_PAGE = "\f"
"""As a paragraph: what follows begins on a new page."""


def pdf(title: str, paragraphs: Sequence[str]) -> bytes:
    """Return a PDF (ISO 32000-1) with the title on its first page and the paragraphs below, in Helvetica."""
    sheets: list[list[str]] = [[title, ""]]
    for paragraph in paragraphs:
        if paragraph == NEW_PAGE:
            sheets.append([])
        else:
            sheets[-1] += [*_wrapped(paragraph), ""]
    pages = [sheet[at : at + LINES_A_PAGE] for sheet in sheets if sheet for at in range(0, len(sheet), LINES_A_PAGE)]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        content = _content(page, heading=number == 0)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _assembled(objects)


def _wrapped(text: str) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split():
        if len(line) + len(word) + 1 > LINE:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _content(lines: Sequence[str], *, heading: bool) -> bytes:
    parts = [b"BT /F1 11 Tf 15 TL 56 780 Td"]
    for number, line in enumerate(lines):
        if heading and number == 0:
            parts.append(b"/F1 17 Tf (%s) Tj /F1 11 Tf T*" % _escaped(line))
        else:
            parts.append(b"(%s) Tj T*" % _escaped(line))
    return b"\n".join([*parts, b"ET"])


def _escaped(text: str) -> bytes:
    plain = text.encode("cp1252", "replace")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _assembled(objects: Sequence[bytes]) -> bytes:
    made = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        made += b"%010d 00000 n \n" % place
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(made)
