"""Bringing a database to this version's schema, and saying where it stands."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

HERE = Path(__file__).resolve().parents[2] / "migrations"
ONE_AT_A_TIME = 4_158_902_271
"""Advisory lock: two processes that start at once migrate once."""


def config(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's configuration for our folder, on this connection."""
    made = Config()
    made.set_main_option("script_location", str(HERE))
    made.attributes["connection"] = connection
    return made


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Run the missing migrations. A lock that is not had within 2 s aborts with nothing changed (security.md R19)."""
    with engine.connect() as connection:
        connection.execute(sa.text("SET lock_timeout = '30s'"))
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        connection.execute(sa.text("SET lock_timeout = '2s'"))
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.commit()
        try:
            command.upgrade(config(connection), revision)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
            connection.commit()
            connection.invalidate()


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Go back to a revision."""
    with engine.connect() as connection:
        command.downgrade(config(connection), revision)
        connection.commit()


def head() -> str:
    """Return the revision that this code expects."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def current(connection: sa.Connection) -> str:
    """Return the revision that the database has, empty if none."""
    return MigrationContext.configure(connection).get_current_revision() or ""
