"""What can happen at the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class ClearanceRecorded(Fact):
    """A decision, a rejection or a revocation became the gate's truth."""

    clearance_id: UUID
    vendor_id: UUID
    engagement_id: UUID
    sequence: int
    act: str
    decision_id: UUID | None


@dataclass(frozen=True, slots=True)
class EvidenceReachChanged(Fact):
    """The evidence that an approval rests on reaches less far than before, or further by what a reviewer verified."""

    clearance_id: UUID
    vendor_id: UUID
    engagement_id: UUID
    sequence: int
    until: date | None


@dataclass(frozen=True, slots=True)
class AcceptedRiskFollowed(Fact):
    """What a finding keeps closed is open until a day, for its risk was accepted; None: it is closed again."""

    clearance_id: UUID
    vendor_id: UUID
    engagement_id: UUID
    sequence: int
    finding: int
    until: date | None


@dataclass(frozen=True, slots=True)
class VendorPaused(Fact):
    """One person stopped a vendor; the gate denies from the commit on."""

    pause_id: UUID
    vendor_id: UUID
    sequence: int


@dataclass(frozen=True, slots=True)
class EveryVendorPaused(Fact):
    """One person stopped everybody."""

    pause_id: UUID


@dataclass(frozen=True, slots=True)
class ResumeAsked(Fact):
    """The first of two asked for a pause to end, with a plan."""

    pause_id: UUID
    vendor_id: UUID | None


@dataclass(frozen=True, slots=True)
class ResumeFell(Fact):
    """Who asked for a pause to end may not any more: somebody asks anew."""

    pause_id: UUID
    vendor_id: UUID | None
    because: str


@dataclass(frozen=True, slots=True)
class VendorResumed(Fact):
    """The second of two ended a pause; what was decided before holds again."""

    pause_id: UUID
    vendor_id: UUID
    sequence: int


@dataclass(frozen=True, slots=True)
class EveryVendorResumed(Fact):
    """The second of two ended the pause of everybody."""

    pause_id: UUID


@dataclass(frozen=True, slots=True)
class RevokeAsked(Fact):
    """The first of two asked to take an approval back."""

    revocation_id: UUID
    vendor_id: UUID
    engagement_id: UUID


@dataclass(frozen=True, slots=True)
class RevokeTakenBack(Fact):
    """Who asked to take an approval back thought better of it."""

    revocation_id: UUID
    vendor_id: UUID
    engagement_id: UUID


@dataclass(frozen=True, slots=True)
class RevokeFell(Fact):
    """Nobody can confirm it any more: it was decided anew, or who asked may not any more."""

    revocation_id: UUID
    vendor_id: UUID
    engagement_id: UUID
    because: str


@dataclass(frozen=True, slots=True)
class ApprovalRevoked(Fact):
    """The second of two took an approval back; only a new decision opens again. The step has a fact of its own."""

    revocation_id: UUID
    vendor_id: UUID
    engagement_id: UUID


@dataclass(frozen=True, slots=True)
class AccessSealed(Fact):
    """What closed or opened access was written down and signed with the key of the house."""

    record_id: UUID
    vendor_id: UUID | None
    kind: str
    digest: str
