"""What an S3 server does with the signed address of a part; encryption and retention as they are asked for."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from botocore.exceptions import ClientError

from portal.kernel.objects import IntegrityFailure, ObjectMissing, StoredObject, UploadTicket, finalise
from portal.kernel.objects.s3 import S3Config, S3Store
from tests.rooms.objects.conftest import NOW, clock, disk_store
from tests.rooms.objects.test_contract import BODY, KEY, LONG, read, received
from tests.rooms.objects.test_parts import (
    FIRST,
    LAST,
    MINUTE,
    SHA256,
    TYPE,
    WHOLE,
    begun,
    completed,
    nothing_waits,
    sent,
    sha,
    ticket,
)
from tests.s3.servers import Server

pytestmark = pytest.mark.slow

MASTER = "arn:aws:kms:us-east-1:111122223333:key/6e1f6f0c-0000-4000-8000-000000000000"
NOWHERE = S3Config("bucket-1", "http://127.0.0.1:1", access_key="a", secret_key="s")
ENCRYPTION = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": MASTER,
    "x-amz-server-side-encryption-bucket-key-enabled": "true",
}


def put(to: UploadTicket, body: bytes = LAST, **changed: str | None) -> int:
    headers = {k: v for k, v in (dict(to.headers) | changed).items() if v is not None}
    return requests.put(to.url, data=body, headers=headers, timeout=30).status_code


def test_the_address_of_a_part_signs_its_number_length_and_hash() -> None:
    to = S3Store(NOWHERE, clock=clock).part_ticket(
        KEY, "server-id:mark:hashed", number=3, size=len(LAST), sha256=sha(LAST), expires=timedelta(seconds=120)
    )

    query = parse_qs(urlsplit(to.url).query)
    assert (query["partNumber"], query["uploadId"]) == (["3"], ["server-id"])
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["120"]
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
    assert set(to.headers) == {"x-amz-checksum-sha256"}
    assert to.expires_at == NOW + timedelta(seconds=120)


def test_another_part_than_the_promised_one_is_turned_away(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)
    upload = begun(store)
    to = ticket(store, upload, 2, LAST)

    assert put(to, LAST + b"x") == 403
    assert put(to, LAST[:-1]) == 403
    assert put(replace(to, url=to.url.replace("partNumber=2", "partNumber=1"))) == 403
    if strict.knows_checksums:
        assert put(to, **{"x-amz-checksum-sha256": None}) == 403
        assert put(to, LAST[:-1] + b"X") == 400
    with time_machine.travel(NOW - timedelta(minutes=10), tick=True):
        late = ticket(store, upload, 2, LAST)
    assert put(late) == 403

    assert list(store.parts(KEY, upload)) == []
    assert put(to) == 200
    assert [part.number for part in store.parts(KEY, upload)] == [2]


def test_other_bytes_in_a_part_never_become_evidence(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)
    upload = sent(store, FIRST, LAST[:-1] + b"X")
    completed(store, upload)

    with pytest.raises(IntegrityFailure):
        finalise(store, KEY, size=len(WHOLE), content_type=TYPE, sha256=SHA256)

    assert nothing_waits(store)


def test_an_address_of_a_part_is_worth_nothing_once_the_upload_is_over(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)
    upload = sent(store, FIRST, LAST)
    to = ticket(store, upload, 2, LAST)
    stored = completed(store, upload)

    assert put(to) == 404

    assert read(store, stored) == WHOLE


def test_each_write_and_each_address_names_the_key_of_the_settings(moto: Server) -> None:
    config = replace(moto.new_bucket(), kms_key=MASTER)
    store, s3 = S3Store(config, clock=clock), moto.client()

    def encrypted(stored: StoredObject) -> tuple[str | None, str | None]:
        head = s3.head_object(Bucket=config.bucket, Key=stored.key, VersionId=stored.version_id)
        return head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")

    to = store.reserve("incoming/a", size=len(BODY), content_type=TYPE, sha256=None, expires=MINUTE)
    assert put(to, BODY) == 200
    written = [
        received(store, key="incoming/b"),
        received(store, key="incoming/c", body=LONG),
        completed(store, sent(store, FIRST, LAST)),
        store.stat("incoming/a"),
    ]
    written.append(store.promote(written[0], "vendor/b"))

    assert [encrypted(stored) for stored in written] == [("aws:kms", MASTER)] * 5


def test_the_browser_is_told_the_headers_of_the_encryption_that_its_address_signs() -> None:
    store = S3Store(replace(NOWHERE, kms_key=MASTER), clock=clock)

    to = store.reserve(KEY, size=len(BODY), content_type=TYPE, sha256=None, expires=MINUTE)

    assert dict(to.headers) == {"Content-Type": TYPE, "If-None-Match": "*", **ENCRYPTION}
    signed = parse_qs(urlsplit(to.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert set(ENCRYPTION) < set(signed)


def test_an_upload_without_the_promised_encryption_is_turned_away(strict: Server) -> None:
    store = S3Store(replace(strict.new_bucket(), kms_key=MASTER), clock=clock)
    to = store.reserve(KEY, size=len(BODY), content_type=TYPE, sha256=None, expires=MINUTE)

    assert put(to, BODY, **dict.fromkeys(ENCRYPTION)) == 403
    with pytest.raises(ObjectMissing):
        store.stat(KEY)


@pytest.mark.s3
@pytest.mark.xdist_group("s3")
def test_a_locked_version_cannot_be_removed_and_its_time_never_shortened(localstack: Server) -> None:
    config = localstack.new_bucket(lock=True)
    store, s3 = S3Store(config, clock=clock), localstack.client()
    stored = received(store, key="vendor/a")
    until = date(NOW.year + 3, 1, 31)

    assert store.lock(stored, until)
    assert store.lock(stored, until)
    assert store.lock(stored, until - timedelta(days=100))

    kept = s3.get_object_retention(Bucket=config.bucket, Key=stored.key, VersionId=stored.version_id)["Retention"]
    assert kept["Mode"] == "COMPLIANCE"
    assert kept["RetainUntilDate"] == datetime(until.year, 2, 1, tzinfo=UTC)
    with pytest.raises(ClientError):
        s3.delete_object(Bucket=config.bucket, Key=stored.key, VersionId=stored.version_id)
    assert store.lock(stored, until + timedelta(days=365))
    assert read(store, stored) == BODY


@pytest.mark.s3
@pytest.mark.xdist_group("s3")
def test_a_bucket_without_lock_says_that_it_keeps_no_promise(localstack: Server) -> None:
    store = S3Store(localstack.new_bucket(), clock=clock)

    assert store.lock(received(store), date(NOW.year + 1, 1, 1)) is False


def test_the_disk_keeps_no_promise_either_and_says_what_is_not_there(tmp_path) -> None:  # type: ignore[no-untyped-def]
    disk = disk_store(tmp_path / "evidence")
    stored = received(disk)

    assert disk.lock(stored, date(NOW.year + 1, 1, 1)) is False
    with pytest.raises(ObjectMissing):
        disk.lock(replace(stored, version_id="0" * 64), date(NOW.year + 1, 1, 1))
