"""What happens to policies."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class PolicyDrafted(Fact):
    """Somebody began the next version of a policy."""

    draft_id: UUID
    kind: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class PolicyDraftEdited(Fact):
    """The text of a draft became another; who had signed the earlier one has not signed this one."""

    draft_id: UUID
    kind: str
    version: int
    was: str
    digest: str


@dataclass(frozen=True, slots=True)
class PolicyDraftMoved(Fact):
    """A draft was put behind a version that was published meanwhile; who had signed it has not signed it there."""

    draft_id: UUID
    kind: str
    was: int
    version: int


@dataclass(frozen=True, slots=True)
class PolicyDraftSigned(Fact):
    """A person signed the text of a draft, to publish it."""

    draft_id: UUID
    kind: str
    version: int
    digest: str
    signed_by: UUID


@dataclass(frozen=True, slots=True)
class PolicyDraftDiscarded(Fact):
    """A draft of a policy was given up; its text is kept."""

    draft_id: UUID
    kind: str
    version: int


@dataclass(frozen=True, slots=True)
class PolicyPublished(Fact):
    """A version of a policy came into force; it never changes."""

    policy_id: UUID
    kind: str
    version: int
    was: str
    digest: str
