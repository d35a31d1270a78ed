"""What all tests stand on: one embedded PostgreSQL a test process, a migrated template, a fresh copy for each test."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from portal.kernel import migrate
from portal.kernel.clock import FixedClock
from portal.kernel.database import engine_for
from portal.kernel.embedded import SUPERUSER, EmbeddedPostgres
from portal.kernel.ids import counted
from portal.settings import Settings
from portal.wiring import House

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECRET = "a-secret-for-tests-that-is-long-enough-0123456789"
_numbers = itertools.count(1)


class Databases:
    """Hands out databases: each a copy of the migrated template."""

    def __init__(self, url: str) -> None:
        """Remember the URL of a database of a role that may create others."""
        self._url = url
        self._plain = url.replace("postgresql+psycopg://", "postgresql://")

    def named(self, name: str) -> str:
        """Return the URL of another database of the same server."""
        head, _, tail = self._url.partition("?")
        return head.rsplit("/", 1)[0] + "/" + name + ("?" + tail if tail else "")

    def run(self, statement: str) -> None:
        """Run one statement outside a transaction."""
        with psycopg.connect(self._plain, autocommit=True) as connection:
            connection.execute(statement.encode())

    def fresh(self, template: str) -> str:
        """Return the URL of a new copy of a template."""
        name = f"t_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.named(name)

    def drop(self, url: str) -> None:
        """Remove a copy."""
        name = url.partition("?")[0].rsplit("/", 1)[1]
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """One server a test process: our embedded one without fsync, or GATEHOUSE_TEST_DATABASE_URL."""
    if given := os.environ.get("GATEHOUSE_TEST_DATABASE_URL"):
        yield Databases(given)
        return
    with (
        tempfile.TemporaryDirectory(prefix="gh-") as folder,
        EmbeddedPostgres(Path(folder) / "pg", fast=True) as server,
    ):
        superuser = server.url(role=SUPERUSER)
        with psycopg.connect(
            superuser.replace("postgresql+psycopg://", "postgresql://"), autocommit=True
        ) as connection:
            connection.execute("ALTER ROLE gatehouse CREATEDB")
        yield Databases(server.url())


@pytest.fixture(scope="session")
def migrated(databases: Databases) -> Iterator[str]:
    """The name of a database with today's schema and no rows."""
    name = f"template_{os.getpid()}"
    databases.run(f"CREATE DATABASE {name}")
    engine = engine_for(databases.named(name))
    migrate.upgrade(engine)
    engine.dispose()
    yield name
    databases.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def database_url(databases: Databases, migrated: str) -> Iterator[str]:
    """A database of this test's own."""
    url = databases.fresh(migrated)
    yield url
    databases.drop(url)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at 24 November 2026, 09:00 UTC, until moved."""
    return FixedClock(NOW)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Development settings whose folder is the test's own."""
    return Settings(var_dir=tmp_path / "var", secret_keys=(SECRET,), argon2_profile="test")


@pytest.fixture
def house(settings: Settings, database_url: str, clock: FixedClock) -> Iterator[House]:
    """The house on the test's own database, with a fixed clock and counted ids."""
    built = House(settings, database_url=database_url, clock=clock, new_id=counted())
    yield built
    built.engine.dispose()
