"""What a score needs of stored rows, and stored scores."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from portal.assessments.models import Assessment
from portal.attestations.models import Attestation, AttestedAnswer, AttestedCitation, Citation
from portal.evidence import queries as evidence
from portal.evidence.models import Evidence
from portal.evidence.rules import KEPT, NEVER, opinion_cap, reach
from portal.findings.queries import ProofLine, proofs_of
from portal.kernel.ledger import Tx
from portal.questionnaires.models import QuestionnaireVersion
from portal.scoring.models import ScoreSnapshot
from portal.scoring.translate import Paper
from portal.terms import Acceptance, Recommendation
from portal.vendors.models import Engagement, Vendor


def papers(tx: Tx, attestation_id: UUID) -> list[Paper]:
    """Return the signed citations that count: neither the file nor its use was rejected, and its bytes hold.

    A use whose file was replaced reads the newer revision once a reviewer checked it for that use; until then the
    file that was signed with counts, at most as attached. A statement by an officer counts for the version of the
    answer that it was first signed with, and for no other. What closed a finding since proves its answer too.
    """
    rows = tx.session.execute(_cited(), {"of": attestation_id}).all()
    closing = _closing(tx, attestation_id)
    ids = {row.evidence_id for row in rows} | {row.checked_evidence_id for row in rows if row.checked_evidence_id}
    ids |= {each.evidence_id for each in closing}
    known = evidence.records(tx, evidence_ids=ids)
    pinned = _pinned(tx, ids)
    outdated = _outdated(tx, attestation_id)
    found = []
    for row in rows:
        used = row.evidence_id
        if (checked := known.get(row.checked_evidence_id)) is not None and checked.state in KEPT:
            used = row.checked_evidence_id
        record = known.get(used)
        if record is None or record.state not in KEPT:
            continue
        held = reach(record).unchecked() if record.superseded else reach(record)
        sha256, judged_by = pinned[used]
        found.append(
            Paper(
                citation_id=row.citation_id,
                question_key=row.question_key,
                evidence_id=used,
                sha256=sha256,
                kind=record.kind,
                verified=held.verified,
                verified_until=held.verified_until,
                valid_until=NEVER if row.citation_id in outdated else held.valid_until,
                cap=opinion_cap(record),
                judged_by=judged_by,
                checked=used != row.evidence_id,
                bridged_from=held.bridged_from,
                bridged_until=held.bridged_until,
                check_again=record.superseded,
                outdated=row.citation_id in outdated,
            )
        )
    for each in closing:
        record = known.get(each.evidence_id)
        if record is None or record.state not in KEPT:
            continue
        held = reach(record)
        sha256, judged_by = pinned[each.evidence_id]
        found.append(
            Paper(
                citation_id=each.remedy_id,
                question_key=each.question_key,
                evidence_id=each.evidence_id,
                sha256=sha256,
                kind=record.kind,
                verified=held.verified,
                verified_until=held.verified_until,
                valid_until=held.valid_until,
                cap=opinion_cap(record),
                judged_by=judged_by,
                bridged_from=held.bridged_from,
                bridged_until=held.bridged_until,
            )
        )
    return found


@cache
def _cited() -> sa.Select[UUID, str, UUID, UUID | None]:
    return (
        sa.select(
            AttestedCitation.citation_id,
            AttestedCitation.question_key,
            AttestedCitation.evidence_id,
            Citation.checked_evidence_id,
        )
        .join(Citation, Citation.id == AttestedCitation.citation_id)
        .where(AttestedCitation.attestation_id == sa.bindparam("of"), Citation.acceptance != Acceptance.REJECTED)
        .order_by(AttestedCitation.question_key, AttestedCitation.citation_id)
    )


def _closing(tx: Tx, attestation_id: UUID) -> Sequence[ProofLine]:
    """Return the files that closed findings of a revision: they prove its answers from then on."""
    # By its id, for whoever scores it has read it already.
    signed = tx.session.get(Attestation, attestation_id)
    return proofs_of(tx, signed.assessment_id) if signed is not None else ()


def _pinned(tx: Tx, ids: Collection[UUID]) -> dict[UUID, tuple[str, UUID | None]]:
    """Return the fingerprint of each file and who judged it."""
    statement = sa.select(Evidence.id, Evidence.sha256, Evidence.judged_by).where(Evidence.id.in_(list(ids)))
    return {row.id: (row.sha256, row.judged_by) for row in tx.session.execute(statement)}


def _outdated(tx: Tx, attestation_id: UUID) -> frozenset[UUID]:
    """Return the citations of officers' statements that were made for another version of the answer."""
    return frozenset(tx.session.execute(_outdated_ones(), {"of": attestation_id}).scalars())


@cache
def _outdated_ones() -> sa.Select[UUID]:
    now, then = aliased(AttestedCitation), aliased(AttestedCitation)
    said, said_then = aliased(AttestedAnswer), aliased(AttestedAnswer)
    this, earlier = aliased(Attestation), aliased(Attestation)
    return (
        sa.select(now.citation_id)
        .join(Evidence, sa.and_(Evidence.id == now.evidence_id, Evidence.kind == "ATT"))
        .join(this, this.id == now.attestation_id)
        .join(said, sa.and_(said.attestation_id == now.attestation_id, said.question_key == now.question_key))
        .join(then, sa.and_(then.evidence_id == now.evidence_id, then.question_key == now.question_key))
        .join(earlier, sa.and_(earlier.id == then.attestation_id, earlier.signed_at < this.signed_at))
        .join(said_then, sa.and_(said_then.attestation_id == earlier.id, said_then.question_key == then.question_key))
        .where(
            now.attestation_id == sa.bindparam("of"),
            sa.or_(earlier.assessment_id != this.assessment_id, said_then.content != said.content),
        )
    )


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


def every(
    tx: Tx, *, after: UUID | None = None, assessment_id: UUID | None = None, limit: int = 200
) -> list[ScoreSnapshot]:
    """Return stored scores, all or those of an assessment, in the order of their ids, a batch at a time."""
    statement = sa.select(ScoreSnapshot).order_by(ScoreSnapshot.id).limit(limit)
    if after is not None:
        statement = statement.where(ScoreSnapshot.id > after)
    if assessment_id is not None:
        statement = statement.where(ScoreSnapshot.assessment_id == assessment_id)
    return list(tx.session.execute(statement).scalars())


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One stored score of a vendor, without its inputs."""

    id: UUID
    assessment_id: UUID
    project: str
    revision: int
    cause: str
    made_at: datetime
    recommendation: Recommendation
    score: Fraction


def of_vendor(tx: Tx, vendor_id: UUID, *, limit: int = 60) -> Sequence[StoredLine]:
    """Return the newest stored scores of a vendor, the newest first."""
    measures = sa.cast(ScoreSnapshot.result, JSONB)["measures"]
    statement = (
        sa.select(
            ScoreSnapshot.id,
            ScoreSnapshot.assessment_id,
            Engagement.project,
            ScoreSnapshot.revision,
            ScoreSnapshot.cause,
            ScoreSnapshot.made_at,
            ScoreSnapshot.recommendation,
            measures["score"].astext.label("score"),
        )
        .join(Assessment, Assessment.id == ScoreSnapshot.assessment_id)
        .join(Engagement, Engagement.id == Assessment.engagement_id)
        .where(ScoreSnapshot.vendor_id == vendor_id)
        .order_by(ScoreSnapshot.made_at.desc(), ScoreSnapshot.id.desc())
        .limit(limit)
    )
    return [
        StoredLine(
            row.id,
            row.assessment_id,
            row.project,
            row.revision,
            row.cause,
            row.made_at,
            row.recommendation,
            Fraction(row.score),
        )
        for row in tx.session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file is called: its own name, and its kind."""

    id: UUID
    file_name: str
    kind: str


def files_named(tx: Tx, ids: Collection[UUID]) -> dict[str, FileName]:
    """Return what these files are called, by the key that a score knows them by."""
    if not ids:
        return {}
    statement = sa.select(Evidence.id, Evidence.file_name, Evidence.kind).where(Evidence.id.in_(list(ids)))
    return {str(row.id): FileName(*row) for row in tx.session.execute(statement)}


@dataclass(frozen=True, slots=True)
class Placed:
    """Whose a stored score is, and which questionnaire it is of."""

    vendor_id: UUID
    slug: str
    vendor: str
    project: str
    questionnaire_id: UUID
    questionnaire: str


def placed(tx: Tx, assessment_id: UUID) -> Placed:
    """Return whose the scores of an assessment are."""
    statement = (
        sa.select(
            Vendor.id,
            Vendor.slug,
            Vendor.name,
            Engagement.project,
            Assessment.questionnaire_id,
            sa.func.concat(QuestionnaireVersion.slug, " v", QuestionnaireVersion.version),
        )
        .join(Vendor, Vendor.id == Assessment.vendor_id)
        .join(Engagement, Engagement.id == Assessment.engagement_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.id == Assessment.questionnaire_id)
        .where(Assessment.id == assessment_id)
    )
    return Placed(*tx.session.execute(statement).one())
