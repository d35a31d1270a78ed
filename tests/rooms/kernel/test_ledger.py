"""The ledger: one place that begins and commits, walls between vendors, one winner of two at once."""

from __future__ import annotations

import json
import threading
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.kernel.actor import ANONYMOUS, Actor, ActorKind, system
from portal.kernel.errors import Refused, Unavailable
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.vendors.models import Vendor
from portal.wiring import House

SYSTEM = system("test")


def person_of(vendor_id: UUID) -> Actor:
    return Actor(ActorKind.PERSON, UUID(int=7), "somebody", vendor_id=vendor_id, roles=frozenset({"respondent"}))


@pytest.fixture
def two(house: House) -> tuple[UUID, UUID]:
    ids = []
    with house.ledger.begin(SYSTEM) as tx:
        for name in ("acme", "other"):
            vendor = Vendor(id=tx.new_id(), slug=name, name=name, legal_name=name, created_by=None, created_at=tx.now)
            tx.session.add(vendor)
            ids.append(vendor.id)
    return ids[0], ids[1]


def names(tx: Tx) -> list[str]:
    return list(tx.session.execute(sa.select(Vendor.slug).order_by(Vendor.slug)).scalars())


def test_the_database_shows_a_person_its_own_vendor_only(house: House, two: tuple[UUID, UUID]) -> None:
    with house.ledger.begin(person_of(two[0])) as tx:
        assert names(tx) == ["acme"]
    with house.ledger.begin(SYSTEM) as tx:
        assert names(tx) == ["acme", "other"]


def test_the_database_shows_nothing_to_a_stranger(house: House, two: tuple[UUID, UUID]) -> None:
    with house.ledger.begin(ANONYMOUS) as tx:
        assert names(tx) == []


def test_the_database_refuses_a_row_of_another_vendor(house: House, two: tuple[UUID, UUID]) -> None:
    with pytest.raises(DBAPIError), house.ledger.begin(person_of(two[0])) as tx:
        tx.session.execute(sa.text("INSERT INTO gate_sequence (vendor_id, last) VALUES (:id, 1)"), {"id": two[1]})


def test_the_application_role_cannot_change_the_schema(house: House) -> None:
    with pytest.raises(DBAPIError), house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text("CREATE TABLE mine (id int)"))


def test_of_two_at_once_exactly_one_wins(house: House, two: tuple[UUID, UUID]) -> None:
    start = threading.Barrier(8)
    won: list[bool] = []

    def claim(number: int) -> None:
        with house.ledger.begin(SYSTEM) as tx:
            vendor = tx.session.get_one(Vendor, two[0])
            start.wait()
            won.append(swap(tx, vendor, expect={"row_version": 1}, change={"row_version": 2, "name": f"n{number}"}))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_the_loser_sees_the_truth(house: House, two: tuple[UUID, UUID]) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        vendor = tx.session.get_one(Vendor, two[0])
        assert not swap(tx, vendor, expect={"row_version": 99}, change={"name": "mine"})
        assert vendor.name == "acme"


@pytest.mark.parametrize("value", ["nul\x00", "half a pair \ud800"])
@pytest.mark.parametrize("cast", ["text", "jsonb"])
def test_text_that_cannot_be_stored_is_refused_in_words(house: House, value: str, cast: str) -> None:
    sent = json.dumps(value, ensure_ascii="\x00" in value) if cast == "jsonb" else value
    with pytest.raises(Refused, match="cannot be stored"), house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text(f"SELECT CAST(:value AS {cast})"), {"value": sent})


def test_a_database_that_is_away_is_said_so(house: House, settings: object) -> None:
    away = House(house.settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable), away.ledger.begin(SYSTEM):
        pass
