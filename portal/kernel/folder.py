"""Reads the text files of a folder, given as a path or as a zip archive, within limits; nothing is written to disk."""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from portal.kernel.errors import Refused
from portal.kernel.sniff import too_large

MAX_ARCHIVE: Final = 20_000_000
MAX_FILES: Final = 2_000
MAX_UNPACKED: Final = 20_000_000
MAX_NAME: Final = 300
ENDINGS: Final = (".yaml", ".yml")
# Below this much unpacked, a high ratio is only repetition.
_SMALL: Final = 1_000_000
_RATIO: Final = 200


def read_zip(data: bytes, endings: tuple[str, ...] = ENDINGS) -> dict[str, bytes]:
    """Return the files of a zip archive that end so, by their paths, in the order of the paths.

    :raises Refused: if it is no archive, is protected, holds too much, or a path leads out of it.
    """
    if len(data) > MAX_ARCHIVE:
        raise Refused(too_large(len(data), MAX_ARCHIVE))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            chosen = list(_members(archive, endings))
            return dict(sorted(_read(archive, chosen)))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError, ValueError, OSError) as error:
        raise Refused("The file is not a zip archive, or is damaged. Zip the folder again and upload that") from error


def read_folder(path: Path, endings: tuple[str, ...] = ENDINGS) -> dict[str, bytes]:
    """Return the files of a folder that end so, by their paths from there; links are not followed.

    :raises Refused: if it holds too much.
    """
    found: dict[str, bytes] = {}
    left = MAX_UNPACKED
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            file = Path(folder) / name
            if not name.lower().endswith(endings) or file.is_symlink() or not file.is_file():
                continue
            if len(found) >= MAX_FILES:
                raise Refused(f"The folder has more than {MAX_FILES:,} files. Choose a smaller one")
            with file.open("rb") as content:
                data = content.read(left + 1)
            left -= len(data)
            if left < 0:
                raise Refused(f"The files of the folder are larger than {MAX_UNPACKED // 1_000_000} MB together")
            found[file.relative_to(path).as_posix()] = data
    return dict(sorted(found.items()))


def _members(archive: zipfile.ZipFile, endings: tuple[str, ...]) -> Iterator[zipfile.ZipInfo]:
    """Judge by the directory alone what is to be unpacked."""
    seen: set[str] = set()
    total = 0
    members = archive.infolist()
    if len(members) > 10 * MAX_FILES:
        raise Refused(f"The archive has more than {10 * MAX_FILES:,} files. Zip only the folder that is needed")
    for member in members:
        name = member.filename
        if member.is_dir() or not name.lower().endswith(endings):
            continue
        if member.flag_bits & 0x1:
            raise Refused("The archive is password-protected. Zip the folder without a password")
        parts = name.split("/")
        if name.startswith("/") or "\\" in name or ":" in parts[0] or ".." in parts or len(name) > MAX_NAME:
            raise Refused("A path of the archive leads out of it, or is too long. Zip the folder again")
        if stat.S_ISLNK(member.external_attr >> 16) or name.casefold() in seen:
            raise Refused(f"{name} is a link, or is there twice. Zip the folder again")
        seen.add(name.casefold())
        total += member.file_size
        is_bomb = member.file_size > _SMALL and member.file_size > _RATIO * max(member.compress_size, 1)
        if total > MAX_UNPACKED or is_bomb:
            raise Refused("The archive unpacks to far more than it seems. Zip only the folder that is needed")
        if len(seen) > MAX_FILES:
            raise Refused(f"The archive has more than {MAX_FILES:,} files of questions. Zip a smaller folder")
        yield member


def _read(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Iterator[tuple[str, bytes]]:
    left = MAX_UNPACKED
    for member in members:
        with archive.open(member) as content:
            data = content.read(left + 1)
        left -= len(data)
        if left < 0:
            raise Refused("The archive unpacks to far more than it seems. Zip only the folder that is needed")
        yield member.filename, data
