"""Judge a DOCX or XLSX by its packaging before unpacking anything, then by what it would do. Sandbox only."""

import io
import re
import stat
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path
from typing import IO

MAX_MEMBERS = 5_000
MAX_UNPACKED = 512 * 1024 * 1024
MAX_RATIO = 200
_SMALL = 1024 * 1024  # below this much unpacked, a high ratio is only repetition
_NESTED = 32 * 1024 * 1024

_MAIN = {
    "docx": ("word/document.xml", b"wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", b"spreadsheetml.sheet.main+xml"),
}
_MACROS = re.compile(r"vbaproject|vbadata|/macrosheets/|/activex/", re.IGNORECASE)
_LOADS = re.compile(
    rb"""<Relationship\b(?=[^>]*TargetMode\s*=\s*["']External)[^>]*/(?:attachedTemplate|oleObject|frame|subDocument|image)["']""",
    re.IGNORECASE,
)


def check(path: Path, kind: str) -> str | None:
    """Return why the document is refused (a key of ``sniff.WORDS``), or None."""
    with path.open("rb") as file:
        return _check(file, kind, depth=0)


def _check(file: IO[bytes], kind: str, *, depth: int) -> str | None:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            problem = _packaging(archive, members, file)
            if problem:
                return problem
            return _contents(archive, members, kind, depth=depth)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OverflowError, KeyError):
        return "damaged"


def _packaging(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], file: IO[bytes]) -> str | None:
    """Judge by the directory alone: nothing has been unpacked yet."""
    if archive.comment or not members:
        return "mismatch"
    if any(member.flag_bits & 0x1 for member in members):
        return "encrypted"
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
        return "too_much"
    if any(
        member.file_size > _SMALL and member.file_size > MAX_RATIO * max(member.compress_size, 1) for member in members
    ):
        return "too_much"
    names = [member.filename for member in members]
    if len({name.lower() for name in names}) != len(names):
        return "damaged"
    for member in members:
        name = member.orig_filename
        if name.startswith("/") or "\\" in name or "\x00" in name or ".." in name.split("/"):
            return "mismatch"
        if stat.S_ISLNK(member.external_attr >> 16):
            return "mismatch"
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            return "damaged"
    # Members that share bytes unpack to many times the file; bytes in front of the first are another file.
    placed = sorted(members, key=lambda member: member.header_offset)
    if placed[0].header_offset != 0:
        return "mismatch"
    for one, following in pairwise(placed):
        if one.header_offset + 30 + len(one.orig_filename) + one.compress_size > following.header_offset:
            return "too_much"
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(size - 22)
    return None if file.read(4) == b"PK\x05\x06" else "mismatch"


def _contents(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], kind: str, *, depth: int) -> str | None:
    names = {member.filename for member in members}
    part, main_type = _MAIN[kind]
    if not {"[Content_Types].xml", "_rels/.rels", part} <= names:
        return "mismatch"
    types = _xml(archive, "[Content_Types].xml")
    if types is None:
        return "damaged"
    if b"macroenabled" in types.lower() or b"vbaproject" in types.lower() or any(map(_MACROS.search, names)):
        return "macros"
    if main_type not in types:
        return "mismatch"
    for member in members:
        name = member.filename.lower()
        if name.endswith(".rels") or "/externallinks/" in name:
            text = _xml(archive, member.filename)
            if text is None:
                return "damaged"
            if _LOADS.search(text) or b"ddeLink" in text:
                return "linked"
        elif "/embeddings/" in name and not member.is_dir():
            problem = _embedded(archive, member, depth=depth)
            if problem:
                return problem
        # Unpacked to nowhere: proves lengths and sums, within the sizes that were judged above.
        with archive.open(member) as content:
            while content.read(1 << 20):
                pass
    return None


def _embedded(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, depth: int) -> str | None:
    """Charts bring the workbook they were made from; it has to pass as if it came alone."""
    kind = member.filename.rpartition(".")[2].lower()
    if kind not in _MAIN or depth >= 1 or member.file_size > _NESTED:
        return "active"
    return _check(io.BytesIO(archive.read(member)), kind, depth=depth + 1)


def _xml(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return a small XML part as bytes to search; None if it is not plain UTF-8 without entities."""
    info = archive.getinfo(name)
    if info.file_size > 8 * 1024 * 1024:
        return None
    text = archive.read(name)
    if b"\x00" in text or b"<!" in text.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        return None
    return text
