"""Proving who one is: the password, the authenticator's code, a recovery code, each used once."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from portal.identity import passwords, totp
from portal.identity.facts import PasskeyRemoved
from portal.identity.models import Passkey, RecoveryCode, UserAccount
from portal.identity.passwords import Hasher
from portal.identity.rules import RECOVERY_CODES
from portal.kernel.errors import NotFound, Refused, StepUpRequired
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring
from portal.kernel.swap import swap
from portal.kernel.words import said

NOBODY = bytes(16)


@dataclass(frozen=True, slots=True)
class Proof:
    """A second factor that is right but not yet used: an authenticator's step or a recovery code."""

    kind: str
    step: int = 0
    recovery: RecoveryCode | None = None


def own_account(tx: Tx) -> UserAccount:
    """Return the actor's own account, held until the end, to change what proves who they are.

    :raises StepUpRequired: without a factor given moments ago (ASVS 7.5.1).
    :raises NotFound: if it was deactivated meanwhile.
    """
    if not tx.actor.fresh:
        raise StepUpRequired(said("Confirm that it is you."))
    user = get_one(tx, sa.select(UserAccount).where(UserAccount.id == tx.actor.id).with_for_update())
    if user is None or user.deactivated_at is not None:
        raise NotFound
    return user


def prove(tx: Tx, *, user: UserAccount | None, code: str, keyring: Keyring, hasher: Hasher) -> Proof | None:
    """Return what the code proves for a person, None if nothing; costs the same for nobody."""
    typed = totp.as_recovery_code(code)
    if typed is not None:
        stored = hasher.hash_code(typed, salt=user.id.bytes if user else NOBODY)
        if user is None:
            return None
        row = tx.session.execute(
            sa.select(RecoveryCode).where(
                RecoveryCode.user_id == user.id, RecoveryCode.code_hash == stored, RecoveryCode.used_at.is_(None)
            )
        ).scalar_one_or_none()
        return Proof("recovery_code", recovery=row) if row is not None else None
    if user is None or user.totp_sealed is None:
        return None
    secret = keyring.open(user.totp_sealed)
    step = totp.matching_step(secret, code, now=tx.now, after=user.totp_last_step)
    return Proof("totp", step=step) if step is not None else None


def use(tx: Tx, *, user: UserAccount, proof: Proof) -> bool:
    """Use up a proof; return whether we were the first (ASVS 6.5.1, also under parallel use)."""
    if proof.recovery is not None:
        return swap(tx, proof.recovery, expect={"used_at": None}, change={"used_at": tx.now})
    return swap(tx, user, expect={"totp_last_step": user.totp_last_step}, change={"totp_last_step": proof.step})


def give_recovery_codes(tx: Tx, *, user: UserAccount, hasher: Hasher) -> list[str]:
    """Return fresh recovery codes, to be shown once; earlier ones are dead."""
    retire_recovery_codes(tx, user=user)
    codes = [totp.new_recovery_code() for _ in range(RECOVERY_CODES)]
    for code in codes:
        stored = hasher.hash_code(code.replace("-", ""), salt=user.id.bytes)
        tx.session.add(RecoveryCode(id=tx.new_id(), user_id=user.id, code_hash=stored))
    return codes


def retire_recovery_codes(tx: Tx, *, user: UserAccount) -> None:
    """Make a person's recovery codes worthless."""
    tx.session.execute(
        sa.update(RecoveryCode)
        .where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
        .values(used_at=tx.now)
    )


def retire_passkeys(tx: Tx, *, user: UserAccount, reason: str) -> None:
    """Make a person's passkeys worthless; a device that was left behind opens nothing, also after they come back."""
    gone = tx.session.scalars(
        sa.update(Passkey)
        .where(Passkey.user_id == user.id, Passkey.removed_at.is_(None))
        .values(removed_at=tx.now)
        .returning(Passkey.id)
    ).all()
    for passkey_id in sorted(gone):
        tx.record(PasskeyRemoved(user.id, user.vendor_id, passkey_id, reason))


def check_password(
    password: str, *, user: UserAccount | None, email: str, full_name: str, about: tuple[str, ...]
) -> None:
    """Refuse a password that cannot be taken.

    :param about: further names anybody would try: the lab's, the vendor's.
    :raises Refused: with the sentence at the field ``password``.
    """
    local, _, domain = email.partition("@")
    names = (full_name, local, domain.rpartition(".")[0], *about, *((user.full_name,) if user else ()))
    if words := passwords.problem(password, about=names):
        raise Refused(problems={"password": [words]})
