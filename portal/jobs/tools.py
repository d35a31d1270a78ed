"""What every job may use, and how a job is declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from portal.delivery import rules
from portal.kernel.ledger import Ledger
from portal.kernel.objects import ObjectStore
from portal.kernel.secrets import Keyring
from portal.settings import Settings


class House(Protocol):
    """What jobs may know of the composition root (portal/wiring.py builds it)."""

    @property
    def settings(self) -> Settings:
        """The settings of this process."""

    @property
    def database_url(self) -> str:
        """Where the queue is."""

    @property
    def ledger(self) -> Ledger:
        """Where transactions begin."""

    @property
    def keyring(self) -> Keyring:
        """What seals secrets and derives one-time tokens."""

    @property
    def store(self) -> ObjectStore:
        """Where evidence lies."""

    @property
    def signing_keys(self) -> Path:
        """The file of the keys that sign statements."""

    def link_token(self, invitation_id: UUID) -> str | None:
        """Give the one-time token of an invitation, None if it is not open any more."""

    def instant(self) -> datetime:
        """Give now, without a transaction."""


@dataclass(frozen=True, slots=True)
class Job:
    """One entry point: a name, and a function from the house and plain arguments to nothing.

    ``cron`` makes it periodic: it then gets ``timestamp``, the moment it was due, and waits in the queue once.
    ``gave_up`` hears, after the last failure, the arguments and the reason.
    """

    name: str
    run: Callable[..., None]
    cron: str | None = None
    gave_up: Callable[[House, dict[str, Any], str], None] | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How quickly a worker notices things, in seconds.

    A worker beats every ``beat``; one that was silent for ``dead_after`` is dead and its jobs are taken up again.
    ``longest_job``: what runs for longer was lost by a worker that lives (its end could not be written down).
    """

    beat: float = 5.0
    dead_after: float = 30.0
    poll: float = 5.0
    longest_job: int = 900
    drain: float = 20.0
    stalled_cron: str = "* * * * * */15"
    remind_cron: str = "5 * * * *"
    expire_cron: str = "*/5 * * * *"
    sweep_cron: str = "40 3 * * *"
    watch_cron: str = "10 2 * * *"
    ends_cron: str = "20 * * * *"
    digest_cron: str = "*/15 * * * *"
    levels_cron: str = "*/10 * * * *"
    verify_cron: str = "0 2 * * *"
    keys_cron: str = "30 6 * * *"


def frame_of(settings: Settings) -> rules.Frame:
    """Return what is the same in all mails of this installation."""
    return rules.Frame(lab_name=settings.lab_name, base_url=settings.base_url)
