"""Uploads in parts on a local disk: each part is there whole or not at all, until all are made into one object.

``tmp/parts-<id>`` is one upload: ``about`` says what it will be, ``<number>@<sha256>`` is a part that arrived. A
folder that nobody touches for a day is swept like any other remains.
"""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from portal.kernel.objects.disk_files import disk, read, sync_folder, write
from portal.kernel.objects.values import (
    ObjectMissing,
    Part,
    Source,
    TicketRefused,
    Unfinished,
    UploadTicket,
    check_bytes,
    check_key,
    check_part,
    limited,
)

_ABOUT = "about"
_FOLDER = "parts-"


@dataclass(frozen=True, slots=True)
class Whole:
    """What the parts of one upload make together, while its lock is held."""

    content_type: str
    parts: Sequence[Part]
    _files: Sequence[Path]

    def pieces(self, count: int) -> Iterator[bytes]:
        """Return the bytes of the first parts, one after the other."""
        for path in self._files[:count]:
            with disk():
                file = path.open("rb", buffering=0)
            yield from read(file)


class PartsOnDisk:
    """The uploads in parts of one :class:`~portal.kernel.objects.disk.DiskStore`."""

    def __init__(
        self,
        tmp: Path,
        *,
        secret_keys: Sequence[str],
        clock: Callable[[], datetime],
        new_id: Callable[[], uuid.UUID],
        upload_path: str,
    ) -> None:
        self._tmp = tmp
        self._clock = clock
        self._new_id = new_id
        self._upload_path = upload_path
        # Another salt than for whole files: a ticket for one is none for the other.
        self._signer = URLSafeSerializer(list(reversed(secret_keys)), salt="upload-part")

    def begin(self, key: str, *, content_type: str, hashed: bool) -> str:
        """Make a place for parts and return its name."""
        name = self._new_id().hex
        draft = self._tmp / self._new_id().hex
        about = json.dumps({"key": key, "type": content_type, "hashed": hashed}).encode()
        try:
            with disk():
                os.mkdir(draft, 0o700)
                write(draft / _ABOUT, iter([about]))
                sync_folder(draft)
                os.rename(draft, self._tmp / f"{_FOLDER}{name}")
                sync_folder(self._tmp)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return name

    def ticket(
        self, key: str, upload_id: str, *, number: int, size: int, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a signed ticket for one part.

        :raises ObjectMissing: if the upload is over.
        """
        _, about = self._opened(key, upload_id)
        check_part(number=number, size=size, sha256=sha256, expires=expires, hashed=bool(about["hashed"]))
        until = self._clock() + expires
        promise = {
            "upload": upload_id,
            "key": key,
            "number": number,
            "size": size,
            "sha256": sha256,
            "until": until.timestamp(),
        }
        token = self._signer.dumps(promise)
        return UploadTicket(
            key=key,
            method="PUT",
            url=f"{self._upload_path}/{token if isinstance(token, str) else token.decode()}",
            expires_at=until,
        )

    def accept(self, token: str, stream: Source) -> Part:
        """Keep what a ticket promised; the same bytes again change nothing, other bytes take the place whole."""
        try:
            ticket = self._signer.loads(token)
        except BadData as error:
            raise TicketRefused("the ticket is not one of ours") from error
        if self._clock().timestamp() >= ticket["until"]:
            raise TicketRefused("the ticket is out of time")
        key, upload_id, number = ticket["key"], ticket["upload"], ticket["number"]
        folder, _ = self._opened(key, upload_id)
        # Beside the upload and not in it, so that what a crash leaves is swept by itself.
        draft = self._tmp / self._new_id().hex
        try:
            size, sha256 = write(draft, limited(stream, ticket["size"]))
            check_bytes(size=size, sha256=sha256, expected_size=ticket["size"], expected_sha256=ticket["sha256"])
            with self._held(key, upload_id), disk():
                for old in folder.glob(f"{number:05d}@*"):
                    old.unlink()
                os.rename(draft, folder / f"{number:05d}@{sha256}")
                sync_folder(folder)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        finally:
            with suppress(OSError):
                draft.unlink()
        return Part(number, size, sha256)

    def arrived(self, key: str, upload_id: str) -> Sequence[Part]:
        """Return the parts that are there, by number.

        :raises ObjectMissing: if there is no such upload.
        """
        folder, _ = self._opened(key, upload_id)
        return [part for part, _ in _parts_in(folder)]

    def is_open(self, key: str, upload_id: str) -> bool:
        """Tell whether parts may still arrive."""
        try:
            self._opened(key, upload_id)
        except ObjectMissing:
            return False
        return True

    @contextmanager
    def whole(self, key: str, upload_id: str) -> Iterator[Whole]:
        """Lend all parts; none of them changes meanwhile.

        :raises ObjectMissing: if there is no such upload.
        """
        with self._held(key, upload_id) as folder:
            _, about = self._opened(key, upload_id)
            there = _parts_in(folder)
            yield Whole(about["type"], [part for part, _ in there], [path for _, path in there])

    def abort(self, key: str, upload_id: str) -> None:
        """Remove an upload; one that is gone is no error."""
        try:
            folder, _ = self._opened(key, upload_id)
            gone = self._tmp / self._new_id().hex
            with disk():
                os.rename(folder, gone)
                sync_folder(self._tmp)
        except (ObjectMissing, FileNotFoundError):
            return
        shutil.rmtree(gone, ignore_errors=True)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Return the uploads below a prefix that are neither complete nor given up, ordered by key."""
        found = []
        for folder in self._tmp.glob(f"{_FOLDER}*"):
            try:
                about = json.loads((folder / _ABOUT).read_bytes())
                begun = datetime.fromtimestamp((folder / _ABOUT).stat().st_mtime, UTC)
            except (FileNotFoundError, ValueError):
                continue
            if about["key"].startswith(prefix):
                found.append(Unfinished(about["key"], folder.name.removeprefix(_FOLDER), begun))
        yield from sorted(found, key=lambda each: (each.key, each.begun))

    def _opened(self, key: str, upload_id: str) -> tuple[Path, dict[str, Any]]:
        check_key(key)
        if len(upload_id) != 32 or set(upload_id) - set("0123456789abcdef"):
            raise ObjectMissing(key)
        folder = self._tmp / f"{_FOLDER}{upload_id}"
        try:
            with disk():
                about = json.loads((folder / _ABOUT).read_bytes())
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        if about["key"] != key:
            raise ObjectMissing(key)
        return folder, about

    @contextmanager
    def _held(self, key: str, upload_id: str) -> Iterator[Path]:
        """Hold an upload for oneself: parts do not arrive while they are put together."""
        folder, _ = self._opened(key, upload_id)
        try:
            with disk():
                handle = os.open(folder / _ABOUT, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        try:
            with disk():
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(handle)


def _parts_in(folder: Path) -> list[tuple[Part, Path]]:
    found = []
    with disk():
        for path in sorted(folder.glob("[0-9]*@*")):
            number, _, sha256 = path.name.partition("@")
            with suppress(FileNotFoundError):
                found.append((Part(int(number), path.stat().st_size, sha256), path))
    return found
