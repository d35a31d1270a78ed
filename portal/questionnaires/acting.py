"""Who acts in a command of the questionnaires: a person of the lab, by e-mail; the operator vouches for them."""

from __future__ import annotations

from portal.identity import queries as identity
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.errors import Refused
from portal.kernel.ledger import Ledger


def person(ledger: Ledger, email: str, *, command: str) -> Actor:
    """Return the person of the lab with this address, acting.

    :param command: the command that asks, for the record.
    :raises Refused: if there is no such person.
    """
    with ledger.begin(system(command)) as tx:
        people = identity.lab_people(tx, active_only=True)
    found = next((each for each in people if each.email.casefold() == email.strip().casefold()), None)
    if found is None:
        raise Refused(f"Nobody of the lab has the address {email}.")
    return Actor(
        kind=ActorKind.PERSON, id=found.id, name=found.full_name, roles=frozenset(found.roles), email=found.email
    )
