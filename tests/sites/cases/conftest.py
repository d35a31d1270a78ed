"""The standard fixture once a process; each test gets a copy of its database and of its files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.kernel.clock import FixedClock
from portal.kernel.ids import counted
from portal.settings import Settings
from portal.wiring import House
from tests.conftest import NOW, SECRET, Databases, Pools, Tested
from tests.factories import std as factory
from tests.factories.identity import Person
from tests.factories.std import Std
from tests.sites.conftest import Client

Browser = Callable[..., Client]


@dataclass(frozen=True, slots=True)
class Mould:
    """What the copies are taken from."""

    database: str
    folder: Path
    made: Std


@pytest.fixture(scope="session")
def mould(databases: Databases, migrated: str) -> Iterator[Mould]:
    """The standard fixture, made once."""
    with tempfile.TemporaryDirectory(prefix="gh-std-") as name:
        folder = Path(name) / "var"
        url = databases.fresh(migrated)
        settings = Settings(var_dir=folder, secret_keys=(SECRET,), argon2_profile="test")
        house = House(settings, database_url=url, clock=FixedClock(NOW), new_id=counted())
        made = factory.std(house)
        house.engine.dispose()
        yield Mould(url.partition("?")[0].rsplit("/", 1)[1], folder, made)
        databases.drop(url)


@pytest.fixture
def database_url(databases: Databases, mould: Mould) -> Iterator[str]:
    """A copy of the fixture's database."""
    url = databases.fresh(mould.database)
    yield url
    databases.drop(url)


@pytest.fixture
def settings(tmp_path: Path, mould: Mould) -> Settings:
    """Settings whose folder is a copy of the fixture's."""
    shutil.copytree(mould.folder, tmp_path / "var")
    return Settings(var_dir=tmp_path / "var", secret_keys=(SECRET,), argon2_profile="test")


@pytest.fixture
def house(settings: Settings, database_url: str, clock: FixedClock, pools: Pools) -> Iterator[House]:
    """The house on the copy; its ids go on where the fixture's ended."""
    built = Tested(settings, database_url=database_url, clock=clock, new_id=counted(1_000_000))
    built.pools = pools
    yield built
    if "gate_calls" in vars(built):
        built.gate_calls.close()
    built.engine.dispose()


@pytest.fixture
def std(mould: Mould, house: House) -> Std:
    """The standard fixture on this test's house."""
    return mould.made.on(house)


@pytest.fixture
def browser(signed_in: Browser) -> Browser:
    """A browser of a person, with a factor given moments ago unless ``fresh=False``."""

    def make(someone: Person, *, fresh: bool = True) -> Client:
        return signed_in(someone, fresh=fresh)

    return make
