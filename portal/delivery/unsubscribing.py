"""The link of a digest that ends it with one click (RFC 8058): signed, for one person and some groups, for a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from portal.delivery.channels import Group
from portal.kernel.secrets import Keyring

WORKS_FOR = timedelta(days=90)
_PURPOSE = "unsubscribe"


class Unreadable(Exception):
    """The link was not made here, or was changed."""


class TooOld(Exception):
    """The link was made here and does not work any more."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Whose mails a link ends, and of which groups."""

    user_id: UUID
    groups: tuple[Group, ...]


def token_of(keyring: Keyring, *, user_id: UUID, groups: Iterable[Group], on: date) -> str:
    """Return the token of a link in a mail of this day."""
    parts = (user_id.hex, "-".join(each.value for each in groups), on.isoformat())
    return ".".join((*parts, keyring.mac(_PURPOSE, *parts)))


def read(keyring: Keyring, token: str, *, on: date) -> Ending:
    """Return what a token ends.

    :raises Unreadable: if it is not ours; :raises TooOld: if it was given out too long ago.
    """
    pieces = token.split(".")
    if len(pieces) != 4 or not token.isascii() or not keyring.is_ours(pieces[3], _PURPOSE, *pieces[:3]):
        raise Unreadable
    person, groups, made_on = pieces[:3]
    if on > date.fromisoformat(made_on) + WORKS_FOR:
        raise TooOld
    return Ending(UUID(hex=person), tuple(Group(each) for each in groups.split("-")))
