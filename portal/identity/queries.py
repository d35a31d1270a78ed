"""What pages and other rooms may know of people, sessions, invitations and service clients."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal import policy
from portal.identity.models import Invitation, Passkey, RoleGrant, RoleRequest, ServiceClient, UserAccount, WebSession
from portal.identity.rules import IDLE, InvitationState, invitation_state, mail_key
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.terms import Role, Side

MOST = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is and what they may be. ``state`` is a word of the status vocabulary."""

    id: UUID
    full_name: str
    title: str
    email: str
    side: Side
    vendor_id: UUID | None
    roles: frozenset[Role]
    enrolled_at: datetime | None
    last_sign_in_at: datetime | None
    deactivated_at: datetime | None
    given_only: bool = False

    @property
    def keeps_to_given(self) -> bool:
        """Whether the person sees only the sections given to them."""
        return self.given_only and not self.roles & {Role.VENDOR_ADMIN, Role.SIGNATORY}

    @property
    def is_active(self) -> bool:
        """Whether the person has joined and may come in."""
        return self.enrolled_at is not None and self.deactivated_at is None

    @property
    def state(self) -> str:
        """Invited, Joined or Switched off."""
        if self.deactivated_at is not None:
            return "Switched off"
        return "Joined" if self.enrolled_at is not None else "Invited"


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """One invitation and how far it came."""

    id: UUID
    user_id: UUID | None
    email: str
    full_name: str
    roles: tuple[Role, ...]
    sections: tuple[str, ...]
    state: InvitationState
    created_at: datetime
    expires_at: datetime
    invited_by: str
    generation: int = 1
    due_on: date | None = None
    assessment_id: UUID | None = None
    opened_at: datetime | None = None
    takes_over: bool = False

    @property
    def mail_key(self) -> str:
        """The key of the mail that its newest link went out with."""
        return mail_key(self.id, self.generation)

    @property
    def waits(self) -> bool:
        """Whether it can still be sent again: nobody used it and nobody took it back."""
        return self.state in {InvitationState.OPEN, InvitationState.EXPIRED}


@dataclass(frozen=True, slots=True)
class RoleRequestLine:
    """A role that waits for a second admin."""

    id: UUID
    user_id: UUID
    full_name: str
    role: Role
    asked_by: UUID
    asked_by_name: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One browser in which a person is signed in."""

    id: UUID
    began_at: datetime
    last_seen_at: datetime
    user_agent: str
    address: str


@dataclass(frozen=True, slots=True)
class PasskeyLine:
    """One passkey of a person; ``backed_up``: its maker keeps a copy, so that a new device has it too."""

    id: UUID
    label: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One service client; its token is not in here, nor anywhere."""

    id: UUID
    name: str
    token_hint: str
    scopes: tuple[str, ...]
    vendor_ids: tuple[UUID, ...] | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    disabled_at: datetime | None


_ROLES = (
    sa.select(sa.func.array_agg(sa.cast(RoleGrant.role, sa.Text)))
    .where(RoleGrant.user_id == UserAccount.id, RoleGrant.revoked_at.is_(None))
    .correlate(UserAccount)
    .scalar_subquery()
)


def _people(tx: Tx, *where: sa.ColumnElement[bool]) -> list[Person]:
    statement = (
        sa.select(UserAccount, _ROLES)
        .where(*where)
        .order_by(sa.func.lower(UserAccount.full_name), UserAccount.id)
        .limit(MOST)
    )
    return [
        Person(
            id=user.id,
            full_name=user.full_name,
            title=user.title,
            email=user.email,
            side=user.side,
            vendor_id=user.vendor_id,
            roles=frozenset(Role(role) for role in roles or ()),
            enrolled_at=user.enrolled_at,
            last_sign_in_at=user.last_sign_in_at,
            deactivated_at=user.deactivated_at,
            given_only=user.given_only,
        )
        for user, roles in tx.session.execute(statement)
    ]


def person(tx: Tx, user_id: UUID) -> Person:
    """Return a person. Rows beyond the actor's vendor are hidden by the database.

    :raises NotFound: if there is none to be seen.
    """
    found = _people(tx, UserAccount.id == user_id)
    if not found:
        raise NotFound
    return found[0]


def people(tx: Tx, user_ids: Iterable[UUID | None]) -> Mapping[UUID, Person]:
    """Return the people of these ids who may be seen, by id."""
    wanted = {each for each in user_ids if each is not None}
    return {each.id: each for each in _people(tx, UserAccount.id.in_(wanted))} if wanted else {}


def people_of_vendor(tx: Tx, vendor_id: UUID, *, active_only: bool = False) -> list[Person]:
    """Return a vendor's people by name, also the invited and those who left unless only the active are wanted."""
    found = _people(tx, UserAccount.side == Side.VENDOR, UserAccount.vendor_id == vendor_id)
    return [each for each in found if each.is_active or not active_only]


def people_of_vendor_with(tx: Tx, vendor_id: UUID, role: Role) -> list[Person]:
    """Return a vendor's active people with a role."""
    return [each for each in people_of_vendor(tx, vendor_id, active_only=True) if role in each.roles]


def lab_people(tx: Tx, *, active_only: bool = False) -> list[Person]:
    """Return the lab's people by name."""
    return [each for each in _people(tx, UserAccount.side == Side.LAB) if each.is_active or not active_only]


def lab_people_with(tx: Tx, role: Role) -> list[Person]:
    """Return the lab's active people with a role."""
    return [each for each in lab_people(tx, active_only=True) if role in each.roles]


def holds(tx: Tx, user_id: UUID, role: Role) -> bool:
    """Return whether a person holds a role at this moment, and is active (S7)."""
    return any(each.is_active and role in each.roles for each in _people(tx, UserAccount.id == user_id))


def granters_of(tx: Tx, user_ids: Collection[UUID], role: Role, *, since: datetime) -> Mapping[UUID, frozenset[UUID]]:
    """Return who gave each of these people a role they hold, if since then: who asked and who confirmed (S6)."""
    rows = tx.session.execute(
        sa.select(RoleGrant.user_id, RoleGrant.granted_by, RoleGrant.confirmed_by).where(
            RoleGrant.user_id.in_(list(user_ids)),
            RoleGrant.role == role,
            RoleGrant.revoked_at.is_(None),
            RoleGrant.granted_at > since,
        )
    )
    found: dict[UUID, frozenset[UUID]] = {}
    for user_id, *by in rows:
        found[user_id] = found.get(user_id, frozenset()).union(each for each in by if each is not None)
    return found


def invitations_of(tx: Tx, vendor_id: UUID | None) -> list[InvitationLine]:
    """Return the joining invitations of a vendor, or of the lab for None, newest first."""
    inviter = aliased(UserAccount)
    statement = (
        sa.select(Invitation, inviter.full_name)
        .outerjoin(inviter, inviter.id == Invitation.invited_by)
        .where(
            Invitation.vendor_id == vendor_id if vendor_id is not None else Invitation.vendor_id.is_(None),
            Invitation.purpose.in_(("join", "bootstrap")),
        )
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        .limit(MOST)
    )
    return [
        InvitationLine(
            id=row.id,
            user_id=row.user_id,
            email=row.email,
            full_name=row.full_name,
            roles=tuple(Role(role) for role in row.roles),
            sections=tuple(row.sections),
            state=invitation_state(
                expires_at=row.expires_at, redeemed_at=row.redeemed_at, revoked_at=row.revoked_at, now=tx.now
            ),
            created_at=row.created_at,
            expires_at=row.expires_at,
            invited_by=name or "",
            generation=row.generation,
            due_on=row.due_on,
            assessment_id=row.assessment_id,
            opened_at=row.opened_at,
            takes_over=row.takes_over_from is not None,
        )
        for row, name in tx.session.execute(statement)
    ]


def role_requests(tx: Tx) -> list[RoleRequestLine]:
    """Return the roles that wait for a second admin, oldest first."""
    asker = aliased(UserAccount)
    statement = (
        sa.select(RoleRequest, UserAccount.full_name, asker.full_name)
        .join(UserAccount, UserAccount.id == RoleRequest.user_id)
        .join(asker, asker.id == RoleRequest.asked_by)
        .where(RoleRequest.confirmed_at.is_(None), RoleRequest.withdrawn_at.is_(None))
        .order_by(RoleRequest.asked_at, RoleRequest.id)
        .limit(MOST)
    )
    return [
        RoleRequestLine(row.id, row.user_id, name, row.role, row.asked_by, asked_by, row.asked_at)
        for row, name, asked_by in tx.session.execute(statement)
    ]


def own_sessions(tx: Tx) -> list[SessionLine]:
    """Return the actor's live sessions, the most recently used first."""
    statement = (
        sa.select(WebSession)
        .where(
            WebSession.user_id == tx.actor.id,
            WebSession.ended_at.is_(None),
            WebSession.expires_at > tx.now,
            WebSession.last_seen_at > tx.now - IDLE,
        )
        .order_by(WebSession.last_seen_at.desc(), WebSession.id)
        .limit(MOST)
    )
    return [
        SessionLine(row.id, row.created_at, row.last_seen_at, row.user_agent, row.address)
        for row in tx.session.scalars(statement)
    ]


def own_passkeys(tx: Tx) -> list[PasskeyLine]:
    """Return the actor's passkeys, the oldest first; what was removed is not among them."""
    statement = (
        sa.select(Passkey)
        .where(Passkey.user_id == tx.actor.id, Passkey.removed_at.is_(None))
        .order_by(Passkey.created_at, Passkey.id)
        .limit(MOST)
    )
    return [
        PasskeyLine(row.id, row.label, row.created_at, row.last_used_at, row.backed_up)
        for row in tx.session.scalars(statement)
    ]


def has_passkey(tx: Tx) -> bool:
    """Return whether the actor has a passkey."""
    held = sa.select(Passkey.id).where(Passkey.user_id == tx.actor.id, Passkey.removed_at.is_(None)).limit(1)
    return tx.session.execute(held).first() is not None


def askers(tx: Tx) -> Sequence[ClientLine]:
    """Return the service clients that still work, for who sees what the gate answers.

    :raises Forbidden: for anybody but the lab's people.
    """
    policy.check_ever(tx.actor, Action.GATE_READ)
    return [each for each in _clients(tx) if each.disabled_at is None and each.expires_at > tx.now]


def clients(tx: Tx) -> Sequence[ClientLine]:
    """Return the service clients, the working ones first.

    :raises Forbidden: for anybody but admins and auditors.
    """
    policy.check_ever(tx.actor, Action.CLIENTS_READ)
    return _clients(tx)


def _clients(tx: Tx) -> list[ClientLine]:
    statement = (
        sa.select(ServiceClient, UserAccount.full_name)
        .outerjoin(UserAccount, UserAccount.id == ServiceClient.created_by)
        .order_by(ServiceClient.disabled_at.is_not(None), sa.func.lower(ServiceClient.name), ServiceClient.id)
        .limit(MOST)
    )
    return [
        ClientLine(
            id=row.id,
            name=row.name,
            token_hint=row.token_hint,
            scopes=tuple(row.scopes),
            vendor_ids=None if row.vendor_ids is None else tuple(row.vendor_ids),
            created_by=name or "",
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            disabled_at=row.disabled_at,
        )
        for row, name in tx.session.execute(statement)
    ]
