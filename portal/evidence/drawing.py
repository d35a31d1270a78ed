"""Draw one page of a hostile PDF as a marked picture. Runs only inside the sandbox."""

from __future__ import annotations

import base64
import ctypes
import struct
import zlib
from typing import Any

MOST_BYTES = 700_000
"""What fits through the sandbox's answer when written in base64."""

WIDTHS = (1100, 900, 700, 500)
MOST_PIXELS = 4_000_000


def draw(path: str, page: int, mark: str) -> str:
    """Return the page as a PNG in base64, empty if it cannot be drawn. ``mark`` is written across it."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(path)
        drawn = document[page - 1]
        width, height = drawn.get_size()
        if width <= 0 or height <= 0:
            return ""
        _write_mark(document, drawn, mark, width, height)
        for pixels in WIDTHS:
            scale = min(pixels / width, (MOST_PIXELS / (width * height)) ** 0.5)
            for gray in (False, True):
                bitmap = drawn.render(scale=scale, grayscale=gray, rev_byteorder=not gray, may_draw_forms=False)
                png = _png(bitmap)
                if len(png) <= MOST_BYTES:
                    return base64.b64encode(png).decode("ascii")
    except pdfium.PdfiumError:
        return ""
    return ""


def _write_mark(document: Any, page: Any, mark: str, width: float, height: float) -> None:
    """Write who looks, and when, three times across the page, in the drawing only."""
    import pypdfium2.raw as raw

    size = max(7.0, min(width, height) / 34)
    text = ctypes.create_string_buffer((mark + "\0").encode("utf-16-le"))
    for part in (0.2, 0.5, 0.8):
        thing = raw.FPDFPageObj_NewTextObj(document.raw, b"Helvetica", ctypes.c_float(size))
        raw.FPDFText_SetText(thing, ctypes.cast(text, ctypes.POINTER(ctypes.c_ushort)))
        raw.FPDFPageObj_SetFillColor(thing, 90, 90, 110, 90)
        cos, sin = 0.966, 0.259
        raw.FPDFPageObj_Transform(thing, cos, sin, -sin, cos, width * 0.06, height * (part - 0.1))
        raw.FPDFPage_InsertObject(page.raw, thing)
    raw.FPDFPage_GenerateContent(page.raw)


def _png(bitmap: Any) -> bytes:
    """Write a bitmap as PNG: gray, or colour with the fourth byte of each pixel left out."""
    width, height, stride = bitmap.width, bitmap.height, bitmap.stride
    channels = bitmap.n_channels
    data = bytes(bitmap.buffer)
    rows = bytearray()
    for y in range(height):
        line = data[y * stride : y * stride + width * channels]
        if channels == 4:
            plain = bytearray(width * 3)
            plain[0::3], plain[1::3], plain[2::3] = line[0::4], line[1::4], line[2::4]
            line = bytes(plain)
        rows += b"\x00" + line
    colour = 0 if channels == 1 else 2

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(rows), 6))
        + chunk(b"IEND", b"")
    )
