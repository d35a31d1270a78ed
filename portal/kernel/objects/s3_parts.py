"""Uploads in parts to S3: the browser sends each part by its own signed address, we begin, list and complete."""

import base64
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.kernel.objects.s3_connection import S3Connection, base64_of
from portal.kernel.objects.values import (
    ObjectMissing,
    Part,
    Unfinished,
    UploadTicket,
    check_part,
    check_whole,
)

MARK = "upload"
"""The metadata that says of an object which write it came from: a repeat after a lost answer knows its own."""


def new_mark() -> str:
    """Return a mark that no other write has."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class _Name:
    """What the name of an upload is made of: the server's id, our mark, and whether parts come with their hash."""

    upload: str
    mark: str
    hashed: bool

    def __str__(self) -> str:
        return f"{self.upload}:{self.mark}:{'hashed' if self.hashed else 'bare'}"


class PartsInS3:
    """The uploads in parts of one :class:`~portal.kernel.objects.s3.S3Store`."""

    def __init__(self, s3: S3Connection, *, clock: Callable[[], datetime]) -> None:
        self._s3 = s3
        self._bucket = s3.config.bucket
        self._clock = clock

    def begin(self, key: str, *, content_type: str, hashed: bool) -> str:
        """Begin a multipart upload; its type and encryption are settled here, once."""
        mark = new_mark()
        hashed = hashed and self._s3.config.checksums
        extra: dict[str, Any] = dict(self._s3.config.encryption)
        if hashed:
            # From here on the server takes no part without its SHA-256.
            extra["ChecksumAlgorithm"] = "SHA256"
        with self._s3.talking(key) as s3:
            begun = s3.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type, Metadata={MARK: mark}, **extra
            )
        return str(_Name(begun["UploadId"], mark, hashed))

    def ticket(
        self, key: str, upload_id: str, *, number: int, size: int, sha256: str | None, expires: timedelta
    ) -> UploadTicket:
        """Return a presigned PUT of one part: its number, exact length and, where it is known, its hash."""
        name = _named(key, upload_id)
        check_part(number=number, size=size, sha256=sha256, expires=expires, hashed=name.hashed)
        promise: dict[str, Any] = {
            "Bucket": self._bucket,
            "Key": key,
            "UploadId": name.upload,
            "PartNumber": number,
            "ContentLength": size,
        }
        headers: dict[str, str] = {}
        if sha256 and name.hashed:
            promise["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = base64_of(bytes.fromhex(sha256))
        with self._s3.signing(key) as s3:
            until = self._clock() + expires
            url = s3.generate_presigned_url(
                "upload_part", Params=promise, ExpiresIn=int(expires.total_seconds()), HttpMethod="PUT"
            )
        return UploadTicket(key=key, method="PUT", url=url, expires_at=until, headers=headers)

    def arrived(self, key: str, upload_id: str) -> Sequence[Part]:
        """Return the parts that the server has."""
        return [part for part, _ in self._listed(key, _named(key, upload_id))]

    def complete(self, key: str, upload_id: str, *, size: int, parts: int) -> None:
        """Have the server make the parts into one object, if the key is free; a repeat says that there is no upload.

        :raises ObjectMissing: if a part has not arrived, or there is no such upload (any more).
        :raises AlreadyExists: if the key is taken.
        :raises IntegrityFailure: if the parts are longer or shorter than the whole.
        """
        name = _named(key, upload_id)
        there = self._listed(key, name)
        check_whole(key, [part for part, _ in there], parts=parts, size=size)
        done: list[Any] = []
        for part, etag in there[:parts]:
            done.append({"PartNumber": part.number, "ETag": etag})
            if name.hashed and part.sha256:
                done[-1]["ChecksumSHA256"] = base64_of(bytes.fromhex(part.sha256))
        with self._s3.talking(key) as s3:
            s3.complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=name.upload,
                MultipartUpload={"Parts": done},
                IfNoneMatch="*",
            )

    def became(self, key: str, upload_id: str) -> bool:
        """Tell whether the object under the key is what this upload became.

        :raises ObjectMissing: if there is no object.
        """
        with self._s3.talking(key) as s3:
            head = s3.head_object(Bucket=self._bucket, Key=key)
        return head.get("Metadata", {}).get(MARK) == _named(key, upload_id).mark

    def abort(self, key: str, upload_id: str) -> None:
        """Remove what arrived; an upload that is over is no error."""
        name = upload_id.partition(":")[0]
        with self._s3.talking(key) as s3:
            try:
                s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=name)
            except s3.exceptions.NoSuchUpload:
                return

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Return the uploads below a prefix that the server keeps parts of, page by page."""
        with self._s3.talking(prefix) as s3:
            pages = iter(s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix))
        while True:
            with self._s3.talking(prefix):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Uploads", []):
                yield Unfinished(found["Key"], found["UploadId"], found["Initiated"])

    def _listed(self, key: str, name: _Name) -> list[tuple[Part, str]]:
        found: list[tuple[Part, str]] = []
        with self._s3.talking(key) as s3:
            pages = s3.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=name.upload)
            for page in pages:
                for part in page.get("Parts", []):
                    kept = part.get("ChecksumSHA256")
                    sha256 = base64.b64decode(kept).hex() if kept else None
                    found.append((Part(part["PartNumber"], part["Size"], sha256), part["ETag"]))
        return sorted(found, key=lambda one: one[0].number)


def _named(key: str, upload_id: str) -> _Name:
    upload, _, rest = upload_id.partition(":")
    mark, _, how = rest.partition(":")
    if not upload or not mark:
        raise ObjectMissing(key)
    return _Name(upload, mark, how == "hashed")
