"""Migrations are tried with rows in the tables: nothing is lost on the way down and up again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from portal.audit import service as audit
from portal.kernel import migrate
from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.attestations import make_attestation
from tests.factories.lapsing import approved

TABLES = (
    "vendor",
    "engagement",
    "assessment",
    "answer",
    "answer_edit",
    "attestation",
    "attested_answer",
    "user_account",
)


def counts(house: House) -> dict[str, int]:
    with house.ledger.begin(system("test")) as tx:
        return {
            name: tx.session.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one()
            for name in TABLES
        }


def test_one_step_back_and_forward_keeps_every_row(house: House) -> None:
    make_attestation(house)
    before = counts(house)
    assert all(before.values())
    migrate.downgrade(house.engine, "-1")
    migrate.upgrade(house.engine)
    assert counts(house) == before
    with house.ledger.begin(system("test")) as tx:
        assert audit.verify(tx) == []


def test_a_second_run_changes_nothing(house: House) -> None:
    make_attestation(house)
    before = counts(house)
    migrate.upgrade(house.engine)
    assert counts(house) == before


def test_a_lock_that_is_not_had_leaves_the_schema_as_it_was(house: House) -> None:
    migrate.downgrade(house.engine, "-1")
    with house.engine.connect() as reader:
        reader.execute(sa.text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        other = House(house.settings, database_url=house.database_url)
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate.upgrade(other.engine)
        other.engine.dispose()
    with house.engine.connect() as connection:
        assert migrate.current(connection) != migrate.head()
    migrate.upgrade(house.engine)


def test_what_earlier_approvals_rest_on_is_written_down_from_the_scores_they_were_decided_on(house: House) -> None:
    approved(house)

    def held() -> set[tuple[object, ...]]:
        columns = ("clearance_id", "requirement", "evidence_id", "vendor_id", "attestation_id", "holds_until")
        with house.ledger.begin(system("test")) as tx:
            statement = sa.select(*map(sa.column, columns)).select_from(sa.table("clearance_evidence"))
            return {tuple(row) for row in tx.session.execute(statement)}

    before = held()
    assert len(before) > 1
    migrate.downgrade(house.engine, "0013")
    migrate.upgrade(house.engine)
    assert held() == before
