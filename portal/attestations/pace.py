"""The pace of a team, from the newest answers it wrote in this assessment and the earlier ones."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from portal.attestations.models import AnswerEdit
from portal.attestations.rules.pace import Moment, Pace, pace
from portal.kernel.ledger import Tx
from portal.terms import Written

NEWEST: Final = 1_000
"""How many writes are looked at: what a team did long ago says less."""


def pace_of(tx: Tx, vendor_id: UUID) -> Pace:
    """Return how long one answer takes the people of a vendor."""
    statement = (
        sa.select(AnswerEdit.edited_by, AnswerEdit.assessment_id, AnswerEdit.question_key, AnswerEdit.edited_at)
        .where(AnswerEdit.vendor_id == vendor_id, AnswerEdit.edited_by.is_not(None), AnswerEdit.how == Written.TYPED)
        .order_by(AnswerEdit.edited_at.desc())
        .limit(NEWEST)
    )
    return pace(Moment(by, (assessment_id, key), at) for by, assessment_id, key, at in tx.session.execute(statement))
