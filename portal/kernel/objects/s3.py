"""Evidence in S3, or in a server that speaks it, through boto3.

The bucket keeps versions, blocks public access, encrypts by its own default and cleans up ``incoming/`` by a
lifecycle rule. The application's credentials need GetObject, GetObjectVersion, PutObject and, so that a missing
key can be told from a forbidden one, ListBucket; only whoever calls ``delete_incoming`` needs
DeleteObjectVersion, on ``incoming/`` alone. Browsers that send directly need a CORS rule for PUT from the
portal's origin with the headers of the ticket.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from portal.kernel.objects.values import (
    CHUNK,
    INCOMING,
    AlreadyExists,
    IntegrityFailure,
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
    check_life,
    check_promise,
    check_type,
    limited,
    verified_stream,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# The smallest part that S3 accepts: two of them are all the memory that a stream of any length takes.
PART = 5 * 1024 * 1024

_FORBIDDEN = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId"}
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
_DAMAGED = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"}
_FULL = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}


@dataclass(frozen=True, slots=True)
class S3Config:
    """Where the bucket is and how to speak to it.

    ``endpoint_url`` None is AWS. ``checksums`` False is for servers that refuse the x-amz-checksum headers;
    our own SHA-256 is compared in either case. Credentials come from boto3's usual chain unless given.
    """

    bucket: str
    endpoint_url: str | None = None
    region: str | None = None
    checksums: bool = True
    timeout: float = 10
    access_key: str | None = None
    secret_key: str | None = None


class S3Store:
    """An :class:`~portal.kernel.objects.ObjectStore` in one bucket."""

    can_presign = True

    def __init__(self, config: S3Config, *, clock: Callable[[], datetime]) -> None:
        self.bucket = config.bucket
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._made: S3Client | None = None

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
        }
        headers = {"Content-Type": content_type, "If-None-Match": "*"}
        if sha256 and self._config.checksums:
            promise["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = _base64(bytes.fromhex(sha256))
        with self._talking(key) as s3:
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
        with self._talking(key) as s3:
            if self._config.checksums:
                head = s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
            else:
                head = s3.head_object(Bucket=self.bucket, Key=key)
        version, size = _pinned(head.get("VersionId")), head["ContentLength"]
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
        with self._talking(key) as s3:
            body = s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)["Body"]
        return self._read(key, body)

    def presign_get(self, stored: StoredObject, *, filename: str, expires: timedelta) -> str | None:
        """Return an address that downloads the pinned version, never shows it."""
        check_life(expires)
        plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in filename)
        with self._talking(stored.key) as s3:
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
        with self._talking(key) as s3:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key):
                for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    if found["Key"] == key:
                        s3.delete_object(Bucket=self.bucket, Key=key, VersionId=found["VersionId"])

    def versions(self, prefix: str) -> Iterator[Listed]:
        """Return every version below a prefix, page by page."""
        with self._talking(prefix) as s3:
            pages = iter(s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix))
        while True:
            with self._talking(prefix):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Versions", []):
                yield Listed(found["Key"], found["VersionId"], found["Size"], found["LastModified"])

    def probe(self) -> None:
        """Return if the bucket answers and keeps versions."""
        with self._talking("") as s3:
            kept = s3.get_bucket_versioning(Bucket=self.bucket).get("Status")
        if kept != "Enabled":
            raise StoreUnavailable(Reason.MISCONFIGURED, "the bucket does not keep versions")

    def _put(self, key: str, body: bytes, content_type: str) -> str:
        extra: dict[str, Any] = {}
        if self._config.checksums:
            extra["ChecksumSHA256"] = _base64(hashlib.sha256(body).digest())
        with self._talking(key) as s3:
            answer = s3.put_object(
                Bucket=self.bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*", **extra
            )
        return _pinned(answer.get("VersionId"))

    def _put_parts(
        self,
        key: str,
        first: memoryview,
        rest: Iterator[memoryview],
        content_type: str,
        proven: Callable[[], None],
    ) -> str:
        extra: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if self._config.checksums else {}
        with self._talking(key) as s3:
            upload = s3.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type, **extra)[
                "UploadId"
            ]
        try:
            done = [self._put_part(key, upload, 1, first)]
            for part in rest:
                done.append(self._put_part(key, upload, len(done) + 1, part))
            proven()
            with self._talking(key) as s3:
                answer = s3.complete_multipart_upload(
                    Bucket=self.bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": done},
                    IfNoneMatch="*",
                )
            return _pinned(answer.get("VersionId"))
        except BaseException:
            # If even this fails, the lifecycle rule for unfinished uploads removes the parts.
            with suppress(Exception), self._talking(key) as s3:
                s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
            raise

    def _put_part(self, key: str, upload: str, number: int, body: memoryview) -> "CompletedPartTypeDef":
        extra: dict[str, Any] = {}
        if self._config.checksums:
            extra["ChecksumSHA256"] = _base64(hashlib.sha256(body).digest())
        with self._talking(key) as s3:
            answer = s3.upload_part(
                Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=bytes(body), **extra
            )
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if extra:
            done["ChecksumSHA256"] = extra["ChecksumSHA256"]
        return done

    def _refuse_taken(self, key: str) -> None:
        try:
            with self._talking(key) as s3:
                s3.head_object(Bucket=self.bucket, Key=key)
        except ObjectMissing:
            return
        raise AlreadyExists(key)

    def _read(self, key: str, body: Any) -> Iterator[bytes]:
        try:
            while True:
                with self._talking(key):
                    piece: bytes = body.read(CHUNK)
                if not piece:
                    return
                yield piece
        finally:
            body.close()

    @contextmanager
    def _talking(self, key: str) -> Iterator["S3Client"]:
        """Lend the client and turn what S3 says into what a caller can act on."""
        from botocore import exceptions as said

        try:
            yield self._client()
        except said.ClientError as error:
            raise self._understood(error, key) from error
        except (said.ConnectTimeoutError, said.ReadTimeoutError) as error:
            raise StoreUnavailable(Reason.SLOW, type(error).__name__) from error
        except (said.FlexibleChecksumError, said.ChecksumError) as error:
            raise IntegrityFailure("the server's checksum differs") from error
        except (
            said.NoCredentialsError,
            said.PartialCredentialsError,
            said.CredentialRetrievalError,
            said.UnauthorizedSSOTokenError,
        ) as error:
            self._forget()
            raise StoreUnavailable(Reason.FORBIDDEN, type(error).__name__) from error
        except (said.HTTPClientError, said.ConnectionError, said.IncompleteReadError) as error:
            raise StoreUnavailable(Reason.DOWN, type(error).__name__) from error
        except said.BotoCoreError as error:
            raise StoreUnavailable(Reason.MISCONFIGURED, type(error).__name__) from error

    def _understood(self, error: Any, key: str) -> Exception:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "NoSuchBucket":
            return StoreUnavailable(Reason.MISCONFIGURED, code)
        if code in _DAMAGED:
            return IntegrityFailure(code)
        if code in _TAKEN or status in {409, 412}:
            return AlreadyExists(key)
        if code in _FULL or status == 507:
            return StoreUnavailable(Reason.NO_SPACE, code)
        if code in _FORBIDDEN or status in {401, 403}:
            # The next call looks the credentials up again, so new ones work without a restart.
            self._forget()
            return StoreUnavailable(Reason.FORBIDDEN, code)
        if status == 404 or (code == "InvalidArgument" and error.operation_name == "GetObject"):
            return ObjectMissing(key)
        return StoreUnavailable(Reason.DOWN if status >= 500 else Reason.MISCONFIGURED, code)

    def _client(self) -> "S3Client":
        with self._lock:
            if self._made is None:
                self._made = self._make_client()
            return self._made

    def _forget(self) -> None:
        with self._lock:
            self._made = None

    def _make_client(self) -> "S3Client":
        # Imported here: boto3 costs a third of a second that pages without uploads need not pay.
        import boto3
        from botocore.config import Config

        config = self._config
        # botocore would add a CRC32 by itself, which several look-alikes reject; ours is a SHA-256.
        client: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=config.endpoint_url,
            region_name=config.region or ("us-east-1" if config.endpoint_url else None),
            aws_access_key_id=config.access_key,
            aws_secret_access_key=config.secret_key,
            config=Config(
                signature_version="s3v4",
                connect_timeout=config.timeout,
                read_timeout=config.timeout,
                retries={"total_max_attempts": 2, "mode": "standard"},
                s3={"addressing_style": "path" if config.endpoint_url else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        return client


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


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _pinned(version: str | None) -> str:
    if not version or version == "null":
        raise StoreUnavailable(Reason.MISCONFIGURED, "the bucket does not keep versions")
    return version
