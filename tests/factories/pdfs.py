"""Small real PDFs with a text layer, or with pictures of pages only, built byte by byte."""

from __future__ import annotations

import textwrap
import zlib
from collections.abc import Mapping, Sequence

from tests.rules import files

WIDTH, HEIGHT, LEFT, TOP, LEADING, SIZE = 595, 842, 56, 790, 12, 9
_ENCODING = "cp1252"


def text_pdf(pages: Sequence[str], *, producer: str = "", trailer: str = "") -> bytes:
    """A PDF with these pages of text, one line of the page a line of the text."""
    return _pdf([_written(page) for page in pages], producer=producer, trailer=trailer)


def scanned_pdf(pages: int = 2) -> bytes:
    """A PDF of page pictures without any text."""
    width, height = 60, 84
    rows = b"".join(bytes(255 if (x // 7 + y // 5) % 3 else 40 for x in range(width)) for y in range(height))
    picture = zlib.compress(rows)
    head = (
        f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray "
        f"/BitsPerComponent 8 /Filter /FlateDecode /Length {len(picture)} >>"
    )
    image = head.encode() + b"\nstream\n" + picture + b"\nendstream"
    drawn = f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm /Im1 Do Q".encode()
    return _pdf([drawn] * pages, more={90: image}, resources="/XObject << /Im1 90 0 R >>")


def wrapped(text: str, width: int = 100) -> str:
    """Paragraphs as lines of a page."""
    return "\n".join(line for part in text.split("\n") for line in (textwrap.wrap(part, width) or [""]))


def _written(text: str) -> bytes:
    lines = []
    for line in text.split("\n"):
        plain = line.encode(_ENCODING, "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        lines.append(b"(" + plain + b") Tj T*")
    return f"BT /F1 {SIZE} Tf {LEADING} TL {LEFT} {TOP} Td\n".encode() + b"\n".join(lines) + b"\nET"


def _pdf(
    contents: Sequence[bytes],
    *,
    more: Mapping[int, bytes] | None = None,
    resources: str = "/Font << /F1 91 0 R >>",
    producer: str = "",
    trailer: str = "",
) -> bytes:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects: dict[int, bytes] = {91: font, **(more or {})}
    kids = []
    for number, content in enumerate(contents):
        body = zlib.compress(content)
        page, stream = 100 + 2 * number, 101 + 2 * number
        kids.append(f"{page} 0 R")
        objects[page] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {stream} 0 R "
            f"/Resources << {resources} >> >>"
        ).encode()
        objects[stream] = f"<< /Length {len(body)} /Filter /FlateDecode >>\nstream\n".encode() + body + b"\nendstream"
    objects[2] = f"<< /Type /Pages /Count {len(contents)} /Kids [{' '.join(kids)}] >>".encode()
    if producer:
        objects[92] = f"<< /Producer ({producer}) >>".encode()
        trailer = f"/Info 92 0 R {trailer}"
    return files.pdf(pages=0, extra=objects, trailer=trailer)
