"""Evidence on a local disk: the embedded default, crash-safe and write-once.

Below the root, ``keys/<key>@/<sha256>@<type>`` is a stored version, ``tmp/`` holds uploads under way and
``tickets/`` the tickets already used. A version appears by one rename of a finished, synced folder, which
fails if the key is taken; so after a crash there is a whole object or none. Retention and legal holds are rows
in the database, decided there. This store cannot keep root from deleting a file; :meth:`DiskStore.scrub` and
the evidence rows notice it.
"""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from portal.kernel.objects.values import (
    CHUNK,
    INCOMING,
    AlreadyExists,
    Listed,
    ObjectMissing,
    Reason,
    Source,
    StoredObject,
    StoreUnavailable,
    TicketRefused,
    UploadTicket,
    check_bytes,
    check_key,
    check_promise,
    check_type,
    limited,
)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY}


@dataclass(frozen=True, slots=True)
class Damage:
    """A stored version whose bytes are no longer those of its name."""

    key: str
    version_id: str
    problem: str


class DiskStore:
    """An :class:`~portal.kernel.objects.ObjectStore` in a folder of one machine."""

    can_presign = False

    def __init__(
        self,
        root: Path,
        *,
        secret_keys: Sequence[str],
        clock: Callable[[], datetime],
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
        upload_path: str = "/uploads",
        bucket: str = "disk",
    ) -> None:
        """``secret_keys``: the first signs tickets, the rest still verify (rotation)."""
        self.bucket = bucket
        self._keys, self._tmp, self._tickets = root / "keys", root / "tmp", root / "tickets"
        self._upload_path = upload_path.rstrip("/")
        self._clock = clock
        self._new_id = new_id
        # itsdangerous wants the newest key last.
        self._signer = URLSafeSerializer(list(reversed(secret_keys)), salt="upload-ticket")
        with _disk():
            for folder in (root, self._keys, self._tmp, self._tickets):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def reserve(
        self, key: str, *, size: int, content_type: str, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a signed ticket for the application's own upload address."""
        check_key(key)
        check_promise(size=size, content_type=content_type, sha256=sha256, expires=expires)
        until = self._clock() + expires
        token = self._signer.dumps(
            {
                "id": self._new_id().hex,
                "key": key,
                "size": size,
                "type": content_type,
                "sha256": sha256,
                "until": until.timestamp(),
            }
        )
        return UploadTicket(
            key=key,
            method="PUT",
            url=f"{self._upload_path}/{token if isinstance(token, str) else token.decode()}",
            expires_at=until,
            headers={"Content-Type": content_type},
        )

    def accept(self, token: str, stream: Source) -> StoredObject:
        """Spend a ticket, then store what it promised."""
        try:
            ticket = self._signer.loads(token)
        except BadData as error:
            raise TicketRefused("the ticket is not one of ours") from error
        if self._clock().timestamp() >= ticket["until"]:
            raise TicketRefused("the ticket is out of time")
        try:
            with _disk():
                os.close(os.open(self._tickets / ticket["id"], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400))
        except FileExistsError as error:
            raise TicketRefused("the ticket was used") from error
        return self.receive(
            ticket["key"],
            stream,
            content_type=ticket["type"],
            max_bytes=ticket["size"],
            expected_size=ticket["size"],
            expected_sha256=ticket["sha256"],
        )

    def receive(
        self,
        key: str,
        stream: Source,
        *,
        content_type: str,
        max_bytes: int,
        expected_size: int | None = None,
        expected_sha256: str | None = None,
    ) -> StoredObject:
        """Write, hash, sync, then let the whole object appear at once."""
        check_key(key)
        check_type(content_type)
        if self._versions_of(key):
            raise AlreadyExists(key)
        with self._workshop() as workshop:
            part = workshop / "part"
            size, sha256 = _write(part, limited(stream, max_bytes))
            check_bytes(size=size, sha256=sha256, expected_size=expected_size, expected_sha256=expected_sha256)
            with _disk():
                os.rename(part, workshop / _version_name(sha256, content_type))
            self._publish(workshop, key)
        return StoredObject(self.bucket, key, sha256, size, sha256, content_type)

    def promote(self, incoming: StoredObject, key: str) -> StoredObject:
        """Link the same file under its final key; no byte is copied."""
        check_key(key)
        source = self._path(incoming.key, incoming.version_id)
        with self._workshop() as workshop:
            try:
                with _disk():
                    os.link(source, workshop / source.name)
            except FileNotFoundError as error:
                raise ObjectMissing(incoming.key) from error
            self._publish(workshop, key)
        return self.stat(key)

    def stat(self, key: str) -> StoredObject:
        """Return the one version of a key."""
        check_key(key)
        for name in self._versions_of(key):
            sha256, _, content_type = name.partition("@")
            try:
                with _disk():
                    size = (self._folder(key) / name).stat().st_size
            except FileNotFoundError:
                continue
            return StoredObject(self.bucket, key, sha256, size, sha256, content_type.replace("~", "/"))
        raise ObjectMissing(key)

    def open(self, key: str, version_id: str) -> Iterator[bytes]:
        """Return the bytes of one version."""
        check_key(key)
        try:
            with _disk():
                file = self._path(key, version_id).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        return _read(file)

    def presign_get(self, stored: StoredObject, *, filename: str, expires: timedelta) -> str | None:  # noqa: ARG002
        """Return None: the application streams the bytes itself."""
        return None

    def delete_incoming(self, key: str) -> None:
        """Remove an upload that will not become evidence."""
        check_key(key)
        if not key.startswith(INCOMING):
            raise ValueError("only uploads under incoming/ may be deleted")
        with _disk():
            # Moved aside first, so that the key is free or whole, never half deleted.
            gone = self._tmp / self._new_id().hex
            with suppress(FileNotFoundError):
                os.rename(self._folder(key), gone)
                _sync_folder(self._folder(key).parent)
            shutil.rmtree(gone, ignore_errors=True)

    def versions(self, prefix: str) -> Iterator[Listed]:
        """Return every version below a prefix, ordered by key."""
        for path in sorted(self._keys.rglob("*@/*")):
            key = str(path.parent.relative_to(self._keys)).removesuffix("@")
            if key.startswith(prefix):
                try:
                    facts = path.stat()
                except FileNotFoundError:
                    continue
                modified = datetime.fromtimestamp(facts.st_mtime, UTC)
                yield Listed(key, path.name.partition("@")[0], facts.st_size, modified)

    def probe(self) -> None:
        """Return if a file can be written and synced."""
        with self._workshop() as workshop:
            _write(workshop / "probe", iter([b"probe"]))

    def scrub(self, prefix: str = "") -> Iterator[Damage]:
        """Read every version again and report those whose bytes changed on the disk."""
        for listed in self.versions(prefix):
            digest = hashlib.sha256()
            try:
                for piece in self.open(listed.key, listed.version_id):
                    digest.update(piece)
            except ObjectMissing:
                continue
            except StoreUnavailable as error:
                yield Damage(listed.key, listed.version_id, f"unreadable: {error.detail}")
                continue
            if digest.hexdigest() != listed.version_id:
                yield Damage(listed.key, listed.version_id, "the SHA-256 differs")

    def sweep(self, *, older_than: timedelta = timedelta(hours=24)) -> int:
        """Remove what crashed uploads and used tickets left behind; return how many things went."""
        limit = (self._clock() - older_than).timestamp()
        gone = 0
        with _disk():
            for path in [*self._tmp.iterdir(), *self._tickets.iterdir()]:
                try:
                    if path.lstat().st_mtime >= limit:
                        continue
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
                except FileNotFoundError:
                    continue
                gone += 1
        return gone

    def _folder(self, key: str) -> Path:
        # "@" cannot occur in a key, so an object never sits in the way of a longer key.
        return self._keys / f"{key}@"

    def _versions_of(self, key: str) -> list[str]:
        try:
            with _disk():
                return sorted(os.listdir(self._folder(key)))
        except FileNotFoundError:
            return []

    def _path(self, key: str, version_id: str) -> Path:
        for name in self._versions_of(key):
            if name.partition("@")[0] == version_id:
                return self._folder(key) / name
        raise ObjectMissing(key)

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """Lend a private folder on the same filesystem that is gone afterwards, unless it was published."""
        folder = self._tmp / self._new_id().hex
        with _disk():
            os.mkdir(folder, 0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _publish(self, workshop: Path, key: str) -> None:
        with _disk():
            _sync_folder(workshop)
            target = self._folder(key)
            self._make_parents(target.parent)
            try:
                # Renaming a folder onto one that holds a file fails: this is the "never overwrite".
                os.rename(workshop, target)
            except OSError as error:
                if error.errno in _TAKEN:
                    raise AlreadyExists(key) from error
                raise
            _sync_folder(target.parent)

    def _make_parents(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_parents(folder.parent)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        _sync_folder(folder.parent)


@contextmanager
def _disk() -> Iterator[None]:
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


def _version_name(sha256: str, content_type: str) -> str:
    return f"{sha256}@{content_type.replace('/', '~')}"


def _write(path: Path, pieces: Iterator[bytes]) -> tuple[int, str]:
    """Write and sync a new read-only file; return its length and hash."""
    digest, size = hashlib.sha256(), 0
    with _disk():
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        # A failing source is the caller's affair, so only the writes are read as the disk's voice.
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            rest = memoryview(piece)
            with _disk():
                while rest:
                    rest = rest[os.write(handle, rest) :]
        with _disk():
            os.fchmod(handle, 0o440)
            os.fsync(handle)
    finally:
        os.close(handle)
    return size, digest.hexdigest()


def _read(file: FileIO) -> Iterator[bytes]:
    with file:
        while True:
            with _disk():
                piece = file.read(CHUNK)
            if not piece:
                return
            yield piece


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
