"""What happened to people, their factors, sessions and invitations, and to service clients."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact
from portal.terms import Role


@dataclass(frozen=True, slots=True)
class PersonInvited(Fact):
    """A one-time link was made for a person; generation counts resends. A mail follows."""

    invitation_id: UUID
    vendor_id: UUID | None
    generation: int
    user_id: UUID | None = None
    purpose: str = "join"


@dataclass(frozen=True, slots=True)
class InvitationWithdrawn(Fact):
    """A link was taken back before it was used."""

    invitation_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class PersonEnrolled(Fact):
    """An invited person chose a password and a second factor."""

    user_id: UUID
    vendor_id: UUID | None
    invitation_id: UUID


@dataclass(frozen=True, slots=True)
class SignedIn(Fact):
    """A person came in, with an authenticator or a recovery code."""

    user_id: UUID
    vendor_id: UUID | None
    session_id: UUID
    factor: str


@dataclass(frozen=True, slots=True)
class SignInRefused(Fact):
    """Somebody was refused at the door. What was typed is not kept; an unknown address leaves no id."""

    user_id: UUID | None
    vendor_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class AccessRefused(Fact):
    """A signed-in person asked for what is not theirs, or does not exist: 404 and 403 are told apart only here."""

    user_id: UUID
    vendor_id: UUID | None
    endpoint: str
    method: str
    status: int


@dataclass(frozen=True, slots=True)
class SignedOut(Fact):
    """A person left; the session is dead."""

    user_id: UUID
    vendor_id: UUID | None
    session_id: UUID


@dataclass(frozen=True, slots=True)
class SessionsEnded(Fact):
    """Sessions of a person were ended other than by signing out."""

    user_id: UUID
    vendor_id: UUID | None
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class SteppedUp(Fact):
    """A person gave a factor again, for something serious."""

    user_id: UUID
    vendor_id: UUID | None
    session_id: UUID
    factor: str


@dataclass(frozen=True, slots=True)
class StepUpRefused(Fact):
    """A code given for something serious was wrong."""

    user_id: UUID
    vendor_id: UUID | None
    session_id: UUID


@dataclass(frozen=True, slots=True)
class PasswordResetAsked(Fact):
    """Somebody asked for a new password; for an unknown address there is nobody and nothing follows."""

    user_id: UUID | None
    vendor_id: UUID | None
    invitation_id: UUID | None


@dataclass(frozen=True, slots=True)
class PasswordChanged(Fact):
    """A password was replaced, by its owner or through a reset link."""

    user_id: UUID
    vendor_id: UUID | None
    way: str


@dataclass(frozen=True, slots=True)
class ReadingChanged(Fact):
    """A person reads in another language or another zone from now on."""

    user_id: UUID
    vendor_id: UUID | None
    language: str
    timezone: str


@dataclass(frozen=True, slots=True)
class KeysSwitched(Fact):
    """A person lets single keys act on pages from now on, or not."""

    user_id: UUID
    vendor_id: UUID | None
    on: bool


@dataclass(frozen=True, slots=True)
class RecoveryCodesRenewed(Fact):
    """A person has new recovery codes; the old ones are dead."""

    user_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class PasskeyAdded(Fact):
    """A person can sign in with a passkey; the digest pins its public key, so that a swapped one shows."""

    user_id: UUID
    vendor_id: UUID | None
    passkey_id: UUID
    key_digest: str
    backup_eligible: bool


@dataclass(frozen=True, slots=True)
class PasskeyRemoved(Fact):
    """A passkey opens nothing any more: taken away by its owner, or with the account."""

    user_id: UUID
    vendor_id: UUID | None
    passkey_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class FactorsReset(Fact):
    """A person's password and factors were taken away, so that they enrol again."""

    user_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class RoleAsked(Fact):
    """One admin asked that a person get a role that needs a second admin."""

    request_id: UUID
    user_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class RoleRequestWithdrawn(Fact):
    """A role that was asked for will not be given."""

    request_id: UUID
    user_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class RoleGranted(Fact):
    """A person holds a role from now on."""

    user_id: UUID
    vendor_id: UUID | None
    role: Role
    granted_by: UUID | None
    confirmed_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class RoleRevoked(Fact):
    """A person no longer holds a role."""

    user_id: UUID
    vendor_id: UUID | None
    role: Role


@dataclass(frozen=True, slots=True)
class PersonDeactivated(Fact):
    """A person can no longer come in; their sessions are dead."""

    user_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class PersonHandedOver(Fact):
    """A person's roles went to a colleague."""

    user_id: UUID
    to_user_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReachChanged(Fact):
    """A person sees only the sections given to them from now on, or every section again."""

    user_id: UUID
    vendor_id: UUID | None
    given_only: bool


@dataclass(frozen=True, slots=True)
class PersonRenamed(Fact):
    """A person has another name or title. What was signed keeps the one it was signed with."""

    user_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class AddressAsked(Fact):
    """A person is to have another address; a link went to it."""

    invitation_id: UUID
    user_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class AddressChanged(Fact):
    """A person has another address from now on; the old one hears of it."""

    invitation_id: UUID
    user_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class InvitationOpened(Fact):
    """Somebody followed the link of an invitation for the first time."""

    invitation_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class ServiceClientCreated(Fact):
    """A machine identity was made."""

    client_id: UUID
    scopes: tuple[str, ...]
    vendor_ids: tuple[UUID, ...] | None


@dataclass(frozen=True, slots=True)
class ServiceClientDisabled(Fact):
    """A machine identity opens nothing any more."""

    client_id: UUID
