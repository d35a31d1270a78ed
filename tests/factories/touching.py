"""The event that every change of a vendor's rows leaves, for tests that change them behind the services' back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact, Tx


@dataclass(frozen=True, slots=True)
class VendorTouched(Fact):
    """Something about a vendor is not as it was."""

    vendor_id: UUID


def touched(tx: Tx, vendor_id: UUID) -> None:
    """Say in the trail that rows of a vendor changed, as the service would have said it in its own words."""
    tx.record(VendorTouched(vendor_id))
