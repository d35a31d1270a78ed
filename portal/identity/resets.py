"""Changing a password, forgetting it, and losing everything (security.md, Reset; ASVS 6.2, 6.4)."""

from __future__ import annotations

import sqlalchemy as sa

from portal.identity import credentials, sessions
from portal.identity import passwords as words
from portal.identity.facts import FactorsReset, PasswordChanged, PasswordResetAsked, PersonInvited, RecoveryCodesRenewed
from portal.identity.invitations import link_for, state_of, strip, withdraw_open
from portal.identity.models import Invitation, UserAccount
from portal.identity.passwords import Hasher
from portal.identity.rules import InvitationState
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring, token_digest
from portal.kernel.swap import swap
from portal.kernel.words import said

WRONG_CODE = said("The code did not match. Wait for the next one and enter its 6 digits")
ENDED = said("This link has ended or was used. Ask for a new one")


def ask_reset(tx: Tx, *, email: str, keyring: Keyring, hasher: Hasher | None = None) -> None:
    """Send a reset link to an address if it has an account; say nothing either way, and take as long.

    The account itself is untouched until the link is used. Run it as the system, and count the try first.
    """
    (hasher or words.hasher()).verify(None, email)  # as slow for nobody as for somebody
    user = get_one(tx, sa.select(UserAccount).where(UserAccount.email == email.strip().lower()))
    if user is None or user.password_hash is None or user.deactivated_at is not None:
        tx.record(PasswordResetAsked(None, None, None))
        return
    withdraw_open(tx, user=user)
    reset = link_for(tx, user=user, purpose="reset", keyring=keyring)
    tx.record(PasswordResetAsked(user.id, user.vendor_id, reset.id))
    tx.record(PersonInvited(reset.id, user.vendor_id, reset.generation, user.id, "reset"))


def find_reset(tx: Tx, *, token: str) -> Invitation:
    """Return the reset of a link that can be used now. Run it as the system.

    :raises NotFound: for any other token; an invitation is no reset (ASVS 9.2.2).
    :raises Conflict: if it was used, replaced or has ended.
    """
    found = get_one(tx, sa.select(Invitation).where(Invitation.token_digest == token_digest(token)))
    if found is None or found.purpose != "reset":
        raise NotFound
    if state_of(tx, found) is not InvitationState.OPEN:
        raise Conflict(ENDED)
    return found


def reset_password(
    tx: Tx,
    *,
    reset: Invitation,
    password: str,
    code: str,
    keyring: Keyring,
    about: tuple[str, ...] = (),
    hasher: Hasher | None = None,
) -> None:
    """Set a new password by a reset link and a second factor, which stays as it is; end every session.

    Nobody is signed in by it.

    :raises Refused: with problems at password or code; the link stays usable.
    :raises Conflict: if the link was used meanwhile.
    """
    hasher = hasher or words.hasher()
    user = tx.session.get_one(UserAccount, reset.user_id)
    if user.password_hash is None or user.deactivated_at is not None:
        raise Conflict(ENDED)
    credentials.check_password(password, user=user, email=user.email, full_name=user.full_name, about=about)
    proof = credentials.prove(tx, user=user, code=code, keyring=keyring, hasher=hasher)
    if proof is None:
        raise Refused(problems={"code": [WRONG_CODE]})
    if not credentials.use(tx, user=user, proof=proof) or not swap(
        tx,
        reset,
        expect={"redeemed_at": None, "revoked_at": None},
        change={"redeemed_at": tx.now, "opened_at": tx.now},
    ):
        raise Conflict(ENDED)
    user.password_hash = hasher.hash(password)
    tx.record(PasswordChanged(user.id, user.vendor_id, "reset"))
    sessions.end_all(tx, user=user, reason="the password was reset")


def change_password(
    tx: Tx, *, current: str, password: str, about: tuple[str, ...] = (), hasher: Hasher | None = None
) -> int:
    """Replace the actor's own password; end the person's other sessions and return how many.

    :raises StepUpRequired: without a factor given moments ago (ASVS 7.5.1).
    :raises Refused: with problems at current or password.
    """
    hasher = hasher or words.hasher()
    user = credentials.own_account(tx)
    if not hasher.verify(user.password_hash, current):
        raise Refused(problems={"current": [said("That is not your present password. Enter it as it is now")]})
    credentials.check_password(password, user=user, email=user.email, full_name=user.full_name, about=about)
    user.password_hash = hasher.hash(password)
    withdraw_open(tx, user=user)
    tx.record(PasswordChanged(user.id, user.vendor_id, "own"))
    return sessions.end_all(tx, user=user, reason="the password was changed", but=tx.actor.session_id)


def renew_recovery_codes(tx: Tx, *, hasher: Hasher | None = None) -> list[str]:
    """Return the actor's fresh recovery codes, to be shown once; the old ones are dead.

    :raises StepUpRequired: without a factor given moments ago.
    """
    user = credentials.own_account(tx)
    codes = credentials.give_recovery_codes(tx, user=user, hasher=hasher or words.hasher())
    tx.record(RecoveryCodesRenewed(user.id, user.vendor_id))
    return codes


def reset_factors(tx: Tx, *, user: UserAccount, keyring: Keyring) -> Invitation:
    """Take a person's password and factors away and invite them to enrol again; roles stay, sessions end.

    For who lost the authenticator and the recovery codes: an admin of their own side vouches for them, and it is in
    the trail (ASVS 6.4.4). An admin never sets a password (6.4.6).

    :param user: fetched with the right to manage them (people.get).
    :raises Conflict: for oneself, or for a person who is deactivated or has not enrolled.
    """
    if user.id == tx.actor.id:
        raise Conflict(said("Another admin has to do this for you."))
    if user.deactivated_at is not None or user.password_hash is None:
        raise Conflict(said("%(name)s has nothing to reset. Send the invitation again.", name=user.full_name))
    strip(tx, user=user)
    withdraw_open(tx, user=user)
    sessions.end_all(tx, user=user, reason="the factors were reset")
    invitation = link_for(tx, user=user, purpose="join", keyring=keyring)
    tx.record(FactorsReset(user.id, user.vendor_id))
    tx.record(PersonInvited(invitation.id, user.vendor_id, invitation.generation, user.id, "join"))
    return invitation
