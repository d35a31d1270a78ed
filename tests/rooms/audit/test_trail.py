"""The trail: one chain, written with what it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.audit import service as audit
from portal.kernel.actor import system
from portal.kernel.ledger import Fact
from portal.wiring import House

SYSTEM = system("test")


@dataclass(frozen=True, slots=True)
class SomethingHappened(Fact):
    thing_id: UUID
    vendor_id: UUID | None = None


def happen(house: House, times: int = 1) -> None:
    for _ in range(times):
        with house.ledger.begin(SYSTEM) as tx:
            tx.record(SomethingHappened(tx.new_id()))


def test_a_fact_is_one_event_and_the_chain_is_whole(house: House) -> None:
    happen(house, 3)
    with house.ledger.begin(SYSTEM) as tx:
        assert [link.seq for link in audit.links(tx)] == [1, 2, 3]
        assert audit.verify(tx) == []


def test_what_is_rolled_back_leaves_no_event(house: House) -> None:
    with pytest.raises(ZeroDivisionError), house.ledger.begin(SYSTEM) as tx:
        tx.record(SomethingHappened(tx.new_id()))
        raise ZeroDivisionError
    with house.ledger.begin(SYSTEM) as tx:
        assert list(audit.links(tx)) == []


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET fact = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"])
def test_the_database_refuses_to_change_the_trail(house: House, statement: str) -> None:
    happen(house)
    with pytest.raises(ProgrammingError), house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text(statement))
