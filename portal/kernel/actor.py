"""Who acts: a person, a service client or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID


class ActorKind(StrEnum):
    """The three kinds of actor."""

    PERSON = "person"
    CLIENT = "client"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts, with the rights held at this moment.

    ``vendor_id`` is set for the people of a vendor and for nobody else. ``fresh`` says that a second factor was
    given moments ago (step-up). ``scopes`` and ``vendor_ids`` belong to service clients; ``vendor_ids`` of None
    means every vendor. ``given_only`` marks a respondent who sees and answers the sections given to them, and no other.
    ``language`` and ``timezone`` say how the actor reads, ``single_keys`` whether keys alone act: none gives any right.
    """

    kind: ActorKind
    id: UUID | None
    name: str
    vendor_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    vendor_ids: frozenset[UUID] | None = None
    fresh: bool = False
    email: str = ""
    address: str = ""
    session_id: UUID | None = None
    given_only: bool = False
    language: str = "en"
    timezone: str = "UTC"
    single_keys: bool = True

    @property
    def is_vendor(self) -> bool:
        """Whether the actor is a person of a vendor."""
        return self.vendor_id is not None

    @property
    def is_lab(self) -> bool:
        """Whether the actor is a person of the lab."""
        return self.kind is ActorKind.PERSON and self.vendor_id is None

    @property
    def initials(self) -> str:
        """One or two letters for an avatar."""
        parts = [part for part in self.name.split() if part]
        return ((parts[0][0] + parts[-1][0]) if len(parts) > 1 else self.name[:2]).upper()


def system(name: str) -> Actor:
    """Return the system acting under the name of one job or command."""
    return Actor(kind=ActorKind.SYSTEM, id=None, name=name)


ANONYMOUS = Actor(kind=ActorKind.PERSON, id=None, name="anonymous")
