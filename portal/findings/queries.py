"""Findings as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from portal.findings.models import Finding
from portal.kernel.ledger import Tx
from portal.terms import FindingState, Severity


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding. ``number`` is the vendor's own count, said as F-1."""

    id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    number: int
    question_key: str
    severity: Severity
    what: str
    closes_when: str
    due_on: date | None
    credit: int | None
    state: FindingState
    opened_by: UUID
    opened_at: datetime
    row_version: int

    @property
    def name(self) -> str:
        """The finding as people say it."""
        return f"F-{self.number}"

    def overdue(self, on: date) -> bool:
        """Whether it is open after the day it was due."""
        return self.state is FindingState.OPEN and self.due_on is not None and on > self.due_on


_LINE = (
    Finding.id,
    Finding.vendor_id,
    Finding.assessment_id,
    Finding.revision,
    Finding.number,
    Finding.question_key,
    Finding.severity,
    Finding.what,
    Finding.closes_when,
    Finding.due_on,
    Finding.credit,
    Finding.state,
    Finding.opened_by,
    Finding.opened_at,
    Finding.row_version,
)
_LIVE = (FindingState.DRAFT, FindingState.OPEN)


def of_assessment(tx: Tx, assessment_id: UUID) -> Sequence[FindingLine]:
    """Return the drafts and open findings of an assessment, by number. For the lab: drafts are in it."""
    statement = (
        sa.select(*_LINE)
        .where(Finding.assessment_id == assessment_id, Finding.state.in_(_LIVE))
        .order_by(Finding.number)
        .limit(500)
    )
    return [FindingLine(**row._mapping) for row in tx.session.execute(statement)]


def shared_with(tx: Tx, vendor_id: UUID) -> Sequence[FindingLine]:
    """Return the findings that a vendor was told of, open ones first; never a draft."""
    statement = (
        sa.select(*_LINE)
        .where(Finding.vendor_id == vendor_id, Finding.shared_at.is_not(None))
        .order_by(Finding.state == FindingState.CLOSED, Finding.due_on.asc().nulls_last(), Finding.number)
        .limit(500)
    )
    return [FindingLine(**row._mapping) for row in tx.session.execute(statement)]


def last_number(tx: Tx, vendor_id: UUID) -> int:
    """Return the highest number given to a finding of this vendor."""
    statement = sa.select(sa.func.coalesce(sa.func.max(Finding.number), 0)).where(Finding.vendor_id == vendor_id)
    return tx.session.execute(statement).scalar_one()
