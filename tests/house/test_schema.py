"""Laws of the schema: what the migrations make is what the models say, walled by vendor, growing where it must."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from portal.kernel import migrate
from portal.kernel.database import APP_ROLE, Base
from portal.wiring import House

UNWALLED = {"mail"}
"""Tables that name a vendor but are read by the system only: mail tells the lab about a vendor."""


def test_the_migrations_make_what_the_models_say(house: House) -> None:
    with house.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _thing, name, kind, *_rest: kind != "table" or name in Base.metadata.tables,
            },
        )
        assert compare_metadata(context, Base.metadata) == []
        assert migrate.current(connection) == migrate.head()


def test_every_table_that_names_a_vendor_is_walled_off(house: House) -> None:
    named = {table.name for table in Base.metadata.tables.values() if "vendor_id" in table.columns} | {"vendor"}
    with house.engine.connect() as connection:
        walled = set(
            connection.execute(
                sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
            ).scalars()
        )
    assert named - UNWALLED <= walled


def test_every_constraint_has_a_name_of_ours() -> None:
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"


def test_the_application_deletes_nothing(house: House) -> None:
    with house.engine.connect() as connection:
        deletable = set(
            connection.execute(
                sa.text(
                    "SELECT table_name FROM information_schema.role_table_grants "
                    "WHERE grantee = :role AND privilege_type IN ('DELETE', 'TRUNCATE')"
                ),
                {"role": APP_ROLE},
            ).scalars()
        )
    assert deletable & set(Base.metadata.tables) == {"throttle", "spent_challenge"}


def test_every_migration_can_be_taken_back_and_run_again(house: House) -> None:
    migrate.downgrade(house.engine, "base")
    migrate.upgrade(house.engine)
    with house.engine.connect() as connection:
        assert migrate.current(connection) == migrate.head()
