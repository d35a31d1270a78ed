"""The database: one dialect (PostgreSQL), one base class, and the second wall between vendors."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

from portal.kernel.errors import Refused, Unavailable
from portal.kernel.words import said

APP_ROLE = "gatehouse_app"
"""The database role every transaction of the application takes: no ownership, no DDL, rows of its scope only."""

EVERY_VENDOR = "*"

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Every table of every room."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: sa.DateTime(timezone=True),
        date: sa.Date(),
        UUID: sa.Uuid(),
        bytes: sa.LargeBinary(),
        str: sa.Text(),
        dict[str, Any]: postgresql.JSONB(),
        list[Any]: postgresql.JSONB(),
        list[str]: postgresql.ARRAY(sa.Text()),
        list[int]: postgresql.ARRAY(sa.Integer()),
        list[UUID]: postgresql.ARRAY(sa.Uuid()),
        enum.Enum: sa.Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=True,
            length=40,
            values_callable=lambda kind: [member.value for member in kind],
        ),
    }


def engine_for(url: str, *, pool_size: int = 6, application: str = "gatehouse") -> sa.Engine:
    """Return an engine whose waits all end: connect 5 s, pool 5 s, statement 15 s, lock 5 s (security.md R5, R6)."""
    return sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": application,
            "options": "-c statement_timeout=15000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
        },
    )


def constraint_of(error: IntegrityError) -> str:
    """Return the name of the constraint that a row broke, so that it becomes a message at the right field."""
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", None) or "")


UNSTORABLE = "The text holds a character that cannot be stored. Remove it and send it again."
_NO_TEXT = "22P05"
"""What the database says of a NUL inside JSON."""
_AGAIN = {"40001", "40P01", "55P03", "57014"}
_AWAY = re.compile(r"^(08|57P|53)")


@contextmanager
def failures_said() -> Iterator[None]:
    """Turn a lost, full or busy database into Unavailable and unstorable text into Refused; leave bugs to be bugs.

    :raises Unavailable: with seconds to wait; nothing was changed.
    :raises Refused: for text with a NUL character or half of a surrogate pair, which PostgreSQL cannot hold.
    """
    try:
        yield
    except PoolTimeout as failure:
        raise Unavailable(said("We are busy. Nothing was changed. Try again in a few seconds.")) from failure
    except UnicodeEncodeError as failure:
        raise Refused(UNSTORABLE) from failure
    except DBAPIError as failure:
        state = str(getattr(failure.orig, "sqlstate", "") or "")
        if isinstance(failure, DataError) and ("NUL" in str(failure.orig) or state == _NO_TEXT):
            raise Refused(UNSTORABLE) from failure
        lost = failure.connection_invalidated or (isinstance(failure, OperationalError) and not state)
        if lost or _AWAY.match(state) or state in _AGAIN:
            raise Unavailable(
                "We could not reach the database. Nothing was changed. Try again in a few seconds."
            ) from failure
        raise
