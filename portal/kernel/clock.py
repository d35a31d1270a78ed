"""Time: the deployed clock is the database's; tests set their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Turns the database's idea of now into the instant a transaction works with."""

    def read(self, database_now: datetime) -> datetime:
        """Return the instant (aware, UTC)."""


class DatabaseClock:
    """The only clock of a deployment (security.md R14)."""

    def read(self, database_now: datetime) -> datetime:
        """Return the database's instant unchanged."""
        return database_now


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until a test moves it."""

    instant: datetime

    def read(self, database_now: datetime) -> datetime:  # noqa: ARG002 - the point is to ignore it
        """Return the fixed instant."""
        return self.instant

    def advance(self, **by: float) -> None:
        """Move on by a timedelta given in words."""
        self.instant += timedelta(**by)
