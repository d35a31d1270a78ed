"""How often a service client may ask in a minute, counted in this process.

A counter of our own and not a library's: the clock is handed in, and the gate's hot path pays for one lock and one
look into a dictionary. Each worker process counts for itself and takes its part of the minute, so that all of them
together never take more than the client's number, except that each takes at least one request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final
from uuid import UUID

from flask import current_app

from portal.sites.shared.pages import house

PER_MINUTE: Final = 600
"""What a client may ask in a minute when nothing else was agreed."""
WINDOW: Final = 60


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a client's minute in this process."""

    taken: bool
    quota: int
    remaining: int
    resets_in: int

    @property
    def headers(self) -> dict[str, str]:
        """Return the fields of the IETF draft on rate limits, and when to come back after a refusal."""
        said = {
            "RateLimit-Policy": f'"client";q={self.quota};w={WINDOW}',
            "RateLimit": f'"client";r={self.remaining};t={self.resets_in}',
        }
        return said if self.taken else {**said, "Retry-After": str(self.resets_in)}


class Rates:
    """The counters of one process. Only clients that were let in are counted, and each minute begins with none."""

    def __init__(self, workers: int) -> None:
        """Take how many processes share a client's minute."""
        self._workers = workers
        self._minute = -1
        self._asked: dict[UUID, int] = {}
        self._lock = Lock()

    def take(self, client_id: UUID, per_minute: int, now: datetime) -> Left:
        """Count one request, unless the client's minute is used up."""
        quota = max(1, per_minute // self._workers)
        minute, second = divmod(int(now.timestamp()), WINDOW)
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._asked.clear()
            asked = self._asked.get(client_id, 0)
            taken = asked < quota
            if taken:
                asked += 1
                self._asked[client_id] = asked
        return Left(taken=taken, quota=quota, remaining=quota - asked, resets_in=WINDOW - second)


def rates() -> Rates:
    """Return the counters of this process."""
    made = current_app.extensions.get("api_rates")
    if made is None:
        made = current_app.extensions.setdefault("api_rates", Rates(house().settings.web_workers))
    assert isinstance(made, Rates)  # noqa: S101 - narrows what Flask keeps untyped
    return made
