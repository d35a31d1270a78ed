"""What a score needs of stored rows, and stored scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from portal.attestations.models import AttestedCitation, Citation
from portal.evidence.models import Evidence
from portal.kernel.ledger import Tx
from portal.scoring.models import ScoreSnapshot
from portal.scoring.translate import Paper
from portal.terms import Acceptance, EvidenceState, Recommendation

COUNTS = (EvidenceState.ATTACHED, EvidenceState.VERIFIED)


def papers(tx: Tx, attestation_id: UUID) -> list[Paper]:
    """Return the signed citations that count today: neither the file nor its use was rejected, and its bytes hold."""
    statement = (
        sa.select(
            AttestedCitation.citation_id,
            AttestedCitation.question_key,
            AttestedCitation.evidence_id,
            AttestedCitation.sha256,
            Evidence.kind,
            Evidence.state,
            Evidence.valid_until,
        )
        .join(Evidence, Evidence.id == AttestedCitation.evidence_id)
        .join(Citation, Citation.id == AttestedCitation.citation_id)
        .where(
            AttestedCitation.attestation_id == attestation_id,
            Evidence.state.in_(COUNTS),
            Citation.acceptance != Acceptance.REJECTED,
        )
        .order_by(AttestedCitation.question_key, AttestedCitation.citation_id)
    )
    return [
        Paper(
            citation_id=row.citation_id,
            question_key=row.question_key,
            evidence_id=row.evidence_id,
            sha256=row.sha256,
            kind=row.kind,
            verified=row.state is EvidenceState.VERIFIED,
            valid_until=row.valid_until,
        )
        for row in tx.session.execute(statement)
    ]


def latest(tx: Tx, assessment_id: UUID) -> ScoreSnapshot | None:
    """Return the newest stored score of an assessment."""
    statement = (
        sa.select(ScoreSnapshot)
        .where(ScoreSnapshot.assessment_id == assessment_id)
        .order_by(ScoreSnapshot.made_at.desc(), ScoreSnapshot.id.desc())
        .limit(1)
    )
    return tx.session.execute(statement).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """One stored score in the three lenses, without its inputs."""

    id: UUID
    assessment_id: UUID
    revision: int
    cause: str
    made_at: datetime
    recommendation: Recommendation
    claim: Fraction
    score: Fraction
    verified: Fraction


def of_assessments(tx: Tx, assessment_ids: Sequence[UUID], *, limit: int = 100) -> Sequence[ScorePoint]:
    """Return the stored scores of these assessments, the newest first."""
    measures = sa.cast(ScoreSnapshot.result, JSONB)["measures"]
    statement = (
        sa.select(
            ScoreSnapshot.id,
            ScoreSnapshot.assessment_id,
            ScoreSnapshot.revision,
            ScoreSnapshot.cause,
            ScoreSnapshot.made_at,
            ScoreSnapshot.recommendation,
            measures["claim"].astext.label("claim"),
            measures["score"].astext.label("score"),
            measures["verified"].astext.label("verified"),
        )
        .where(ScoreSnapshot.assessment_id.in_(list(assessment_ids)))
        .order_by(ScoreSnapshot.made_at.desc(), ScoreSnapshot.id.desc())
        .limit(limit)
    )
    return [
        ScorePoint(
            id=row.id,
            assessment_id=row.assessment_id,
            revision=row.revision,
            cause=row.cause,
            made_at=row.made_at,
            recommendation=row.recommendation,
            claim=Fraction(row.claim),
            score=Fraction(row.score),
            verified=Fraction(row.verified),
        )
        for row in tx.session.execute(statement)
    ]


def every(tx: Tx, *, after: UUID | None = None, limit: int = 200) -> list[ScoreSnapshot]:
    """Return stored scores in the order of their ids, a batch at a time."""
    statement = sa.select(ScoreSnapshot).order_by(ScoreSnapshot.id).limit(limit)
    if after is not None:
        statement = statement.where(ScoreSnapshot.id > after)
    return list(tx.session.execute(statement).scalars())
