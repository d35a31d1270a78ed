"""Look for traces of editing in a hostile PDF: signatures, later changes, typefaces, hidden words. In the sandbox only.

What is looked at: the bytes (signatures and savings), the dictionary of the document, and on the first pages the text
that stands directly on them. A word is hidden if it is drawn invisibly, off the page, or if nothing but one flat colour
is seen at its place when the page is drawn.
"""

from __future__ import annotations

import ctypes
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

MOST_PAGES = 60
MOST_THINGS = 4_000
MOST_FOUND = 20
MOST_SIGNATURES = 20
LEAST_CONTRAST = 24
LEAST_LETTERS = 3
INVISIBLE = 3
WHOLE_PAGE = 0.8
_SIGNS = ("symbol", "dingbat", "wingding", "zapf", "emoji", "barcode")
_STYLES = re.compile(
    r"(bold|italic|oblique|regular|roman|medium|light|semi|demi|black|book|condensed|narrow|display|text|mt|ps|std|pro)+$"
)


class _Piece(NamedTuple):
    """A piece of text that stands on a page."""

    words: str
    font: str
    bounds: tuple[float, float, float, float]
    baseline: float
    invisible: bool


def look(path: str, opinion: int) -> dict[str, Any]:
    """Return what was seen, as ``rules.traits.traits_of`` reads it; ``problem`` says why nothing was.

    :param opinion: the number of the page with the opinion, 0 if it is not known.
    """
    import pypdfium2 as pdfium

    found: dict[str, Any] = {"problem": "", "size": Path(path).stat().st_size, "opinion_page": opinion}
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError:
        return {**found, "problem": "damaged"}
    told = document.get_metadata_dict(skip_empty=True)
    found |= {
        "producer": told.get("Producer", "")[:200],
        "creator": told.get("Creator", "")[:200],
        "created": told.get("CreationDate", "")[:40],
        "modified": told.get("ModDate", "")[:40],
        "signed_to": _signed_to(document.raw),
        "saves": _saves(document.raw, path),
        "mixed": [],
        "hidden": [],
        "pictured": [],
        "families": [],
        "pages_looked": 0,
    }
    numbers = list(range(1, min(MOST_PAGES, len(document)) + 1))
    if MOST_PAGES < opinion <= len(document):
        numbers.append(opinion)
    for number in numbers:
        try:
            _page(document[number - 1], number, found, is_opinion=number == opinion)
        except pdfium.PdfiumError:
            continue
        found["pages_looked"] += 1
    return json.loads(json.dumps(found).replace("\\u0000", " "))  # type: ignore[no-any-return]


def _signed_to(document: Any) -> list[int]:
    import pypdfium2.raw as raw

    ends = []
    for index in range(min(MOST_SIGNATURES, max(0, raw.FPDF_GetSignatureCount(document)))):
        signature = raw.FPDF_GetSignatureObject(document, index)
        count = raw.FPDFSignatureObj_GetByteRange(signature, None, 0)
        if 2 <= count <= 100:
            numbers = (ctypes.c_int * count)()
            raw.FPDFSignatureObj_GetByteRange(signature, numbers, count)
            ends.append(max(0, numbers[count - 2] + numbers[count - 1]))
    return ends


def _saves(document: Any, path: str) -> int:
    """Return how often the file was written, by the ends of its trailers. A linearised file has two from the start."""
    import pypdfium2.raw as raw

    count = int(raw.FPDF_GetTrailerEnds(document, None, 0))
    with Path(path).open("rb") as file:
        linearised = b"/Linearized" in file.read(1024)
    return max(1, count - linearised)


def _page(page: Any, number: int, found: dict[str, Any], *, is_opinion: bool) -> None:
    import pypdfium2.raw as raw

    width, height = page.get_size()
    if not 0 < width < 20_000 or not 0 < height < 20_000:
        return
    textpage = page.get_textpage()
    pieces: list[_Piece] = []
    picture = 0.0
    for order, thing in enumerate(page.get_objects(max_depth=1)):
        if order >= MOST_THINGS:
            break
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            picture = max(picture, (right - left) * (top - bottom) / (width * height))
        elif thing.type == raw.FPDF_PAGEOBJ_TEXT:
            words = _words(thing.raw, textpage.raw)
            invisible = raw.FPDFTextObj_GetTextRenderMode(thing.raw) == INVISIBLE
            pieces.append(_Piece(words, _family(thing.raw), thing.get_bounds(), thing.get_matrix().f, invisible))
    _hidden(page, number, pieces, found, picture, width, height)
    if is_opinion:
        _typefaces(number, pieces, found)


def _words(thing: Any, textpage: Any) -> str:
    import pypdfium2.raw as raw

    size = int(raw.FPDFTextObj_GetText(thing, textpage, None, 0))
    if not 2 <= size <= 8_000:
        return ""
    room = ctypes.create_string_buffer(size)
    raw.FPDFTextObj_GetText(thing, textpage, ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort)), size)
    return room.raw[:size].decode("utf-16-le", "replace").replace("\0", "").strip()


def _family(thing: Any) -> str:
    import pypdfium2.raw as raw

    font = raw.FPDFTextObj_GetFont(thing)
    if not font:
        return ""
    size = int(raw.FPDFFont_GetBaseFontName(font, None, 0))
    if not 1 < size <= 200:
        return ""
    room = ctypes.create_string_buffer(size)
    raw.FPDFFont_GetBaseFontName(font, room, size)
    name = room.value.decode("utf-8", "replace").partition("+")[2] or room.value.decode("utf-8", "replace")
    plain = re.split(r"[-,]", name)[0]
    return _STYLES.sub("", plain.lower()) and plain


def _hidden(
    page: Any,
    number: int,
    pieces: list[_Piece],
    found: dict[str, Any],
    picture: float,
    width: float,
    height: float,
) -> None:
    said = [piece for piece in pieces if sum(map(str.isalnum, piece.words)) >= LEAST_LETTERS]
    if picture >= WHOLE_PAGE and said and all(piece.invisible for piece in said):
        found["pictured"].append(number)
        return
    if not said or len(found["hidden"]) >= MOST_FOUND:
        return
    scale = min(1.0, (4_000_000 / (width * height)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=True)
    rows, stride = bytes(bitmap.buffer), bitmap.stride
    for piece in said:
        left, bottom, right, top = piece.bounds
        how = ""
        if piece.invisible:
            how = "drawn invisibly"
        elif right <= 0 or top <= 0 or left >= width or bottom >= height:
            how = "off the page"
        else:
            x0, x1 = max(0, int(left * scale)), min(bitmap.width, int(right * scale) + 1)
            y0, y1 = max(0, int((height - top) * scale)), min(bitmap.height, int((height - bottom) * scale) + 1)
            seen = [rows[y * stride + x0 : y * stride + x1] for y in range(y0, y1)]
            seen = [row for row in seen if row]
            if seen and max(map(max, seen)) - min(map(min, seen)) < LEAST_CONTRAST:
                how = "nothing is drawn at their place, or it is covered"
        if how and len(found["hidden"]) < MOST_FOUND:
            found["hidden"].append({"page": number, "text": piece.words[:200], "how": how})


def _typefaces(number: int, pieces: list[_Piece], found: dict[str, Any]) -> None:
    """Note the typefaces of a page, and lines in which a few letters are of another one than the rest."""
    letters: Counter[str] = Counter()
    shown: dict[str, str] = {}
    lines: dict[int, list[tuple[str, str]]] = {}
    for piece in pieces:
        count = sum(map(str.isalnum, piece.words))
        plain = _STYLES.sub("", piece.font.lower())
        if not count or not plain or any(sign in plain for sign in _SIGNS):
            continue
        shown.setdefault(plain, piece.font)
        letters[plain] += count
        lines.setdefault(round(piece.baseline), []).append((plain, piece.words))
    found["families"] = [shown[plain] for plain, _count in letters.most_common(8)]
    for line in lines.values():
        counted: Counter[str] = Counter()
        for plain, words in line:
            counted[plain] += sum(map(str.isalnum, words))
        if len(counted) < 2:
            continue
        odd = counted.most_common()[-1][0]
        if letters[odd] * 4 < sum(letters.values()) and len(found["mixed"]) < MOST_FOUND:
            text = " ".join(words for plain, words in line if plain == odd)
            found["mixed"].append({"page": number, "text": text[:200], "how": shown[odd]})
