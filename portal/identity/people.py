"""Managing people: their roles, their leaving, and who takes over."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.identity import credentials, sessions
from portal.identity.facts import (
    PersonDeactivated,
    PersonHandedOver,
    ReachChanged,
    RoleRequestWithdrawn,
    RoleRevoked,
)
from portal.identity.invitations import ask_for_role, give, invite, needs_second_person, withdraw_open
from portal.identity.models import Invitation, RoleGrant, RoleRequest, UserAccount
from portal.identity.rules import roles_of_side
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.secrets import Keyring
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import N_, ROLE_WORDS, Role, Side

_CHAIRS = {
    Role.VENDOR_ADMIN: N_("%(name)s is the only vendor admin. Give the role to somebody else first."),
    Role.PROGRAM_ADMIN: N_("%(name)s is the only program admin. Give the role to somebody else first."),
}
"""Roles whose last holder cannot go, with the reason: nobody could let anybody in again."""
OFF = N_("%(name)s is switched off. Invite them again.")
AWAY = N_("%(name)s has not joined yet. Hand over once they have.")


def get(tx: Tx, user_id: UUID) -> UserAccount:
    """Return a person whom the actor may manage, locked until the transaction ends.

    Vendor admins manage their own people; the lab's admins manage everybody, with a fresh factor.

    :raises NotFound: if there is no such person, or it is not the actor's to know of.
    :raises Forbidden: if the actor manages nobody.
    :raises StepUpRequired: if only the fresh factor is missing.
    """
    user = tx.session.get(UserAccount, user_id, with_for_update=True)
    if user is None:
        raise NotFound
    own = tx.actor.is_vendor and user.side is Side.VENDOR
    policy.check(tx.actor, Action.TEAM_MANAGE if own else Action.LAB_PEOPLE_MANAGE, user)
    return user


def grant_role(tx: Tx, *, user: UserAccount, role: Role) -> RoleRequest | None:
    """Give a person a role; return the request if it waits for a second admin, else None.

    :raises Refused: for a role of the other side, and for oneself at the lab.
    :raises Conflict: if the person is deactivated, or the role was asked for already.
    """
    if role not in roles_of_side(user.side):
        words = said("%(role)s is not a role of the side of %(name)s", role=said(ROLE_WORDS[role]), name=user.full_name)
        raise Refused(problems={"roles": [words]})
    if user.deactivated_at is not None:
        raise Conflict(said(OFF, name=user.full_name))
    if user.side is Side.LAB and user.id == tx.actor.id:
        raise Refused(problems={"roles": [said("Nobody gives a role to themselves. Ask another admin")]})
    if role in held_by(tx, user.id):
        return None
    if needs_second_person(tx, role):
        return ask_for_role(tx, user=user, role=role)
    give(tx, user=user, role=role, granted_by=tx.actor.id)
    return None


def get_request(tx: Tx, request_id: UUID) -> RoleRequest:
    """Return a role that was asked for, to confirm or withdraw.

    :raises NotFound: if there is none.
    :raises Forbidden: if the actor is not an admin of the lab.
    """
    request = tx.session.get(RoleRequest, request_id)
    if request is None:
        raise NotFound
    policy.check(tx.actor, Action.LAB_PEOPLE_MANAGE, request)
    return request


def confirm_role(tx: Tx, *, request: RoleRequest) -> None:
    """Give the role that another admin asked for (two people, security.md).

    :raises Forbidden: for who asked, and for whom it is.
    :raises Conflict: if it is closed, if the one who asked is no admin any more (S7), or the person has left.
    """
    if tx.actor.id in {request.asked_by, request.user_id}:
        raise Forbidden(said("Another admin than the one who asked has to confirm, and not the person themselves."))
    if Role.PROGRAM_ADMIN not in held_by(tx, request.asked_by):
        raise Conflict(said("Who asked for this is no admin any more. Withdraw it and ask again."))
    user = tx.session.get_one(UserAccount, request.user_id, with_for_update=True)
    if user.deactivated_at is not None:
        raise Conflict(said("%(name)s is switched off. Withdraw the request.", name=user.full_name))
    expect = {"confirmed_at": None, "withdrawn_at": None}
    if not swap(tx, request, expect=expect, change={"confirmed_by": tx.actor.id, "confirmed_at": tx.now}):
        raise Conflict(said("This request was confirmed or withdrawn already."))
    give(tx, user=user, role=request.role, granted_by=request.asked_by, confirmed_by=tx.actor.id)


def withdraw_role_request(tx: Tx, *, request: RoleRequest) -> None:
    """Close a request without giving the role.

    :raises Conflict: if it is closed.
    """
    expect = {"confirmed_at": None, "withdrawn_at": None}
    if not swap(tx, request, expect=expect, change={"withdrawn_at": tx.now}):
        raise Conflict(said("This request was confirmed or withdrawn already."))
    tx.record(RoleRequestWithdrawn(request.id, request.user_id, request.role))


def revoke_role(tx: Tx, *, user: UserAccount, role: Role) -> None:
    """Take a role away, from the very next request on.

    :raises Conflict: if it is not held, or the person is the last to hold it.
    """
    _not_the_last(tx, user, role)
    grants = tx.session.scalars(
        sa.select(RoleGrant).where(RoleGrant.user_id == user.id, RoleGrant.role == role, RoleGrant.revoked_at.is_(None))
    ).all()
    if not grants:
        raise Conflict(said("%(name)s does not hold that role any more.", name=user.full_name))
    for grant in grants:
        grant.revoked_at, grant.revoked_by = tx.now, tx.actor.id
    tx.record(RoleRevoked(user.id, user.vendor_id, role))


def set_roles(tx: Tx, *, user: UserAccount, roles: Iterable[Role]) -> list[RoleRequest]:
    """Give and take until the person holds these roles; return the requests that wait for a second admin.

    :raises Refused: for none, for a role of the other side, for oneself at the lab.
    :raises Conflict: as grant_role and revoke_role.
    """
    wanted, held = frozenset(roles), held_by(tx, user.id)
    if not wanted:
        raise Refused(problems={"roles": [said("Choose at least one role, or switch the person off")]})
    asked = [grant_role(tx, user=user, role=role) for role in sorted(wanted - held)]
    for role in sorted(held - wanted):
        revoke_role(tx, user=user, role=role)
    return [each for each in asked if each is not None]


def keep_to_given(tx: Tx, *, user_id: UUID) -> None:
    """Have a person see and answer only the sections given to them; admins and signatories go on seeing all."""
    if held_by(tx, user_id) & {Role.VENDOR_ADMIN, Role.SIGNATORY}:
        return
    user = tx.session.get_one(UserAccount, user_id)
    if swap(tx, user, expect={"given_only": False}, change={"given_only": True}):
        tx.record(ReachChanged(user.id, user.vendor_id, given_only=True))


def see_every_section(tx: Tx, *, user: UserAccount) -> None:
    """Have a person see every section again, and answer those that nobody has; nothing happens if they do.

    :raises Conflict: if they were switched off.
    """
    if user.deactivated_at is not None:
        raise Conflict(said(OFF, name=user.full_name))
    if swap(tx, user, expect={"given_only": True}, change={"given_only": False}):
        tx.record(ReachChanged(user.id, user.vendor_id, given_only=False))


def held_by(tx: Tx, user_id: UUID) -> frozenset[Role]:
    """Return the roles an active person holds at this moment."""
    rows = tx.session.scalars(
        sa.select(RoleGrant.role)
        .join(UserAccount, UserAccount.id == RoleGrant.user_id)
        .where(RoleGrant.user_id == user_id, RoleGrant.revoked_at.is_(None), UserAccount.deactivated_at.is_(None))
    )
    return frozenset(rows)


def _not_the_last(tx: Tx, user: UserAccount, role: Role) -> None:
    if role not in _CHAIRS or role not in held_by(tx, user.id):
        return
    # All holders are locked in one order, so that of two who remove each other one waits and then sees the truth.
    holders = tx.session.scalars(
        sa.select(UserAccount.id)
        .join(RoleGrant, RoleGrant.user_id == UserAccount.id)
        .where(
            RoleGrant.role == role,
            RoleGrant.revoked_at.is_(None),
            UserAccount.side == user.side,
            UserAccount.vendor_id == user.vendor_id if user.vendor_id else UserAccount.vendor_id.is_(None),
            UserAccount.password_hash.is_not(None),
            UserAccount.deactivated_at.is_(None),
        )
        .order_by(RoleGrant.id)
        .with_for_update(of=RoleGrant)
    ).all()
    if not set(holders) - {user.id}:
        raise Conflict(said(_CHAIRS[role], name=user.full_name))


def deactivate(tx: Tx, *, user: UserAccount) -> None:
    """Switch a person off: sessions and open links die now, roles end, the name stays in the history.

    :raises Conflict: for oneself, for the last admin, and if it was done already.
    """
    if user.id == tx.actor.id:
        raise Conflict(said("You cannot switch yourself off. Another admin can."))
    for role in sorted(held_by(tx, user.id)):
        _not_the_last(tx, user, role)
    if not swap(tx, user, expect={"deactivated_at": None}, change={"deactivated_at": tx.now}):
        raise Conflict(said("%(name)s was switched off already.", name=user.full_name))
    tx.session.execute(
        sa.update(RoleGrant)
        .where(RoleGrant.user_id == user.id, RoleGrant.revoked_at.is_(None))
        .values(revoked_at=tx.now, revoked_by=tx.actor.id)
    )
    tx.session.execute(
        sa.update(RoleRequest)
        .where(RoleRequest.user_id == user.id, RoleRequest.confirmed_at.is_(None), RoleRequest.withdrawn_at.is_(None))
        .values(withdrawn_at=tx.now)
    )
    withdraw_open(tx, user=user)
    sessions.end_all(tx, user=user, reason="the person was switched off")
    credentials.retire_passkeys(tx, user=user, reason="the person was switched off")
    tx.record(PersonDeactivated(user.id, user.vendor_id))


def end_sessions_of(tx: Tx, *, user: UserAccount) -> int:
    """End all sessions of a person whom the actor manages; return how many there were (ASVS 7.4.5)."""
    return sessions.end_all(tx, user=user, reason="ended by an admin")


def end_own_sessions(tx: Tx) -> int:
    """End the actor's sessions in all other browsers; return how many there were."""
    user = tx.session.get(UserAccount, tx.actor.id)
    if user is None:
        raise NotFound
    return sessions.end_all(tx, user=user, reason="ended by its owner", but=tx.actor.session_id)


def hand_over(tx: Tx, *, user: UserAccount, to: UserAccount) -> None:
    """Give a leaving person's roles to a colleague of the same vendor, then switch the person off.

    :raises Conflict: if they are not colleagues at one vendor, or either is switched off.
    """
    if user.id == to.id or user.vendor_id is None or user.vendor_id != to.vendor_id:
        raise Conflict(said("Hand over to a colleague of the same company."))
    if to.deactivated_at is not None:
        raise Conflict(said(OFF, name=to.full_name))
    if to.password_hash is None:
        raise Conflict(said(AWAY, name=to.full_name))
    for role in sorted(held_by(tx, user.id)):
        give(tx, user=to, role=role, granted_by=tx.actor.id)
    tx.record(PersonHandedOver(user.id, to.id, user.vendor_id))
    deactivate(tx, user=user)


def hand_over_admin(tx: Tx, *, to: UserAccount) -> None:
    """Make a colleague vendor admin in the actor's place: they hold the role from now on, the actor no longer does.

    The actor keeps the other roles, or becomes a respondent, so that nobody is left without any.

    :raises Conflict: if the colleague has not joined, was switched off, or is the actor; if the actor is no admin.
    """
    if to.id == tx.actor.id:
        raise Conflict(said("Choose somebody else to hand over to."))
    if to.deactivated_at is not None:
        raise Conflict(said(OFF, name=to.full_name))
    if to.password_hash is None:
        raise Conflict(said(AWAY, name=to.full_name))
    me = tx.session.get_one(UserAccount, tx.actor.id)
    held = held_by(tx, me.id)
    if Role.VENDOR_ADMIN not in held:
        raise Conflict(said("You are not a vendor admin any more."))
    give(tx, user=to, role=Role.VENDOR_ADMIN, granted_by=me.id)
    if held == {Role.VENDOR_ADMIN}:
        give(tx, user=me, role=Role.RESPONDENT, granted_by=me.id)
    revoke_role(tx, user=me, role=Role.VENDOR_ADMIN)


def bootstrap(tx: Tx, *, email: str, full_name: str, keyring: Keyring) -> Invitation:
    """Invite the first admin of the lab by a link that the operator hands over (ASVS 6.3.2). Run it as the system.

    :raises Conflict: if an admin has enrolled already.
    """
    enrolled = tx.session.scalars(
        sa.select(UserAccount.full_name)
        .join(RoleGrant, RoleGrant.user_id == UserAccount.id)
        .where(
            RoleGrant.role == Role.PROGRAM_ADMIN,
            RoleGrant.revoked_at.is_(None),
            UserAccount.deactivated_at.is_(None),
            UserAccount.password_hash.is_not(None),
        )
        .order_by(UserAccount.id)
    ).first()
    if enrolled is not None:
        raise Conflict(said("There is an admin already: %(name)s can invite people.", name=enrolled))
    return invite(
        tx,
        email=email,
        full_name=full_name,
        roles=[Role.PROGRAM_ADMIN],
        side=Side.LAB,
        purpose="bootstrap",
        keyring=keyring,
    )
