"""What happens to scores."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class ScoreComputed(Fact):
    """A score was computed and stored with all its inputs; replaying them gives the same bytes."""

    snapshot_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    attestation_id: UUID
    cause: str
    inputs_digest: str
    result_digest: str
