"""The blueprint of these pages, and what they share."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, g, request, session

from portal.identity import service as identity
from portal.identity.passwords import Hasher
from portal.identity.passwords import hasher as hasher_of
from portal.identity.rules import Limit
from portal.identity.sessions import NewSession
from portal.kernel.actor import system
from portal.kernel.errors import TooMany
from portal.sites.shared.pages import house, ledger

bp = Blueprint("auth", __name__)

INVITATION = "invitation"
"""Where the session keeps the link that somebody came by."""

DOOR = system("sign-in")
"""Who acts while nobody is known yet."""


def invited_here() -> str:
    """Return the token of the invitation that this browser was led here by, empty if by none."""
    return str(session.get(INVITATION, ""))


def hasher() -> Hasher:
    """Return the hasher of this installation."""
    return hasher_of(house().settings.argon2_profile)


def local(path: str | None, *, otherwise: str) -> str:
    """Return a path of our own to go on to; anything that could lead away is replaced (ASVS 3.7.2)."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(c) < 32 for c in path):
        return otherwise
    parts = urlsplit(path)
    return otherwise if parts.scheme or parts.netloc else path


def address() -> str:
    """Return where the request came from, by the trusted hop."""
    return request.remote_addr or ""


def home() -> str:
    """Return the home page of who is signed in."""
    return "/lab" if g.actor.is_lab else "/"


def counted(limits: list[Limit]) -> TooMany | None:
    """Count one try, for good, before it is made; return the refusal if there were too many."""
    try:
        with ledger().begin(DOOR) as tx:
            identity.count_try(tx, limits)
    except TooMany as refusal:
        return refusal
    return None


def by_password(*, email: str, password: str, code: str, limits: list[Limit]) -> NewSession | None:
    """Return a session for a password and a code, None if they do not fit. A try that fits is given back."""
    with ledger().begin(DOOR) as tx:
        new = identity.sign_in(
            tx,
            email=email,
            password=password,
            code=code,
            address=address(),
            user_agent=request.user_agent.string,
            keyring=house().keyring,
            hasher=hasher(),
        )
        if new is not None:
            identity.give_back(tx, limits)
    return new
