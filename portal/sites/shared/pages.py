"""What a view needs: the house, a transaction for who asks, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast
from uuid import UUID

from flask import current_app, g, render_template

from portal.kernel.actor import Actor
from portal.kernel.ledger import Ledger, Tx
from portal.kernel.objects import ObjectStore
from portal.kernel.secrets import Keyring
from portal.kernel.signing import Signer
from portal.settings import Settings


class Counts(Protocol):
    """Something that counts beside the answers."""

    def count(self, call: Any) -> None:
        """Add one call."""


class House(Protocol):
    """What the sites may know of the composition root (portal/wiring.py builds it)."""

    @property
    def settings(self) -> Settings:
        """The settings of this process."""

    @property
    def ledger(self) -> Ledger:
        """Where transactions begin."""

    @property
    def keyring(self) -> Keyring:
        """What seals secrets and derives one-time tokens."""

    @property
    def signer(self) -> Signer:
        """What signs statements."""

    @property
    def gate_calls(self) -> Counts:
        """Where calls of the gate are counted."""

    @property
    def store(self) -> ObjectStore:
        """Where evidence lies."""

    def link_token(self, invitation_id: UUID) -> str | None:
        """Give the one-time token of an invitation, None if it is not open any more."""


def house() -> House:
    """Return the house of this application."""
    return cast("House", current_app.extensions["gatehouse"])


def ledger() -> Ledger:
    """Return where transactions begin."""
    return house().ledger


def actor() -> Actor:
    """Return who asks."""
    return cast("Actor", g.actor)


@contextmanager
def begin() -> Iterator[Tx]:
    """Yield a transaction of whoever asks: commits when the block ends, leaves nothing when it raises.

    The first of a page does what its site wants done once, such as counting for the navigation (``g.first_of_all``).
    """
    with ledger().begin(actor()) as tx:
        if (first := g.pop("first_of_all", None)) is not None:
            first(tx)
        yield tx


def page(template: str, **context: Any) -> str:
    """Return a rendered page."""
    return render_template(template, **context)
