"""What an approval rests on: the required evidence that was there when it was decided, and how far it holds now.

The days are written down with the decision and again whenever something happens to a file, in the same transaction;
the gate only compares them with the clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.attestations.facts import WorthChanged
from portal.attestations.models import AttestedCitation, Citation
from portal.evidence import queries as evidence
from portal.evidence.models import Evidence
from portal.evidence.rules import KEPT, NEVER, Record
from portal.gate.facts import EvidenceReachChanged
from portal.gate.models import Clearance, ClearanceEvidence
from portal.gate.queries import grounds_of, newest_steps
from portal.gate.rules import APPROVALS, counts_until, earliest, verified_reach
from portal.gate.sequence import next_sequence
from portal.kernel.ledger import Tx
from portal.scoring import queries as scoring_queries
from portal.scoring import rules as scores
from portal.scoring import service as scoring
from portal.scoring.translate import Paper
from portal.terms import EvidenceState


def rest(tx: Tx, *, clearance: Clearance, attestation_id: UUID) -> None:
    """Write down the required evidence that an approval rests on: what is required in its tier and is met today.

    The files are held until the commit, so that none is rejected between this look and the decision.
    """
    if clearance.act not in APPROVALS:
        return
    _hold_files(tx, attestation_id)
    given = scoring.inputs(tx, attestation_id=attestation_id, not_applicable={})
    for requirement in scores.met(given):
        for held in given.held:
            if held.kind in requirement.any_of:
                tx.session.add(
                    ClearanceEvidence(
                        clearance_id=clearance.id,
                        requirement=",".join(requirement.any_of),
                        evidence_id=UUID(held.key),
                        vendor_id=clearance.vendor_id,
                        attestation_id=attestation_id,
                        pinned_until=held.valid_until,
                        holds_until=held.valid_until,
                        seen_at=tx.now,
                    )
                )
    tx.session.flush()


def follow(tx: Tx, fact: WorthChanged) -> None:
    """See how far the evidence reaches that a vendor's approvals rest on, after something happened to a file.

    Only reviewers lengthen it (``counts_until``). If a last day changed, the vendor's sequence goes on and its pages
    are told.
    """
    for clearance in _standing(tx, fact.vendor_id):
        before = _until(tx, clearance.id)
        _look_again(tx, clearance.id)
        if (after := _until(tx, clearance.id)) != before:
            sequence = next_sequence(tx, clearance.vendor_id)
            tx.record(
                EvidenceReachChanged(
                    clearance.id, clearance.vendor_id, clearance.engagement_id, sequence, earliest(after.values())
                )
            )


def _standing(tx: Tx, vendor_id: UUID) -> Sequence[sa.Row[Any, Any, Any]]:
    """Return the newest step of each engagement of a vendor, where evidence is written down for it."""
    newest = newest_steps(Clearance.vendor_id == vendor_id).subquery().c
    rests = sa.exists().where(ClearanceEvidence.clearance_id == newest.id)
    steps = sa.select(newest.id, newest.vendor_id, newest.engagement_id).where(rests)
    return tx.session.execute(steps.order_by(newest.id)).all()


def _look_again(tx: Tx, clearance_id: UUID) -> None:
    """Compute the last day of each file anew. The rows are locked first, so of two at once the later sees both."""
    statement = (
        sa.select(ClearanceEvidence)
        .where(ClearanceEvidence.clearance_id == clearance_id)
        .order_by(ClearanceEvidence.requirement, ClearanceEvidence.evidence_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows = tx.session.execute(statement).scalars().all()
    papers = {paper.evidence_id: paper for paper in scoring_queries.papers(tx, rows[0].attestation_id)}
    records = evidence.records(tx, evidence_ids={row.evidence_id for row in rows} | papers.keys())
    for row in rows:
        record = records.get(row.evidence_id)
        if record is None or record.state not in KEPT:
            # What was rejected once counts again by a reviewer's verification alone, not by being described anew.
            row.pinned_until = NEVER
        ends = NEVER if record is None or row.evidence_id not in papers else counts_until(record, row.pinned_until)
        if ends != row.holds_until:
            row.holds_until, row.seen_at = ends, tx.now
    for requirement in dict.fromkeys(row.requirement for row in rows):
        known = {row.evidence_id for row in rows if row.requirement == requirement}
        _let_in(tx, rows[0], requirement, known, papers, records)
    tx.session.flush()


def _let_in(
    tx: Tx,
    like: ClearanceEvidence,
    requirement: str,
    known: Collection[UUID],
    papers: Mapping[UUID, Paper],
    records: Mapping[UUID, Record],
) -> None:
    """Add the files that reviewers let in since: newer revisions that they checked, and what they verified."""
    for evidence_id, paper in sorted(papers.items()):
        record = records[evidence_id]
        if evidence_id in known or record.kind not in requirement.split(","):
            continue
        if not paper.checked and record.state is not EvidenceState.VERIFIED:
            continue
        pinned = verified_reach(record).valid_until
        tx.session.add(
            ClearanceEvidence(
                clearance_id=like.clearance_id,
                requirement=requirement,
                evidence_id=evidence_id,
                vendor_id=like.vendor_id,
                attestation_id=like.attestation_id,
                pinned_until=pinned,
                holds_until=counts_until(record, pinned),
                seen_at=tx.now,
            )
        )


def _until(tx: Tx, clearance_id: UUID) -> dict[tuple[str, ...], date | None]:
    return {ground.kinds: ground.until for ground in grounds_of(tx, [clearance_id]).get(clearance_id, ())}


def _hold_files(tx: Tx, attestation_id: UUID) -> None:
    cited = sa.select(AttestedCitation.evidence_id).where(AttestedCitation.attestation_id == attestation_id)
    checked = (
        sa.select(Citation.checked_evidence_id)
        .join(AttestedCitation, AttestedCitation.citation_id == Citation.id)
        .where(AttestedCitation.attestation_id == attestation_id, Citation.checked_evidence_id.is_not(None))
    )
    files = (
        sa.select(Evidence.id)
        .where(sa.or_(Evidence.id.in_(cited), Evidence.id.in_(checked)))
        .order_by(Evidence.id)
        .with_for_update(read=True)
    )
    tx.session.execute(files).all()
