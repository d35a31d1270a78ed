"""What was relied on is kept: once it is verified or signed with, for as long as the settings say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from portal.audit import queries as audit
from portal.evidence import service
from portal.evidence.models import Evidence
from portal.jobs import keep
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict
from portal.kernel.objects import Reason, StoredObject, StoreUnavailable
from portal.kernel.objects.disk import DiskStore
from portal.policy import Action
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.attestations import desk
from tests.factories.evidence import make_evidence, row_of
from tests.factories.identity import FACTORY, Person, person
from tests.factories.vendors import make_vendor
from tests.rooms.delivery.world import jobs_of

SYSTEM = system("test")
TODAY = date(2026, 11, 24)
UNTIL = TODAY + timedelta(days=1095)


class Locking(DiskStore):
    """A store that keeps promises, as a bucket with Object Lock; it may be away."""

    def __init__(self, house: House) -> None:
        super().__init__(
            house.settings.evidence_path, secret_keys=house.settings.secret_keys, clock=house.instant, bucket="disk"
        )
        self.locked: list[tuple[str, date]] = []
        self.away = False

    def lock(self, stored: StoredObject, until: date) -> bool:
        """Note it."""
        if self.away:
            raise StoreUnavailable(Reason.DOWN)
        self.locked.append((stored.version_id, until))
        return True


@pytest.fixture
def ada(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=["respondent", "vendor_admin"], vendor=vendor_id, name="Ada Quill")


@pytest.fixture
def hana(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Hana Veldkamp")


@pytest.fixture
def locking(house: House, clock: FixedClock) -> Iterator[House]:
    built = House(house.settings, database_url=house.database_url, clock=clock, store=Locking(house))
    yield built
    built.engine.dispose()


def verify(house: House, who: Person, row: Evidence) -> None:
    with house.ledger.begin(who.actor) as tx:
        found = service.get(tx, row.id, Action.EVIDENCE_JUDGE)
        service.verify(tx, evidence=found, row_version=found.row_version)


def asked(house: House, name: str) -> list[dict[str, Any]]:
    return [args for task, args, _ in jobs_of(house) if task == name]


def kept_facts(house: House) -> list[dict[str, Any]]:
    with house.ledger.begin(SYSTEM) as tx:
        return [each.payload for each in audit.events(tx, audit.Wanted(fact="evidence_retained"))]


def test_a_verified_file_is_locked_and_its_row_says_until_when(locking: House, ada: Person, hana: Person) -> None:
    row = make_evidence(locking, ada)
    verify(locking, hana, row)

    [args] = asked(locking, "keep_file")
    keep.keep_file(locking, **args)

    assert args == {"evidence_id": str(row.id), "day": "2026-11-24"}
    assert locking.store.locked == [(row.version_id, UNTIL)]  # type: ignore[attr-defined]
    assert row_of(locking, row.id).retained_until == UNTIL
    [fact] = kept_facts(locking)
    assert (fact["until"], fact["locked"]) == (UNTIL.isoformat(), True)


def test_a_verdict_that_is_taken_back_asks_for_nothing(locking: House, ada: Person, hana: Person) -> None:
    row = make_evidence(locking, ada)

    with pytest.raises(RuntimeError), locking.ledger.begin(hana.actor) as tx:
        found = service.get(tx, row.id, Action.EVIDENCE_JUDGE)
        service.verify(tx, evidence=found, row_version=found.row_version)
        raise RuntimeError

    assert asked(locking, "keep_file") == []


def test_keeping_twice_is_keeping_once_and_a_later_day_only_extends(locking: House, ada: Person, hana: Person) -> None:
    row = make_evidence(locking, ada)
    verify(locking, hana, row)
    [args] = asked(locking, "keep_file")
    for day in ("2026-11-24", "2026-11-24", "2026-11-30", "2026-11-25"):
        keep.keep_file(locking, evidence_id=args["evidence_id"], day=day)

    until = [UNTIL, UNTIL + timedelta(days=6)]
    assert [each for _, each in locking.store.locked] == until  # type: ignore[attr-defined]
    assert row_of(locking, row.id).retained_until == until[-1]
    assert len(kept_facts(locking)) == 2


def test_on_a_disk_the_row_refuses_the_removal_until_the_day_has_passed(
    house: House, ada: Person, hana: Person, clock: FixedClock
) -> None:
    row = make_evidence(house, ada)
    keep.keep_file(house, evidence_id=str(row.id), day="2026-11-24")
    assert [fact["locked"] for fact in kept_facts(house)] == [False]

    def remove() -> None:
        with house.ledger.begin(ada.actor) as tx:
            service.remove(tx, evidence=service.get(tx, row.id, Action.EVIDENCE_DELETE))

    with pytest.raises(Conflict, match="kept until 23 November 2029"):
        remove()
    clock.instant += timedelta(days=1096)
    remove()
    assert row_of(house, row.id).removed_at is not None


def test_every_file_that_was_signed_with_is_kept(locking: House) -> None:
    made = desk(locking)
    made.complete()
    key = made.visible()[0].key
    file = made.file()
    made.cite(key, file, "3")
    other = made.file()

    signed = made.sign()

    [args] = asked(locking, "keep_signed_files")
    assert args == {"attestation_id": str(signed), "day": "2026-11-24"}
    keep.keep_signed_files(locking, **args)
    assert row_of(locking, file).retained_until == UNTIL
    assert row_of(locking, other).retained_until is None


def test_what_an_outage_missed_is_caught_up_at_night(locking: House, ada: Person, hana: Person) -> None:
    verified, attached = make_evidence(locking, ada), make_evidence(locking, ada)
    verify(locking, hana, verified)
    locking.store.away = True  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        keep.keep_file(locking, **asked(locking, "keep_file")[0])
    assert row_of(locking, verified.id).retained_until is None
    keep.keep_files(locking)
    locking.store.away = False  # type: ignore[attr-defined]

    keep.keep_files(locking)
    keep.keep_files(locking)

    assert row_of(locking, verified.id).retained_until == UNTIL
    assert row_of(locking, attached.id).retained_until is None
    assert len(locking.store.locked) == 1  # type: ignore[attr-defined]


def test_other_bytes_are_not_kept_by_force(locking: House, ada: Person) -> None:
    row = make_evidence(locking, ada)
    with locking.ledger.begin(SYSTEM) as tx:
        service.integrity_failed(tx, evidence=tx.session.get_one(Evidence, row.id))

    keep.keep_file(locking, evidence_id=str(row.id), day="2026-11-24")

    assert locking.store.locked == []  # type: ignore[attr-defined]
    assert row_of(locking, row.id).state is EvidenceState.INTEGRITY_FAILURE


def test_a_retention_of_no_days_keeps_nothing(locking: House, ada: Person, hana: Person, clock: FixedClock) -> None:
    never = replace(locking.settings, evidence_retention_days=0)
    house = House(never, database_url=locking.database_url, clock=clock, store=locking.store)
    row = make_evidence(house, ada)
    verify(house, hana, row)

    keep.keep_file(house, **asked(house, "keep_file")[0])
    keep.keep_files(house)

    assert row_of(house, row.id).retained_until is None
    house.engine.dispose()
