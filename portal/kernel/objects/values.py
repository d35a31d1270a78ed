"""The words of the object store: what is stored, what may go wrong, and what every driver promises."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from portal.kernel.errors import Unavailable

CHUNK = 256 * 1024
INCOMING = "incoming/"
MAX_TICKET_LIFE = timedelta(seconds=120)
PART_BYTES = 8_000_000
"""How long the parts of an upload are, but for the last: more than the 5 MiB that S3 asks for."""
MAX_PARTS = 10_000

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,94}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Reason(StrEnum):
    """Why a store did not answer; each asks an operator for something different."""

    DOWN = "down"
    SLOW = "slow"
    FORBIDDEN = "forbidden"
    NO_SPACE = "no space"
    MISCONFIGURED = "misconfigured"


class StoreError(Exception):
    """Something about an object that the caller can explain to a person."""


class StoreUnavailable(StoreError, Unavailable):
    """The store cannot serve now; nothing was changed that a retry would not repair.

    Its message is for the person; ``reason`` and ``detail`` are for the log and the operator.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        full = reason is Reason.NO_SPACE
        super().__init__(
            "There is no space left for files. Nothing was lost. We have to make room before you try again"
            if full
            else "Storage is unavailable. Nothing was lost. Try again in a minute",
            retry_after=300 if full else 60,
        )
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


class ObjectMissing(StoreError):
    """There is no such key, or no such version of it."""


class IntegrityFailure(StoreError):
    """The bytes are not the bytes that were promised: other length, hash or type."""


class TooLarge(StoreError):
    """More bytes than allowed; reading stopped at the limit."""


class AlreadyExists(StoreError):
    """The key holds an object, and objects are never overwritten."""


class TicketRefused(StoreError):
    """The upload ticket is forged, used, out of time, or not for this store."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One immutable version of one object. ``sha256`` is hexadecimal."""

    bucket: str
    key: str
    version_id: str
    size: int
    sha256: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A version as a listing shows it, for reconciling rows with the store."""

    key: str
    version_id: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an upload that arrived. ``sha256`` is hexadecimal, None where the store did not keep it."""

    number: int
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload in parts that is neither complete nor given up, as a listing of the store shows it."""

    key: str
    upload_id: str
    begun: datetime

    def is_of(self, upload_id: str | None) -> bool:
        """Tell whether this is the upload that :meth:`ObjectStore.begin_parts` named so."""
        return upload_id is not None and upload_id.partition(":")[0] == self.upload_id


@dataclass(frozen=True, slots=True)
class UploadTicket:
    """What a browser needs to send one file: where, how, and with which headers, until when."""

    key: str
    method: str
    url: str
    expires_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


Source = _Readable | Iterable[bytes]


class ObjectStore(Protocol):
    """Bytes under generated keys, each version immutable and named by its id.

    Every method may raise :class:`StoreUnavailable`. Keys are lower-case paths made by us, never from a
    person's text; uploads arrive under ``incoming/`` and are promoted once they are checked.
    """

    @property
    def bucket(self) -> str:
        """The name that goes into the evidence row."""
        ...

    @property
    def can_presign(self) -> bool:
        """Whether browsers send to and read from the store directly."""
        ...

    def reserve(
        self, key: str, *, size: int, content_type: str, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a ticket for exactly this length and type (and hash, if known), for at most 120 seconds."""
        ...

    def accept(self, token: str, stream: Source) -> StoredObject:
        """Store what a ticket of an application-served upload promised; each ticket works once.

        :raises TicketRefused: if the ticket is forged, used or late, or the store takes uploads itself.
        :raises IntegrityFailure: if length or hash differ from the ticket. Nothing is kept then.
        """
        ...

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
        """Store a stream in constant memory, hashing on the way; all of it or nothing is kept.

        :raises TooLarge: as soon as more than ``max_bytes`` were read.
        :raises IntegrityFailure: if length or hash are not the expected ones.
        :raises AlreadyExists: if the key is taken.
        """
        ...

    def begin_parts(self, key: str, *, content_type: str, sha256: str | None = None) -> str:
        """Begin an upload in parts and return the name that the other calls know it by.

        :param sha256: of the whole, if the sender knows it; then every part has to come with its own as well.
        """
        ...

    def part_ticket(
        self, key: str, upload_id: str, *, number: int, size: int, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a ticket for exactly this part, for at most 120 seconds; it may be used again within them.

        :raises ObjectMissing: if the upload is over, where asking costs nothing.
        """
        ...

    def accept_part(self, token: str, stream: Source) -> Part:
        """Keep the part that a ticket of an application-served upload promised; sent again it replaces itself.

        :raises TicketRefused: if the ticket is forged, late or none for a part, or the store takes uploads itself.
        :raises IntegrityFailure: if length or hash differ from the ticket. Nothing of it is kept then.
        :raises ObjectMissing: if the upload is over.
        """
        ...

    def parts(self, key: str, upload_id: str) -> Sequence[Part]:
        """Return the parts that arrived, by number.

        :raises ObjectMissing: if the upload is unknown, complete or given up.
        """
        ...

    def complete_parts(self, key: str, upload_id: str, *, content_type: str, size: int, parts: int) -> StoredObject:
        """Make parts 1 to ``parts`` into one object; called again, it returns the same object.

        Whether these are the bytes that were promised is for :func:`finalise` or :func:`as_promised` to say.

        :raises ObjectMissing: if a part has not arrived, or there is no such upload.
        :raises AlreadyExists: if the key holds something else. Nothing of the upload is kept then.
        :raises IntegrityFailure: if length or type are not the promised ones. Nothing is kept then.
        """
        ...

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Give an upload in parts up and remove what arrived; one that is over is no error."""
        ...

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Return every upload in parts below a prefix that is neither complete nor given up."""
        ...

    def lock(self, stored: StoredObject, until: date) -> bool:
        """Have the store refuse to remove a version until that day has passed, whoever asks; never for less long.

        :returns: whether the store keeps such a promise; False where it cannot.
        :raises ObjectMissing: if there is no such version.
        """
        ...

    def promote(self, incoming: StoredObject, key: str) -> StoredObject:
        """Give a checked upload its final key; the bytes are those of the pinned version.

        :raises ObjectMissing: if that version is gone.
        :raises AlreadyExists: if the key is taken.
        :raises IntegrityFailure: if the bytes no longer have the pinned hash.
        """
        ...

    def stat(self, key: str) -> StoredObject:
        """Return the latest version of a key. Reads the object once if the store keeps no SHA-256.

        :raises ObjectMissing: if there is none.
        """
        ...

    def open(self, key: str, version_id: str) -> Iterator[bytes]:
        """Return the bytes of one version; wrap in :func:`verified_stream` before anyone sees them.

        :raises ObjectMissing: if there is no such version; raised here, not at the first byte.
        """
        ...

    def presign_get(self, stored: StoredObject, *, filename: str, expires: timedelta) -> str | None:
        """Return a short-lived address that downloads one version as an attachment; None if it cannot."""
        ...

    def delete_incoming(self, key: str) -> None:
        """Remove every version of an upload that will not become evidence; no such key is no error.

        :raises ValueError: for a key outside ``incoming/``: evidence is never deleted through here.
        """
        ...

    def versions(self, prefix: str) -> Iterator[Listed]:
        """Return every stored version below a prefix, ordered by key."""
        ...

    def probe(self) -> None:
        """Return if the store is fit for evidence: reachable, allowed, and keeping versions."""
        ...


def check_key(key: str) -> None:
    """Raise ValueError for a key that we would not have generated."""
    if len(key) > 512 or not _KEY.fullmatch(key):
        raise ValueError(f"not an object key: {key!r}")


def check_promise(*, size: int, content_type: str, sha256: str | None, expires: timedelta) -> None:
    """Raise ValueError for an upload that must not be promised."""
    check_type(content_type)
    if size < 1:
        raise ValueError("an upload has at least one byte")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise ValueError("a SHA-256 is 64 lower-case hexadecimal digits")
    check_life(expires)


def check_part(*, number: int, size: int, sha256: str | None, expires: timedelta, hashed: bool) -> None:
    """Raise ValueError for a part that must not be promised."""
    if not 1 <= number <= MAX_PARTS:
        raise ValueError("parts are numbered from 1 to 10 000")
    if size < 1:
        raise ValueError("a part has at least one byte")
    if hashed and sha256 is None:
        raise ValueError("each part of this upload comes with its SHA-256")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise ValueError("a SHA-256 is 64 lower-case hexadecimal digits")
    check_life(expires)


def check_whole(key: str, there: Sequence[Part], *, parts: int, size: int) -> None:
    """Raise unless parts 1 to ``parts`` are there and as long as the whole.

    :raises ObjectMissing: if one has not arrived.
    :raises IntegrityFailure: if they are longer or shorter together.
    """
    if parts < 1 or [part.number for part in there[:parts]] != list(range(1, parts + 1)):
        raise ObjectMissing(key)
    check_bytes(size=sum(part.size for part in there[:parts]), sha256="", expected_size=size, expected_sha256=None)


def check_life(expires: timedelta) -> None:
    """Raise ValueError for a signed address that would live too long."""
    if not timedelta(seconds=1) <= expires <= MAX_TICKET_LIFE:
        raise ValueError("a signed address lives for 1 to 120 seconds")


def check_type(content_type: str) -> None:
    """Raise ValueError for something that is no plain media type."""
    if not _TYPE.fullmatch(content_type):
        raise ValueError(f"not a media type: {content_type!r}")


def check_bytes(*, size: int, sha256: str, expected_size: int | None, expected_sha256: str | None) -> None:
    """:raises IntegrityFailure: if length or hash are not the expected ones."""
    if expected_size is not None and size != expected_size:
        raise IntegrityFailure(f"{size} bytes instead of {expected_size}")
    if expected_sha256 is not None and sha256 != expected_sha256:
        raise IntegrityFailure("the SHA-256 differs")


def chunks(source: Source) -> Iterator[bytes]:
    """Return a source as pieces of bounded size, whether it is a file or already an iterable."""
    if isinstance(source, Iterable) and not hasattr(source, "read"):
        for piece in source:
            for start in range(0, len(piece), CHUNK):
                yield piece[start : start + CHUNK]
        return
    read = source.read
    while piece := read(CHUNK):
        yield piece


def limited(source: Source, limit: int) -> Iterator[bytes]:
    """Pass pieces on until there are more bytes than allowed.

    :raises TooLarge: at the first byte over the limit.
    """
    seen = 0
    for piece in chunks(source):
        seen += len(piece)
        if seen > limit:
            raise TooLarge(f"more than {limit} bytes")
        yield piece


def verified_stream(pieces: Iterable[bytes], *, sha256: str, size: int) -> Iterator[bytes]:
    """Pass bytes on while hashing them, and hold the last piece back until the whole is proven.

    A reader therefore never gets a complete body of wrong bytes: the response ends short of its
    Content-Length. Where not even a part may be seen, use :func:`verified_file`.

    :raises IntegrityFailure: instead of the last piece, if length or hash differ.
    """
    digest, seen, held = hashlib.sha256(), 0, b""
    for piece in pieces:
        digest.update(piece)
        seen += len(piece)
        if seen > size:
            raise IntegrityFailure(f"more than {size} bytes")
        if held:
            yield held
        held = piece
    check_bytes(size=seen, sha256=digest.hexdigest(), expected_size=size, expected_sha256=sha256)
    if held:
        yield held


@contextmanager
def verified_file(store: ObjectStore, stored: StoredObject, *, folder: Path | None = None) -> Iterator[Path]:
    """Lend a private copy of an object whose every byte was proven before anyone looks at it.

    :raises IntegrityFailure: if the stored bytes are not the pinned ones.
    :raises StoreUnavailable: with ``no space`` if the copy does not fit.
    """
    handle, name = tempfile.mkstemp(prefix="evidence-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as copy:
            pieces = store.open(stored.key, stored.version_id)
            for piece in verified_stream(pieces, sha256=stored.sha256, size=stored.size):
                try:
                    copy.write(piece)
                    copy.flush()
                except OSError as error:
                    raise StoreUnavailable(Reason.NO_SPACE, "temporary folder") from error
        yield Path(name)
    finally:
        os.unlink(name)


def finalise(store: ObjectStore, key: str, *, size: int, content_type: str, sha256: str | None = None) -> StoredObject:
    """Return the version that a browser sent, once it is what its ticket promised.

    Called again it finds the same version, so a lost answer does no harm. An upload that differs is removed;
    where the store forbids removal, its own clean-up of ``incoming/`` does it later.

    :raises ObjectMissing: if nothing arrived.
    :raises IntegrityFailure: if length, type or hash differ.
    """
    return as_promised(store, store.stat(key), size=size, content_type=content_type, sha256=sha256)


def as_promised(
    store: ObjectStore, stored: StoredObject, *, size: int, content_type: str, sha256: str | None = None
) -> StoredObject:
    """Return what a store just described, if it is what was promised; an upload that differs is removed.

    :raises IntegrityFailure: if length, type or hash differ.
    """
    try:
        check_bytes(size=stored.size, sha256=stored.sha256, expected_size=size, expected_sha256=sha256)
        if stored.content_type != content_type:
            raise IntegrityFailure(f"{stored.content_type} instead of {content_type}")
    except IntegrityFailure:
        with suppress(StoreUnavailable):
            store.delete_incoming(stored.key)
        raise
    return stored
