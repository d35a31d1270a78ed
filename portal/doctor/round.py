"""The doctor's round: every check in order; one that cannot be made is a finding, not the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from portal.doctor import configuration, database, outside
from portal.doctor.findings import Finding, fail
from portal.kernel import migrate
from portal.kernel.launch.refusal import LaunchRefused

if TYPE_CHECKING:
    from portal.wiring import House


def examine(house: House, *, deep: bool = False) -> list[Finding]:
    """Return everything found, in the order of what stands on what.

    :param deep: verify the whole trail, which takes as long as it is long.
    """
    return [
        *_safely("settings", lambda: configuration.settings(house)),
        *_safely("keys", lambda: configuration.keys(house)),
        *_safely("disk", lambda: configuration.disk(house)),
        *_safely("database", lambda: _database(house, deep=deep)),
        *_safely("store", lambda: outside.store(house)),
        *_safely("scanner", lambda: outside.scanner(house)),
        *_safely("mail", lambda: outside.mail(house)),
    ]


def _database(house: House, *, deep: bool) -> Iterator[Finding]:
    try:
        connection = house.engine.connect()
    except LaunchRefused as refusal:
        yield fail("database", str(refusal), "Repair what the sentence names and start again")
        return
    except DBAPIError as failure:
        yield fail("database", f"it cannot be reached: {database.cause(failure)}", "Check GATEHOUSE_DATABASE_URL")
        return
    with connection:
        yield from database.server(house, connection)
        yield from database.migrations(connection)
        if migrate.current(connection) != migrate.head():
            return  # the other checks speak of tables that may not be there
        yield from _safely("walls", lambda: database.walls(connection))
        yield from _safely("worker", lambda: database.worker(connection))
    yield from _safely("trail", lambda: database.trail(house, deep=deep))
    yield from _safely("content", lambda: database.content(house))
    yield from _safely("mail", lambda: outside.backlog(house))


def _safely(part: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as failure:
        yield fail(part, f"this could not be checked: {type(failure).__name__}: {failure}", "See the log")
