"""What happens to vendors and engagements."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class VendorAdded(Fact):
    """The lab took a vendor onto its list."""

    vendor_id: UUID
    slug: str


@dataclass(frozen=True, slots=True)
class VendorEngaged(Fact):
    """A vendor was engaged for a project; the risk and the tier follow from what was stated."""

    engagement_id: UUID
    vendor_id: UUID
    data_classes: tuple[int, ...]
    access_modes: tuple[str, ...]
    inherent_risk: int
    tier: int


@dataclass(frozen=True, slots=True)
class EngagementChanged(Fact):
    """What is stated of an engagement changed, and with it perhaps its risk and tier."""

    engagement_id: UUID
    vendor_id: UUID
    changed: tuple[str, ...]
    data_classes: tuple[int, ...]
    access_modes: tuple[str, ...]
    inherent_risk: int
    tier: int


@dataclass(frozen=True, slots=True)
class TierRaised(Fact):
    """A person put an engagement into a stricter tier than before."""

    engagement_id: UUID
    vendor_id: UUID
    from_tier: int
    to_tier: int
    reason: str


@dataclass(frozen=True, slots=True)
class EngagementWidened(Fact):
    """The vendor stated more people, another workforce or other devices than we had; the risk rose with it."""

    engagement_id: UUID
    vendor_id: UUID
    inherent_risk: int
    tier: int
