"""A person's own particulars: name and title at once, a new address after a link to it was followed."""

from __future__ import annotations

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.identity import sessions
from portal.identity.facts import AddressAsked, AddressChanged, PersonRenamed
from portal.identity.invitations import link_for, state_of
from portal.identity.models import Invitation, UserAccount
from portal.identity.rules import MAX_NAME, InvitationState
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring, token_digest
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import N_

PURPOSE = "address"
ENDED = said("This link has ended or was used. Ask for a new one")
OFF = N_("%(name)s is switched off. Invite them again.")


def get_person_or_self(tx: Tx, user_id: object) -> UserAccount:
    """Return the actor's own account, or that of a colleague whom they manage, held until the end.

    :raises NotFound: if there is no such person, or it is not the actor's to know of.
    :raises Forbidden: if they manage nobody.
    """
    user = tx.session.get(UserAccount, user_id, with_for_update=True)
    if user is None or user.vendor_id is None:
        raise NotFound
    if user.id != tx.actor.id:
        policy.check(tx.actor, Action.TEAM_MANAGE, user)
    return user


def rename(tx: Tx, *, user: UserAccount, full_name: str, title: str) -> None:
    """Change what a person is called and what they do. What they signed keeps the name that it was signed with.

    :raises Refused: with problems at full_name or title.
    """
    name, does = " ".join(full_name.split()), " ".join(title.split())
    problems: dict[str, list[str]] = {}
    if not name or len(name) > MAX_NAME:
        problems["full_name"] = [said("Enter the person's full name, up to %(most)s characters", most=MAX_NAME)]
    if len(does) > MAX_NAME:
        problems["title"] = [said("Enter what they do in up to %(most)s characters", most=MAX_NAME)]
    if problems:
        raise Refused(problems=problems)
    if (user.full_name, user.title) == (name, does):
        return
    user.full_name, user.title = name, does
    tx.record(PersonRenamed(user.id, user.vendor_id))


def ask_address(tx: Tx, *, user: UserAccount, email: str, again: str, keyring: Keyring) -> None:
    """Have a link sent to a new address of a person; nothing changes before it is followed.

    Whether the address is somebody else's already is told to nobody here: then no mail leaves.

    :raises Refused: with problems at email or again.
    :raises Conflict: for somebody who has not joined or was switched off.
    """
    if user.deactivated_at is not None:
        raise Conflict(said(OFF, name=user.full_name))
    if user.password_hash is None:
        raise Conflict(
            said("%(name)s has not joined yet. Withdraw the invitation and invite again.", name=user.full_name)
        )
    try:
        address = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        words = said("Enter a work e-mail address, for example name@company.example")
        raise Refused(problems={"email": [words]}) from None
    if address != again.strip().lower():
        raise Refused(problems={"again": [said("The two addresses differ. Enter the same one twice")]})
    if address == user.email:
        raise Refused(problems={"email": [said("This is the address already")]})
    tx.session.execute(
        sa.update(Invitation)
        .where(
            Invitation.user_id == user.id,
            Invitation.purpose == PURPOSE,
            Invitation.redeemed_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=tx.now)
    )
    asked = link_for(tx, user=user, purpose=PURPOSE, keyring=keyring, email=address, was_email=user.email)
    tx.record(AddressAsked(asked.id, user.id, user.vendor_id))


def find_address(tx: Tx, *, token: str) -> Invitation:
    """Return the change of a link that can be used now. Run it as the system: nobody is known yet.

    :raises NotFound: for any other token.
    :raises Conflict: if it was used, replaced or has ended.
    """
    found = get_one(tx, sa.select(Invitation).where(Invitation.token_digest == token_digest(token)))
    if found is None or found.purpose != PURPOSE:
        raise NotFound
    if state_of(tx, found) is not InvitationState.OPEN:
        raise Conflict(ENDED)
    return found


def confirm_address(tx: Tx, *, asked: Invitation) -> None:
    """Take the new address in the place of the old one, and end every session: the next sign-in is with the new one.

    :raises Conflict: if the link was used meanwhile, the person left, or somebody else has the address now.
    """
    user = tx.session.get_one(UserAccount, asked.user_id, with_for_update=True)
    if user.deactivated_at is not None or user.password_hash is None or user.email != asked.was_email:
        raise Conflict(ENDED)
    if not swap(tx, asked, expect={"redeemed_at": None, "revoked_at": None}, change={"redeemed_at": tx.now}):
        raise Conflict(ENDED)
    try:
        with tx.session.begin_nested():
            user.email = asked.email
    except IntegrityError as clash:
        raise Conflict(said("This address cannot be used. Ask for a change to another one")) from clash
    tx.record(AddressChanged(asked.id, user.id, user.vendor_id))
    sessions.end_all(tx, user=user, reason="the address was changed")
