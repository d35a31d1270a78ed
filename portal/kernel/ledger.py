"""The only place that begins and commits: a transaction with an actor, one instant, ids and the facts it records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.actor import Actor, ActorKind
from portal.kernel.clock import Clock, DatabaseClock
from portal.kernel.database import APP_ROLE, EVERY_VENDOR, failures_said
from portal.kernel.errors import Unavailable
from portal.kernel.ids import NewId, uuid7

T = TypeVar("T")


class Fact:
    """News: a frozen dataclass in the past tense, ids not rows, enough to be understood in five years."""

    __slots__ = ()


_BEGIN = sa.text("SELECT now(), set_config('role', :role, true), set_config('gatehouse.vendor', :scope, true)")
Reaction = Callable[["Tx", Fact], None]
Trail = Callable[["Tx", Sequence[Fact]], None]


@dataclass(slots=True)
class Tx:
    """One transaction: who, when, and what happened in it."""

    session: Session
    actor: Actor
    now: datetime
    new_id: NewId
    facts: list[Fact] = field(default_factory=list)

    def record(self, fact: Fact) -> None:
        """Say that something happened: it is written to the trail and its reactions follow, all in this transaction."""
        self.facts.append(fact)


def scope_of(actor: Actor) -> str:
    """Return whose rows the actor's transactions can see at all: one vendor's, or every vendor's."""
    if actor.vendor_id is not None:
        return str(actor.vendor_id)
    if actor.kind is ActorKind.PERSON and actor.id is None:
        return ""
    return EVERY_VENDOR


class Ledger:
    """Begins transactions, lets reactions follow facts, writes the trail, commits."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        reactions: Mapping[type[Fact], Sequence[Callable[[Tx, Fact], None]]],
        trail: Trail,
        clock: Clock | None = None,
        new_id: NewId = uuid7,
    ) -> None:
        self.engine = engine
        self.clock = clock or DatabaseClock()
        self.new_id = new_id
        self._reactions = reactions
        self._trail = trail

    @contextmanager
    def begin(self, actor: Actor) -> Iterator[Tx]:
        """Yield a transaction that commits when the block ends and leaves nothing when it raises.

        :raises Unavailable: if the database is away, full or too busy.
        """
        with failures_said(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield from self._scoped(session, actor)

    def _scoped(self, session: Session, actor: Actor) -> Iterator[Tx]:
        # Past the session's own ways of executing, which are for rows of tables.
        now = session.connection().execute(_BEGIN, {"role": APP_ROLE, "scope": scope_of(actor)}).scalar_one()
        tx = Tx(session=session, actor=actor, now=self.clock.read(now), new_id=self.new_id)
        yield tx
        session.flush()
        if tx.facts:
            self._follow(tx)
            session.flush()
            self._trail(tx, tuple(tx.facts))

    def _follow(self, tx: Tx) -> None:
        followed = 0
        while followed < len(tx.facts):
            fact = tx.facts[followed]
            followed += 1
            for reaction in self._reactions.get(type(fact), ()):
                reaction(tx, fact)

    def run(self, actor: Actor, command: Callable[[Tx], T], *, tries: int = 3) -> T:
        """Run a command in a transaction, again if it lost to a deadlock or a lock wait (security.md R7).

        :raises Unavailable: when the tries are used up.
        """
        for left in reversed(range(tries)):
            try:
                with self.begin(actor) as tx:
                    return command(tx)
            except Unavailable:
                if not left:
                    raise
        raise AssertionError("tries must be positive")


def count_all(tx: Tx, statements: tuple[sa.Select[int], ...]) -> tuple[int, ...]:
    """Return what each of these counts, in one statement. Give statements that are made once."""
    return tuple(tx.session.execute(_all_of(statements)).one())


@lru_cache(maxsize=32)
def _all_of(statements: tuple[sa.Select[int], ...]) -> sa.Select[Any]:
    return sa.select(*(each.scalar_subquery() for each in statements))


def get_one(tx: Tx, statement: sa.Select[T]) -> T | None:
    """Return the one row of a statement, or None."""
    return tx.session.execute(statement).scalar_one_or_none()
