"""Who can see to a finding at the vendor, and who can follow it at the lab."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from portal.identity import queries as people
from portal.identity.queries import Person
from portal.kernel.ledger import Tx
from portal.terms import Role, Side

FOLLOWERS = frozenset({Role.REVIEWER, Role.LEAD_APPROVER})


def owners(tx: Tx, vendor_id: UUID) -> Sequence[Person]:
    """Return who works at a vendor now and could see to a finding."""
    return people.people_of_vendor(tx, vendor_id, active_only=True)


def followers(tx: Tx) -> Sequence[Person]:
    """Return who at the lab could follow a finding."""
    return [each for each in people.lab_people(tx, active_only=True) if each.roles & FOLLOWERS]


def is_owner(tx: Tx, person_id: UUID | None, vendor_id: UUID) -> bool:
    """Whether this person works at the vendor now; also for nobody."""
    if person_id is None:
        return True
    found = people.people(tx, [person_id]).get(person_id)
    return found is not None and found.is_active and found.vendor_id == vendor_id


def is_follower(tx: Tx, person_id: UUID | None) -> bool:
    """Whether this person judges findings at the lab now; also for nobody."""
    if person_id is None:
        return True
    found = people.people(tx, [person_id]).get(person_id)
    return found is not None and found.is_active and found.side is Side.LAB and bool(found.roles & FOLLOWERS)
