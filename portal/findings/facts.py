"""What happens to findings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class FindingDrafted(Fact):
    """A reviewer wrote down what is wrong; the vendor does not see it yet. A credit replaces the answer's."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    question_key: str
    number: int
    severity: str
    credit: int | None


@dataclass(frozen=True, slots=True)
class FindingChanged(Fact):
    """A draft was written anew."""

    finding_id: UUID
    vendor_id: UUID
    severity: str
    credit: int | None


@dataclass(frozen=True, slots=True)
class FindingDropped(Fact):
    """A draft was given up before anybody else saw it."""

    finding_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class FindingsShared(Fact):
    """The findings of a revision became the vendor's tasks."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FindingClosed(Fact):
    """A finding was closed; its credit no longer replaces the answer's."""

    finding_id: UUID
    vendor_id: UUID
