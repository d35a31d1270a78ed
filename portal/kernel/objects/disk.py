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
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from portal.kernel.objects.disk_files import disk, read, sync_folder, version_name, write
from portal.kernel.objects.disk_parts import PartsOnDisk, Whole
from portal.kernel.objects.values import (
    INCOMING,
    AlreadyExists,
    IntegrityFailure,
    Listed,
    ObjectMissing,
    Part,
    Source,
    StoredObject,
    StoreUnavailable,
    TicketRefused,
    Unfinished,
    UploadTicket,
    check_bytes,
    check_key,
    check_promise,
    check_type,
    check_whole,
    limited,
)

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
        self._parts = PartsOnDisk(
            self._tmp, secret_keys=secret_keys, clock=clock, new_id=new_id, upload_path=self._upload_path
        )
        # itsdangerous wants the newest key last.
        self._signer = URLSafeSerializer(list(reversed(secret_keys)), salt="upload-ticket")
        with disk():
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
            with disk():
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
            size, sha256 = write(part, limited(stream, max_bytes))
            check_bytes(size=size, sha256=sha256, expected_size=expected_size, expected_sha256=expected_sha256)
            with disk():
                os.rename(part, workshop / version_name(sha256, content_type))
            self._publish(workshop, key)
        return StoredObject(self.bucket, key, sha256, size, sha256, content_type)

    def begin_parts(self, key: str, *, content_type: str, sha256: str | None = None) -> str:
        """Make a place for the parts."""
        check_key(key)
        check_type(content_type)
        return self._parts.begin(key, content_type=content_type, hashed=sha256 is not None)

    def part_ticket(
        self, key: str, upload_id: str, *, number: int, size: int, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a signed ticket for the application's own upload address."""
        return self._parts.ticket(key, upload_id, number=number, size=size, sha256=sha256, expires=expires)

    def accept_part(self, token: str, stream: Source) -> Part:
        """Write, hash and sync one part, then let it appear at once."""
        return self._parts.accept(token, stream)

    def parts(self, key: str, upload_id: str) -> Sequence[Part]:
        """Return what arrived."""
        return self._parts.arrived(key, upload_id)

    def complete_parts(self, key: str, upload_id: str, *, content_type: str, size: int, parts: int) -> StoredObject:
        """Write the parts into one object, hashing on the way, then forget them."""
        try:
            with self._parts.whole(key, upload_id) as whole:
                stored = self._assembled(key, whole, content_type=content_type, size=size, parts=parts)
        except ObjectMissing:
            if self._parts.is_open(key, upload_id):
                raise
            # Completed before, perhaps: the key is then taken by what these parts became.
            stored = self.stat(key)
            if (stored.size, stored.content_type) != (size, content_type):
                raise AlreadyExists(key) from None
        except (AlreadyExists, IntegrityFailure):
            self._parts.abort(key, upload_id)
            raise
        self._parts.abort(key, upload_id)
        return stored

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Remove what arrived."""
        self._parts.abort(key, upload_id)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Return the uploads that wait for more parts."""
        return self._parts.unfinished(prefix)

    def lock(self, stored: StoredObject, until: date) -> bool:  # noqa: ARG002
        """Return False: on a disk, what must be kept is a row of the database, which refuses the removal."""
        self._path(stored.key, stored.version_id)
        return False

    def promote(self, incoming: StoredObject, key: str) -> StoredObject:
        """Link the same file under its final key; no byte is copied."""
        check_key(key)
        source = self._path(incoming.key, incoming.version_id)
        with self._workshop() as workshop:
            try:
                with disk():
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
                with disk():
                    size = (self._folder(key) / name).stat().st_size
            except FileNotFoundError:
                continue
            return StoredObject(self.bucket, key, sha256, size, sha256, content_type.replace("~", "/"))
        raise ObjectMissing(key)

    def open(self, key: str, version_id: str) -> Iterator[bytes]:
        """Return the bytes of one version."""
        check_key(key)
        try:
            with disk():
                file = self._path(key, version_id).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        return read(file)

    def presign_get(self, stored: StoredObject, *, filename: str, expires: timedelta) -> str | None:  # noqa: ARG002
        """Return None: the application streams the bytes itself."""
        return None

    def delete_incoming(self, key: str) -> None:
        """Remove an upload that will not become evidence."""
        check_key(key)
        if not key.startswith(INCOMING):
            raise ValueError("only uploads under incoming/ may be deleted")
        with disk():
            # Moved aside first, so that the key is free or whole, never half deleted.
            gone = self._tmp / self._new_id().hex
            with suppress(FileNotFoundError):
                os.rename(self._folder(key), gone)
                sync_folder(self._folder(key).parent)
            shutil.rmtree(gone, ignore_errors=True)

    def versions(self, prefix: str) -> Iterator[Listed]:
        """Return every version below a prefix, ordered by key."""
        for key in self._keys_below("", prefix):
            for name in self._versions_of(key):
                try:
                    facts = (self._folder(key) / name).stat()
                except FileNotFoundError:
                    continue
                modified = datetime.fromtimestamp(facts.st_mtime, UTC)
                yield Listed(key, name.partition("@")[0], facts.st_size, modified)

    def probe(self) -> None:
        """Return if a file can be written and synced."""
        with self._workshop() as workshop:
            write(workshop / "probe", iter([b"probe"]))

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
        with disk():
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

    def _assembled(self, key: str, whole: Whole, *, content_type: str, size: int, parts: int) -> StoredObject:
        check_whole(key, whole.parts, parts=parts, size=size)
        if whole.content_type != content_type:
            raise IntegrityFailure(f"{whole.content_type} instead of {content_type}")
        try:
            return self.receive(key, whole.pieces(parts), content_type=content_type, max_bytes=size, expected_size=size)
        except AlreadyExists:
            # Published before a crash could forget the parts? Then the bytes are the same.
            there, digest = self.stat(key), hashlib.sha256()
            for piece in whole.pieces(parts):
                digest.update(piece)
            if (there.sha256, there.content_type) != (digest.hexdigest(), content_type):
                raise
            return there

    def _folder(self, key: str) -> Path:
        # "@" cannot occur in a key, so an object never sits in the way of a longer key.
        return self._keys / f"{key}@"

    def _versions_of(self, key: str) -> list[str]:
        try:
            with disk():
                return sorted(os.listdir(self._folder(key)))
        except FileNotFoundError:
            return []

    def _keys_below(self, folder: str, prefix: str) -> Iterator[str]:
        """Return the keys in a folder in the order of their bytes, holding one folder's names at a time."""
        try:
            with disk():
                names = os.listdir(self._keys / folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        # "a" comes before "a-b", and that before "a/b": so a folder stands where its slash does.
        for name in sorted(name.removesuffix("@") if name.endswith("@") else f"{name}/" for name in names):
            path = f"{folder}{name}"
            if not name.endswith("/"):
                if path.startswith(prefix):
                    yield path
            elif path.startswith(prefix) or prefix.startswith(path):
                yield from self._keys_below(path, prefix)

    def _path(self, key: str, version_id: str) -> Path:
        for name in self._versions_of(key):
            if name.partition("@")[0] == version_id:
                return self._folder(key) / name
        raise ObjectMissing(key)

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """Lend a private folder on the same filesystem that is gone afterwards, unless it was published."""
        folder = self._tmp / self._new_id().hex
        with disk():
            os.mkdir(folder, 0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _publish(self, workshop: Path, key: str) -> None:
        with disk():
            sync_folder(workshop)
            target = self._folder(key)
            self._make_parents(target.parent)
            try:
                # Renaming a folder onto one that holds a file fails: this is the "never overwrite".
                os.rename(workshop, target)
            except OSError as error:
                if error.errno in _TAKEN:
                    raise AlreadyExists(key) from error
                raise
            sync_folder(target.parent)

    def _make_parents(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_parents(folder.parent)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        sync_folder(folder.parent)
