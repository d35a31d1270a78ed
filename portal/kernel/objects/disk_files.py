"""What the disk store does to files: write and sync, read, and say in our words what the disk refused."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from portal.kernel.objects.values import CHUNK, Reason, StoreUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk() -> Iterator[None]:
    """Turn what the disk says into what a caller can act on; a missing or existing file stays as it is."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StoreUnavailable(Reason.NO_SPACE, os.strerror(error.errno or 0)) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise StoreUnavailable(Reason.FORBIDDEN, os.strerror(error.errno or 0)) from error
        raise StoreUnavailable(Reason.DOWN, str(error)) from error


def version_name(sha256: str, content_type: str) -> str:
    return f"{sha256}@{content_type.replace('/', '~')}"


def write(path: Path, pieces: Iterator[bytes]) -> tuple[int, str]:
    """Write and sync a new read-only file; return its length and hash."""
    digest, size = hashlib.sha256(), 0
    with disk():
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        # A failing source is the caller's affair, so only the writes are read as the disk's voice.
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            rest = memoryview(piece)
            with disk():
                while rest:
                    rest = rest[os.write(handle, rest) :]
        with disk():
            os.fchmod(handle, 0o440)
            os.fsync(handle)
    finally:
        os.close(handle)
    return size, digest.hexdigest()


def read(file: FileIO) -> Iterator[bytes]:
    with file:
        while True:
            with disk():
                piece = file.read(CHUNK)
            if not piece:
                return
            yield piece


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
