"""Score snapshots: all inputs, the result, and the digests of both. Never changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import Recommendation


class ScoreSnapshot(Base, kw_only=True):
    """One computed score. ``inputs`` and ``result`` are canonical JSON: replaying the first gives the second."""

    __tablename__ = "score_snapshot"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "attestation_id"], ["attestation.vendor_id", "attestation.id"]),
        sa.CheckConstraint(
            "inputs_digest = encode(sha256(convert_to(inputs, 'UTF8')), 'hex')", name="digest_of_inputs"
        ),
        sa.CheckConstraint(
            "result_digest = encode(sha256(convert_to(result, 'UTF8')), 'hex')", name="digest_of_result"
        ),
        sa.Index("ix_score_snapshot_assessment_id_made_at", "assessment_id", "made_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    attestation_id: Mapped[UUID]
    revision: Mapped[int]
    cause: Mapped[str]
    policy_digest: Mapped[str]
    inputs: Mapped[str]
    inputs_digest: Mapped[str]
    result: Mapped[str]
    result_digest: Mapped[str]
    score_floor: Mapped[int]
    recommendation: Mapped[Recommendation]
    made_at: Mapped[datetime]
