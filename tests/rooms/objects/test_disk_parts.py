"""Parts on the embedded store: tickets that promise one part, nothing half kept, no crash that mixes."""

import errno
import io
import os
from datetime import timedelta
from pathlib import Path

import pytest

from portal.kernel.objects import (
    IntegrityFailure,
    ObjectMissing,
    Part,
    Reason,
    StoreUnavailable,
    TicketRefused,
    TooLarge,
    verified_stream,
)
from portal.kernel.objects.disk import DiskStore
from tests.rooms.objects.conftest import NOW, disk_store
from tests.rooms.objects.crashes import killed_at_each_step
from tests.rooms.objects.test_contract import KEY
from tests.rooms.objects.test_disk import everything_below
from tests.rooms.objects.test_parts import LAST, MINUTE, TYPE, begun, nothing_waits, sha, ticket


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


@pytest.fixture
def disk(root: Path) -> DiskStore:
    return disk_store(root)


def token(disk: DiskStore, upload: str, number: int = 1, body: bytes = LAST) -> str:
    return ticket(disk, upload, number, body).url.rpartition("/")[2]


def parts_below(root: Path) -> list[str]:
    return [name for name in everything_below(root) if not name.endswith("about")]


def test_a_part_that_arrived_is_described(disk: DiskStore) -> None:
    upload = begun(disk)

    part = disk.accept_part(token(disk, upload, 7), io.BytesIO(LAST))

    assert part == Part(7, len(LAST), sha(LAST))
    assert list(disk.parts(KEY, upload)) == [part]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [(LAST[:-1], IntegrityFailure), (LAST + b"x", TooLarge), (LAST[:-1] + b"X", IntegrityFailure)],
    ids=["shorter", "longer", "other bytes"],
)
def test_a_part_that_was_not_promised_is_not_kept(
    disk: DiskStore, root: Path, body: bytes, refusal: type[Exception]
) -> None:
    upload = begun(disk)

    with pytest.raises(refusal):
        disk.accept_part(token(disk, upload), io.BytesIO(body))

    assert parts_below(root) == []
    assert disk.accept_part(token(disk, upload), io.BytesIO(LAST)).size == len(LAST)


def test_a_worse_second_sending_does_not_touch_the_first(disk: DiskStore) -> None:
    upload = begun(disk)
    good = disk.accept_part(token(disk, upload), io.BytesIO(LAST))

    with pytest.raises(IntegrityFailure):
        disk.accept_part(token(disk, upload), io.BytesIO(LAST[:-1]))

    assert list(disk.parts(KEY, upload)) == [good]


def test_a_sender_that_breaks_off_leaves_nothing(disk: DiskStore, root: Path) -> None:
    def breaks_off():  # type: ignore[no-untyped-def]
        yield LAST[:3]
        raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        disk.accept_part(token(disk, begun(disk)), breaks_off())

    assert parts_below(root) == []


def test_a_late_ticket_is_refused(root: Path) -> None:
    times = [NOW]
    disk = disk_store(root, clock=lambda: times[-1])
    late = token(disk, begun(disk))
    times.append(NOW + MINUTE)

    with pytest.raises(TicketRefused, match="out of time"):
        disk.accept_part(late, io.BytesIO(LAST))


@pytest.mark.parametrize("forge", [lambda t: t[:-1], lambda t: "x" + t, lambda _: "", lambda _: "e30.AAAA"])
def test_a_forged_ticket_is_refused(disk: DiskStore, forge) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TicketRefused, match="not one of ours"):
        disk.accept_part(forge(token(disk, begun(disk))), io.BytesIO(LAST))


def test_a_ticket_for_a_whole_file_is_none_for_a_part_and_the_other_way_round(disk: DiskStore) -> None:
    whole = disk.reserve(KEY, size=len(LAST), content_type=TYPE, sha256=None, expires=MINUTE)

    with pytest.raises(TicketRefused):
        disk.accept_part(whole.url.rpartition("/")[2], io.BytesIO(LAST))
    with pytest.raises(TicketRefused):
        disk.accept(token(disk, begun(disk)), io.BytesIO(LAST))

    assert disk.accept(whole.url.rpartition("/")[2], io.BytesIO(LAST)).size == len(LAST)


def test_a_part_that_comes_after_the_upload_was_given_up_is_turned_away(disk: DiskStore, root: Path) -> None:
    upload = begun(disk)
    late = token(disk, upload)

    def given_up_meanwhile():  # type: ignore[no-untyped-def]
        disk.abort_parts(KEY, upload)
        yield LAST

    with pytest.raises(ObjectMissing):
        disk.accept_part(late, given_up_meanwhile())

    assert everything_below(root) == []
    with pytest.raises(ObjectMissing):
        ticket(disk, upload, 1, LAST)


def test_an_upload_that_nobody_goes_on_with_is_swept_and_a_young_one_spared(root: Path) -> None:
    disk = disk_store(root)
    upload = begun(disk)
    disk.accept_part(token(disk, upload), io.BytesIO(LAST))

    assert disk.sweep() == 0
    assert list(disk.parts(KEY, upload))
    assert disk_store(root, clock=lambda: NOW + timedelta(days=400)).sweep() == 1

    assert nothing_waits(disk)


def test_a_full_disk_loses_the_part_and_nothing_else(
    disk: DiskStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(disk)
    disk.accept_part(token(disk, upload), io.BytesIO(LAST))

    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with pytest.raises(StoreUnavailable) as refused:
            disk.accept_part(token(disk, upload, 2), io.BytesIO(LAST))
        with pytest.raises(StoreUnavailable):
            disk.complete_parts(KEY, upload, content_type=TYPE, size=len(LAST), parts=1)

    assert refused.value.reason is Reason.NO_SPACE
    assert len(parts_below(root)) == 1
    assert disk.complete_parts(KEY, upload, content_type=TYPE, size=len(LAST), parts=1).sha256 == sha(LAST)


BODIES = (b"the first part, ", b"and the last")
WHOLE_SIZE = sum(len(body) for body in BODIES)
LIFE = f"""
key = "{KEY}"
bodies = {BODIES}
upload = disk.begin_parts(key, content_type="application/pdf", sha256=None)
for number, body in enumerate(bodies, start=1):
    sha256, minute = hashlib.sha256(body).hexdigest(), timedelta(seconds=60)
    to = disk.part_ticket(key, upload, number=number, size=len(body), sha256=sha256, expires=minute)
    disk.accept_part(to.url.rpartition("/")[2], io.BytesIO(body))
disk.complete_parts(key, upload, content_type="application/pdf", size={WHOLE_SIZE}, parts=len(bodies))
"""


@pytest.mark.slow
def test_a_crash_at_any_step_leaves_the_whole_or_what_can_be_gone_on_with(tmp_path: Path) -> None:
    """Kill the process before each single step from the first ticket to the object, then go on where it stopped."""
    objects, waiting = set(), set()
    roots = killed_at_each_step(tmp_path, LIFE)
    for root in roots:
        disk = disk_store(root)
        uploads = list(disk.unfinished(""))
        there = list(disk.versions(""))
        objects.add(len(there))
        for listed in uploads:
            parts = disk.parts(KEY, listed.upload_id)
            waiting.add(len(parts))
            assert [part.sha256 for part in parts] == [sha(body) for body in BODIES[: len(parts)]]
            for number, body in list(enumerate(BODIES, start=1))[len(parts) :]:
                disk.accept_part(token(disk, listed.upload_id, number, body), io.BytesIO(body))
            disk.complete_parts(KEY, listed.upload_id, content_type=TYPE, size=WHOLE_SIZE, parts=len(BODIES))
        if uploads or there:
            stored = disk.stat(KEY)
            pieces = disk.open(KEY, stored.version_id)
            assert b"".join(verified_stream(pieces, sha256=sha(b"".join(BODIES)), size=WHOLE_SIZE))
        assert list(disk.unfinished("")) == []
        disk_store(root, clock=lambda: NOW + timedelta(days=400)).sweep()
        assert list((root / "tmp").iterdir()) == []

    assert len(roots) > 30
    assert objects == {0, 1}
    assert waiting == {0, 1, 2}
