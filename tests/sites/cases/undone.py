"""An application whose every request is undone, so that thousands can be sent to one and the same state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.wiring import House
from tests.sites.cases.walking import BOOKKEEPING, fingerprint

_WRITES = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)", re.I)


class Undone:
    """One connection in a transaction that never commits; ``asking`` gives each request a savepoint of its own."""

    def __init__(self, house: House, connection: sa.Connection) -> None:
        """Put the house on this connection."""
        self._connection = connection
        house.ledger.engine = connection  # type: ignore[assignment]  # a session binds to it as to an engine
        self._written: list[str] = []
        self._marks: dict[str, int] = {}
        sa.event.listen(connection, "before_cursor_execute", self._note)
        sa.event.listen(connection, "savepoint", lambda _, name: self._marks.__setitem__(name, len(self._written)))
        sa.event.listen(connection, "rollback_savepoint", lambda _, name, __: self._forget(name))
        names = sorted(set(sa.inspect(connection).get_table_names()) - BOOKKEEPING - {"procrastinate_workers"})
        self._sums = sa.text(
            " UNION ALL ".join(fingerprint(name).replace("SELECT ", f"SELECT '{name}', ", 1) for name in names)
        )

    def rows(self) -> dict[str, Any]:
        """Return a fingerprint of every row as it is at this moment."""
        self._connection.execute(
            sa.text("SELECT set_config('role', 'none', true), set_config('gatehouse.vendor', '*', true)")
        )
        return {name: (count, total) for name, count, total in self._connection.execute(self._sums)}

    def _note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if found := _WRITES.match(statement):
            self._written.append(found[1])

    def _forget(self, name: str) -> None:
        del self._written[self._marks.get(name, 0) :]

    def written(self) -> set[str]:
        """Return the tables that the request wrote to for good, without bookkeeping and security events."""
        return set(self._written) - BOOKKEEPING - {"audit_event", "audit_head"}

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Undo what happens in the block."""
        self._written.clear()
        savepoint = self._connection.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()


@contextmanager
def undone(app: Flask, house: House) -> Iterator[Undone]:
    """Yield the application on a connection whose transaction is thrown away."""
    engine = house.ledger.engine
    with engine.connect() as connection, connection.begin() as outer:
        try:
            yield Undone(house, connection)
        finally:
            outer.rollback()
            house.ledger.engine = engine
