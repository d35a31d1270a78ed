"""What the gate knows of a vendor, read in few statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.findings import risks
from portal.gate.models import Clearance, ClearanceEvidence, GateSequence, Pause
from portal.gate.rules import CLOSES_NAMED, Accepted, Condition, Ground, World, latest_day
from portal.gate.rules import Clearance as ClearanceValue
from portal.gate.rules import Engagement as EngagementValue
from portal.gate.rules import Pause as PauseValue
from portal.kernel.ledger import Tx, get_one
from portal.vendors.models import Engagement, Vendor
from portal.vendors.rules import is_slug


@dataclass(frozen=True, slots=True)
class PauseLine:
    """A pause in force, as the lab's pages show it."""

    id: UUID
    vendor_id: UUID | None
    reason: str
    begun_by: UUID
    begun_at: datetime
    resume_asked_by: UUID | None
    resume_asked_at: datetime | None
    resume_plan: str
    row_version: int


def condition_of(row: dict[str, Any]) -> Condition:
    """Return a stored condition as a value."""
    due = row.get("due_on")
    return Condition(
        text=str(row["text"]),
        due_on=date.fromisoformat(due) if due else None,
        closes_at=row.get("closes_at"),
        access_mode=row.get("access_mode"),
        met=bool(row.get("met", False)),
        finding=row.get("finding"),
        consequence=str(row.get("consequence", CLOSES_NAMED)),
        data_class=row.get("data_class"),
        limit=bool(row.get("limit", False)),
    )


def worlds(tx: Tx, vendor_ids: Sequence[UUID]) -> dict[UUID, World]:
    """Return what the gate knows of each of these vendors, in seven statements at most however many they are."""
    ids = list(vendor_ids)
    if not ids:
        return {}
    vendors = tx.session.execute(
        sa.select(Vendor.id, Vendor.slug, Vendor.disabled_at, GateSequence.last)
        .outerjoin(GateSequence, GateSequence.vendor_id == Vendor.id)
        .where(Vendor.id.in_(ids))
    ).all()
    engagements: dict[UUID, list[EngagementValue]] = {}
    for row in tx.session.execute(
        sa.select(Engagement).where(Engagement.vendor_id.in_(ids)).order_by(Engagement.slug)
    ).scalars():
        engagements.setdefault(row.vendor_id, []).append(
            EngagementValue(
                id=str(row.id),
                slug=row.slug,
                data_classes=frozenset(row.data_classes),
                access_modes=frozenset(row.access_modes),
                starts_on=row.starts_on,
                ends_on=row.ends_on,
                tier=row.tier,
            )
        )
    clearances: dict[UUID, list[ClearanceValue]] = {}
    steps = tx.session.execute(newest_steps(Clearance.vendor_id.in_(ids))).scalars().all()
    grounds = grounds_of(tx, [each.id for each in steps])
    # Nobody's acceptance matters where no condition waits for a finding.
    waiting = {each.vendor_id for each in steps if any(_waits(condition) for condition in each.conditions)}
    accepted = risks.accepted_until(tx, waiting)
    for each in steps:
        clearances.setdefault(each.vendor_id, []).append(
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
        )
    pauses = [
        (row.vendor_id, PauseValue(everywhere=row.vendor_id is None, since=row.begun_at, sequence=row.sequence))
        for row in live_pauses(tx, ids)
    ]
    return {
        vendor_id: World(
            vendor=slug,
            disabled=disabled is not None,
            engagements=tuple(engagements.get(vendor_id, ())),
            clearances=tuple(clearances.get(vendor_id, ())),
            pauses=tuple(value for paused, value in pauses if paused in {None, vendor_id}),
            sequence=last or 0,
            accepted=tuple(Accepted(*each) for each in accepted.get(vendor_id, ())),
        )
        for vendor_id, slug, disabled, last in vendors
    }


def newest_steps(*among: sa.ColumnElement[bool]) -> sa.Select[Clearance]:
    """Return the statement of the newest step of each engagement, of those among which it is looked for."""
    return (
        sa.select(Clearance)
        .where(*among)
        .ext(postgresql.distinct_on(Clearance.engagement_id))
        .order_by(Clearance.engagement_id, Clearance.sequence.desc())
    )


def newest_step(tx: Tx, engagement_id: UUID, *among: sa.ColumnElement[bool]) -> Clearance | None:
    """Return the newest step of an engagement, read from the database; None if there is none."""
    return get_one(tx, newest_steps(Clearance.engagement_id == engagement_id, *among))


def _waits(condition: dict[str, Any]) -> bool:
    return condition.get("finding") is not None and not condition.get("met", False)


def grounds_of(tx: Tx, clearance_ids: Sequence[UUID]) -> dict[UUID, tuple[Ground, ...]]:
    """Return the required evidence that each clearance rests on; of several files the one that holds longest counts."""
    if not clearance_ids:
        return {}
    statement = (
        sa.select(ClearanceEvidence.clearance_id, ClearanceEvidence.requirement, ClearanceEvidence.holds_until)
        .where(ClearanceEvidence.clearance_id.in_(list(clearance_ids)))
        .order_by(ClearanceEvidence.clearance_id, ClearanceEvidence.requirement)
    )
    ends: dict[tuple[UUID, str], list[date | None]] = {}
    for row in tx.session.execute(statement):
        ends.setdefault((row.clearance_id, row.requirement), []).append(row.holds_until)
    found: dict[UUID, tuple[Ground, ...]] = {}
    for (clearance_id, requirement), days in ends.items():
        ground = Ground(tuple(requirement.split(",")), latest_day(days))
        found[clearance_id] = (*found.get(clearance_id, ()), ground)
    return found


def worlds_by_slug(tx: Tx, slugs: Collection[str]) -> dict[UUID, World]:
    """Return the worlds of the vendors with these slugs; those that nobody knows are missing."""
    asked = [slug for slug in slugs if is_slug(slug)]
    if not asked:
        return {}
    return worlds(tx, tx.session.execute(sa.select(Vendor.id).where(Vendor.slug.in_(asked))).scalars().all())


def live_pauses(tx: Tx, vendor_ids: Sequence[UUID]) -> Sequence[Pause]:
    """Return the pauses in force for these vendors, the one of everybody included."""
    return (
        tx.session.execute(
            sa.select(Pause)
            .where(Pause.ended_at.is_(None), sa.or_(Pause.vendor_id.is_(None), Pause.vendor_id.in_(list(vendor_ids))))
            .order_by(Pause.begun_at, Pause.id)
        )
        .scalars()
        .all()
    )


def pauses_in_force(tx: Tx, vendor_id: UUID) -> list[PauseLine]:
    """Return the pauses that stop one vendor now, oldest first."""
    return [
        PauseLine(
            row.id,
            row.vendor_id,
            row.reason,
            row.begun_by,
            row.begun_at,
            row.resume_asked_by,
            row.resume_asked_at,
            row.resume_plan,
            row.row_version,
        )
        for row in live_pauses(tx, [vendor_id])
    ]


@dataclass(frozen=True, slots=True)
class ClearanceLine:
    """One step of a vendor's clearances, for its history."""

    sequence: int
    engagement_id: UUID
    act: str
    tier: int
    valid_until: date | None
    conditions: tuple[Condition, ...]
    recorded_at: datetime
    decision_id: UUID | None


def history(tx: Tx, vendor_id: UUID, *, limit: int = 100) -> list[ClearanceLine]:
    """Return a vendor's clearances, newest first."""
    statement = (
        sa.select(Clearance).where(Clearance.vendor_id == vendor_id).order_by(Clearance.sequence.desc()).limit(limit)
    )
    return [
        ClearanceLine(
            row.sequence,
            row.engagement_id,
            row.act.value,
            row.tier,
            row.valid_until,
            tuple(condition_of(condition) for condition in row.conditions),
            row.recorded_at,
            row.decision_id,
        )
        for row in tx.session.execute(statement).scalars()
    ]
