"""People of both sides, made as in life: invited, then enrolled with a password and an authenticator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.identity import service as identity
from portal.identity import totp
from portal.identity.models import UserAccount
from portal.identity.passwords import hasher
from portal.kernel.actor import Actor, ActorKind, system
from portal.terms import LAB_ROLES, Role, Side
from portal.wiring import House

PASSWORD = "mountain bread violin seven"
FACTORY = system("test")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in, with what only they know."""

    id: UUID
    full_name: str
    email: str
    side: Side
    vendor_id: UUID | None
    roles: frozenset[Role]
    password: str
    totp_secret: str
    recovery_codes: tuple[str, ...]

    @property
    def actor(self) -> Actor:
        """The person acting, without a fresh factor."""
        return Actor(
            kind=ActorKind.PERSON,
            id=self.id,
            name=self.full_name,
            vendor_id=self.vendor_id,
            roles=frozenset(self.roles),
            email=self.email,
        )

    @property
    def fresh(self) -> Actor:
        """The person acting, having shown a factor moments ago."""
        return Actor(
            kind=ActorKind.PERSON,
            id=self.id,
            name=self.full_name,
            vendor_id=self.vendor_id,
            roles=frozenset(self.roles),
            email=self.email,
            fresh=True,
        )


def person(
    house: House,
    *,
    roles: Iterable[Role | str],
    vendor: Any = None,
    name: str = "",
    email: str = "",
) -> Person:
    """Return an enrolled person of a vendor (a row or an id), or of the lab without one.

    The name and the address follow from the roles if not given; give the address when a test needs two alike.
    """
    held = frozenset(Role(role) for role in roles)
    vendor_id: UUID | None = getattr(vendor, "id", vendor)
    side = Side.LAB if vendor_id is None else Side.VENDOR
    assert held <= LAB_ROLES or side is Side.VENDOR
    made_name = name or " ".join(sorted(held)).replace("_", " ").title() or "Nobody Special"
    slug = made_name.lower().replace(" ", ".")
    made_email = email or f"{slug}@{'orrery' if side is Side.LAB else f'v{vendor_id.int % 1_000_003}'}.example"
    secret = totp.new_secret()
    with house.ledger.begin(FACTORY) as tx:
        invitation = identity.invite(
            tx, email=made_email, full_name=made_name, roles=held, side=side, vendor_id=vendor_id, keyring=house.keyring
        )
        user, codes = identity.enrol(
            tx,
            invitation=invitation,
            password=PASSWORD,
            totp_secret=secret,
            # The oldest code that counts, so that today's are still unused.
            totp_code=totp.code_at(secret, totp.step_at(tx.now) - 1),
            keyring=house.keyring,
            hasher=hasher("test"),
        )
    return Person(user.id, made_name, made_email, side, vendor_id, held, PASSWORD, secret, tuple(codes))


def code_of(house: House, someone: Person) -> str:
    """Return an authenticator code that the person has not used yet.

    Two are to be had while the clock stands still; for a third, advance it by 30 seconds.
    """
    with house.ledger.begin(FACTORY) as tx:
        user = tx.session.get_one(UserAccount, someone.id)
        here = totp.step_at(tx.now)
        step = max(here, user.totp_last_step + 1)
        assert step <= here + 1, "every code of this moment is used: advance the clock"
    return totp.code_at(someone.totp_secret, step)


def session_token(house: House, someone: Person, *, fresh: bool = False, data: dict[str, Any] | None = None) -> str:
    """Return the token of a session that began now; not fresh unless asked."""
    from portal.identity.models import WebSession

    with house.ledger.begin(FACTORY) as tx:
        user = tx.session.get_one(UserAccount, someone.id)
        new = identity.begin_session(tx, user=user, address="127.0.0.1", user_agent="Test browser", factor="totp")
        tx.session.flush()
        row = tx.session.get_one(WebSession, new.session_id)
        row.data = data or {}
        if not fresh:
            row.fresh_at = None
    return new.token
