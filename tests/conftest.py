"""What all tests stand on: one embedded PostgreSQL a test process, a migrated template, a fresh copy for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import hypothesis
import psycopg
import pytest
import sqlalchemy as sa

from portal.audit import keeping
from portal.kernel import migrate
from portal.kernel.clock import FixedClock
from portal.kernel.database import engine_for
from portal.kernel.embedded import SUPERUSER, EmbeddedPostgres
from portal.kernel.ids import counted
from portal.kernel.memo import Memo
from portal.settings import Settings
from portal.wiring import House
from tests.factories import moulds

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECRET = "a-secret-for-tests-that-is-long-enough-0123456789"
MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 2**30
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run be more thorough than its time allows every day."""
    parser.addoption("--thorough", action="store_true", help="send every odd value to every place, not each to some")


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples of each property than the library's hundred, where the test names no number of its own."""
    hypothesis.settings.register_profile("everyday", max_examples=60)
    hypothesis.settings.load_profile("default" if config.getoption("--thorough") else "everyday")


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> bool:
    """Return whether time does not matter: then nothing is sampled."""
    return bool(request.config.getoption("--thorough"))


class Checked(Memo[object]):
    """A memo that computes what it knows once more, and fails where that is something else by now."""

    def of(self, name: Hashable, compute: Callable[[], object]) -> object:
        """Return what was computed now, after it was held against what is known."""
        fresh = compute()
        known = super().of(name, lambda: fresh)
        assert known == fresh, f"{name} was kept though it changed"
        return fresh


@pytest.fixture(autouse=True)
def _nothing_stale_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold whatever is kept of a vendor against its rows, in every test: no event may be missing that ends it."""
    monkeypatch.setattr(keeping, "_kept", Checked(keeping.MOST))


class Databases:
    """Hands out databases: each a copy of the migrated template."""

    def __init__(self, url: str) -> None:
        """Remember the URL of a database of a role that may create others."""
        self._url = url
        self._plain = url.replace("postgresql+psycopg://", "postgresql://")
        self._connection: psycopg.Connection | None = None
        self._living: set[str] = set()
        self._done: deque[str] = deque()

    def named(self, name: str) -> str:
        """Return the URL of another database of the same server."""
        head, _, tail = self._url.partition("?")
        return head.rsplit("/", 1)[0] + "/" + name + ("?" + tail if tail else "")

    def run(self, statement: str, *given: str) -> psycopg.Cursor:
        """Run one statement outside a transaction, on a connection that is kept for the next."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._plain, autocommit=True)
        return self._connection.execute(statement.encode(), given or None)

    def close(self) -> None:
        """Remove what is left, and let the kept connection go."""
        for name in self._living:
            self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        if self._connection is not None:
            self._connection.close()

    def fresh(self, template: str) -> str:
        """Return the URL of a new copy of a template."""
        name = f"t_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        self._living.add(name)
        return self.named(name)

    def is_untouched(self, url: str) -> bool:
        """Tell whether nobody was ever connected to a copy."""
        asked = "SELECT numbackends, xact_commit FROM pg_stat_database WHERE datname = %s"
        return self.run(asked, _name(url)).fetchone() == (0, 0)

    def become(self, url: str, template: str) -> None:
        """Make a database that nobody uses a copy of a template."""
        name = _name(url)
        self.run(f"DROP DATABASE {name}")
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, url: str) -> None:
        """Remove a copy, a little later: the server waits long for sessions that are just about to end."""
        self._done.append(_name(url))
        if len(self._done) > 3:
            name = self._done.popleft()
            self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            self._living.discard(name)


def _name(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """One server a test process: our embedded one without fsync, or GATEHOUSE_TEST_DATABASE_URL."""
    if given := os.environ.get("GATEHOUSE_TEST_DATABASE_URL"):
        made = Databases(given)
        yield made
        made.close()
        return
    with (
        tempfile.TemporaryDirectory(prefix="gh-test-", dir=_quick_folder()) as folder,
        EmbeddedPostgres(Path(folder) / "pg", fast=True) as server,
    ):
        superuser = server.url(role=SUPERUSER)
        with psycopg.connect(
            superuser.replace("postgresql+psycopg://", "postgresql://"), autocommit=True
        ) as connection:
            connection.execute("ALTER ROLE gatehouse CREATEDB")
        made = Databases(server.url())
        yield made
        made.close()


def _quick_folder() -> Path | None:
    """Where files live in memory, if there is room; else the usual place.

    Copying a database is a few hundred small files, which a disk takes five times as long to make.
    """
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return None
    _clear_leftovers()
    return MEMORY if shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY else None


def _clear_leftovers() -> None:
    """Remove what killed test processes left in memory; each server's lock file says whose it is."""
    for lock in MEMORY.glob("gh-test-*/pg.lock"):
        with suppress(OSError, ValueError):
            if not Path("/proc", str(int(lock.read_text()))).exists():
                shutil.rmtree(lock.parent)


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


class Pools:
    """One pool of connections a size, pointed at the database of whichever test runs.

    What SQLAlchemy compiles it keeps by engine, and a statement costs more to compile than to run.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[int, sa.Engine] = {}
        self._database = ""

    def aim(self, url: str, *, size: int) -> sa.Engine:
        """Return a pool of this size whose next connections go to this database."""
        self._database = _name(url)
        if size not in self._kept:
            engine = engine_for(url, pool_size=size)

            @sa.event.listens_for(engine, "do_connect")
            def turn(_dialect: object, _record: object, _given: object, named: dict[str, object]) -> None:
                named["dbname"] = self._database

            self._kept[size] = engine
        return self._kept[size]


@pytest.fixture(scope="session")
def pools() -> Pools:
    """The pools that tests use one after another."""
    return Pools()


class Tested(House):
    """A house whose pool of connections outlives it."""

    pools: Pools

    @cached_property
    def engine(self) -> sa.Engine:
        """The pool, pointed at this house's database."""
        return self.pools.aim(self.database_url, size=self.settings.web_threads + 2)


@pytest.fixture
def house(
    settings: Settings, databases: Databases, database_url: str, clock: FixedClock, pools: Pools
) -> Iterator[House]:
    """The house on the test's own database, with a fixed clock and counted ids."""
    built = Tested(settings, database_url=database_url, clock=clock, new_id=counted())
    built.pools = pools
    yield from offered(built, databases)


def offered(built: House, databases: Databases) -> Iterator[House]:
    """Yield a house that nothing was done with yet, and let go of what it held."""
    moulds.offer(built, databases)
    yield built
    if "gate_calls" in vars(built):
        built.gate_calls.close()
    built.engine.dispose()
