"""Passkeys: a key in the person's device that proves presence and person at once, and is of no use on another site.

Level 3 of WebAuthn, checked by the library of that name. What is ours: challenges that we make and that count once,
whose credential it is, copies that give themselves away, and words for each refusal.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cbor2 import CBORError
from sqlalchemy.dialects.postgresql import insert
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.identity import credentials, sessions
from portal.identity.facts import PasskeyAdded, PasskeyRemoved, SignInRefused, SteppedUp, StepUpRefused
from portal.identity.models import Passkey, SpentChallenge, UserAccount
from portal.identity.rules import MAX_PASSKEYS, is_last_way_in, passkey_label
from portal.identity.sessions import NewSession
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring
from portal.kernel.swap import swap
from portal.kernel.words import said

LASTS = timedelta(minutes=5)
"""How long a challenge counts. A sign-in page that stays open asks for a new one before that."""
FACTOR = "passkey"
_NONCE, _WHEN = 16, 8
_MALFORMED = (
    WebAuthnException,
    CBORError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OverflowError,
    struct.error,
)


class Purpose(StrEnum):
    """What a challenge was made for; one made for the door opens no act, and the other way round."""

    REGISTER = "register"
    SIGN_IN = "sign in"
    STEP_UP = "step up"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who we are to an authenticator: the one true host, and nothing that a request says."""

    id: str
    origin: str
    name: str


class NoPasskey(Exception):
    """A passkey was not accepted; ``message`` says why to the person, ``reason`` to the trail."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


_UNKNOWN = said("We could not check that passkey. Use another one, or your password and a code")
_TOO_LATE = said("That took too long, or was sent twice. Press the button again")
_OTHERS = said("This passkey belongs to another account. Use one of your own, or a code")
_REMOVED = said("This passkey was removed from your account. Use another one, or your password and a code")
_OFF = said("This account is switched off. Ask your team’s admin")
_COPIED = said(
    "There may be a copy of this passkey, so it was refused. Use your password and a code, then remove it from your "
    "account"
)
_TAKEN = said("This passkey is in use already. Choose another device or security key")


# --- challenges ---


def challenge(tx: Tx, *, purpose: Purpose, bound_to: str, keyring: Keyring) -> bytes:
    """Return a challenge for one purpose and one browser, good for some minutes. Nothing is stored until it is spent.

    :param bound_to: what only this browser's session has.
    """
    nonce = secrets.token_bytes(_NONCE)
    ends = int((tx.now + LASTS).timestamp())
    return nonce + ends.to_bytes(_WHEN, "big") + _proof(keyring, purpose, bound_to, nonce, ends)


def _proof(keyring: Keyring, purpose: Purpose, bound_to: str, nonce: bytes, ends: int) -> bytes:
    return keyring.mac("passkey challenge", purpose.value, bound_to, nonce.hex(), ends).encode()


def _spend(tx: Tx, given: bytes, *, purpose: Purpose, bound_to: str, keyring: Keyring) -> None:
    """Accept a challenge of ours, once.

    :raises NoPasskey: if it is not ours, for something else, of another browser, too old, or spent.
    """
    nonce, when, proof = given[:_NONCE], given[_NONCE : _NONCE + _WHEN], given[_NONCE + _WHEN :]
    ends = int.from_bytes(when, "big")
    try:
        ours = keyring.is_ours(proof.decode("ascii"), "passkey challenge", purpose.value, bound_to, nonce.hex(), ends)
    except UnicodeDecodeError:
        ours = False
    if not ours or tx.now >= datetime.fromtimestamp(ends, UTC):
        raise NoPasskey("challenge", _TOO_LATE)
    spent = tx.session.execute(
        insert(SpentChallenge)
        .values(digest=hashlib.sha256(given).digest(), expires_at=datetime.fromtimestamp(ends, UTC))
        .on_conflict_do_nothing()
        .returning(SpentChallenge.digest)
    ).first()
    if spent is None:
        raise NoPasskey("replayed", _TOO_LATE)


def purge_challenges(tx: Tx) -> int:
    """Forget the spent challenges that nobody could use any more; return how many."""
    done = tx.session.execute(
        sa.delete(SpentChallenge).where(SpentChallenge.expires_at < tx.now - LASTS).returning(SpentChallenge.digest)
    )
    return len(done.all())


# --- adding and removing ---


def registration_options(tx: Tx, *, rp: RelyingParty, keyring: Keyring) -> dict[str, Any]:
    """Return what the browser needs to make a passkey for the actor: one that names its person and checks who it is.

    :raises StepUpRequired: without a factor given moments ago (ASVS 7.5.1).
    :raises Conflict: if there are very many already.
    """
    user = credentials.own_account(tx)
    held = _held_by(tx, user.id)
    if len(held) >= MAX_PASSKEYS:
        raise Conflict(said("You have %(most)s passkeys. Remove one first", most=MAX_PASSKEYS))
    options = generate_registration_options(
        rp_id=rp.id,
        rp_name=rp.name,
        user_id=user.id.bytes,
        user_name=user.email,
        user_display_name=user.full_name,
        challenge=challenge(tx, purpose=Purpose.REGISTER, bound_to=str(tx.actor.session_id), keyring=keyring),
        timeout=int(LASTS.total_seconds()) * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in held],
    )
    return options_to_json_dict(options)


def add(
    tx: Tx, *, credential: Mapping[str, Any], label: str, device: str, rp: RelyingParty, keyring: Keyring
) -> Passkey:
    """Keep the passkey that the actor's browser has just made; its owner hears of it by mail.

    :param device: a few words for the browser, for who gives no name.
    :raises StepUpRequired: without a factor given moments ago.
    :raises NoPasskey: in words, if it does not prove what it must.
    :raises Conflict: if there are very many already.
    """
    user = credentials.own_account(tx)
    held = _held_by(tx, user.id)
    if len(held) >= MAX_PASSKEYS:
        raise Conflict(said("You have %(most)s passkeys. Remove one first", most=MAX_PASSKEYS))
    try:
        parsed = parse_registration_credential_json(dict(credential))
        given = parse_client_data_json(parsed.response.client_data_json).challenge
    except _MALFORMED as odd:
        raise NoPasskey("malformed", _UNKNOWN) from odd
    _spend(tx, given, purpose=Purpose.REGISTER, bound_to=str(tx.actor.session_id), keyring=keyring)
    try:
        proven = verify_registration_response(
            credential=parsed,
            expected_challenge=given,
            expected_rp_id=rp.id,
            expected_origin=rp.origin,
            require_user_verification=True,
        )
    except _MALFORMED as odd:
        raise NoPasskey("registration", _UNKNOWN) from odd
    passkey = Passkey(
        id=tx.new_id(),
        user_id=user.id,
        credential_id=proven.credential_id,
        public_key=proven.credential_public_key,
        label=passkey_label(label, otherwise=device, taken=[each.label for each in held]),
        transports=sorted({each.value for each in parsed.response.transports or ()}),
        aaguid=proven.aaguid,
        backup_eligible=proven.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=proven.credential_backed_up,
        sign_count=proven.sign_count,
        created_at=tx.now,
    )
    known = sa.select(Passkey.id).where(Passkey.credential_id == proven.credential_id)
    if tx.session.execute(known).first() is not None:
        raise NoPasskey("taken", _TAKEN)
    tx.session.add(passkey)
    tx.session.flush()
    digest = hashlib.sha256(proven.credential_public_key).hexdigest()
    tx.record(PasskeyAdded(user.id, user.vendor_id, passkey.id, digest, passkey.backup_eligible))
    return passkey


def remove(tx: Tx, *, passkey_id: UUID) -> str:
    """Take one of the actor's passkeys away for good and return its name; its owner hears of it by mail.

    :raises StepUpRequired: without a factor given moments ago.
    :raises NotFound: if it is not the actor's.
    :raises Conflict: if it was removed already, or would be the last way in.
    """
    user = credentials.own_account(tx)
    passkey = get_one(tx, sa.select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id))
    if passkey is None:
        raise NotFound
    if is_last_way_in(
        passkeys=len(_held_by(tx, user.id)), password=user.password_hash is not None, code=user.totp_sealed is not None
    ):
        raise Conflict(said("This is your only way in. Add another one first"))
    if not swap(tx, passkey, expect={"removed_at": None}, change={"removed_at": tx.now}):
        raise Conflict(said("This passkey was removed already"))
    tx.record(PasskeyRemoved(user.id, user.vendor_id, passkey.id, "own"))
    return passkey.label


def _held_by(tx: Tx, user_id: UUID) -> list[Passkey]:
    return list(
        tx.session.scalars(
            sa.select(Passkey)
            .where(Passkey.user_id == user_id, Passkey.removed_at.is_(None))
            .order_by(Passkey.created_at, Passkey.id)
        )
    )


# --- using ---


def sign_in_options(tx: Tx, *, bound_to: str, rp: RelyingParty, keyring: Keyring) -> dict[str, Any]:
    """Return what the browser needs to find a passkey by itself. The same for everybody: no account is named."""
    options = generate_authentication_options(
        rp_id=rp.id,
        challenge=challenge(tx, purpose=Purpose.SIGN_IN, bound_to=bound_to, keyring=keyring),
        timeout=int(LASTS.total_seconds()) * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def sign_in_by_passkey(
    tx: Tx,
    *,
    credential: Mapping[str, Any],
    bound_to: str,
    rp: RelyingParty,
    keyring: Keyring,
    address: str,
    user_agent: str,
    only: UUID | None = None,
) -> NewSession | NoPasskey:
    """Begin a session for who shows a passkey, which counts as both factors; else return why not.

    The caller commits in both cases, so that a refusal is in the trail and the challenge is spent; it counts the try
    first.

    :param only: the one person who may come in here (the page is theirs).
    """
    user: UserAccount | None = None
    try:
        proof = _prove(tx, credential, purpose=Purpose.SIGN_IN, bound_to=bound_to, rp=rp, keyring=keyring, only=only)
        user = proof.user
        _use(tx, proof)
    except NoPasskey as refusal:
        tx.record(_refused(tx, credential, user, refusal.reason))
        return refusal
    return sessions.begin_session(tx, user=user, address=address, user_agent=user_agent, factor=FACTOR)


def step_up_options(tx: Tx, *, rp: RelyingParty, keyring: Keyring) -> dict[str, Any]:
    """Return what the browser needs to show once more that it is the actor, by one of their passkeys."""
    held = _held_by(tx, tx.actor.id) if tx.actor.id is not None else []
    options = generate_authentication_options(
        rp_id=rp.id,
        challenge=challenge(tx, purpose=Purpose.STEP_UP, bound_to=str(tx.actor.session_id), keyring=keyring),
        timeout=int(LASTS.total_seconds()) * 1000,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in held],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def step_up_by_passkey(
    tx: Tx, *, session_id: UUID, credential: Mapping[str, Any], rp: RelyingParty, keyring: Keyring
) -> NewSession | NoPasskey:
    """Make the actor's session fresh by a passkey used now, and give it a new token; else return why not.

    The caller counts the try first and commits in both cases.

    :raises NotFound: if the session is not the actor's or has ended.
    """
    try:
        proof = _prove(
            tx,
            credential,
            purpose=Purpose.STEP_UP,
            bound_to=str(session_id),
            rp=rp,
            keyring=keyring,
            only=tx.actor.id,
        )
        _use(tx, proof)
    except NoPasskey as refusal:
        tx.record(StepUpRefused(_actor_id(tx), tx.actor.vendor_id, session_id))
        return refusal
    tx.record(SteppedUp(proof.user.id, proof.user.vendor_id, session_id, FACTOR))
    return sessions.rotate(tx, session_id=session_id, fresh=True)


@dataclass(frozen=True, slots=True)
class _Proof:
    """A right answer to our challenge that is not yet used."""

    user: UserAccount
    passkey: Passkey
    sign_count: int
    backup_eligible: bool
    backed_up: bool


def _prove(
    tx: Tx,
    credential: Mapping[str, Any],
    *,
    purpose: Purpose,
    bound_to: str,
    rp: RelyingParty,
    keyring: Keyring,
    only: UUID | None,
) -> _Proof:
    """Return what a credential proves. Who holds no key of ours learns nothing about ours.

    :raises NoPasskey: with the reason. What concerns the account is said only to who holds its key.
    """
    try:
        parsed = parse_authentication_credential_json(dict(credential))
        given = parse_client_data_json(parsed.response.client_data_json).challenge
    except _MALFORMED as odd:
        raise NoPasskey("malformed", _UNKNOWN) from odd
    _spend(tx, given, purpose=purpose, bound_to=bound_to, keyring=keyring)
    passkey = get_one(tx, sa.select(Passkey).where(Passkey.credential_id == parsed.raw_id).with_for_update())
    if passkey is None:
        raise NoPasskey("unknown", _UNKNOWN)
    try:
        proven = verify_authentication_response(
            credential=parsed,
            expected_challenge=given,
            expected_rp_id=rp.id,
            expected_origin=rp.origin,
            credential_public_key=passkey.public_key,
            # Counted below, once the signature is known to be right: a forged count must not look like a copy.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _MALFORMED as odd:
        raise NoPasskey("signature", _UNKNOWN) from odd
    if only is not None and passkey.user_id != only:
        raise NoPasskey("another", _OTHERS)  # before the account is looked at: it may be behind the wall
    user = tx.session.get_one(UserAccount, passkey.user_id)
    handle = parsed.response.user_handle
    if handle is None and purpose is Purpose.SIGN_IN:
        raise NoPasskey("handle", _UNKNOWN)
    if handle is not None and not hmac.compare_digest(handle, user.id.bytes):
        raise NoPasskey("handle", _UNKNOWN)
    if user.deactivated_at is not None or user.enrolled_at is None:
        raise NoPasskey("deactivated", _OFF)
    if passkey.removed_at is not None:
        raise NoPasskey("removed", _REMOVED)
    eligible = proven.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    if eligible is not passkey.backup_eligible:
        raise NoPasskey("backup", _COPIED)
    if (proven.new_sign_count or passkey.sign_count) and proven.new_sign_count <= passkey.sign_count:
        raise NoPasskey("copied", _COPIED)
    return _Proof(user, passkey, proven.new_sign_count, eligible, proven.credential_backed_up)


def _use(tx: Tx, proof: _Proof) -> None:
    """Note that a passkey was used; the first of two with the same count wins."""
    won = swap(
        tx,
        proof.passkey,
        expect={"sign_count": proof.passkey.sign_count, "removed_at": None},
        change={"sign_count": proof.sign_count, "backed_up": proof.backed_up, "last_used_at": tx.now},
    )
    if not won:
        raise NoPasskey("raced", _TOO_LATE)


def _refused(tx: Tx, credential: Mapping[str, Any], user: UserAccount | None, reason: str) -> SignInRefused:
    if user is None and reason in {"removed", "deactivated", "copied", "backup", "another"}:
        # The key was shown to be right, so that it is known whose refusal this is.
        found = tx.session.execute(
            sa.select(UserAccount.id, UserAccount.vendor_id)
            .join(Passkey, Passkey.user_id == UserAccount.id)
            .where(Passkey.credential_id == base64url_to_bytes(str(credential["rawId"])))
        ).one()
        return SignInRefused(found.id, found.vendor_id, f"passkey {reason}")
    return SignInRefused(user.id if user else None, user.vendor_id if user else None, f"passkey {reason}")


def _actor_id(tx: Tx) -> UUID:
    assert tx.actor.id is not None  # noqa: S101 - a step-up has a session, and a session a person
    return tx.actor.id
