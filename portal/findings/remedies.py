"""Closing a finding by proof, the vendor's part: open → proof sent → closed or returned → proof sent, and so on.

Who judges a proof is the business of the reviews; the steps of both sides are written down here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.assessments.sections import check_seen
from portal.attestations.rules import tidy_pages
from portal.evidence.facts import EvidenceRemoved
from portal.evidence.models import Evidence
from portal.findings.facts import RemedySent
from portal.findings.models import Finding, Remedy
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.terms import EvidenceState, FindingState, RemedyAct

MAX_NOTE = 2_000
SENDABLE = frozenset({EvidenceState.RECEIVED, EvidenceState.ATTACHED, EvidenceState.VERIFIED})
"""The states of a file that can be sent as proof; one that is still being checked for malware waits for that first."""


@dataclass(frozen=True, slots=True)
class RemedyLine:
    """One step, as pages show it. ``file_name`` is that of the file the step is about."""

    id: UUID
    finding_id: UUID
    number: int
    act: RemedyAct
    evidence_id: UUID
    file_name: str
    pages: str
    note: str
    credit: int | None
    by: UUID | None
    by_name: str
    at: datetime


def steps_of(tx: Tx, finding_ids: Sequence[UUID]) -> Mapping[UUID, tuple[RemedyLine, ...]]:
    """Return the steps of these findings, each in their order. The caller checked who may read them."""
    statement = (
        sa.select(
            Remedy.id,
            Remedy.finding_id,
            Remedy.number,
            Remedy.act,
            Remedy.evidence_id,
            Evidence.file_name,
            Remedy.pages,
            Remedy.note,
            Remedy.credit,
            Remedy.by,
            Remedy.by_name,
            Remedy.at,
        )
        .join(Evidence, Evidence.id == Remedy.evidence_id)
        .where(Remedy.finding_id.in_(list(finding_ids)))
        .order_by(Remedy.finding_id, Remedy.number)
    )
    found: dict[UUID, list[RemedyLine]] = {}
    for row in tx.session.execute(statement):
        found.setdefault(row.finding_id, []).append(RemedyLine(**row._mapping))
    return {finding_id: tuple(lines) for finding_id, lines in found.items()}


def last_step(tx: Tx, finding_id: UUID) -> RemedyLine | None:
    """Return the newest step of a finding, if there is one."""
    steps = steps_of(tx, [finding_id]).get(finding_id, ())
    return steps[-1] if steps else None


def of_vendor(tx: Tx, finding_id: UUID, action: Action = Action.OUTCOME_READ) -> Finding:
    """Return a finding that the actor's vendor was told of.

    :raises NotFound: if there is none, it is a draft, or it is somebody else's.
    :raises Forbidden: if the actor may not do this, or sees only the sections given to them and not this one.
    """
    row = tx.session.get(Finding, finding_id)
    if row is None or row.shared_at is None:
        raise NotFound
    policy.check(tx.actor, action, row)
    assessment = tx.session.get_one(Assessment, row.assessment_id)
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    if row.question_key in asked:
        check_seen(tx, assessment, asked.question(row.question_key).section)
    return row


def send_proof(
    tx: Tx, *, finding: Finding, evidence: Evidence, pages: str = "", note: str = "", row_version: int
) -> RemedyLine:
    """Send a file of the library as the proof that a finding is put right. Another one may follow until it is judged.

    Sending the same again, as a double click does, is sending it once.

    :raises Forbidden: if the actor may not answer findings.
    :raises NotFound: if it is another vendor's file.
    :raises Refused: with the problems of evidence, pages and note.
    :raises Conflict: if the finding is closed, or changed since the page was opened.
    """
    policy.check(tx.actor, Action.FINDING_ANSWER, finding)
    if evidence.vendor_id != finding.vendor_id:
        raise NotFound
    words = note.strip()
    problems: dict[str, list[str]] = {}
    if len(words) > MAX_NOTE:
        problems["note"] = [
            said("Keep it under %(most)s characters; this is %(count)s", most=f"{MAX_NOTE:,}", count=f"{len(words):,}")
        ]
    if evidence.removed_at is not None or evidence.state not in SENDABLE:
        problems["evidence"] = [said("This file cannot prove anything any more. Choose another one")]
    where = tidy_pages(pages, evidence.page_count)
    if problems:
        raise Refused(problems=problems)
    tx.session.refresh(finding, with_for_update=True)
    last = last_step(tx, finding.id)
    if (
        finding.remedy is RemedyAct.SENT
        and last is not None
        and (last.evidence_id, last.pages, last.note, last.by) == (evidence.id, where, words, tx.actor.id)
    ):
        return last
    move(
        tx,
        finding=finding,
        row_version=row_version,
        change={"remedy": RemedyAct.SENT},
        expect={"state": FindingState.OPEN},
    )
    row = add_step(tx, finding=finding, act=RemedyAct.SENT, evidence_id=evidence.id, pages=where, note=words)
    tx.record(RemedySent(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id, evidence.id))
    line = last_step(tx, finding.id)
    assert line is not None  # noqa: S101 - it was written two lines above
    return line


def move(
    tx: Tx, *, finding: Finding, row_version: int, expect: Mapping[str, object], change: Mapping[str, object]
) -> None:
    """Bring a finding from one step to the next, once.

    :raises Conflict: if it is closed, or changed since the page was opened.
    """
    if swap(
        tx,
        finding,
        expect={"row_version": row_version, **expect},
        change={"row_version": row_version + 1, **change},
    ):
        return
    if finding.state is FindingState.CLOSED:
        words = said("%(name)s is closed. Nothing was changed.", name=f"F-{finding.number}")
    else:
        words = said(
            "%(name)s changed since you opened the page. Look at it again, then repeat what you did.",
            name=f"F-{finding.number}",
        )
    raise Conflict(words, current={"state": finding.state.value, "row_version": finding.row_version})


def add_step(
    tx: Tx,
    *,
    finding: Finding,
    act: RemedyAct,
    evidence_id: UUID,
    pages: str,
    note: str,
    credit: int | None = None,
) -> Remedy:
    """Write a step down; the finding is held by the caller."""
    last = tx.session.execute(
        sa.select(sa.func.coalesce(sa.func.max(Remedy.number), 0)).where(Remedy.finding_id == finding.id)
    ).scalar_one()
    if act is not RemedyAct.UNDONE and tx.actor.id is None:
        raise Forbidden("A person must do this.")
    row = Remedy(
        id=tx.new_id(),
        vendor_id=finding.vendor_id,
        finding_id=finding.id,
        number=last + 1,
        act=act,
        evidence_id=evidence_id,
        pages=pages,
        note=note,
        credit=credit,
        by=None if act is RemedyAct.UNDONE else tx.actor.id,
        by_name="" if act is RemedyAct.UNDONE else tx.actor.name,
        at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def keep_proof(tx: Tx, fact: EvidenceRemoved) -> None:
    """EvidenceRemoved: a file that waits as the proof of a finding stays.

    :raises Conflict: if it does.
    """
    newest = sa.select(sa.func.max(Remedy.number)).where(Remedy.finding_id == Finding.id).correlate(Finding)
    waiting = tx.session.execute(
        sa.select(Finding.number)
        .join(Remedy, Remedy.finding_id == Finding.id)
        .where(
            Finding.vendor_id == fact.vendor_id,
            Remedy.evidence_id == fact.evidence_id,
            Remedy.number == newest.scalar_subquery(),
            sa.or_(Finding.state == FindingState.CLOSED, Finding.remedy == RemedyAct.SENT),
        )
        .order_by(Finding.number)
        .limit(1)
    ).scalar_one_or_none()
    if waiting is not None:
        raise Conflict(said("This file is the proof for %(name)s. Send another one for it first.", name=f"F-{waiting}"))
