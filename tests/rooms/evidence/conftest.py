"""A vendor with two people and another vendor, on each kind of store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.kernel.clock import FixedClock
from portal.kernel.ids import uuid7
from portal.kernel.objects import ObjectStore
from portal.kernel.objects.disk import DiskStore
from portal.kernel.objects.s3 import S3Store
from portal.settings import Settings
from portal.wiring import House
from tests.factories.identity import FACTORY, Person, person
from tests.factories.vendors import make_vendor
from tests.s3 import servers


@pytest.fixture(scope="session")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server


BOTH_STORES = {"test_intake", "test_library", "test_reconciling", "test_sending_parts"}
"""The modules whose behaviour depends on the kind of store; the others are tried on the disk."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try both kinds of store where it can make a difference."""
    chosen = any("store" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "store" in metafunc.fixturenames and not chosen:
        both = metafunc.module.__name__.rpartition(".")[2] in BOTH_STORES
        moto = [pytest.param("moto", marks=pytest.mark.slow)] if both else []
        metafunc.parametrize("store", ["disk", *moto], indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, settings: Settings, clock: FixedClock) -> ObjectStore:
    if request.param == "disk":
        return DiskStore(
            settings.evidence_path,
            secret_keys=settings.secret_keys,
            clock=lambda: clock.read(None),  # type: ignore[arg-type]
            new_id=uuid7,
        )
    server: servers.Server = request.getfixturevalue("moto")
    return S3Store(server.new_bucket(), clock=lambda: clock.read(None))  # type: ignore[arg-type]


@pytest.fixture
def house(settings: Settings, database_url: str, clock: FixedClock, store: ObjectStore) -> Iterator[House]:
    built = House(settings, database_url=database_url, clock=clock, store=store)
    yield built
    built.engine.dispose()


@pytest.fixture
def vendor_id(house: House):  # type: ignore[no-untyped-def]
    with house.ledger.begin(FACTORY) as tx:
        return make_vendor(tx).id


@pytest.fixture
def ada(house: House, vendor_id) -> Person:  # type: ignore[no-untyped-def]
    return person(house, roles=["respondent"], vendor=vendor_id, name="Ada Quill")


@pytest.fixture
def ben(house: House, vendor_id) -> Person:  # type: ignore[no-untyped-def]
    return person(house, roles=["respondent"], vendor=vendor_id, name="Ben Marker")


@pytest.fixture
def admin(house: House, vendor_id) -> Person:  # type: ignore[no-untyped-def]
    return person(house, roles=["vendor_admin"], vendor=vendor_id, name="Cleo Annot")


@pytest.fixture
def stranger(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        other = make_vendor(tx, "Tessellate Data").id
    return person(house, roles=["respondent", "vendor_admin"], vendor=other, name="Otto Other")


@pytest.fixture
def hana(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Hana Veldkamp")
