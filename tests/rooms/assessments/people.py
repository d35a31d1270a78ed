"""Who acts in these tests."""

from __future__ import annotations

from uuid import UUID

from portal.identity.models import UserAccount
from portal.kernel.actor import Actor, ActorKind
from portal.kernel.ledger import Tx
from portal.terms import Side

ADMIN = Actor(ActorKind.PERSON, UUID(int=1), "Mara Ilves", roles=frozenset({"program_admin"}))
LEAD = Actor(ActorKind.PERSON, UUID(int=2), "Hana Kobayashi", roles=frozenset({"lead_approver"}))


def of_vendor(vendor_id: UUID, *roles: str, person: int = 9) -> Actor:
    """A person of a vendor with these roles."""
    return Actor(
        ActorKind.PERSON, UUID(int=person), "Marisol Dufour", vendor_id=vendor_id, roles=frozenset(roles), fresh=True
    )


def make_person(tx: Tx, vendor_id: UUID, number: int) -> UUID:
    """Store an account of a vendor."""
    tx.session.add(
        UserAccount(
            id=UUID(int=number),
            email=f"person{number}@quillmark.example",
            full_name=f"Person {number}",
            side=Side.VENDOR,
            vendor_id=vendor_id,
            created_at=tx.now,
        )
    )
    tx.session.flush()
    return UUID(int=number)
