"""What happens to mail. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class MailSent(Fact):
    """A mail left. ``transport`` says how: smtp, or kept for the mail page of a development machine."""

    mail_id: UUID
    kind: str
    vendor_id: UUID | None
    transport: str


@dataclass(frozen=True, slots=True)
class MailParked(Fact):
    """A mail was given up, with the reason."""

    mail_id: UUID
    kind: str
    vendor_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class MailBounced(Fact):
    """A mail that had left was given back by a server on the way, with its reason."""

    mail_id: UUID
    kind: str
    vendor_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class MailDropped(Fact):
    """A mail was not sent because it was no longer wanted."""

    mail_id: UUID
    kind: str
    vendor_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class JobParked(Fact):
    """A job was given up, with the reason."""

    job_id: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class MailChosen(Fact):
    """A person chose what to hear of and how, as ``group=channel``."""

    user_id: UUID
    vendor_id: UUID | None
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailUnsubscribed(Fact):
    """A person ended mails of these groups by the link of a digest, without signing in."""

    user_id: UUID
    vendor_id: UUID | None
    groups: tuple[str, ...]
