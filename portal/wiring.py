"""The composition root: one object that holds what a process needs, and the application built on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import sqlalchemy as sa
from flask import Flask

import portal.models
from portal.audit import service as audit
from portal.kernel.clock import Clock, DatabaseClock
from portal.kernel.database import engine_for
from portal.kernel.ids import NewId, uuid7
from portal.kernel.ledger import Ledger
from portal.kernel.secrets import Keyring
from portal.reactions import REACTIONS
from portal.settings import Settings


@dataclass
class House:
    """What one process stands on. Built once; handed to the sites as ``current_app.extensions["gatehouse"]``."""

    settings: Settings
    database_url: str
    clock: Clock
    new_id: NewId

    @classmethod
    def build(cls, settings: Settings, *, database_url: str, clock: Clock | None = None, new_id: NewId = uuid7) -> Self:
        """Return the house for these settings on this database."""
        return cls(settings=settings, database_url=database_url, clock=clock or DatabaseClock(), new_id=new_id)

    @cached_property
    def engine(self) -> sa.Engine:
        """The pool of database connections of this process."""
        return engine_for(self.database_url, pool_size=self.settings.web_threads + 2)

    @cached_property
    def ledger(self) -> Ledger:
        """Where transactions begin."""
        return Ledger(self.engine, reactions=REACTIONS, trail=audit.append, clock=self.clock, new_id=self.new_id)

    @cached_property
    def keyring(self) -> Keyring:
        """What seals secrets and derives one-time tokens."""
        return Keyring(self.settings.secret_keys)


def make_app(settings: Settings) -> Flask:
    """Return the application for these settings."""
    raise NotImplementedError(settings)
