"""Evidence in S3, or in a server that speaks it, through boto3.

The bucket keeps versions, blocks public access, encrypts by its own default and cleans up ``incoming/`` by a
lifecycle rule. The application's credentials need GetObject, GetObjectVersion, PutObject and, so that a missing
key can be told from a forbidden one, ListBucket; only whoever calls ``delete_incoming`` needs
DeleteObjectVersion, on ``incoming/`` alone. Browsers that send directly need a CORS rule for PUT from the
portal's origin with the headers of the ticket.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote

from portal.kernel.objects.s3_connection import S3Config, S3Connection, base64_of, pinned
from portal.kernel.objects.s3_parts import MARK, PartsInS3, new_mark
from portal.kernel.objects.values import (
    CHUNK,
    INCOMING,
    AlreadyExists,
    IntegrityFailure,
    Listed,
    ObjectMissing,
    Part,
    Reason,
    Source,
    StoredObject,
    StoreUnavailable,
    TicketRefused,
    Unfinished,
    UploadTicket,
    check_bytes,
    check_key,
    check_life,
    check_promise,
    check_type,
    limited,
    verified_stream,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, ObjectLockRetentionTypeDef

# The smallest part that S3 accepts: two of them are all the memory that a stream of any length takes.
PART = 5 * 1024 * 1024


class _Version(TypedDict):
    Bucket: str
    Key: str
    VersionId: str


__all__ = ["S3Config", "S3Store"]


class S3Store:
    """An :class:`~portal.kernel.objects.ObjectStore` in one bucket."""

    can_presign = True

    def __init__(self, config: S3Config, *, clock: Callable[[], datetime]) -> None:
        self.bucket = config.bucket
        self._s3 = S3Connection(config, clock=clock)
        self._parts = PartsInS3(self._s3, clock=clock)
        self._clock = clock

    def warm(self) -> None:
        """Load the libraries and the credentials and open a connection, so that no request pays for it.

        A store that does not answer is nothing to this: whoever needs it is told then.
        """
        with suppress(StoreUnavailable), self._s3.talking("", anew=False) as s3:
            s3.head_bucket(Bucket=self.bucket)

    def reserve(
        self, key: str, *, size: int, content_type: str, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a presigned PUT: one key, exact length, type and hash, and only if the key is free.

        A presigned PUT pins the very length; a presigned POST only a range, and servers check it less well.
        """
        check_key(key)
        check_promise(size=size, content_type=content_type, sha256=sha256, expires=expires)
        promise: dict[str, Any] = {
            "Bucket": self.bucket,
            "Key": key,
            "ContentLength": size,
            "ContentType": content_type,
            "IfNoneMatch": "*",
            **self._s3.config.encryption,
        }
        headers = {"Content-Type": content_type, "If-None-Match": "*", **self._s3.config.encryption_headers}
        if sha256 and self._s3.config.checksums:
            promise["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = base64_of(bytes.fromhex(sha256))
        with self._s3.signing(key) as s3:
            until = self._clock() + expires
            url = s3.generate_presigned_url(
                "put_object", Params=promise, ExpiresIn=int(expires.total_seconds()), HttpMethod="PUT"
            )
        return UploadTicket(key=key, method="PUT", url=url, expires_at=until, headers=headers)

    def accept(self, token: str, stream: Source) -> StoredObject:  # noqa: ARG002
        """Refuse: here the browser sends to the bucket itself."""
        raise TicketRefused("uploads go to the bucket itself")

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
        """Pass a stream on part by part; it becomes an object only when all of it was right."""
        check_key(key)
        check_type(content_type)
        # Asked first because older servers ignore the condition on the write, and to spare the transfer.
        self._refuse_taken(key)
        digest = _Digest(limited(stream, max_bytes))
        parts = _parts(digest)
        first = next(parts, memoryview(b""))

        def proven() -> None:
            check_bytes(
                size=digest.size,
                sha256=digest.sha256,
                expected_size=expected_size,
                expected_sha256=expected_sha256,
            )

        if len(first) < PART:
            proven()
            version = self._put(key, bytes(first), content_type)
        else:
            version = self._put_parts(key, first, parts, content_type, proven)
        return StoredObject(self.bucket, key, version, digest.size, digest.sha256, content_type)

    def begin_parts(self, key: str, *, content_type: str, sha256: str | None = None) -> str:
        """Begin a multipart upload."""
        check_key(key)
        check_type(content_type)
        return self._parts.begin(key, content_type=content_type, hashed=sha256 is not None)

    def part_ticket(
        self, key: str, upload_id: str, *, number: int, size: int, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a presigned PUT of this part."""
        check_key(key)
        return self._parts.ticket(key, upload_id, number=number, size=size, sha256=sha256, expires=expires)

    def accept_part(self, token: str, stream: Source) -> Part:  # noqa: ARG002
        """Refuse: here the browser sends to the bucket itself."""
        raise TicketRefused("uploads go to the bucket itself")

    def parts(self, key: str, upload_id: str) -> Sequence[Part]:
        """Return what the server has."""
        check_key(key)
        return self._parts.arrived(key, upload_id)

    def complete_parts(self, key: str, upload_id: str, *, content_type: str, size: int, parts: int) -> StoredObject:
        """Complete on the condition that the key is free; after a lost answer, find what the first call made."""
        check_key(key)
        # Asked first because older servers ignore the condition on the write.
        if not self._completed(key, upload_id):
            try:
                self._parts.complete(key, upload_id, size=size, parts=parts)
            except AlreadyExists as refusal:
                if not self._completed(key, upload_id):
                    raise StoreUnavailable(Reason.DOWN, "another write of this key is under way") from refusal
            except ObjectMissing:
                if not self._completed(key, upload_id):
                    raise
            except IntegrityFailure:
                self.abort_parts(key, upload_id)
                raise
        stored = self.stat(key)
        if stored.content_type != content_type:
            with suppress(StoreUnavailable):
                self.delete_incoming(key)
            raise IntegrityFailure(f"{stored.content_type} instead of {content_type}")
        return stored

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Remove the parts from the server."""
        check_key(key)
        self._parts.abort(key, upload_id)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Return the multipart uploads under way."""
        return self._parts.unfinished(prefix)

    def lock(self, stored: StoredObject, until: date) -> bool:
        """Set the retention of one version in compliance mode, to the end of that day (UTC)."""
        end = datetime.combine(until + timedelta(days=1), time(), UTC)
        with self._s3.talking(stored.key) as s3:
            where: _Version = {"Bucket": self.bucket, "Key": stored.key, "VersionId": stored.version_id}
            try:
                now = s3.get_object_retention(**where).get("Retention", {})
            except s3.exceptions.ClientError as error:
                code = error.response["Error"]["Code"]
                if code in {"InvalidRequest", "ObjectLockConfigurationNotFoundError", "NotImplemented"}:
                    return False
                if code != "NoSuchObjectLockConfiguration":
                    raise
                now = {}
            kept = now.get("RetainUntilDate")
            if now.get("Mode") == "COMPLIANCE" and kept is not None and kept >= end:
                return True
            retention: ObjectLockRetentionTypeDef = {"Mode": "COMPLIANCE", "RetainUntilDate": max(end, kept or end)}
            try:
                s3.put_object_retention(**where, Retention=retention)
            except s3.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in {"InvalidRequest", "NotImplemented"}:
                    return False
                raise
        return True

    def promote(self, incoming: StoredObject, key: str) -> StoredObject:
        """Write the pinned bytes under the final key.

        Not by the server's own copy: a bucket policy that demands ``If-None-Match`` makes copies fail.
        """
        pieces = self.open(incoming.key, incoming.version_id)
        return self.receive(
            key,
            verified_stream(pieces, sha256=incoming.sha256, size=incoming.size),
            content_type=incoming.content_type,
            max_bytes=incoming.size,
            expected_size=incoming.size,
            expected_sha256=incoming.sha256,
        )

    def stat(self, key: str) -> StoredObject:
        """Return the latest version; its hash is the server's if it kept a whole one, else read and made."""
        check_key(key)
        with self._s3.talking(key) as s3:
            if self._s3.config.checksums:
                head = s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
            else:
                head = s3.head_object(Bucket=self.bucket, Key=key)
        version, size = pinned(head.get("VersionId")), head["ContentLength"]
        kept = head.get("ChecksumSHA256", "")
        # COMPOSITE is the checksum of the parts' checksums, not of the bytes; some servers do not say which.
        if kept and head.get("ChecksumType") == "FULL_OBJECT":
            sha256 = base64.b64decode(kept).hex()
        else:
            digest = _Digest(self.open(key, version))
            for _ in digest:
                pass
            check_bytes(size=digest.size, sha256="", expected_size=size, expected_sha256=None)
            sha256 = digest.sha256
        return StoredObject(self.bucket, key, version, size, sha256, head["ContentType"])

    def open(self, key: str, version_id: str) -> Iterator[bytes]:
        """Return the bytes of one version."""
        check_key(key)
        with self._s3.talking(key) as s3:
            body = s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)["Body"]
        return self._read(key, body)

    def presign_get(self, stored: StoredObject, *, filename: str, expires: timedelta) -> str | None:
        """Return an address that downloads the pinned version, never shows it."""
        check_life(expires)
        plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in filename)
        with self._s3.signing(stored.key) as s3:
            return s3.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket,
                    "Key": stored.key,
                    "VersionId": stored.version_id,
                    "ResponseContentType": "application/octet-stream",
                    "ResponseContentDisposition": f'attachment; filename="{plain}"; '
                    f"filename*=UTF-8''{quote(filename, safe='')}",
                    "ResponseCacheControl": "private, no-store",
                },
                ExpiresIn=int(expires.total_seconds()),
            )

    def delete_incoming(self, key: str) -> None:
        """Remove all versions and delete markers of an upload."""
        check_key(key)
        if not key.startswith(INCOMING):
            raise ValueError("only uploads under incoming/ may be deleted")
        with self._s3.talking(key) as s3:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key):
                for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    if found["Key"] == key:
                        s3.delete_object(Bucket=self.bucket, Key=key, VersionId=found["VersionId"])

    def versions(self, prefix: str) -> Iterator[Listed]:
        """Return every version below a prefix, page by page."""
        with self._s3.talking(prefix) as s3:
            pages = iter(s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix))
        while True:
            with self._s3.talking(prefix):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Versions", []):
                yield Listed(found["Key"], found["VersionId"], found["Size"], found["LastModified"])

    def probe(self) -> None:
        """Return if the bucket answers and keeps versions."""
        with self._s3.talking("") as s3:
            kept = s3.get_bucket_versioning(Bucket=self.bucket).get("Status")
        if kept != "Enabled":
            raise StoreUnavailable(Reason.MISCONFIGURED, "the bucket does not keep versions")

    def _completed(self, key: str, upload_id: str) -> bool:
        """Tell whether this upload became the object already.

        :raises AlreadyExists: if the key holds something else; nothing of the upload is kept then.
        """
        try:
            if self._parts.became(key, upload_id):
                return True
        except ObjectMissing:
            return False
        self.abort_parts(key, upload_id)
        raise AlreadyExists(key)

    def _put(self, key: str, body: bytes, content_type: str) -> str:
        mark = new_mark()
        extra: dict[str, Any] = dict(self._s3.config.encryption)
        if self._s3.config.checksums:
            extra["ChecksumSHA256"] = base64_of(hashlib.sha256(body).digest())
        try:
            with self._s3.talking(key) as s3:
                answer = s3.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    Metadata={MARK: mark},
                    IfNoneMatch="*",
                    **extra,
                )
        except AlreadyExists:
            return self._written(key, mark)
        return pinned(answer.get("VersionId"))

    def _written(self, key: str, mark: str) -> str:
        """Return the version that this very write made, whose answer was lost: the second try found the key taken.

        :raises AlreadyExists: if somebody else wrote it.
        """
        try:
            with self._s3.talking(key) as s3:
                head = s3.head_object(Bucket=self.bucket, Key=key)
        except ObjectMissing as nothing:
            raise StoreUnavailable(Reason.DOWN, "another write of this key is under way") from nothing
        if head.get("Metadata", {}).get(MARK) != mark:
            raise AlreadyExists(key)
        return pinned(head.get("VersionId"))

    def _put_parts(
        self,
        key: str,
        first: memoryview,
        rest: Iterator[memoryview],
        content_type: str,
        proven: Callable[[], None],
    ) -> str:
        mark = new_mark()
        extra: dict[str, Any] = {"Metadata": {MARK: mark}, **self._s3.config.encryption}
        if self._s3.config.checksums:
            extra["ChecksumAlgorithm"] = "SHA256"
        with self._s3.talking(key) as s3:
            upload = s3.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type, **extra)[
                "UploadId"
            ]
        try:
            done = [self._put_part(key, upload, 1, first)]
            for part in rest:
                done.append(self._put_part(key, upload, len(done) + 1, part))
            proven()
            try:
                with self._s3.talking(key) as s3:
                    answer = s3.complete_multipart_upload(
                        Bucket=self.bucket,
                        Key=key,
                        UploadId=upload,
                        MultipartUpload={"Parts": done},
                        IfNoneMatch="*",
                    )
            except (AlreadyExists, ObjectMissing):
                return self._written(key, mark)
            return pinned(answer.get("VersionId"))
        except BaseException:
            # If even this fails, the lifecycle rule for unfinished uploads removes the parts.
            with suppress(Exception), self._s3.talking(key) as s3:
                s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
            raise

    def _put_part(self, key: str, upload: str, number: int, body: memoryview) -> "CompletedPartTypeDef":
        extra: dict[str, Any] = {}
        if self._s3.config.checksums:
            extra["ChecksumSHA256"] = base64_of(hashlib.sha256(body).digest())
        with self._s3.talking(key) as s3:
            answer = s3.upload_part(
                Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=bytes(body), **extra
            )
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if extra:
            done["ChecksumSHA256"] = extra["ChecksumSHA256"]
        return done

    def _refuse_taken(self, key: str) -> None:
        try:
            with self._s3.talking(key) as s3:
                s3.head_object(Bucket=self.bucket, Key=key)
        except ObjectMissing:
            return
        raise AlreadyExists(key)

    def _read(self, key: str, body: Any) -> Iterator[bytes]:
        try:
            while True:
                with self._s3.talking(key, anew=False):
                    piece: bytes = body.read(CHUNK)
                if not piece:
                    return
                yield piece
        finally:
            body.close()


class _Digest:
    """Pieces passing by, counted and hashed."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._hash = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._hash.update(piece)
            self.size += len(piece)
            yield piece

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _parts(pieces: "_Digest") -> Iterator[memoryview]:
    """Fill one buffer again and again; each view is good until the next is asked for."""
    buffer = memoryview(bytearray(PART))
    filled = 0
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            taken = min(len(rest), PART - filled)
            buffer[filled : filled + taken] = rest[:taken]
            filled, rest = filled + taken, rest[taken:]
            if filled == PART:
                yield buffer
                filled = 0
    if filled:
        yield buffer[:filled]
