"""Rows and bytes are compared: what is missing, altered, extra or stray is named, and only uploads are removed."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.evidence import reconciling, service
from portal.evidence.models import Evidence
from portal.evidence.reconciling import Difference, Kind
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.objects import PART_BYTES, ObjectMissing, ObjectStore
from portal.kernel.objects.disk import DiskStore
from portal.kernel.objects.s3 import S3Store
from portal.policy import Action
from portal.terms import EvidenceState
from portal.wiring import House, make_app
from tests.factories.evidence import make_evidence, reserved, row_of, sent
from tests.factories.identity import Person
from tests.rules import files
from tests.s3 import servers

SYSTEM = system("test")


@pytest.fixture(autouse=True)
def _in_a_week(clock: FixedClock) -> None:
    """Everything that a test stores is of last week when the clock of the house is asked."""
    clock.instant = datetime.now(UTC) + timedelta(days=7)


def found(house: House, **how: bool) -> list[Difference]:
    return list(reconciling.reconcile(house.ledger, SYSTEM, store=house.store, **how))


def kinds(house: House, **how: bool) -> list[tuple[Kind, UUID | None]]:
    return [(each.kind, each.evidence_id) for each in found(house, **how)]


def put(store: ObjectStore, key: str, body: bytes = b"loose bytes") -> None:
    store.receive(key, io.BytesIO(body), content_type="text/plain", max_bytes=len(body))


def lose(store: ObjectStore, row: Evidence, moto: servers.Server) -> None:
    if isinstance(store, DiskStore):
        store._path(row.object_key, str(row.version_id)).unlink()
    else:
        moto.client().delete_object(Bucket=store.bucket, Key=row.object_key, VersionId=row.version_id)


def tamper(store: ObjectStore, house: House, row: Evidence, moto: servers.Server, body: bytes) -> None:
    """Have the store hold other bytes than the row was pinned to."""
    if isinstance(store, DiskStore):
        path = store._path(row.object_key, str(row.version_id))
        path.chmod(0o600)
        path.write_bytes(body)
        return
    # S3 keeps versions, so whoever tampers must rewrite the row's pin as well: the fingerprint still tells.
    made = moto.client().put_object(Bucket=store.bucket, Key=row.object_key, Body=body)
    moto.client().delete_object(Bucket=store.bucket, Key=row.object_key, VersionId=row.version_id)
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.update(Evidence).where(Evidence.id == row.id).values(version_id=made["VersionId"]))


@pytest.mark.parametrize("quick", [True, False])
def test_where_all_is_well_nothing_is_said(house: House, ada: Person, quick: bool) -> None:
    make_evidence(house, ada)
    make_evidence(house, ada, files.pdf(pages=3))

    assert found(house, quick=quick) == []


def test_a_file_without_bytes_is_missing(house: House, ada: Person, store: ObjectStore, moto: servers.Server) -> None:
    make_evidence(house, ada)
    lost = make_evidence(house, ada, files.pdf(pages=3))
    lose(store, lost, moto)

    assert kinds(house, quick=True) == kinds(house) == [(Kind.MISSING, lost.id)]
    assert row_of(house, lost.id).state is EvidenceState.ATTACHED


def test_other_bytes_of_the_same_length_are_found_by_reading_and_marked(
    house: House, ada: Person, store: ObjectStore, moto: servers.Server
) -> None:
    body = files.pdf(pages=3)
    row = make_evidence(house, ada, body)
    tamper(store, house, row, moto, body[:-1] + b"X")

    assert kinds(house, quick=True) == []
    [said] = found(house)

    assert (said.kind, said.evidence_id, said.done) == (Kind.ALTERED, row.id, "marked")
    assert row_of(house, row.id).state is EvidenceState.INTEGRITY_FAILURE
    assert [each.done for each in found(house)] == ["marked"]


def test_another_length_is_seen_in_the_listing(
    house: House, ada: Person, store: ObjectStore, moto: servers.Server
) -> None:
    row = make_evidence(house, ada)
    tamper(store, house, row, moto, b"short")

    assert kinds(house, quick=True) == [(Kind.ALTERED, row.id)]
    assert row_of(house, row.id).state is EvidenceState.INTEGRITY_FAILURE


def test_a_file_that_was_kept_elsewhere_is_missing_here(house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.update(Evidence).where(Evidence.id == row.id).values(bucket="another"))

    [said] = found(house, quick=True)

    assert (said.kind, "another" in said.said) == (Kind.MISSING, True)


def test_a_file_that_was_removed_from_the_library_is_nobodys_loss(
    house: House, ada: Person, store: ObjectStore, moto: servers.Server
) -> None:
    row = make_evidence(house, ada)
    with house.ledger.begin(ada.actor) as tx:
        service.remove(tx, evidence=service.get(tx, row.id, Action.EVIDENCE_DELETE))

    assert found(house) == []
    lose(store, row, moto)
    assert found(house) == []


def test_bytes_without_a_row_are_extra_and_stay(house: House, ada: Person, store: ObjectStore) -> None:
    make_evidence(house, ada)
    put(store, "vendor/0000/aaaa")
    put(store, "zzz")

    said = found(house, remove_incoming=True)

    assert [(each.kind, each.key, each.done) for each in said] == [
        (Kind.EXTRA, "vendor/0000/aaaa", ""),
        (Kind.EXTRA, "zzz", ""),
    ]
    assert store.stat("zzz")


def test_uploads_that_nobody_waits_for_are_stray_and_are_removed_when_asked(
    house: House, ada: Person, store: ObjectStore, clock: FixedClock
) -> None:
    waiting = reserved(house, ada, b"x" * 11)
    sent(store, waiting, b"x" * 11)
    put(store, "incoming/vendor/0000/aaaa")
    store.begin_parts("incoming/vendor/0000/bbbb", content_type="text/plain")
    store.begin_parts("vendor/0000/cccc", content_type="text/plain")

    assert [(each.key, each.done) for each in found(house)] == [
        ("incoming/vendor/0000/aaaa", ""),
        ("incoming/vendor/0000/bbbb", ""),
        ("vendor/0000/cccc", ""),
    ]
    found(house, remove_incoming=True)

    assert [(each.kind, each.key) for each in found(house)] == [(Kind.STRAY, "vendor/0000/cccc")]
    assert store.stat(waiting.object_key)
    with pytest.raises(ObjectMissing):
        store.stat("incoming/vendor/0000/aaaa")
    clock.advance(days=3)
    assert waiting.object_key in {each.key for each in found(house)}


def test_an_upload_in_parts_that_is_awaited_is_left_alone(house: House, ada: Person, store: ObjectStore) -> None:
    place = reserved(house, ada, b"", size=2 * PART_BYTES, sha256=hashlib.sha256(b"").hexdigest())
    upload = store.begin_parts(place.object_key, content_type="application/pdf")
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(
            sa.update(Evidence).where(Evidence.id == place.id).values(upload_id=upload, part_size=PART_BYTES)
        )

    assert found(house, remove_incoming=True) == []
    assert list(store.parts(place.object_key, upload)) == []


def test_what_came_today_is_not_called_stray(house: House, store: ObjectStore, clock: FixedClock) -> None:
    clock.instant = datetime.now(UTC)
    put(store, "incoming/vendor/0000/aaaa")
    put(store, "vendor/0000/aaaa")
    if isinstance(store, DiskStore):
        # The server of the tests dates every upload in parts to 2010.
        store.begin_parts("incoming/vendor/0000/bbbb", content_type="text/plain")

    assert found(house, remove_incoming=True) == []


def test_pages_of_rows_and_keys_of_every_kind_come_together(
    house: House, ada: Person, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "PAGE", 2)
    rows = [make_evidence(house, ada, files.pdf(pages=number)) for number in range(1, 6)]
    for key in ("a", "a-b", "a.b", "a/b", "a0", "a_"):
        put(store, key)

    assert [each.key for each in found(house)] == ["a", "a-b", "a.b", "a/b", "a0", "a_"]
    assert len({row.object_key for row in rows}) == 5


def test_the_command_lists_for_people_and_machines_and_says_by_its_code_how_bad_it_is(
    house: House, ada: Person, store: ObjectStore, moto: servers.Server
) -> None:
    run = make_app(house.settings, house).test_cli_runner()
    row = make_evidence(house, ada)
    assert run.invoke(args=["evidence", "reconcile"]).output == "Every file is there, with its fingerprint.\n"
    put(store, "zzz")
    extra = run.invoke(args=["evidence", "reconcile", "--quick"])
    lose(store, row, moto)

    bad = run.invoke(args=["evidence", "reconcile", "--json"])

    assert (extra.exit_code, extra.output.splitlines()[-1]) == (0, "1 extra.")
    assert bad.exit_code == 1
    lines = [json.loads(line) for line in bad.output.splitlines()]
    assert [line.get("kind") for line in lines] == ["missing", "extra", None]
    assert lines[-1]["counts"] == {"missing": 1, "altered": 0, "unread": 0, "extra": 1, "stray": 0}


def test_a_store_that_is_away_is_said_and_nothing_is_guessed(house: House, ada: Person, clock: FixedClock) -> None:
    make_evidence(house, ada)
    config = servers.Server("away", "http://127.0.0.1:9", "a", "s", False, False, False)
    away = S3Store(
        servers.S3Config("gone", config.endpoint, "us-east-1", timeout=0.3, access_key="a", secret_key="s"),
        clock=lambda: clock.instant,
    )
    lonely = House(house.settings, database_url=house.database_url, clock=clock, store=away)

    done = make_app(house.settings, lonely).test_cli_runner().invoke(args=["evidence", "reconcile"])

    assert done.exit_code == 2
    assert "not complete" in done.stderr
    assert "missing" not in done.output


@pytest.fixture(scope="session")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server
