"""Risks that people accept for a while, as others read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.assessments.models import Assessment
from portal.findings.models import Finding, RiskAcceptance
from portal.identity.models import UserAccount
from portal.kernel.ledger import Tx
from portal.terms import AcceptanceState, FindingState


def accepted_until(tx: Tx, vendor_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[tuple[int, date]]]:
    """Return the accepted risks of these vendors: the number of the open finding, and the last day, by vendor.

    Also those whose day is over: whoever asks compares it with the clock.
    """
    ids = list(vendor_ids)
    if not ids:
        return {}
    statement = (
        sa.select(Finding.vendor_id, Finding.number, sa.func.max(RiskAcceptance.until))
        .join(RiskAcceptance, RiskAcceptance.finding_id == Finding.id)
        .where(
            Finding.vendor_id.in_(ids),
            Finding.state == FindingState.OPEN,
            RiskAcceptance.state == AcceptanceState.CONFIRMED,
        )
        .group_by(Finding.vendor_id, Finding.number)
        .order_by(Finding.vendor_id, Finding.number)
    )
    found: dict[UUID, list[tuple[int, date]]] = {}
    for vendor_id, number, until in tx.session.execute(statement):
        found.setdefault(vendor_id, []).append((number, until))
    return found


@dataclass(frozen=True, slots=True)
class AcceptedRisk:
    """One acceptance of a risk, for the lab's pages. ``owner`` answers for it; ``until`` is its last day."""

    id: UUID
    vendor_id: UUID
    finding_id: UUID
    finding_number: int
    knock_out: bool
    reason: str
    owner_id: UUID
    owner: str
    until: date
    digest: str
    state: AcceptanceState
    proposed_by: UUID
    proposer: str
    proposed_at: datetime
    confirmed_by: UUID | None
    confirmer: str
    confirmed_at: datetime | None
    ended_by: UUID | None
    ender: str
    ended_at: datetime | None
    ended_why: str
    row_version: int

    def in_force(self, on: date) -> bool:
        """Whether it counts on a day."""
        return self.state is AcceptanceState.CONFIRMED and on <= self.until

    @property
    def finding(self) -> str:
        """The finding as people say it."""
        return f"F-{self.finding_number}"


def _lines(*where: sa.ColumnElement[bool]) -> Any:
    owner, proposer, confirmer, ender = (aliased(UserAccount) for _ in range(4))
    name = sa.func.coalesce
    return (
        sa.select(
            RiskAcceptance.id,
            RiskAcceptance.vendor_id,
            RiskAcceptance.finding_id,
            Finding.number.label("finding_number"),
            RiskAcceptance.knock_out,
            RiskAcceptance.reason,
            RiskAcceptance.owner_id,
            name(owner.full_name, "").label("owner"),
            RiskAcceptance.until,
            RiskAcceptance.digest,
            RiskAcceptance.state,
            RiskAcceptance.proposed_by,
            name(proposer.full_name, "").label("proposer"),
            RiskAcceptance.proposed_at,
            RiskAcceptance.confirmed_by,
            name(confirmer.full_name, "").label("confirmer"),
            RiskAcceptance.confirmed_at,
            RiskAcceptance.ended_by,
            name(ender.full_name, "").label("ender"),
            RiskAcceptance.ended_at,
            RiskAcceptance.ended_why,
            RiskAcceptance.row_version,
        )
        .join(Finding, Finding.id == RiskAcceptance.finding_id)
        .outerjoin(owner, owner.id == RiskAcceptance.owner_id)
        .outerjoin(proposer, proposer.id == RiskAcceptance.proposed_by)
        .outerjoin(confirmer, confirmer.id == RiskAcceptance.confirmed_by)
        .outerjoin(ender, ender.id == RiskAcceptance.ended_by)
        .where(*where)
        .order_by(RiskAcceptance.proposed_at.desc(), RiskAcceptance.id)
        .limit(200)
    )


def of_finding(tx: Tx, finding_id: UUID) -> Sequence[AcceptedRisk]:
    """Return every acceptance of one finding's risk, the newest first. For the lab."""
    rows = tx.session.execute(_lines(RiskAcceptance.finding_id == finding_id))
    return [AcceptedRisk(**row._mapping) for row in rows]


def of_vendor(tx: Tx, vendor_id: UUID) -> Sequence[AcceptedRisk]:
    """Return every acceptance of a vendor's risks, the newest first. For the lab."""
    rows = tx.session.execute(_lines(RiskAcceptance.vendor_id == vendor_id))
    return [AcceptedRisk(**row._mapping) for row in rows]


def in_force(tx: Tx, vendor_id: UUID, *, engagement_id: UUID | None = None) -> Sequence[AcceptedRisk]:
    """Return the acceptances that count today for open findings of a vendor, or of one engagement. For the lab."""
    asked = sa.select(Assessment.id).where(Assessment.engagement_id == engagement_id)
    rows = tx.session.execute(
        _lines(
            *([Finding.assessment_id.in_(asked)] if engagement_id is not None else []),
            RiskAcceptance.vendor_id == vendor_id,
            RiskAcceptance.state == AcceptanceState.CONFIRMED,
            RiskAcceptance.until >= tx.now.date(),
            Finding.state == FindingState.OPEN,
        )
    )
    return sorted((AcceptedRisk(**row._mapping) for row in rows), key=lambda each: (each.finding_number, each.until))


def to_confirm(tx: Tx) -> Sequence[AcceptedRisk]:
    """Return the proposals that wait for a second person, of every vendor, the newest first. For the lab."""
    rows = tx.session.execute(_lines(RiskAcceptance.state == AcceptanceState.PROPOSED))
    return [AcceptedRisk(**row._mapping) for row in rows]
