"""What a reviewer said of the files of a revision."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.attestations.models import AttestedCitation, Citation
from portal.kernel.ledger import Tx
from portal.reviews.models import Review
from portal.terms import Acceptance


def acceptances(tx: Tx, review: Review) -> dict[UUID, Acceptance]:
    """Return whether each signed citation of a review was let in as proof, by its id."""
    statement = (
        sa.select(Citation.id, Citation.acceptance)
        .join(AttestedCitation, AttestedCitation.citation_id == Citation.id)
        .where(AttestedCitation.attestation_id == review.attestation_id)
    )
    return {row.id: row.acceptance for row in tx.session.execute(statement)}
