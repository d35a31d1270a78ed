"""What every object store promises of a file that comes in parts, tried on the disk and on real S3 servers."""

import hashlib
import io
from datetime import timedelta

import pytest
import requests

from portal.kernel.objects import (
    PART_BYTES,
    AlreadyExists,
    IntegrityFailure,
    ObjectMissing,
    ObjectStore,
    StoredObject,
    UploadTicket,
    as_promised,
    finalise,
)
from tests.rooms.objects.test_contract import KEY, nothing_is_left, read, received

MINUTE = timedelta(seconds=60)
FIRST = bytes(range(250)) * (PART_BYTES // 250)
LAST = b"the end of it"
WHOLE = FIRST + LAST
SHA256 = hashlib.sha256(WHOLE).hexdigest()
TYPE = "application/pdf"


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def begun(store: ObjectStore, key: str = KEY, sha256: str | None = SHA256) -> str:
    return store.begin_parts(key, content_type=TYPE, sha256=sha256)


def ticket(store: ObjectStore, upload: str, number: int, body: bytes, sha256: str | None = None) -> UploadTicket:
    return store.part_ticket(KEY, upload, number=number, size=len(body), sha256=sha256 or sha(body), expires=MINUTE)


def send(store: ObjectStore, to: UploadTicket, body: bytes) -> None:
    """Do what a browser does with the ticket of a part."""
    if store.can_presign:
        requests.request(to.method, to.url, data=body, headers=dict(to.headers), timeout=30).raise_for_status()
    else:
        store.accept_part(to.url.rpartition("/")[2], io.BytesIO(body))


def sent(store: ObjectStore, *bodies: bytes, sha256: str | None = SHA256) -> str:
    upload = begun(store, sha256=sha256)
    for number, body in enumerate(bodies, start=1):
        send(store, ticket(store, upload, number, body), body)
    return upload


def completed(store: ObjectStore, upload: str, **changed: object) -> StoredObject:
    promise: dict[str, object] = {"content_type": TYPE, "size": len(WHOLE), "parts": 2}
    return store.complete_parts(KEY, upload, **(promise | changed))  # type: ignore[arg-type]


def nothing_waits(store: ObjectStore) -> bool:
    return nothing_is_left(store) and not list(store.unfinished(""))


def test_what_came_in_parts_is_one_object(store: ObjectStore) -> None:
    upload = sent(store, FIRST, LAST)

    stored = completed(store, upload)

    assert (stored.sha256, stored.size, stored.content_type) == (SHA256, len(WHOLE), TYPE)
    assert read(store, stored) == WHOLE
    assert finalise(store, KEY, size=len(WHOLE), content_type=TYPE, sha256=SHA256) == stored
    assert not list(store.unfinished(""))


def test_whoever_resumes_hears_what_arrived_and_sends_only_the_rest(store: ObjectStore) -> None:
    upload = begun(store)
    assert list(store.parts(KEY, upload)) == []
    send(store, ticket(store, upload, 2, LAST), LAST)

    there = store.parts(KEY, upload)

    assert [(part.number, part.size) for part in there] == [(2, len(LAST))]
    assert there[0].sha256 in {sha(LAST), None}
    with pytest.raises(ObjectMissing):
        completed(store, upload)
    send(store, ticket(store, upload, 1, FIRST), FIRST)
    assert completed(store, upload).sha256 == SHA256


def test_a_part_sent_twice_counts_once(store: ObjectStore) -> None:
    upload = sent(store, FIRST, LAST)

    again = ticket(store, upload, 2, LAST)
    send(store, again, LAST)
    send(store, again, LAST)

    assert [part.number for part in store.parts(KEY, upload)] == [1, 2]
    assert completed(store, upload).sha256 == SHA256


def test_a_part_that_comes_with_other_bytes_takes_the_place_of_the_first(store: ObjectStore) -> None:
    upload = sent(store, FIRST, b"another end!!", sha256=None)

    send(store, ticket(store, upload, 2, LAST), LAST)

    assert completed(store, upload).sha256 == SHA256


def test_a_part_whose_hash_is_not_known_is_proven_with_the_whole(store: ObjectStore) -> None:
    upload = begun(store, sha256=None)
    for number, body in ((1, FIRST), (2, LAST)):
        to = store.part_ticket(KEY, upload, number=number, size=len(body), sha256=None, expires=MINUTE)
        send(store, to, body)

    assert completed(store, upload).sha256 == SHA256


def test_one_part_is_enough(store: ObjectStore) -> None:
    upload = begun(store, sha256=sha(LAST))
    send(store, ticket(store, upload, 1, LAST), LAST)

    assert completed(store, upload, size=len(LAST), parts=1).sha256 == sha(LAST)


def test_other_bytes_than_the_promised_are_found_in_the_whole_and_not_kept(store: ObjectStore) -> None:
    stored = completed(store, sent(store, FIRST, LAST))

    with pytest.raises(IntegrityFailure):
        as_promised(store, stored, size=len(WHOLE), content_type=TYPE, sha256="0" * 64)

    assert nothing_waits(store)


@pytest.mark.parametrize("promised", [{"size": len(WHOLE) + 1}, {"content_type": "image/png"}], ids=["length", "type"])
def test_a_whole_of_another_length_or_type_is_refused_and_nothing_is_left(
    store: ObjectStore, promised: dict[str, object]
) -> None:
    upload = sent(store, FIRST, LAST)

    with pytest.raises(IntegrityFailure):
        completed(store, upload, **promised)

    assert nothing_waits(store)


def test_completing_again_after_a_lost_answer_gives_the_same_object(store: ObjectStore) -> None:
    upload = sent(store, FIRST, LAST)

    first = completed(store, upload)

    assert completed(store, upload) == first
    assert len(list(store.versions(""))) == 1


def test_a_key_that_was_taken_meanwhile_is_not_overwritten(store: ObjectStore) -> None:
    upload = sent(store, FIRST, LAST)
    first = received(store)

    with pytest.raises(AlreadyExists):
        completed(store, upload)

    assert store.stat(KEY) == first
    assert not list(store.unfinished(""))


def test_giving_up_leaves_nothing_and_may_be_repeated(store: ObjectStore) -> None:
    upload = sent(store, FIRST)

    store.abort_parts(KEY, upload)
    store.abort_parts(KEY, upload)

    assert nothing_waits(store)
    with pytest.raises(ObjectMissing):
        store.parts(KEY, upload)
    with pytest.raises(ObjectMissing):
        completed(store, upload, size=len(FIRST), parts=1)


def test_an_upload_that_nobody_began_is_unknown(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        store.parts(KEY, "0" * 32)
    with pytest.raises(ObjectMissing):
        store.parts(KEY, "../" * 10 + "aa:bb:hashed")
    store.abort_parts(KEY, "0" * 32)


def test_what_waits_for_more_parts_is_listed_by_prefix(store: ObjectStore) -> None:
    upload = begun(store)
    other = begun(store, key="incoming/v2/a1/0001")

    [listed] = store.unfinished("incoming/v1/")

    assert listed.key == KEY
    assert listed.is_of(upload)
    assert not listed.is_of(other)
    assert not listed.is_of(None)
    assert listed.begun.tzinfo is not None


@pytest.mark.parametrize(
    "changed",
    [{"expires": timedelta(seconds=121)}, {"number": 0}, {"number": 10_001}, {"size": 0}, {"sha256": None}],
    ids=str,
)
def test_no_ticket_promises_what_must_not_be(store: ObjectStore, changed: dict[str, object]) -> None:
    promise: dict[str, object] = {"number": 1, "size": len(LAST), "sha256": sha(LAST), "expires": MINUTE}
    upload = begun(store)

    with pytest.raises(ValueError, match=r"\w"):
        store.part_ticket(KEY, upload, **(promise | changed))  # type: ignore[arg-type]
