"""Coming in, staying in, proving it again, leaving (security.md, Session; ASVS V7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.identity import credentials
from portal.identity import passwords as words
from portal.identity.facts import SessionsEnded, SignedIn, SignedOut, SignInRefused, SteppedUp, StepUpRefused
from portal.identity.models import RoleGrant, UserAccount, WebSession
from portal.identity.passwords import Hasher
from portal.identity.rules import ABSOLUTE, IDLE, NOTICE, SEEN_EVERY, is_fresh, session_lives
from portal.kernel.actor import Actor, ActorKind
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring, new_token, token_digest
from portal.kernel.swap import swap
from portal.terms import Side

_VENDOR = sa.table("vendor", sa.column("id", sa.Uuid()), sa.column("name", sa.Text()), sa.column("disabled_at"))
"""The neighbour's table by name only: a switched-off vendor ends its people's sessions in the very next request."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that began: the token for the cookie is known here and never again."""

    token: str
    session_id: UUID
    user_id: UUID
    side: Side
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that a request came with: who acts, what the pages keep in it, and until when it lasts."""

    id: UUID
    actor: Actor
    data: dict[str, Any]
    ends_at: datetime
    seen_at: datetime
    vendor_name: str = ""
    title: str = ""
    timezone: str = "UTC"
    can_go_on: bool = True
    """Whether using it makes it last longer; near its absolute end nothing does."""


def sign_in(
    tx: Tx,
    *,
    email: str,
    password: str,
    code: str,
    address: str,
    user_agent: str,
    keyring: Keyring,
    hasher: Hasher | None = None,
) -> NewSession | None:
    """Begin a session for who shows a right password and a right code; else return None.

    None is one answer for every cause, and costs the same time for an address we do not know. The caller commits in
    both cases, so that a refusal is in the trail; it counts the try first (throttle.count_try).
    """
    hasher = hasher or words.hasher()
    user = get_one(tx, sa.select(UserAccount).where(UserAccount.email == email.strip().lower()))
    right = hasher.verify(user.password_hash if user else None, password)
    proof = credentials.prove(tx, user=user, code=code, keyring=keyring, hasher=hasher)
    reason = _why_not(user, right=right, proof=proof)
    if user is not None and proof is not None and not reason and not credentials.use(tx, user=user, proof=proof):
        reason = "code"
    if user is None or proof is None or reason:
        tx.record(SignInRefused(user.id if user else None, user.vendor_id if user else None, reason))
        return None
    if user.password_hash and hasher.outdated(user.password_hash):
        user.password_hash = hasher.hash(password)
    return begin_session(tx, user=user, address=address, user_agent=user_agent, factor=proof.kind)


def _why_not(user: UserAccount | None, *, right: bool, proof: credentials.Proof | None) -> str:
    if user is None:
        return "unknown"
    if user.deactivated_at is not None:
        return "deactivated"
    if user.password_hash is None:
        return "not_enrolled"
    if not right:
        return "password"
    return "" if proof is not None else "code"


def begin_session(tx: Tx, *, user: UserAccount, address: str, user_agent: str, factor: str) -> NewSession:
    """Begin a session for a person who has just proven both factors. The token is new, whatever came before."""
    token = new_token()
    session = WebSession(
        id=tx.new_id(),
        token_digest=token_digest(token),
        user_id=user.id,
        created_at=tx.now,
        last_seen_at=tx.now,
        expires_at=tx.now + ABSOLUTE,
        fresh_at=tx.now,
        user_agent=user_agent[:300],
        address=address[:60],
        data={},
    )
    tx.session.add(session)
    user.last_sign_in_at = tx.now
    tx.record(SignedIn(user.id, user.vendor_id, session.id, factor))
    return NewSession(token, session.id, user.id, user.side, user.vendor_id)


def open_session(tx: Tx, *, token: str, used: bool = True) -> LiveSession | None:
    """Return the live session of a token, with the roles held at this moment; None for any other token.

    Run it as the system: nobody is known yet. It notes that the session was seen, at most once a minute.

    :param used: False for a question that is no use of the session, so that asking does not make it last longer.
    """
    roles = (
        sa.select(sa.func.array_agg(sa.cast(RoleGrant.role, sa.Text)))
        .where(RoleGrant.user_id == UserAccount.id, RoleGrant.revoked_at.is_(None))
        .scalar_subquery()
    )
    found = tx.session.execute(
        sa.select(WebSession, UserAccount, roles, _VENDOR.c.name, _VENDOR.c.disabled_at)
        .join(UserAccount, UserAccount.id == WebSession.user_id)
        .outerjoin(_VENDOR, _VENDOR.c.id == UserAccount.vendor_id)
        .where(WebSession.token_digest == token_digest(token))
    ).one_or_none()
    if found is None:
        return None
    session, user, held, vendor_name, vendor_disabled_at = found
    if user.deactivated_at is not None or vendor_disabled_at is not None:
        return None
    if not session_lives(
        last_seen_at=session.last_seen_at, expires_at=session.expires_at, ended_at=session.ended_at, now=tx.now
    ):
        return None
    if used and tx.now - session.last_seen_at >= SEEN_EVERY:
        tx.session.execute(sa.update(WebSession).where(WebSession.id == session.id).values(last_seen_at=tx.now))
    actor = Actor(
        kind=ActorKind.PERSON,
        id=user.id,
        name=user.full_name,
        vendor_id=user.vendor_id,
        roles=frozenset(held or ()),
        fresh=is_fresh(session.fresh_at, tx.now),
        email=user.email,
        session_id=session.id,
        given_only=user.given_only,
        language=user.language,
        timezone=user.timezone,
        single_keys=user.single_keys,
    )
    return LiveSession(
        id=session.id,
        actor=actor,
        data=dict(session.data),
        ends_at=min(session.expires_at, (tx.now if used else session.last_seen_at) + IDLE),
        seen_at=tx.now,
        can_go_on=session.expires_at > tx.now + NOTICE,
        vendor_name=vendor_name or "",
        title=user.title,
        timezone=user.timezone,
    )


def last_holder(tx: Tx, *, token: str) -> UUID | None:
    """Return whose session a token opened, also when it has ended; None for a token that never opened one.

    Run it as the system. It lets nobody in: it says whose factors are asked for in place.
    """
    return tx.session.execute(
        sa.select(WebSession.user_id).where(WebSession.token_digest == token_digest(token))
    ).scalar_one_or_none()


def session_of(tx: Tx, *, token: str) -> Actor | None:
    """Return who acts by a session token, None if the token opens nothing."""
    live = open_session(tx, token=token)
    return live.actor if live else None


def keep(tx: Tx, *, session_id: UUID, data: dict[str, Any]) -> None:
    """Keep what the pages noted in a live session."""
    tx.session.execute(
        sa.update(WebSession).where(WebSession.id == session_id, WebSession.ended_at.is_(None)).values(data=data)
    )


def step_up(
    tx: Tx, *, session_id: UUID, code: str, keyring: Keyring, hasher: Hasher | None = None
) -> NewSession | None:
    """Make the actor's session fresh by a code used now, and give it a new token (ASVS 7.2.4); None if it is wrong.

    The caller counts the try first and commits in both cases.

    :raises NotFound: if the session is not the actor's or has ended.
    """
    session, user = _own(tx, session_id)
    proof = credentials.prove(tx, user=user, code=code, keyring=keyring, hasher=hasher or words.hasher())
    if proof is None or not credentials.use(tx, user=user, proof=proof):
        tx.record(StepUpRefused(user.id, user.vendor_id, session.id))
        return None
    tx.record(SteppedUp(user.id, user.vendor_id, session.id, proof.kind))
    return rotate(tx, session_id=session_id, fresh=True)


def rotate(tx: Tx, *, session_id: UUID, fresh: bool = False) -> NewSession:
    """Give the actor's session a new token; the old one is dead.

    :raises NotFound: if the session is not the actor's or has ended.
    """
    session, user = _own(tx, session_id)
    token = new_token()
    change: dict[str, Any] = {"token_digest": token_digest(token)}
    if fresh:
        change["fresh_at"] = tx.now
    if not swap(tx, session, expect={"ended_at": None}, change=change):
        raise NotFound
    return NewSession(token, session.id, user.id, user.side, user.vendor_id)


def _own(tx: Tx, session_id: UUID) -> tuple[WebSession, UserAccount]:
    session = tx.session.get(WebSession, session_id)
    if session is None or session.ended_at is not None or session.user_id != tx.actor.id:
        raise NotFound
    return session, tx.session.get_one(UserAccount, session.user_id)


def sign_out(tx: Tx, *, session_id: UUID) -> None:
    """End the actor's present session for good (AU-01)."""
    session = tx.session.get(WebSession, session_id)
    if session is None or session.user_id != tx.actor.id:
        return
    if swap(tx, session, expect={"ended_at": None}, change={"ended_at": tx.now}):
        tx.record(SignedOut(session.user_id, tx.actor.vendor_id, session.id))


def end_session(tx: Tx, *, session_id: UUID) -> None:
    """End one session of the actor's own, in another browser.

    :raises NotFound: if it is not the actor's.
    """
    session = tx.session.get(WebSession, session_id)
    if session is None or session.user_id != tx.actor.id:
        raise NotFound
    if swap(tx, session, expect={"ended_at": None}, change={"ended_at": tx.now}):
        tx.record(SessionsEnded(session.user_id, tx.actor.vendor_id, 1, "ended by its owner"))


def end_all(tx: Tx, *, user: UserAccount, reason: str, but: UUID | None = None) -> int:
    """End a person's live sessions, except one if asked; return how many there were."""
    statement = (
        sa.update(WebSession)
        .where(WebSession.user_id == user.id, WebSession.ended_at.is_(None), WebSession.expires_at > tx.now)
        .values(ended_at=tx.now)
        .returning(WebSession.id)
    )
    if but is not None:
        statement = statement.where(WebSession.id != but)
    count = len(tx.session.execute(statement).all())
    if count:
        tx.record(SessionsEnded(user.id, user.vendor_id, count, reason))
    return count
