"""Showing once more that it is you, before something serious (AU-17, ASVS 7.5.3)."""

from __future__ import annotations

from dataclasses import replace

from flask import g

from portal.audit import queries as audit
from portal.identity import service as identity
from portal.identity.passwords import hasher
from portal.kernel.errors import TooMany
from portal.kernel.ledger import Tx
from portal.sites.shared.pages import house, ledger
from portal.sites.shared.sessions import visit
from portal.terms import N_

SOME_FACTOR = "second_factor"
"""What a record says where the kind of a factor is not known any more."""
MISSING = N_("Enter the 6 digits from your authenticator app")
WRONG = N_("The code did not match. Wait for the next one and enter its 6 digits")


def stepped_up(code: str | None) -> str | None:
    """Make ``g.actor`` fresh by the code given, and return None; else return the sentence for the field ``code``.

    A session that is fresh already needs no code. The session gets a new token with the answer.
    """
    if g.actor.fresh:
        return None
    if not code or not code.strip():
        return MISSING
    limits = identity.step_up_limits(g.actor.id)
    try:
        with ledger().begin(g.actor) as tx:
            identity.count_try(tx, limits)
    except TooMany as refusal:
        return refusal.message
    with ledger().begin(g.actor) as tx:
        renewed = identity.step_up(
            tx,
            session_id=g.actor.session_id,
            code=code,
            keyring=house().keyring,
            hasher=hasher(house().settings.argon2_profile),
        )
        if renewed is not None:
            identity.give_back(tx, limits)
    if renewed is None:
        return WRONG
    visit().renew(renewed)
    g.actor = replace(g.actor, fresh=True)
    return None


def factor_shown(tx: Tx) -> str:
    """Return by which kind of factor the actor proved to be present in this session."""
    session_id = tx.actor.session_id
    return (audit.factor_of(tx, session_id) if session_id else "") or SOME_FACTOR
