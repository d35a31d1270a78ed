"""The embedded store: write-once, crash-safe, tickets used once, damage noticed."""

import errno
import io
import os
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from portal.kernel.errors import Unavailable
from portal.kernel.objects import (
    IntegrityFailure,
    ObjectMissing,
    Reason,
    StoreUnavailable,
    TicketRefused,
    TooLarge,
    UploadTicket,
    verified_stream,
)
from portal.kernel.objects.disk import Damage, DiskStore
from tests.rooms.objects.conftest import NOW, disk_store
from tests.rooms.objects.crashes import killed_at_each_step
from tests.rooms.objects.test_contract import BODY, KEY, SHA256, nothing_is_left, received
from tests.s3.servers import PROJECT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


@pytest.fixture
def disk(root: Path) -> DiskStore:
    return disk_store(root)


def token_of(ticket: UploadTicket) -> str:
    return ticket.url.rpartition("/")[2]


def reserved(disk: DiskStore, sha256: str | None = SHA256) -> str:
    return token_of(
        disk.reserve(KEY, size=len(BODY), content_type="application/pdf", sha256=sha256, expires=timedelta(seconds=60))
    )


def everything_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_stored_file_can_only_be_read(disk: DiskStore, root: Path) -> None:
    received(disk)

    [file] = (root / "keys").rglob("*@*~*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o440


def test_the_same_bytes_under_two_keys_are_stored_once_by_promotion(disk: DiskStore, root: Path) -> None:
    disk.promote(received(disk), "evidence/v1/a1/0001")

    files = [path.stat() for path in (root / "keys").rglob("*@*~*")]
    assert len(files) == 2
    assert len({facts.st_ino for facts in files}) == 1


def test_a_ticket_works_once(disk: DiskStore) -> None:
    token = reserved(disk)
    stored = disk.accept(token, io.BytesIO(BODY))
    disk.delete_incoming(KEY)

    with pytest.raises(TicketRefused):
        disk.accept(token, io.BytesIO(BODY))

    assert stored.content_type == "application/pdf"
    assert nothing_is_left(disk)


def test_a_ticket_is_used_up_by_an_upload_that_failed(disk: DiskStore) -> None:
    token = reserved(disk)

    with pytest.raises(IntegrityFailure):
        disk.accept(token, io.BytesIO(BODY[:-1]))
    with pytest.raises(TicketRefused):
        disk.accept(token, io.BytesIO(BODY))


@pytest.mark.parametrize(
    ("body", "refusal"),
    [(BODY[:-1], IntegrityFailure), (BODY + b"x", TooLarge), (BODY[:-1] + b"X", IntegrityFailure)],
    ids=["shorter", "longer", "other bytes"],
)
def test_what_the_ticket_did_not_promise_is_not_kept(
    disk: DiskStore, root: Path, body: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        disk.accept(reserved(disk), io.BytesIO(body))

    assert nothing_is_left(disk)
    assert list((root / "tmp").iterdir()) == []


def test_a_late_ticket_is_refused(root: Path) -> None:
    times = [NOW]
    disk = disk_store(root, clock=lambda: times[-1])
    token = reserved(disk)
    times.append(NOW + timedelta(seconds=60))

    with pytest.raises(TicketRefused, match="out of time"):
        disk.accept(token, io.BytesIO(BODY))


@pytest.mark.parametrize(
    "forge", [lambda t: t[:-1], lambda t: "x" + t, lambda _: "", lambda _: "e30.AAAA", lambda _: "\x00é"]
)
def test_a_forged_ticket_is_refused(disk: DiskStore, forge) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TicketRefused, match="not one of ours"):
        disk.accept(forge(reserved(disk)), io.BytesIO(BODY))


def test_tickets_survive_a_change_of_keys_but_not_a_stranger(root: Path) -> None:
    token = reserved(disk_store(root, secret_keys=["old" * 12]))

    assert disk_store(root, secret_keys=["new" * 12, "old" * 12]).accept(token, io.BytesIO(BODY)).sha256 == SHA256
    with pytest.raises(TicketRefused):
        disk_store(root, secret_keys=["new" * 12]).accept(token, io.BytesIO(BODY))


def test_changed_bytes_are_never_served_whole_and_are_found_by_the_scrub(disk: DiskStore, root: Path) -> None:
    stored = received(disk)
    sound = received(disk, key="incoming/v1/a1/0002", body=b"sound")
    [file] = (root / "keys").rglob(f"{stored.version_id}@*")
    file.chmod(0o600)
    file.write_bytes(BODY[:-1] + b"X")

    with pytest.raises(IntegrityFailure):
        b"".join(verified_stream(disk.open(KEY, stored.version_id), sha256=stored.sha256, size=stored.size))

    assert list(disk.scrub()) == [Damage(KEY, stored.version_id, "the SHA-256 differs")]
    assert disk.stat(sound.key) == sound


def test_a_lost_file_is_missing(disk: DiskStore, root: Path) -> None:
    stored = received(disk)
    [file] = (root / "keys").rglob(f"{stored.version_id}@*")
    file.unlink()

    with pytest.raises(ObjectMissing):
        disk.stat(KEY)
    with pytest.raises(ObjectMissing):
        disk.open(KEY, stored.version_id)


def test_old_remains_are_swept_and_young_ones_spared(root: Path) -> None:
    times = [datetime.now(NOW.tzinfo)]
    disk = disk_store(root, clock=lambda: times[-1])
    (root / "tmp" / "crashed").mkdir()
    (root / "tmp" / "crashed" / "part").write_bytes(b"half")
    kept = disk.accept(reserved(disk), io.BytesIO(BODY))

    assert disk.sweep() == 0
    times.append(times[0] + timedelta(hours=25))
    assert disk.sweep() == 2

    assert list((root / "tmp").iterdir()) == list((root / "tickets").iterdir()) == []
    assert disk.stat(KEY) == kept


@pytest.mark.parametrize("problem", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_plainly_and_leaves_nothing(
    disk: DiskStore, root: Path, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(problem, os.strerror(problem))

    with monkeypatch.context() as patch:
        patch.setattr("portal.kernel.objects.disk.os.write", full)
        with pytest.raises(StoreUnavailable) as refused:
            received(disk)

    assert refused.value.reason is Reason.NO_SPACE
    assert isinstance(refused.value, Unavailable)
    assert "no space left" in refused.value.message
    assert everything_below(root) == []
    assert received(disk).sha256 == SHA256


def test_a_file_that_outgrows_the_system_limit_leaves_nothing(root: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from tests.rooms.objects.test_disk import *\n"
        "disk = disk_store(Path(sys.argv[1]))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "try:\n"
        "    received(disk, body=b'x' * (4 << 20))\n"
        "except StoreUnavailable as refused:\n"
        "    print(refused.reason)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, root], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "no space"
    assert everything_below(root) == []


LIFE = """
body = b"%PDF-1.7 evidence " * 50
stored = disk.receive("incoming/v1/a1/0001", io.BytesIO(body), content_type="application/pdf", max_bytes=len(body))
disk.promote(stored, "evidence/v1/a1/0001")
disk.delete_incoming("incoming/v1/a1/0001")
"""


@pytest.mark.slow
def test_a_crash_at_any_step_leaves_a_whole_object_or_none(tmp_path: Path) -> None:
    """Kill the process before each single step of receive, promote and delete, then look what is there."""
    outcomes = set()
    roots = killed_at_each_step(tmp_path, LIFE)
    for root in roots:
        disk = disk_store(root)
        there = [listed.key for listed in disk.versions("")]
        outcomes.add(tuple(there))
        for listed in disk.versions(""):
            pieces = disk.open(listed.key, listed.version_id)
            assert b"".join(verified_stream(pieces, sha256=SHA256, size=len(BODY))) == BODY
        assert list(disk.scrub()) == []
        if KEY not in there:
            assert received(disk).sha256 == SHA256
        disk.delete_incoming(KEY)
        disk_store(root, clock=lambda: NOW + timedelta(days=400)).sweep()
        assert list((root / "tmp").iterdir()) == []

    assert len(roots) > 25
    assert outcomes == {(), (KEY,), ("evidence/v1/a1/0001", KEY), ("evidence/v1/a1/0001",)}
