"""Draw one page of a hostile PDF, or a hostile picture, as a marked picture of our own. Sandbox only."""

from __future__ import annotations

import base64
import ctypes
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""

MOST_PIXELS = 12_000_000
MOST_LOADED = 60_000_000
"""A picture that has more is refused when it is uploaded."""

LOSSLESS_BYTES = 1_200_000
"""A larger picture is a photograph or a scan, which JPEG keeps well enough."""

MOST_BYTES = 4_000_000
MOST_MARKS = 200
LEAST_MARKED = 360
WAYS: tuple[tuple[str, int, dict[str, int]], ...] = (
    ("PNG", LOSSLESS_BYTES, {"compress_level": 6}),
    ("JPEG", MOST_BYTES, {"quality": 85}),
    ("JPEG", MOST_BYTES, {"quality": 60}),
    ("JPEG", MOST_BYTES, {"quality": 35}),
)
SHADE, INK, MARKER = 0.34, (90, 90, 110), (255, 232, 92)


def draw(path: str, kind: str, page: int, mark: str, words: str, width: int) -> dict[str, str]:
    """Return a picture as ``{"type": …, "data": base64}``, nothing if it cannot be drawn.

    :param kind: "pdf", or "picture" for PNG and JPEG.
    :param mark: who looks, and when; written across it. Nothing is written without it.
    :param words: what was searched for; it is marked on the page where it stands.
    :param width: in pixels.
    """
    found = _page(path, page, words, width) if kind == "pdf" else _picture(path, width)
    if found is None:
        return {}
    picture, boxes = found
    for box in boxes:
        _highlight(picture, box)
    if mark:
        picture = _roomy(picture)
        _write(picture, mark)
    return _encoded(picture)


# --- what is drawn


def _page(path: str, number: int, words: str, width: int) -> tuple[Image, list[Box]] | None:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(path)
        page = document[number - 1]
        wide, high = page.get_size()
        if wide <= 0 or high <= 0:
            return None
        scale = min(width / wide, (MOST_PIXELS / (wide * high)) ** 0.5)
        picture = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False).to_pil().convert("RGB")
        return picture, _boxes(page, words, picture.size) if words.strip() else []
    except pdfium.PdfiumError:
        return None


def _boxes(page: Any, words: str, size: tuple[int, int]) -> list[Box]:
    """Return where words stand on a page, whatever their case and the breaks between them, in pixels."""
    import pypdfium2.raw as raw

    text = page.get_textpage()
    # Letter by letter: only so the place in the text is the place that the library knows its rectangles by.
    letters = "".join(chr(raw.FPDFText_GetUnicode(text, at) or 32) for at in range(text.count_chars()))
    boxes: list[Box] = []
    for hit in re.finditer(r"\s+".join(map(re.escape, words.split())), letters, re.IGNORECASE):
        for index in range(text.count_rects(hit.start(), hit.end() - hit.start())):
            left, bottom, right, top = text.get_rect(index)
            xs, ys = zip(_pixel(page, left, top, size), _pixel(page, right, bottom, size), strict=True)
            boxes.append((min(xs) - 2, min(ys) - 2, max(xs) + 2, max(ys) + 2))
            if len(boxes) >= MOST_MARKS:
                return boxes
    return boxes


def _pixel(page: Any, x: float, y: float, size: tuple[int, int]) -> tuple[int, int]:
    """Return where a point of a page stands in its picture, however the page is turned and cut."""
    import pypdfium2.raw as raw

    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, ctypes.byref(across), ctypes.byref(down))
    return across.value, down.value


def _picture(path: str, width: int) -> tuple[Image, list[Box]] | None:
    """Return a picture as its pixels only: nothing of what else stood in the file."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MOST_LOADED
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as opened:
            opened.draft("RGB", (width, width))
            opened.load()
            found = ImageOps.exif_transpose(opened)
            if found.mode == "P":
                found = found.convert("RGBA")
            elif found.mode.startswith("I"):
                found = found.point(lambda value: value / 256).convert("L")
            scale = min(1.0, width / found.width, (MOST_PIXELS / (found.width * found.height)) ** 0.5)
            wanted = (max(1, round(found.width * scale)), max(1, round(found.height * scale)))
            small = found.resize(wanted) if scale < 1 else found
            clean = Image.new("RGB", small.size, "white")
            see_through = small.mode in {"RGBA", "LA", "PA"}
            clean.paste(small.convert("RGB"), mask=small.getchannel("A") if see_through else None)
            return clean, []
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return None


# --- what is written on it


def _highlight(picture: Image, box: Box) -> None:
    from PIL import Image, ImageChops

    left, top, right, bottom = max(0, box[0]), max(0, box[1]), min(picture.width, box[2]), min(picture.height, box[3])
    if left < right and top < bottom:
        under = picture.crop((left, top, right, bottom))
        picture.paste(ImageChops.multiply(under, Image.new("RGB", under.size, MARKER)), (left, top))


def _roomy(picture: Image) -> Image:
    """Return a picture that has room for words: a small one grows."""
    from PIL.Image import Resampling

    times = -(-LEAST_MARKED // min(picture.size))
    enough = times > 1 and picture.width * picture.height * times * times <= MOST_PIXELS
    wanted = (picture.width * times, picture.height * times)
    return picture.resize(wanted, Resampling.NEAREST) if enough else picture


def _write(picture: Image, mark: str) -> None:
    """Write who looks, and when, across the picture, as often as it takes to be on every part of it."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(10, min(picture.size) // 34)
    font = ImageFont.load_default(size)
    box = font.getbbox(mark)
    line = Image.new("L", (int(box[2]) + size, int(box[3]) + size // 2))
    ImageDraw.Draw(line).text((size // 2, size // 4), mark, fill=round(255 * SHADE), font=font)
    turned = line.rotate(15, expand=True)
    ink = Image.new("RGB", turned.size, INK)
    across, down = turned.width + size * 3, max(turned.height + size * 2, picture.height // 4)
    for row, top in enumerate(range(-turned.height // 4, picture.height, down)):
        for left in range(-(row % 2) * across // 2 + size * 2, picture.width, across):
            picture.paste(ink, (left, top), turned)


def _encoded(picture: Image) -> dict[str, str]:
    for kind, most, options in WAYS:
        kept = io.BytesIO()
        picture.save(kept, kind, **options)
        if len(body := kept.getvalue()) <= most:
            return {"type": f"image/{kind.lower()}", "data": base64.b64encode(body).decode("ascii")}
    return {}
