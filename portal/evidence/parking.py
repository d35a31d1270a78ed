"""Pages that could not be drawn: remembered, so that a poison file is not tried for ever (security.md, R4)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from portal.evidence.models import Evidence, EvidenceUndrawn
from portal.evidence.rules.looking import DRAW_RESTS, DRAW_TRIES
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.terms import N_

STOPPED = N_("We tried %(tries)s times and stopped until tomorrow. Download the original and open it with care")
AGAIN = said("Reload to try again, or download the original and open it with care")


def note(tx: Tx, *, evidence: Evidence, page: int, reason: str) -> None:
    """Remember that a page, or with 0 the table or the text, could not be drawn, and why, in words."""
    fresh = tx.now - DRAW_RESTS
    statement = insert(EvidenceUndrawn).values(
        evidence_id=evidence.id, vendor_id=evidence.vendor_id, page=page, attempts=1, reason=reason, last_at=tx.now
    )
    tries = sa.case((EvidenceUndrawn.last_at > fresh, EvidenceUndrawn.attempts + 1), else_=1)
    tx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["evidence_id", "page"], set_={"attempts": tries, "reason": reason, "last_at": tx.now}
        )
    )


def words(reason: str, attempts: int) -> str:
    """Return what to say of a page that could not be drawn."""
    then = said(STOPPED, tries=attempts) if attempts >= DRAW_TRIES else AGAIN
    return said("%(reason)s. %(then)s", reason=reason, then=then)


def parked(tx: Tx, evidence_id: UUID) -> Mapping[int, str]:
    """Return the pages that are not tried now, each with what to say of it."""
    statement = sa.select(EvidenceUndrawn.page, EvidenceUndrawn.reason, EvidenceUndrawn.attempts).where(
        EvidenceUndrawn.evidence_id == evidence_id,
        EvidenceUndrawn.attempts >= DRAW_TRIES,
        EvidenceUndrawn.last_at > tx.now - DRAW_RESTS,
    )
    return {page: words(reason, attempts) for page, reason, attempts in tx.session.execute(statement)}


def attempts(tx: Tx, evidence_id: UUID, page: int) -> int:
    """Return how often a page was tried in vain lately."""
    statement = sa.select(EvidenceUndrawn.attempts).where(
        EvidenceUndrawn.evidence_id == evidence_id,
        EvidenceUndrawn.page == page,
        EvidenceUndrawn.last_at > tx.now - DRAW_RESTS,
    )
    return tx.session.execute(statement).scalar_one_or_none() or 0
