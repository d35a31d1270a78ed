"""One-time ways in: invitations, the first admin's link, and reset links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.identity import credentials, totp
from portal.identity import passwords as words
from portal.identity.facts import InvitationWithdrawn, PersonEnrolled, PersonInvited, RoleAsked, RoleGranted
from portal.identity.models import Invitation, RoleGrant, RoleRequest, UserAccount
from portal.identity.passwords import Hasher
from portal.identity.rules import (
    LIFETIME,
    MAX_NAME,
    SECOND_PERSON,
    InvitationState,
    in_domains,
    invitation_state,
    roles_of_side,
)
from portal.kernel.actor import ActorKind
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring, token_digest
from portal.kernel.swap import swap
from portal.policy import Action
from portal.terms import ROLE_WORDS, Role, Side

ENDED = "This invitation ended on {day}. Send a new one to the same address"


def link_token(invitation: Invitation, keyring: Keyring, *, generation: int | None = None) -> str:
    """Return the one-time token of the newest link: recomputed when a mail leaves, never stored."""
    kind = "reset" if invitation.purpose == "reset" else "invitation"
    return keyring.derive_token(kind, invitation.id, generation or invitation.generation)


def link_path(invitation: Invitation, keyring: Keyring) -> str:
    """Return the path of the newest link."""
    head = "/reset/" if invitation.purpose == "reset" else "/invitation/"
    return head + link_token(invitation, keyring)


def invite(
    tx: Tx,
    *,
    email: str,
    full_name: str,
    roles: Iterable[Role],
    side: Side,
    keyring: Keyring,
    vendor_id: UUID | None = None,
    sections: Sequence[str] = (),
    assessment_id: UUID | None = None,
    purpose: str = "join",
    domains: tuple[str, ...] = (),
) -> Invitation:
    """Invite a person to one side; a mail with a one-time link follows from the fact.

    Roles that need a second admin are asked for and wait (RoleRequest); a lone admin may appoint the second one.
    Inviting again who has not come yet replaces the earlier link; a person who was deactivated may be invited back.

    :param domains: mail domains the address must belong to; empty means any.
    :raises Forbidden: if the actor may not invite to this side.
    :raises Refused: with problems at email, full_name or roles.
    """
    policy.check(tx.actor, _inviting(tx, side), _Place(vendor_id))
    wanted = frozenset(Role(each) for each in roles)
    address = _checked(email=email, full_name=full_name, roles=wanted, side=side, domains=domains)
    user = _account(tx, email=address, full_name=full_name.strip(), side=side, vendor_id=vendor_id)
    waiting = frozenset(each for each in wanted if needs_second_person(tx, each))
    invitation = Invitation(
        id=tx.new_id(),
        purpose=purpose,
        email=address,
        full_name=user.full_name,
        side=side,
        vendor_id=vendor_id,
        roles=sorted(wanted - waiting),
        sections=list(sections),
        assessment_id=assessment_id,
        user_id=user.id,
        token_digest=b"",
        invited_by=tx.actor.id,
        created_at=tx.now,
        expires_at=tx.now + LIFETIME[purpose],
    )
    invitation.token_digest = token_digest(link_token(invitation, keyring))
    tx.session.add(invitation)
    tx.session.flush()
    for each in sorted(waiting):
        ask_for_role(tx, user=user, role=each)
    tx.record(PersonInvited(invitation.id, vendor_id, invitation.generation, user.id, purpose))
    return invitation


class _Place:
    """Where a person would belong, for the policy."""

    __slots__ = ("vendor_id",)

    def __init__(self, vendor_id: UUID | None) -> None:
        self.vendor_id = vendor_id


def _inviting(tx: Tx, side: Side) -> Action:
    if side is Side.LAB:
        return Action.LAB_PEOPLE_MANAGE
    return Action.TEAM_MANAGE if tx.actor.is_vendor else Action.VENDOR_INVITE


def _checked(*, email: str, full_name: str, roles: frozenset[Role], side: Side, domains: tuple[str, ...]) -> str:
    problems: dict[str, list[str]] = {}
    address = ""
    try:
        address = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        problems["email"] = ["Enter a work e-mail address, for example name@company.example"]
    if address and not in_domains(address, domains):
        problems["email"] = [f"The address must end in {' or '.join('@' + each for each in domains)}"]
    if not full_name.strip() or len(full_name.strip()) > MAX_NAME:
        problems["full_name"] = [f"Enter the person's full name, up to {MAX_NAME} characters"]
    if not roles:
        problems["roles"] = ["Choose at least one role"]
    elif wrong := sorted(roles - roles_of_side(side)):
        whose = "a vendor" if side is Side.VENDOR else "the lab"
        problems["roles"] = [f"{ROLE_WORDS[wrong[0]]} is not a role of {whose}"]
    if problems:
        raise Refused(problems=problems)
    return address


def _account(tx: Tx, *, email: str, full_name: str, side: Side, vendor_id: UUID | None) -> UserAccount:
    user = get_one(tx, sa.select(UserAccount).where(UserAccount.email == email).with_for_update())
    if user is None:
        user = UserAccount(
            id=tx.new_id(), email=email, full_name=full_name, side=side, vendor_id=vendor_id, created_at=tx.now
        )
        try:
            with tx.session.begin_nested():
                tx.session.add(user)
        except IntegrityError as clash:
            # Behind the wall: an account that this actor must not know of, or one made this very moment.
            raise Refused(problems={"email": ["This address cannot be invited. Use another work address"]}) from clash
        return user
    if user.side is not side or user.vendor_id != vendor_id:
        raise Refused(problems={"email": ["This address belongs to somebody on another side. Use another address"]})
    if user.password_hash is not None and user.deactivated_at is None:
        raise Refused(problems={"email": [f"{user.full_name} has an account already. Give them the role instead"]})
    if user.deactivated_at is not None:
        user.deactivated_at = None
        strip(tx, user=user)
    withdraw_open(tx, user=user)
    user.full_name = full_name
    return user


def strip(tx: Tx, *, user: UserAccount) -> None:
    """Take a person's password, authenticator and recovery codes away, so that they can only enrol again."""
    user.password_hash = None
    user.enrolled_at = None
    user.totp_sealed = None
    credentials.retire_recovery_codes(tx, user=user)


def withdraw_open(tx: Tx, *, user: UserAccount) -> None:
    """Kill the unused links of a person."""
    tx.session.execute(
        sa.update(Invitation)
        .where(Invitation.user_id == user.id, Invitation.redeemed_at.is_(None), Invitation.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )


def needs_second_person(tx: Tx, role: Role) -> bool:
    """Return whether giving this role takes another admin.

    The operator at the command line is outside this rule (and in the trail). As long as there is one admin only,
    there is nobody to confirm: that one may appoint the second admin, and nothing else of this kind.
    """
    if tx.actor.kind is ActorKind.SYSTEM or role not in SECOND_PERSON:
        return False
    return not (role is Role.PROGRAM_ADMIN and _lone_admin(tx))


def _lone_admin(tx: Tx) -> bool:
    held = sa.select(RoleGrant.user_id).where(RoleGrant.role == Role.PROGRAM_ADMIN, RoleGrant.revoked_at.is_(None))
    offered = sa.select(Invitation.user_id).where(
        Invitation.roles.contains([Role.PROGRAM_ADMIN.value]),
        Invitation.redeemed_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > tx.now,
    )
    return set(tx.session.scalars(held.union(offered))) == {tx.actor.id}


def ask_for_role(tx: Tx, *, user: UserAccount, role: Role) -> RoleRequest:
    """Ask that a person of the lab get a role; another admin confirms.

    :raises Refused: for oneself.
    :raises Conflict: if it was asked already.
    """
    if user.id == tx.actor.id or tx.actor.id is None:
        raise Refused(problems={"roles": ["Nobody gives a role to themselves. Ask another admin"]})
    request = RoleRequest(
        id=tx.new_id(), user_id=user.id, side=user.side, role=role, asked_by=tx.actor.id, asked_at=tx.now
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(request)
    except IntegrityError as clash:
        raise Conflict("This role was asked for already and waits for a second admin.") from clash
    tx.record(RoleAsked(request.id, user.id, role))
    return request


def get(tx: Tx, invitation_id: UUID) -> Invitation:
    """Return an invitation that the actor may send again or take back.

    :raises NotFound: if it does not exist or is another's.
    :raises Forbidden: if the actor may not invite.
    """
    invitation = tx.session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFound
    policy.check(tx.actor, _inviting(tx, invitation.side), invitation)
    return invitation


def state_of(tx: Tx, invitation: Invitation) -> InvitationState:
    """Return what the link is good for now."""
    return invitation_state(
        expires_at=invitation.expires_at,
        redeemed_at=invitation.redeemed_at,
        revoked_at=invitation.revoked_at,
        now=tx.now,
    )


def resend(tx: Tx, *, invitation: Invitation, keyring: Keyring) -> None:
    """Make a new link for the same address; the old one is dead, and the time starts again.

    :raises Conflict: if it was used or withdrawn.
    """
    _still_unused(tx, invitation)
    generation = invitation.generation + 1
    renewed = link_token(invitation, keyring, generation=generation)
    won = swap(
        tx,
        invitation,
        expect={"generation": invitation.generation, "redeemed_at": None, "revoked_at": None},
        change={
            "generation": generation,
            "token_digest": token_digest(renewed),
            "expires_at": tx.now + LIFETIME[invitation.purpose],
        },
    )
    if not won:
        raise Conflict("Somebody else sent this invitation again a moment ago.")
    tx.record(PersonInvited(invitation.id, invitation.vendor_id, generation, invitation.user_id, invitation.purpose))


def revoke(tx: Tx, *, invitation: Invitation) -> None:
    """Take an unused link back.

    :raises Conflict: if it was used or withdrawn.
    """
    _still_unused(tx, invitation)
    if not swap(tx, invitation, expect={"redeemed_at": None, "revoked_at": None}, change={"revoked_at": tx.now}):
        raise Conflict("The invitation was used a moment ago.")
    tx.record(InvitationWithdrawn(invitation.id, invitation.vendor_id))


def _still_unused(tx: Tx, invitation: Invitation) -> None:
    state = state_of(tx, invitation)
    if state is InvitationState.USED:
        raise Conflict("This invitation was used. The person can sign in.", current={"state": state.value})
    if state is InvitationState.WITHDRAWN:
        raise Conflict("This invitation was withdrawn. Invite the person again.", current={"state": state.value})


def find(tx: Tx, *, token: str) -> Invitation:
    """Return the invitation of a link, in whatever state (state_of). Run it as the system: nobody is known yet.

    :raises NotFound: for any other token; a reset link is no invitation (ASVS 9.2.2).
    """
    found = get_one(tx, sa.select(Invitation).where(Invitation.token_digest == token_digest(token)))
    if found is None or found.purpose == "reset":
        raise NotFound
    return found


def open_invitation(tx: Tx, *, token: str) -> Invitation:
    """Return the invitation of a link that can be used now.

    :raises NotFound: for any other token.
    :raises Conflict: if it was used, withdrawn or has ended, with ``current["state"]``.
    """
    invitation = find(tx, token=token)
    _still_unused(tx, invitation)
    if (state := state_of(tx, invitation)) is InvitationState.EXPIRED:
        day = f"{invitation.expires_at.day} {invitation.expires_at:%B}"
        raise Conflict(ENDED.format(day=day), current={"state": state.value})
    return invitation


def enrol(
    tx: Tx,
    *,
    invitation: Invitation,
    password: str,
    totp_secret: str,
    totp_code: str,
    keyring: Keyring,
    full_name: str | None = None,
    about: tuple[str, ...] = (),
    hasher: Hasher | None = None,
) -> tuple[UserAccount, list[str]]:
    """Redeem an invitation: set the password and the authenticator, give the roles; return the recovery codes.

    :raises Refused: with problems at password, code or full_name; nothing is used up.
    :raises Conflict: if the invitation was used, withdrawn or has ended meanwhile.
    """
    hasher = hasher or words.hasher()
    if invitation.purpose == "reset" or invitation.user_id is None:
        raise NotFound
    user = tx.session.get_one(UserAccount, invitation.user_id)
    name = user.full_name if full_name is None else full_name.strip()
    if not name or len(name) > MAX_NAME:
        raise Refused(problems={"full_name": [f"Enter your full name, up to {MAX_NAME} characters"]})
    credentials.check_password(password, user=user, email=user.email, full_name=name, about=about)
    step = totp.matching_step(totp_secret, totp_code, now=tx.now, after=0)
    if step is None:
        raise Refused(problems={"code": ["The code did not match. Wait for the next one and enter its 6 digits"]})
    _redeem(tx, invitation)
    user.full_name = name
    user.password_hash = hasher.hash(password)
    user.enrolled_at = tx.now
    user.totp_sealed = keyring.seal(totp_secret)
    user.totp_last_step = step
    codes = credentials.give_recovery_codes(tx, user=user, hasher=hasher)
    for role in invitation.roles:
        give(tx, user=user, role=Role(role), granted_by=invitation.invited_by)
    tx.record(PersonEnrolled(user.id, user.vendor_id, invitation.id))
    return user, codes


def _redeem(tx: Tx, invitation: Invitation) -> None:
    expect = {"redeemed_at": None, "revoked_at": None, "generation": invitation.generation}
    if state_of(tx, invitation) is not InvitationState.OPEN or not swap(
        tx, invitation, expect=expect, change={"redeemed_at": tx.now, "opened_at": tx.now}
    ):
        state = state_of(tx, invitation)
        raise Conflict(
            "This link was used or renewed a moment ago. Sign in, or use the newest mail.", current={"state": state}
        )


def give(tx: Tx, *, user: UserAccount, role: Role, granted_by: UUID | None, confirmed_by: UUID | None = None) -> None:
    """Give a person a role; nothing happens if they hold it."""
    held = sa.select(RoleGrant.id).where(
        RoleGrant.user_id == user.id, RoleGrant.role == role, RoleGrant.revoked_at.is_(None)
    )
    if tx.session.execute(held).first() is not None:
        return
    tx.session.add(
        RoleGrant(
            id=tx.new_id(),
            user_id=user.id,
            side=user.side,
            role=role,
            granted_by=granted_by,
            granted_at=tx.now,
            confirmed_by=confirmed_by,
        )
    )
    tx.session.flush()
    tx.record(RoleGranted(user.id, user.vendor_id, role, granted_by, confirmed_by))
