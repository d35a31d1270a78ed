"""Files while the store is away, slow, closed, full or lying: nothing lost, nothing half done (R8 to R12, R15)."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from portal.evidence import intake, openings, queries
from portal.evidence.viewing import opened
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Refused, Unavailable
from portal.kernel.objects import Reason, StoreUnavailable
from portal.kernel.objects.s3 import S3Store
from portal.settings import Settings
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.evidence import make_evidence, reserved, row_of, sent
from tests.factories.identity import FACTORY, Person, person
from tests.factories.vendors import make_vendor
from tests.rules import files
from tests.s3 import proxy as faults
from tests.s3 import servers
from tests.s3.proxy import Proxy

SYSTEM = system("test")


@dataclass
class Bench:
    """A vendor with a person, a reviewer, and a bucket behind a proxy that fails as asked."""

    house: House
    proxy: Proxy
    ada: Person
    hana: Person
    vendor_id: object

    def finalise(self, place_id) -> EvidenceState:  # type: ignore[no-untyped-def]
        return intake.finalise(self.house.ledger, self.ada.actor, store=self.house.store, evidence_id=place_id).state

    def by_form(self, body: bytes, name: str = "access-policy.pdf") -> EvidenceState:
        return intake.receive_form(
            self.house.ledger,
            self.ada.actor,
            store=self.house.store,
            stream=io.BytesIO(body),
            file_name=name,
            kind="POL",
            details={"approved_on": "2026-10-01"},
        ).state

    def library(self) -> list[tuple[str, EvidenceState]]:
        with self.house.ledger.begin(self.ada.actor) as tx:
            return [(each.file_name, each.state) for each in queries.library(tx)]

    def look(self, who: Person, row) -> bytes:  # type: ignore[no-untyped-def]
        with opened(self.house.ledger, who.actor, store=self.house.store, evidence_id=row.id) as lent:
            return lent.path.read_bytes()


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with servers.moto() as server, faults.in_front_of(server) as made:
        made.server.upstream = server  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def bench(
    proxy: Proxy, settings: Settings, database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    # The server refuses signatures of other days than its own.
    clock.instant = datetime.now(UTC)
    config = faults.by_way_of(proxy, proxy.server.upstream.new_bucket())  # type: ignore[attr-defined]
    house = House(settings, database_url=database_url, clock=clock, store=S3Store(config, clock=lambda: clock.instant))
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    ada = person(house, roles=["respondent"], vendor=vendor_id, name="Ada Quill")
    yield Bench(house, proxy, ada, person(house, roles=["reviewer"], name="Hana Veldkamp"), vendor_id)
    proxy.fault = None
    house.engine.dispose()


pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "fault",
    [faults.down, faults.slow, faults.says(403, "AccessDenied"), faults.says(503, "SlowDown")],
    ids=["down", "slow", "403", "503"],
)
def test_a_finished_transfer_waits_for_the_store_and_goes_on_where_it_stopped(
    bench: Bench, clock: FixedClock, fault: faults.Fault
) -> None:
    body = files.pdf()
    place = reserved(bench.house, bench.ada, body)
    sent(bench.house.store, place, body)
    bench.proxy.fault = fault

    with pytest.raises(Unavailable) as refused:
        bench.finalise(place.id)

    assert "Nothing was lost" in refused.value.message
    assert refused.value.retry_after > 0
    assert row_of(bench.house, place.id).state is EvidenceState.RESERVED
    bench.proxy.fault = None
    clock.advance(seconds=10)
    assert bench.finalise(place.id) is EvidenceState.ATTACHED


def test_while_the_store_is_down_places_are_reserved_lists_are_read_and_only_bytes_wait(bench: Bench) -> None:
    row = make_evidence(bench.house, bench.ada)
    bench.proxy.fault = faults.down
    place = reserved(bench.house, bench.ada, files.pdf(pages=3), name="second.pdf")

    way = intake.begin(bench.house.ledger, bench.ada.actor, store=bench.house.store, evidence_id=place.id)

    assert way.ticket is not None
    assert bench.library() == [("access-policy.pdf", EvidenceState.ATTACHED)]
    with pytest.raises(Unavailable):
        bench.look(bench.hana, row)
    with bench.house.ledger.begin(SYSTEM) as tx:
        assert openings.openings(tx, row.id) == []
    assert row_of(bench.house, row.id).state is EvidenceState.ATTACHED


def test_a_file_that_was_received_before_the_outage_is_settled_by_the_job_after_it(
    bench: Bench, clock: FixedClock
) -> None:
    body = files.pdf()
    place = reserved(bench.house, bench.ada, body)
    sent(bench.house.store, place, body)

    def promotion_fails(asked: faults.Asked, answer) -> None:  # type: ignore[no-untyped-def]
        if "/vendor/" in asked.path and "/incoming/" not in asked.path:
            faults.down(asked, answer)

    bench.proxy.fault = promotion_fails
    with pytest.raises(Unavailable):
        bench.finalise(place.id)
    assert row_of(bench.house, place.id).state is EvidenceState.RECEIVED
    clock.advance(minutes=5)

    def settle() -> int:
        return intake.check_waiting(bench.house.ledger, SYSTEM, store=bench.house.store, scanner_url=None)

    with pytest.raises(Unavailable):
        settle()
    bench.proxy.fault = None

    assert settle() == 1
    assert bench.library() == [("access-policy.pdf", EvidenceState.ATTACHED)]
    assert [each.key for each in bench.house.store.versions("")] == [row_of(bench.house, place.id).object_key]


def test_a_form_that_could_not_be_stored_leaves_no_place_and_may_be_sent_again(bench: Bench) -> None:
    body = files.pdf()
    bench.proxy.fault = faults.down

    with pytest.raises(Unavailable):
        bench.by_form(body)

    bench.proxy.fault = None
    assert bench.by_form(body) is EvidenceState.ATTACHED
    assert [state for _, state in bench.library()].count(EvidenceState.ATTACHED) == 1
    assert len(list(bench.house.store.versions(""))) == 1


@pytest.mark.parametrize("fault", [faults.flips, faults.shortens], ids=["flipped", "shorter"])
def test_other_bytes_are_never_shown_and_the_file_is_marked_once_and_for_all(bench: Bench, fault: faults.Fault) -> None:
    row = make_evidence(bench.house, bench.ada)
    bench.proxy.fault = fault

    with pytest.raises(Conflict, match="no longer matches"):
        bench.look(bench.hana, row)

    bench.proxy.fault = None
    assert row_of(bench.house, row.id).state is EvidenceState.INTEGRITY_FAILURE
    with pytest.raises(Conflict, match="no longer matches"):
        bench.look(bench.ada, row)


def test_a_connection_that_breaks_is_no_sign_of_other_bytes(bench: Bench) -> None:
    row = make_evidence(bench.house, bench.ada)
    bench.proxy.fault = faults.breaks_off

    with pytest.raises(StoreUnavailable):
        bench.look(bench.hana, row)

    bench.proxy.fault = None
    assert row_of(bench.house, row.id).state is EvidenceState.ATTACHED
    assert bench.look(bench.hana, row) == files.pdf(pages=2)


def test_bytes_that_change_while_they_are_checked_do_not_become_evidence(bench: Bench) -> None:
    body = files.pdf()
    place = reserved(bench.house, bench.ada, body)
    sent(bench.house.store, place, body)
    bench.proxy.fault = faults.flips

    with pytest.raises(Refused, match="not the one that was announced"):
        bench.finalise(place.id)

    bench.proxy.fault = None
    assert row_of(bench.house, place.id).state is EvidenceState.REFUSED
    assert list(bench.house.store.versions("")) == []


def test_lost_answers_end_in_one_file_and_one_object(bench: Bench) -> None:
    body = files.pdf()
    place = reserved(bench.house, bench.ada, body)
    sent(bench.house.store, place, body)
    bench.proxy.fault = faults.loses_the_answer()
    with pytest.raises(Unavailable):
        bench.finalise(place.id)
    bench.proxy.fault = None

    assert bench.finalise(place.id) is EvidenceState.ATTACHED
    assert bench.finalise(place.id) is EvidenceState.ATTACHED

    row = row_of(bench.house, place.id)
    assert [(each.key, each.version_id) for each in bench.house.store.versions("")] == [
        (row.object_key, row.version_id)
    ]
    assert bench.library() == [("access-policy.pdf", EvidenceState.ATTACHED)]


def test_a_full_disk_refuses_files_keeps_serving_those_it_has_and_recovers(
    settings: Settings, database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(settings, database_url=database_url, clock=clock)
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    ada = person(house, roles=["respondent"], vendor=vendor_id, name="Ada Quill")
    b = Bench(house, None, ada, ada, vendor_id)  # type: ignore[arg-type]
    row = make_evidence(house, ada)
    real = os.write

    def full(handle: int, data: bytes) -> int:
        if os.readlink(f"/proc/self/fd/{handle}").startswith(str(settings.evidence_path)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with pytest.raises(StoreUnavailable, match="no space") as refused:
            b.by_form(files.pdf(pages=3), "second.pdf")
        assert b.look(ada, row) == files.pdf(pages=2)

    assert refused.value.reason is Reason.NO_SPACE
    assert "no space left for files. Nothing was lost" in refused.value.message
    assert [each.key for each in house.store.versions("")] == [row.object_key]
    assert b.by_form(files.pdf(pages=3), "second.pdf") is EvidenceState.ATTACHED
    assert {name for name, state in b.library() if state is EvidenceState.ATTACHED} == {
        "access-policy.pdf",
        "second.pdf",
    }
    house.engine.dispose()
