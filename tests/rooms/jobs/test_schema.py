"""The queue's schema: the release we run, pinned to its schema, and gone again on the way down."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.kernel import migrate
from portal.kernel.database import engine_for

ROOT = Path(__file__).parents[3]


def test_our_copy_is_the_schema_of_the_release_we_run() -> None:
    ours = (ROOT / "migrations" / "versions" / "0003_jobs.sql").read_text(encoding="utf-8")
    assert ours == (resources.files("procrastinate.sql") / "schema.sql").read_text(encoding="utf-8")


def test_every_function_of_the_queue_looks_in_its_own_schema_only(house) -> None:
    with house.engine.connect() as connection:
        loose = connection.execute(
            sa.text(
                "SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%' "
                "AND NOT coalesce(proconfig @> ARRAY['search_path=public, pg_temp'], false)"
            )
        ).fetchall()
    assert loose == []


def test_a_job_can_be_added_whatever_the_search_path(house) -> None:
    from portal.delivery import service
    from portal.kernel.actor import system

    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.text("CREATE TEMPORARY TABLE procrastinate_events (job_id int)"))
        service.enqueue(tx, "count", number=1)
        assert tx.session.execute(sa.text("SELECT count(*) FROM pg_temp.procrastinate_events")).scalar_one() == 0


def test_the_queue_goes_and_comes_back(databases, migrated) -> None:
    url = databases.fresh(migrated)
    engine = engine_for(url)
    try:
        migrate.downgrade(engine, "0002")
        with engine.connect() as connection:
            left = connection.execute(
                sa.text(
                    "SELECT relname FROM pg_class WHERE relname LIKE 'procrastinate%' OR relname = 'parked_job' "
                    "UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%' "
                    "UNION ALL SELECT typname FROM pg_type WHERE typname LIKE 'procrastinate%'"
                )
            ).fetchall()
        assert left == []
        migrate.upgrade(engine, "0003")
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT to_regclass('procrastinate_jobs')")).scalar_one() is not None
    finally:
        engine.dispose()
        databases.drop(url)


@pytest.mark.parametrize("table", ["procrastinate_workers", "procrastinate_periodic_defers"])
def test_the_application_cannot_read_what_is_the_workers_own(house, table) -> None:
    with house.engine.connect() as connection:
        allowed = connection.execute(
            sa.text("SELECT has_table_privilege('gatehouse_app', :table, 'SELECT, INSERT, UPDATE, DELETE')"),
            {"table": table},
        ).scalar_one()
    assert allowed is False
