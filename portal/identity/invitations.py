"""One-time ways in: invitations, the first admin's link, and reset links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.identity import credentials, totp
from portal.identity import passwords as words
from portal.identity.facts import (
    InvitationOpened,
    InvitationWithdrawn,
    PersonEnrolled,
    PersonInvited,
    RoleAsked,
    RoleGranted,
    RoleRevoked,
)
from portal.identity.models import EarlierLink, Invitation, RoleGrant, RoleRequest, UserAccount
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
from portal.kernel.errors import Conflict, NotFound, Refused, TooMany
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring, token_digest
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import N_, ROLE_WORDS, Role, Side

ENDED = N_("This invitation ended on %(day)s. Send a new one to the same address")
JOINED = N_("%(name)s has joined already. Choose them as a colleague instead")
_PATHS = {"reset": "/reset/", "address": "/team/address/"}
"""Where the links go that let nobody join; each kind has tokens of its own (ASVS 9.2.2)."""
REST = timedelta(minutes=1)
"""How long a link rests before it is sent again: two presses are one, and no mailbox is flooded."""
MOST_LINKS = 10
"""How often one invitation is sent. After that it is withdrawn and made anew, by somebody who looked at the address."""
AN_HOUR = timedelta(hours=1)
MOST_AN_HOUR = 60
"""How many people one person invites within an hour."""


def link_token(invitation: Invitation, keyring: Keyring, *, generation: int | None = None) -> str:
    """Return the one-time token of the newest link: recomputed when a mail leaves, never stored."""
    kind = invitation.purpose if invitation.purpose in _PATHS else "invitation"
    return keyring.derive_token(kind, invitation.id, generation or invitation.generation)


def link_path(invitation: Invitation, keyring: Keyring) -> str:
    """Return the path of the newest link."""
    return _PATHS.get(invitation.purpose, "/invitation/") + link_token(invitation, keyring)


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
    due_on: date | None = None,
    takes_over: bool = False,
    purpose: str = "join",
    domains: tuple[str, ...] = (),
) -> Invitation:
    """Invite a person to one side; a mail with a one-time link follows from the fact.

    Roles that need a second admin are asked for and wait (RoleRequest); a lone admin may appoint the second one.
    Who was invited and has not come yet gets one more link, with the roles and sections of both; a person who was
    deactivated may be invited back. An address that belongs to somebody beyond the actor's wall is invited like any
    other, so that nobody learns of it; its mail says so to its owner, and no link lets them in (user_id is None).

    :param sections: of ``assessment_id``, given on joining; the person sees these only.
    :param due_on: the day by which the sections are to be answered, if not with the rest.
    :param takes_over: the actor's role as a vendor admin goes over when the person joins.
    :param domains: mail domains the address must belong to; empty means any.
    :raises Forbidden: if the actor may not invite to this side.
    :raises Refused: with problems at email, full_name, roles or due_on.
    :raises TooMany: if very many people were invited within an hour.
    """
    policy.check(tx.actor, _inviting(tx, side), _Place(vendor_id))
    _refuse_flood(tx)
    if due_on is not None and due_on < tx.now.date():
        raise Refused(problems={"due_on": [said("Choose a day from today on")]})
    wanted = frozenset(Role(each) for each in roles)
    address = _checked(email=email, full_name=full_name, roles=wanted, side=side, domains=domains)
    user = _account(tx, email=address, full_name=full_name.strip(), side=side, vendor_id=vendor_id)
    waiting = frozenset(each for each in wanted if needs_second_person(tx, each))
    name = user.full_name if user is not None else full_name.strip()
    invitation = _under_way(tx, user, address, vendor_id, purpose)
    if invitation is not None:
        _widen(invitation, roles=wanted - waiting, sections=sections, assessment_id=assessment_id)
        invitation.full_name, invitation.invited_by = name, tx.actor.id
        invitation.due_on = due_on or invitation.due_on
        invitation.takes_over_from = tx.actor.id if takes_over else invitation.takes_over_from
        tx.session.flush()
        resend(tx, invitation=invitation, keyring=keyring)
    else:
        invitation = Invitation(
            id=tx.new_id(),
            purpose=purpose,
            email=address,
            full_name=name,
            side=side,
            vendor_id=vendor_id,
            roles=sorted(wanted - waiting),
            sections=list(sections),
            assessment_id=assessment_id,
            due_on=due_on,
            takes_over_from=tx.actor.id if takes_over else None,
            user_id=user.id if user is not None else None,
            token_digest=b"",
            invited_by=tx.actor.id,
            created_at=tx.now,
            expires_at=tx.now + LIFETIME[purpose],
        )
        _seal(tx, invitation, keyring)
        tx.record(PersonInvited(invitation.id, vendor_id, 1, invitation.user_id, purpose))
    if user is not None:
        user.given_only = bool(invitation.sections)
        for each in sorted(waiting):
            ask_for_role(tx, user=user, role=each)
    return invitation


def link_for(
    tx: Tx, *, user: UserAccount, purpose: str, keyring: Keyring, email: str = "", was_email: str | None = None
) -> Invitation:
    """Return a fresh one-time link for somebody who has an account. The caller ends older ones and records this one.

    :param email: where it goes, if not to the account's own address.
    :param was_email: the address that it is to change.
    """
    invitation = Invitation(
        id=tx.new_id(),
        purpose=purpose,
        email=email or user.email,
        was_email=was_email,
        full_name=user.full_name,
        side=user.side,
        vendor_id=user.vendor_id,
        roles=[],
        user_id=user.id,
        token_digest=b"",
        invited_by=tx.actor.id,
        created_at=tx.now,
        expires_at=tx.now + LIFETIME[purpose],
    )
    _seal(tx, invitation, keyring)
    return invitation


def _seal(tx: Tx, invitation: Invitation, keyring: Keyring) -> None:
    invitation.token_digest = token_digest(link_token(invitation, keyring))
    tx.session.add(invitation)
    tx.session.flush()


def _refuse_flood(tx: Tx) -> None:
    """Refuse who has invited very many within an hour: each invitation is a mail to an address of their choice."""
    if tx.actor.id is None:
        return
    within = sa.select(Invitation.created_at).where(
        Invitation.invited_by == tx.actor.id, Invitation.created_at > tx.now - AN_HOUR
    )
    recent = tx.session.scalars(within.order_by(Invitation.created_at)).all()
    if len(recent) >= MOST_AN_HOUR:
        opens = recent[-MOST_AN_HOUR] + AN_HOUR
        raise TooMany(
            said("You invited %(num)s people within an hour. Go on a little later", num=len(recent)),
            retry_after=int((opens - tx.now).total_seconds()) + 1,
        )


def _under_way(
    tx: Tx, user: UserAccount | None, address: str, vendor_id: UUID | None, purpose: str
) -> Invitation | None:
    """Return the invitation that this person, or this address, can still use or could have; its row is held."""
    if user is None:
        whose = [Invitation.user_id.is_(None), Invitation.email == address, Invitation.vendor_id == vendor_id]
    else:
        whose = [Invitation.user_id == user.id]
    return get_one(
        tx,
        sa.select(Invitation)
        .where(
            *whose,
            Invitation.purpose == purpose,
            Invitation.redeemed_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        .limit(1)
        .with_for_update(),
    )


def _widen(
    invitation: Invitation, *, roles: frozenset[Role], sections: Sequence[str], assessment_id: UUID | None
) -> None:
    """Add to an invitation what one more inviter wants of the person. Who was to see everything still will."""
    sees_all = not invitation.sections or not sections
    invitation.roles = sorted({*invitation.roles, *roles})
    if sees_all:
        invitation.sections, invitation.assessment_id = [], None
    elif assessment_id == invitation.assessment_id:
        invitation.sections = list(dict.fromkeys([*invitation.sections, *sections]))
    else:
        invitation.sections, invitation.assessment_id = list(sections), assessment_id


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
        problems["email"] = [said("Enter a work e-mail address, for example name@company.example")]
    if address and not in_domains(address, domains):
        ends = " / ".join("@" + each for each in domains)
        problems["email"] = [said("The address must end in %(domains)s", domains=ends)]
    if not full_name.strip() or len(full_name.strip()) > MAX_NAME:
        problems["full_name"] = [said("Enter the person's full name, up to %(most)s characters", most=MAX_NAME)]
    if not roles:
        problems["roles"] = [said("Choose at least one role")]
    elif wrong := sorted(roles - roles_of_side(side)):
        whose = "%(role)s is not a role of a vendor" if side is Side.VENDOR else "%(role)s is not a role of the lab"
        problems["roles"] = [said(whose, role=said(ROLE_WORDS[wrong[0]]))]
    if problems:
        raise Refused(problems=problems)
    return address


def _account(tx: Tx, *, email: str, full_name: str, side: Side, vendor_id: UUID | None) -> UserAccount | None:
    """Return the account of an address, made now if there is none; None for one beyond the actor's wall."""
    user = _held(tx, email)
    if user is None:
        user = UserAccount(
            id=tx.new_id(), email=email, full_name=full_name, side=side, vendor_id=vendor_id, created_at=tx.now
        )
        try:
            with tx.session.begin_nested():
                tx.session.add(user)
        except IntegrityError:
            # One made this very moment by a colleague can be seen now; one behind the wall never.
            user = _held(tx, email)
        else:
            return user
    if user is None:
        return None
    if user.side is not side or user.vendor_id != vendor_id:
        raise Refused(
            problems={"email": [said("This address belongs to somebody on another side. Use another address")]}
        )
    if user.password_hash is not None and user.deactivated_at is None:
        raise Refused(problems={"email": [said(JOINED, name=user.full_name)]})
    if user.deactivated_at is not None:
        user.deactivated_at = None
        strip(tx, user=user)
        withdraw_open(tx, user=user)
    user.full_name = full_name
    return user


def _held(tx: Tx, email: str) -> UserAccount | None:
    return get_one(tx, sa.select(UserAccount).where(UserAccount.email == email).with_for_update())


def strip(tx: Tx, *, user: UserAccount) -> None:
    """Take a person's password, authenticator, recovery codes and passkeys away, so that they can only enrol again."""
    user.password_hash = None
    user.enrolled_at = None
    user.totp_sealed = None
    credentials.retire_recovery_codes(tx, user=user)
    credentials.retire_passkeys(tx, user=user, reason="the factors were reset")


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
        raise Refused(problems={"roles": [said("Nobody gives a role to themselves. Ask another admin")]})
    request = RoleRequest(
        id=tx.new_id(), user_id=user.id, side=user.side, role=role, asked_by=tx.actor.id, asked_at=tx.now
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(request)
    except IntegrityError as clash:
        raise Conflict(said("This role was asked for already and waits for a second admin.")) from clash
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


def resend(tx: Tx, *, invitation: Invitation, keyring: Keyring) -> bool:
    """Make a new link for the same address, good for the whole time again; return whether a mail leaves for it.

    The links of earlier mails stay good for as long as was promised, so that nobody is locked out when this mail is
    lost; the first that is used ends them all. Within a minute of the last one nothing more is sent.

    :raises Conflict: if it was used or withdrawn, or was sent too often.
    """
    _still_unused(tx, invitation)
    begun = invitation.expires_at - LIFETIME[invitation.purpose]
    if tx.now < begun + REST:
        return False
    if invitation.generation >= MOST_LINKS:
        raise Conflict(
            said(
                "This invitation was sent %(most)s times. Check the address with %(name)s, "
                "withdraw it and invite again.",
                most=MOST_LINKS,
                name=invitation.full_name,
            ),
            current={"state": "sent often"},
        )
    generation = invitation.generation + 1
    renewed = link_token(invitation, keyring, generation=generation)
    earlier = EarlierLink(
        token_digest=invitation.token_digest,
        invitation_id=invitation.id,
        vendor_id=invitation.vendor_id,
        generation=invitation.generation,
        expires_at=invitation.expires_at,
    )
    won = swap(
        tx,
        invitation,
        expect={"generation": invitation.generation, "redeemed_at": None, "revoked_at": None},
        change={
            "generation": generation,
            "token_digest": token_digest(renewed),
            "expires_at": tx.now + LIFETIME[invitation.purpose],
            "opened_at": None,
        },
    )
    if not won:
        raise Conflict(said("Somebody else sent this invitation again a moment ago."))
    tx.session.add(earlier)
    tx.session.flush()
    tx.record(PersonInvited(invitation.id, invitation.vendor_id, generation, invitation.user_id, invitation.purpose))
    return True


def revoke(tx: Tx, *, invitation: Invitation) -> None:
    """Take an unused link back.

    :raises Conflict: if it was used or withdrawn.
    """
    _still_unused(tx, invitation)
    if not swap(tx, invitation, expect={"redeemed_at": None, "revoked_at": None}, change={"revoked_at": tx.now}):
        raise Conflict(said("The invitation was used a moment ago."))
    tx.record(InvitationWithdrawn(invitation.id, invitation.vendor_id))


def _still_unused(tx: Tx, invitation: Invitation) -> None:
    state = state_of(tx, invitation)
    if state is InvitationState.USED:
        raise Conflict(said("This invitation was used. The person can sign in."), current={"state": state.value})
    if state is InvitationState.WITHDRAWN:
        raise Conflict(said("This invitation was withdrawn. Invite the person again."), current={"state": state.value})


@dataclass(frozen=True, slots=True)
class Link:
    """A link that somebody followed: its invitation, until when this very link is good, whether it is the newest."""

    invitation: Invitation
    expires_at: datetime
    newest: bool


def find_link(tx: Tx, *, token: str) -> Link:
    """Return what a link leads to, in whatever state. Run it as the system: nobody is known yet.

    :raises NotFound: for any other token; a reset link is no invitation (ASVS 9.2.2).
    """
    digest = token_digest(token)
    found = get_one(tx, sa.select(Invitation).where(Invitation.token_digest == digest))
    if found is not None and found.purpose not in _PATHS:
        return Link(found, found.expires_at, newest=True)
    earlier = tx.session.get(EarlierLink, digest)
    if found is not None or earlier is None:
        raise NotFound
    return Link(tx.session.get_one(Invitation, earlier.invitation_id), earlier.expires_at, newest=False)


def link_state(tx: Tx, link: Link) -> InvitationState:
    """Return what this link is good for now: an earlier one ends when it was promised to."""
    invitation = link.invitation
    return invitation_state(
        expires_at=link.expires_at,
        redeemed_at=invitation.redeemed_at,
        revoked_at=invitation.revoked_at,
        now=tx.now,
    )


def find(tx: Tx, *, token: str) -> Invitation:
    """Return the invitation of a link, newest or earlier, in whatever state (state_of).

    :raises NotFound: as find_link.
    """
    return find_link(tx, token=token).invitation


def note_opened(tx: Tx, *, invitation: Invitation) -> None:
    """Note that its link was followed, the first time after each sending. Run it as the system."""
    unused = {"opened_at": None, "redeemed_at": None, "revoked_at": None}
    if swap(tx, invitation, expect=unused, change={"opened_at": tx.now}):
        tx.record(InvitationOpened(invitation.id, invitation.vendor_id))


def open_invitation(tx: Tx, *, token: str) -> Invitation:
    """Return the invitation of a link that can be used now.

    :raises NotFound: for any other token.
    :raises Conflict: if it was used, withdrawn or has ended, with ``current["state"]``.
    """
    link = find_link(tx, token=token)
    _still_unused(tx, link.invitation)
    if (state := link_state(tx, link)) is InvitationState.EXPIRED:
        raise Conflict(said(ENDED, day=link.expires_at.date()), current={"state": state.value})
    return link.invitation


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
    if invitation.purpose in _PATHS or invitation.user_id is None:
        raise NotFound
    user = tx.session.get_one(UserAccount, invitation.user_id)
    name = user.full_name if full_name is None else full_name.strip()
    if not name or len(name) > MAX_NAME:
        raise Refused(problems={"full_name": [said("Enter your full name, up to %(most)s characters", most=MAX_NAME)]})
    credentials.check_password(password, user=user, email=user.email, full_name=name, about=about)
    step = totp.matching_step(totp_secret, totp_code, now=tx.now, after=0)
    if step is None:
        raise Refused(problems={"code": [said("The code did not match. Wait for the next one and enter its 6 digits")]})
    _redeem(tx, invitation)
    user.full_name = name
    user.password_hash = hasher.hash(password)
    user.enrolled_at = tx.now
    user.totp_sealed = keyring.seal(totp_secret)
    user.totp_last_step = step
    codes = credentials.give_recovery_codes(tx, user=user, hasher=hasher)
    for role in invitation.roles:
        give(tx, user=user, role=Role(role), granted_by=invitation.invited_by)
    _take_over(tx, invitation)
    tx.record(PersonEnrolled(user.id, user.vendor_id, invitation.id))
    return user, codes


def _take_over(tx: Tx, invitation: Invitation) -> None:
    """End the role of the admin who handed over to whoever joins now; their other roles stay."""
    leaving = tx.session.get(UserAccount, invitation.takes_over_from) if invitation.takes_over_from else None
    if leaving is None or Role.VENDOR_ADMIN not in invitation.roles:
        return
    grants = tx.session.scalars(
        sa.select(RoleGrant).where(RoleGrant.user_id == leaving.id, RoleGrant.revoked_at.is_(None)).with_for_update()
    ).all()
    for grant in grants:
        if grant.role is Role.VENDOR_ADMIN:
            if len(grants) == 1:
                give(tx, user=leaving, role=Role.RESPONDENT, granted_by=leaving.id)
            grant.revoked_at, grant.revoked_by = tx.now, leaving.id
            tx.session.flush()
            tx.record(RoleRevoked(leaving.id, leaving.vendor_id, Role.VENDOR_ADMIN))


def _redeem(tx: Tx, invitation: Invitation) -> None:
    expect = {"redeemed_at": None, "revoked_at": None}
    if state_of(tx, invitation) is not InvitationState.OPEN or not swap(
        tx, invitation, expect=expect, change={"redeemed_at": tx.now, "opened_at": tx.now}
    ):
        state = state_of(tx, invitation)
        raise Conflict(
            said("This link was used or taken back a moment ago. Sign in, or ask who invited you."),
            current={"state": state},
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
