"""What can be read in a file that the portal gives out: the words of a PDF, every member of a packed file."""

from __future__ import annotations

import io
import zipfile

import pypdfium2 as pdfium

DEEP = 4


def words_in(data: bytes, deep: int = 0) -> str:
    """Return what can be read in these bytes, also what is packed or printed in them.

    The words of a PDF come twice: as they were read, and without the breaks of its lines.
    """
    raw = data.decode("utf-8", "backslashreplace")
    if data.startswith(b"%PDF-"):
        return f"{raw}\n{_printed(data)}"
    if data.startswith(b"PK\x03\x04") and deep < DEEP:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            inside = [f"{name}\n{words_in(packed.read(name), deep + 1)}" for name in packed.namelist()]
        return "\n".join(inside)
    return raw


def _printed(data: bytes) -> str:
    try:
        document = pdfium.PdfDocument(io.BytesIO(data))
    except pdfium.PdfiumError:
        return ""  # what people upload need not be a whole document; its bytes are looked at as they are
    try:
        pages = [page.get_textpage().get_text_bounded() for page in document]
        said = "\n".join([*pages, *map(str, document.get_metadata_dict().values())])
    finally:
        document.close()
    return f"{said}\n{''.join(said.split())}"
