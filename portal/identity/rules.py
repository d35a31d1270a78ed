"""How long a way in stays open, what counts as fresh, and which roles need a second person. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from portal.terms import LAB_ROLES, VENDOR_ROLES, Role, Side

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
FRESH_FOR = timedelta(minutes=5)
"""Sessions: idle and absolute limits (ASVS 7.1.1), and how long a given factor counts as given moments ago."""

NOTICE = timedelta(minutes=5)
"""How long before the end of a session its person is told (WCAG 2.2.1)."""

LIFETIME = {
    "join": timedelta(days=7),
    "bootstrap": timedelta(hours=24),
    "reset": timedelta(hours=1),
    "address": timedelta(hours=24),
}
"""How long each kind of one-time link works (ASVS 6.4.1)."""

SECOND_PERSON = frozenset({Role.LEAD_APPROVER, Role.PROGRAM_ADMIN})
"""Roles that one admin asks for and another confirms (security.md, manage lab members and roles)."""

RECOVERY_CODES = 10
MAX_PASSKEYS = 20
MAX_PASSKEY_LABEL = 60
MAX_NAME = 120


class InvitationState(StrEnum):
    """What a one-time link is good for at this moment."""

    OPEN = "open"
    EXPIRED = "expired"
    USED = "used"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be tried under one key within a window."""

    key: str
    times: int
    window: timedelta


def invitation_state(
    *, expires_at: datetime, redeemed_at: datetime | None, revoked_at: datetime | None, now: datetime
) -> InvitationState:
    """Return the state of a one-time link."""
    if redeemed_at is not None:
        return InvitationState.USED
    if revoked_at is not None:
        return InvitationState.WITHDRAWN
    return InvitationState.EXPIRED if now >= expires_at else InvitationState.OPEN


def mail_key(invitation_id: UUID, generation: int) -> str:
    """Return the key under which the mail of one link is sent once, and found again."""
    return f"invitation:{invitation_id}:{generation}"


def session_lives(*, last_seen_at: datetime, expires_at: datetime, ended_at: datetime | None, now: datetime) -> bool:
    """Return whether a session is neither ended, nor idle for too long, nor past its absolute end."""
    return ended_at is None and now < expires_at and now < last_seen_at + IDLE


def is_fresh(fresh_at: datetime | None, now: datetime) -> bool:
    """Return whether a factor was given moments ago."""
    return fresh_at is not None and now < fresh_at + FRESH_FOR


def is_last_way_in(*, passkeys: int, password: bool, code: bool) -> bool:
    """Return whether a person who gave up one passkey could not come in any more."""
    return passkeys <= 1 and not (password and code)


def passkey_label(typed: str, *, otherwise: str, taken: Sequence[str]) -> str:
    """Return the name of a new passkey: what was typed, else the device; with a number if there is one of that name."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in typed).split()) or otherwise
    name = plain[:MAX_PASSKEY_LABEL].strip()
    free = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(each for each in free if each not in taken)


def roles_of_side(side: Side) -> frozenset[Role]:
    """Return the roles that people of a side may hold; the two sides share none."""
    return VENDOR_ROLES if side is Side.VENDOR else LAB_ROLES


def in_domains(email: str, domains: tuple[str, ...]) -> bool:
    """Return whether an address belongs to one of these mail domains; no domains means any."""
    return not domains or email.rpartition("@")[2].lower() in {domain.lower() for domain in domains}
