"""What every object store promises, tried on the disk and on real S3 servers."""

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from portal.kernel.objects import (
    AlreadyExists,
    IntegrityFailure,
    ObjectMissing,
    ObjectStore,
    StoredObject,
    TooLarge,
    UploadTicket,
    finalise,
    verified_file,
    verified_stream,
)

BODY = b"%PDF-1.7 evidence " * 50
SHA256 = hashlib.sha256(BODY).hexdigest()
KEY = "incoming/v1/a1/0001"
LONG = bytes(range(256)) * (11 * 1024 * 1024 // 256) + b"tail"


def received(store: ObjectStore, key: str = KEY, body: bytes = BODY) -> StoredObject:
    return store.receive(key, io.BytesIO(body), content_type="application/pdf", max_bytes=len(body))


def read(store: ObjectStore, stored: StoredObject) -> bytes:
    pieces = store.open(stored.key, stored.version_id)
    return b"".join(verified_stream(pieces, sha256=stored.sha256, size=stored.size))


def send(store: ObjectStore, ticket: UploadTicket, body: bytes) -> None:
    """Do what a browser does with a ticket."""
    if store.can_presign:
        requests.request(
            ticket.method, ticket.url, data=body, headers=dict(ticket.headers), timeout=30
        ).raise_for_status()
    else:
        store.accept(ticket.url.rpartition("/")[2], io.BytesIO(body))


def nothing_is_left(store: ObjectStore) -> bool:
    return not list(store.versions(""))


def test_what_was_received_is_described_and_read_back(store: ObjectStore) -> None:
    stored = received(store)

    assert stored == store.stat(KEY)
    assert (stored.bucket, stored.size, stored.sha256) == (store.bucket, len(BODY), SHA256)
    assert stored.content_type == "application/pdf"
    assert stored.version_id
    assert read(store, stored) == BODY


def test_a_stream_longer_than_one_part_is_the_same_to_the_reader(store: ObjectStore) -> None:
    stored = received(store, body=LONG)

    assert stored.sha256 == hashlib.sha256(LONG).hexdigest()
    assert store.stat(KEY) == stored
    assert read(store, stored) == LONG


def test_a_stream_of_exactly_two_parts_keeps_its_length(store: ObjectStore) -> None:
    body = LONG[: 10 * 1024 * 1024]

    assert read(store, received(store, body=body)) == body


def test_pieces_may_come_from_a_generator(store: ObjectStore) -> None:
    pieces = (bytes([n]) * 1000 for n in range(5))

    stored = store.receive(KEY, pieces, content_type="text/plain", max_bytes=5000)

    assert stored.size == 5000


@pytest.mark.parametrize("body", [BODY, LONG], ids=["short", "long"])
def test_a_stream_over_the_limit_is_refused_and_nothing_is_left(store: ObjectStore, body: bytes) -> None:
    with pytest.raises(TooLarge):
        store.receive(KEY, io.BytesIO(body), content_type="text/plain", max_bytes=len(body) - 1)

    assert nothing_is_left(store)


@pytest.mark.parametrize("body", [BODY, LONG], ids=["short", "long"])
@pytest.mark.parametrize("promised", ["other length", "other hash"])
def test_bytes_that_were_not_promised_are_refused_and_nothing_is_left(
    store: ObjectStore, body: bytes, promised: str
) -> None:
    size = len(body) + 1 if promised == "other length" else len(body)
    sha256 = "0" * 64 if promised == "other hash" else hashlib.sha256(body).hexdigest()

    with pytest.raises(IntegrityFailure):
        store.receive(
            KEY,
            io.BytesIO(body),
            content_type="text/plain",
            max_bytes=len(body) + 1,
            expected_size=size,
            expected_sha256=sha256,
        )

    assert nothing_is_left(store)
    assert received(store).sha256 == SHA256


def test_a_sender_that_breaks_off_leaves_nothing(store: ObjectStore) -> None:
    def breaks_off() -> Iterator[bytes]:
        yield LONG[: 6 * 1024 * 1024]
        raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        store.receive(KEY, breaks_off(), content_type="text/plain", max_bytes=len(LONG))

    assert nothing_is_left(store)


def test_a_key_is_never_overwritten(store: ObjectStore) -> None:
    first = received(store)

    with pytest.raises(AlreadyExists):
        received(store, body=b"something else")

    assert store.stat(KEY) == first
    assert read(store, first) == BODY


def test_an_unknown_key_and_an_unknown_version_are_missing(store: ObjectStore) -> None:
    stored = received(store)

    with pytest.raises(ObjectMissing):
        store.stat("incoming/v1/a1/0002")
    with pytest.raises(ObjectMissing):
        store.open("incoming/v1/a1/0002", stored.version_id)
    with pytest.raises(ObjectMissing):
        store.open(KEY, "0" * 32)


@pytest.mark.parametrize("key", ["../up", "a/../b", "/a", "a//b", "a/", "A", "a b", "a\n", "", "é", "a/.b", "x" * 513])
def test_a_key_that_we_would_not_make_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="not an object key"):
        received(store, key=key)


def test_an_upload_with_a_ticket_is_finalised(store: ObjectStore) -> None:
    ticket = store.reserve(
        KEY, size=len(BODY), content_type="application/pdf", sha256=SHA256, expires=timedelta(seconds=60)
    )

    send(store, ticket, BODY)

    stored = finalise(store, KEY, size=len(BODY), content_type="application/pdf", sha256=SHA256)
    assert read(store, stored) == BODY
    assert finalise(store, KEY, size=len(BODY), content_type="application/pdf") == stored


def test_an_upload_whose_hash_was_not_announced_is_hashed_when_finalised(store: ObjectStore) -> None:
    ticket = store.reserve(
        KEY, size=len(BODY), content_type="application/pdf", sha256=None, expires=timedelta(seconds=60)
    )

    send(store, ticket, BODY)

    assert finalise(store, KEY, size=len(BODY), content_type="application/pdf").sha256 == SHA256


@pytest.mark.parametrize(
    "promised",
    [{"size": len(BODY) + 1}, {"content_type": "image/png"}, {"sha256": "0" * 64}],
    ids=["length", "type", "hash"],
)
def test_an_upload_that_differs_from_its_promise_is_not_kept(store: ObjectStore, promised: dict[str, object]) -> None:
    received(store)

    with pytest.raises(IntegrityFailure):
        finalise(store, KEY, **({"size": len(BODY), "content_type": "application/pdf"} | promised))  # type: ignore[arg-type]

    assert nothing_is_left(store)


def test_finalising_an_upload_that_never_came_says_so(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        finalise(store, KEY, size=1, content_type="application/pdf")


@pytest.mark.parametrize("expires", [timedelta(0), timedelta(seconds=121), timedelta(seconds=-5)])
def test_a_ticket_lives_two_minutes_at_most(store: ObjectStore, expires: timedelta) -> None:
    with pytest.raises(ValueError, match="120 seconds"):
        store.reserve(KEY, size=1, content_type="text/plain", sha256=None, expires=expires)


@pytest.mark.parametrize("body", [BODY, LONG], ids=["short", "long"])
def test_a_checked_upload_is_promoted_to_its_final_key(store: ObjectStore, body: bytes) -> None:
    incoming = received(store, body=body)

    final = store.promote(incoming, "evidence/v1/a1/0001")
    store.delete_incoming(KEY)

    assert read(store, final) == body
    assert (final.size, final.sha256, final.content_type) == (
        incoming.size,
        incoming.sha256,
        incoming.content_type,
    )
    assert [listed.key for listed in store.versions("")] == ["evidence/v1/a1/0001"]


def test_promotion_does_not_overwrite(store: ObjectStore) -> None:
    final = received(store, key="evidence/v1/a1/0001")
    incoming = received(store, body=b"another")

    with pytest.raises(AlreadyExists):
        store.promote(incoming, final.key)

    assert read(store, final) == BODY


def test_promoting_what_is_gone_says_so(store: ObjectStore) -> None:
    incoming = received(store)
    store.delete_incoming(KEY)

    with pytest.raises(ObjectMissing):
        store.promote(incoming, "evidence/v1/a1/0001")


def test_deleting_an_upload_twice_is_no_error_and_frees_its_key(store: ObjectStore) -> None:
    received(store)

    store.delete_incoming(KEY)
    store.delete_incoming(KEY)

    assert nothing_is_left(store)
    assert received(store).sha256 == SHA256


def test_deleting_an_upload_spares_longer_keys(store: ObjectStore) -> None:
    received(store)
    longer = received(store, key=f"{KEY}/attachment")
    other = received(store, key=f"{KEY}0")

    store.delete_incoming(KEY)

    assert [read(store, stored) for stored in (longer, other)] == [BODY, BODY]


def test_evidence_is_not_deleted_as_if_it_were_an_upload(store: ObjectStore) -> None:
    received(store, key="evidence/v1/a1/0001")

    with pytest.raises(ValueError, match="incoming/"):
        store.delete_incoming("evidence/v1/a1/0001")


def test_versions_are_listed_by_prefix(store: ObjectStore) -> None:
    one = received(store, key="incoming/v1/a1/0001")
    two = received(store, key="incoming/v2/a1/0001")

    assert [(v.key, v.version_id, v.size) for v in store.versions("incoming/v2/")] == [
        (two.key, two.version_id, two.size)
    ]
    assert [v.key for v in store.versions("incoming/")] == [one.key, two.key]


def test_a_healthy_store_passes_its_probe(store: ObjectStore) -> None:
    store.probe()

    assert nothing_is_left(store)


def test_a_private_copy_is_whole_and_goes_away(store: ObjectStore, tmp_path: Path) -> None:
    stored = received(store, body=LONG)

    with verified_file(store, stored, folder=tmp_path) as path:
        assert path.read_bytes() == LONG

    assert not path.exists()


def test_a_private_copy_of_other_bytes_is_not_lent(store: ObjectStore, tmp_path: Path) -> None:
    stored = received(store)
    pinned_otherwise = StoredObject(
        stored.bucket, stored.key, stored.version_id, stored.size, "0" * 64, stored.content_type
    )

    with pytest.raises(IntegrityFailure), verified_file(store, pinned_otherwise, folder=tmp_path):
        pass

    assert list(tmp_path.glob("evidence-*")) == []
