"""Service clients: machines that ask the gate, with the least they need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.identity.facts import ServiceClientCreated, ServiceClientDisabled
from portal.identity.models import ServiceClient, UserAccount
from portal.identity.rules import MAX_NAME, SEEN_EVERY
from portal.kernel.actor import Actor, ActorKind
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.secrets import new_token, token_digest
from portal.kernel.swap import swap
from portal.policy import Action
from portal.terms import Scope

PREFIX = "ghs_"
"""Makes a token that leaked into a log or a repository easy to recognise."""
LONGEST = timedelta(days=400)


class _Anywhere:
    """A client belongs to the lab."""

    vendor_id = None


def create_client(
    tx: Tx,
    *,
    name: str,
    scopes: Iterable[Scope | str],
    vendor_ids: Iterable[UUID] | None,
    expires_at: datetime,
) -> tuple[ServiceClient, str]:
    """Return a new service client and its token, which is shown once and never known again.

    :param vendor_ids: the vendors it may ask about; None means every vendor.
    :raises Forbidden: for anybody but an admin; StepUpRequired without a fresh factor.
    :raises Refused: with problems at name, scopes, vendors or expires_at.
    """
    policy.check(tx.actor, Action.CLIENTS_MANAGE, _Anywhere)
    problems: dict[str, list[str]] = {}
    asked = {str(scope) for scope in scopes}
    known = sorted(asked & set(Scope))
    limited = None if vendor_ids is None else sorted(set(vendor_ids))
    if not name.strip() or len(name.strip()) > MAX_NAME:
        problems["name"] = [f"Enter a name that says which system it is, up to {MAX_NAME} characters"]
    if not known or len(known) != len(asked):
        problems["scopes"] = ["Choose what the client may do"]
    if limited == []:
        problems["vendors"] = ["Choose at least one vendor, or every vendor"]
    if not tx.now < expires_at <= tx.now + LONGEST:
        problems["expires_at"] = [f"The token must end within {LONGEST.days} days from today"]
    if problems:
        raise Refused(problems=problems)
    token = PREFIX + new_token()
    client = ServiceClient(
        id=tx.new_id(),
        name=name.strip(),
        token_digest=token_digest(token),
        token_hint=token[-4:],
        scopes=known,
        vendor_ids=limited,
        created_by=tx.actor.id,
        created_at=tx.now,
        expires_at=expires_at,
    )
    tx.session.add(client)
    tx.record(ServiceClientCreated(client.id, tuple(known), None if limited is None else tuple(limited)))
    return client, token


def client_of(tx: Tx, *, token: str) -> Actor | None:
    """Return the service client of a bearer token, None if the token opens nothing. Run it as the system.

    A token outlives neither its end nor the person who made it (GW-06).

    It notes the use, at most once a minute.
    """
    if not token.startswith(PREFIX):
        return None
    found = tx.session.execute(
        sa.select(ServiceClient, UserAccount.deactivated_at)
        .outerjoin(UserAccount, UserAccount.id == ServiceClient.created_by)
        .where(ServiceClient.token_digest == token_digest(token))
    ).one_or_none()
    if found is None:
        return None
    client, creator_left_at = found
    if client.disabled_at is not None or creator_left_at is not None or tx.now >= client.expires_at:
        return None
    if client.last_used_at is None or tx.now - client.last_used_at >= SEEN_EVERY:
        tx.session.execute(sa.update(ServiceClient).where(ServiceClient.id == client.id).values(last_used_at=tx.now))
    return Actor(
        kind=ActorKind.CLIENT,
        id=client.id,
        name=client.name,
        scopes=frozenset(client.scopes),
        vendor_ids=None if client.vendor_ids is None else frozenset(client.vendor_ids),
    )


def get_client(tx: Tx, client_id: UUID) -> ServiceClient:
    """Return a service client that the actor may manage.

    :raises NotFound: if there is none.
    :raises Forbidden: for anybody but an admin; StepUpRequired without a fresh factor.
    """
    client = tx.session.get(ServiceClient, client_id)
    if client is None:
        raise NotFound
    policy.check(tx.actor, Action.CLIENTS_MANAGE, _Anywhere)
    return client


def disable_client(tx: Tx, *, client: ServiceClient) -> None:
    """Make a client's token worthless from this moment on.

    :raises Conflict: if it is already.
    """
    if not swap(tx, client, expect={"disabled_at": None}, change={"disabled_at": tx.now}):
        raise Conflict("This client was disabled already.")
    tx.record(ServiceClientDisabled(client.id))
