"""What many tests begin with is built once a process; later tests get a copy of its database, with the same ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from portal.wiring import House

Made = TypeVar("Made")


class Copier(Protocol):
    """What copies databases."""

    def is_untouched(self, url: str) -> bool:
        """Tell whether nobody was ever connected."""

    def fresh(self, template: str) -> str:
        """Return the URL of a new copy."""

    def become(self, url: str, template: str) -> None:
        """Make a database a copy of another."""


@dataclass(frozen=True, slots=True)
class Mould:
    """A database as it was when something had been made in it, how many ids that took, and what was returned.

    ``keys`` are the house's signing keys, if something was sealed: what they sealed is in the database.
    """

    database: str
    ids: int
    made: Any
    keys: bytes | None


_offered: WeakKeyDictionary[House, Copier] = WeakKeyDictionary()
_moulds: dict[tuple[Copier, object], Mould] = {}


def offer(house: House, databases: Copier) -> None:
    """Say that the database of this house is empty and the test's own, so that it may be exchanged for a copy."""
    _offered[house] = databases


def cast(house: House, name: str, make: Callable[[House], Made], *, given: object = ()) -> Made:
    """Return ``make(house)``, from a copy if the same was made before in this process.

    Only on a house that nothing was done with yet, so that ids and rows are those that ``make`` would have made.

    :param given: everything else that ``make`` depends on.
    """
    databases = _offered.pop(house, None)
    if databases is None or not _is_pristine(house, databases):
        return make(house)
    key = (databases, (name, repr(given), house.instant()))
    if mould := _moulds.get(key):
        databases.become(house.database_url, mould.database)
        for _ in range(mould.ids):
            house.new_id()
        if mould.keys is not None:
            house.signing_keys.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            house.signing_keys.touch(0o600)
            house.signing_keys.write_bytes(mould.keys)
        return mould.made
    taken = _counting(house)
    made = make(house)
    house.engine.dispose()
    if all(each == house.signing_keys for each in house.settings.var_dir.rglob("*") if not each.is_dir()):
        copy = databases.fresh(_name(house.database_url))
        keys = house.signing_keys.read_bytes() if house.signing_keys.exists() else None
        _moulds[key] = Mould(_name(copy), len(taken), made, keys)
    return made


def _is_pristine(house: House, databases: Copier) -> bool:
    begun = "engine" in vars(house) or house.settings.var_dir.exists()
    return not begun and databases.is_untouched(house.database_url)


def _counting(house: House) -> list[UUID]:
    taken: list[UUID] = []
    give = house.new_id

    def new_id() -> UUID:
        taken.append(give())
        return taken[-1]

    house.new_id = new_id
    return taken


def _name(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[1]
