"""Where an answer of the gate comes from, and who may ask: decisions, findings and files behind the newest steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from portal.evidence.models import Evidence
from portal.findings.models import Finding
from portal.gate.models import Clearance, ClearanceEvidence, Pause
from portal.gate.queries import condition_of, grounds_of, newest_steps
from portal.gate.rules import Clearance as ClearanceValue
from portal.gate.rules import Pause as PauseValue
from portal.gate.rules import World
from portal.identity.models import ServiceClient
from portal.kernel.ledger import Tx
from portal.reviews.models import Decision
from portal.terms import Scope


@dataclass(frozen=True, slots=True)
class DecisionTrace:
    """The decision that a step says."""

    id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class FileTrace:
    """The file that meets a requirement of a step for the longest, and its last day."""

    id: UUID
    kind: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Traces:
    """What stands behind the steps that count: by sequence number, by (sequence, kinds), by number of the finding."""

    decisions: Mapping[int, DecisionTrace]
    files: Mapping[tuple[int, tuple[str, ...]], FileTrace]
    findings: Mapping[int, UUID]


def traces(tx: Tx, vendor_id: UUID, world: World) -> Traces:
    """Return what stands behind the steps of a world. Three statements."""
    sequences = [each.sequence for each in world.clearances]
    if not sequences:
        return Traces({}, {}, {})
    of_vendor = sa.and_(Clearance.vendor_id == vendor_id, Clearance.sequence.in_(sequences))
    decided = tx.session.execute(
        sa.select(Clearance.sequence, Decision.id, Decision.number)
        .join(Decision, sa.and_(Decision.id == Clearance.decision_id, Decision.vendor_id == Clearance.vendor_id))
        .where(of_vendor)
    )
    files: dict[tuple[int, tuple[str, ...]], FileTrace] = {}
    for sequence, requirement, evidence_id, kind, until in tx.session.execute(
        sa.select(
            Clearance.sequence,
            ClearanceEvidence.requirement,
            ClearanceEvidence.evidence_id,
            Evidence.kind,
            ClearanceEvidence.holds_until,
        )
        .join(
            ClearanceEvidence,
            sa.and_(ClearanceEvidence.clearance_id == Clearance.id, ClearanceEvidence.vendor_id == Clearance.vendor_id),
        )
        .join(
            Evidence,
            sa.and_(Evidence.id == ClearanceEvidence.evidence_id, Evidence.vendor_id == ClearanceEvidence.vendor_id),
        )
        .where(of_vendor)
        .order_by(ClearanceEvidence.holds_until.desc().nulls_first(), ClearanceEvidence.evidence_id)
    ):
        files.setdefault((sequence, tuple(requirement.split(","))), FileTrace(evidence_id, kind, until))
    told = tx.session.execute(
        sa.select(Finding.number, Finding.id).where(Finding.vendor_id == vendor_id, Finding.shared_at.is_not(None))
    )
    return Traces(
        {sequence: DecisionTrace(decision_id, number) for sequence, decision_id, number in decided},
        files,
        {row.number: row.id for row in told},
    )


def world_at(tx: Tx, vendor_id: UUID, world: World, at: datetime) -> World:
    """Return a world with the steps and stops that were in force at a moment that is over.

    Steps and stops are written down with their time; engagements and the days of files are those of now.
    """
    newest = newest_steps(Clearance.vendor_id == vendor_id, Clearance.recorded_at <= at)
    steps = tx.session.execute(newest).scalars().all()
    grounds = grounds_of(tx, [each.id for each in steps])
    stops = tx.session.execute(
        sa.select(Pause)
        .where(
            sa.or_(Pause.vendor_id.is_(None), Pause.vendor_id == vendor_id),
            Pause.begun_at <= at,
            sa.or_(Pause.ended_at.is_(None), Pause.ended_at > at),
        )
        .order_by(Pause.begun_at, Pause.id)
    ).scalars()
    return replace(
        world,
        clearances=tuple(
            ClearanceValue(
                engagement_id=str(each.engagement_id),
                sequence=each.sequence,
                act=each.act,
                tier=each.tier,
                data_classes=frozenset(each.data_classes),
                access_modes=frozenset(each.access_modes),
                valid_until=each.valid_until,
                conditions=tuple(condition_of(condition) for condition in each.conditions),
                grounds=grounds.get(each.id, ()),
            )
            for each in steps
        ),
        pauses=tuple(
            PauseValue(everywhere=row.vendor_id is None, since=row.begun_at, sequence=row.sequence) for row in stops
        ),
        sequence=max((each.sequence for each in steps), default=0),
    )


@dataclass(frozen=True, slots=True)
class SystemLine:
    """A system that may ask the gate now. ``knows`` is whether it may ask about the vendor."""

    id: UUID
    name: str
    knows: bool
    works: bool


def systems(tx: Tx, vendor_id: UUID) -> Sequence[SystemLine]:
    """Return the systems that may ask the gate, by name; also those whose token is worthless by now."""
    statement = (
        sa.select(ServiceClient)
        .where(ServiceClient.scopes.contains([Scope.GATE_READ.value]))
        .order_by(sa.func.lower(ServiceClient.name), ServiceClient.id)
        .limit(200)
    )
    return [
        SystemLine(
            row.id,
            row.name,
            knows=row.vendor_ids is None or vendor_id in row.vendor_ids,
            works=row.disabled_at is None and tx.now < row.expires_at,
        )
        for row in tx.session.execute(statement).scalars()
    ]
