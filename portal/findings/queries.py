"""Findings as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.findings.models import Finding, Remedy, RiskAcceptance
from portal.findings.rules import Block, blocks_of
from portal.kernel.ledger import Tx
from portal.terms import N_, AcceptanceState, FindingState, PlanState, RemedyAct, Severity


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
    remedy: RemedyAct | None = None
    closed_at: datetime | None = None
    credit_reason: str = ""
    blocks: tuple[Block, ...] = ()
    owner_id: UUID | None = None
    follower_id: UUID | None = None
    plan: PlanState | None = None

    @property
    def name(self) -> str:
        """The finding as people say it."""
        return f"F-{self.number}"

    @property
    def word(self) -> str:
        """How it stands, in a word of every page."""
        return word_of(self.state, self.remedy)

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
    Finding.remedy,
    Finding.closed_at,
    Finding.credit_reason,
    Finding.blocks,
    Finding.owner_id,
    Finding.follower_id,
    Finding.plan,
)


def _line(row: sa.Row[Any]) -> FindingLine:
    return FindingLine(**{**row._mapping, "blocks": blocks_of(row.blocks)})


REMEDY_WORDS: Mapping[RemedyAct | None, str] = {
    RemedyAct.SENT: N_("Proof sent"),
    RemedyAct.RETURNED: N_("Returned"),
    RemedyAct.UNDONE: N_("To fix"),
}
_LIVE = (FindingState.DRAFT, FindingState.OPEN)


def word_of(state: FindingState, remedy: RemedyAct | None) -> str:
    """Return how a finding stands, in a word of every page."""
    if state is FindingState.CLOSED:
        return N_("Closed by proof")
    return N_("Draft") if state is FindingState.DRAFT else REMEDY_WORDS.get(remedy, N_("To fix"))


def of_assessment(tx: Tx, assessment_id: UUID) -> Sequence[FindingLine]:
    """Return the drafts and open findings of an assessment, by number. For the lab: drafts are in it."""
    statement = (
        sa.select(*_LINE)
        .where(Finding.assessment_id == assessment_id, Finding.state.in_(_LIVE))
        .order_by(Finding.number)
        .limit(500)
    )
    return [_line(row) for row in tx.session.execute(statement)]


def shared_with(tx: Tx, vendor_id: UUID) -> Sequence[FindingLine]:
    """Return the findings that a vendor was told of, open ones first; never a draft."""
    statement = (
        sa.select(*_LINE)
        .where(Finding.vendor_id == vendor_id, Finding.shared_at.is_not(None))
        .order_by(Finding.state == FindingState.CLOSED, Finding.due_on.asc().nulls_last(), Finding.number)
        .limit(500)
    )
    return [_line(row) for row in tx.session.execute(statement)]


def last_number(tx: Tx, vendor_id: UUID) -> int:
    """Return the highest number given to a finding of this vendor."""
    statement = sa.select(sa.func.coalesce(sa.func.max(Finding.number), 0)).where(Finding.vendor_id == vendor_id)
    return tx.session.execute(statement).scalar_one()


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a reviewer says that an answer is worth, in place of its own credit (scoring.md): who, why, on what file."""

    question_key: str
    credit: int
    author: UUID
    reason: str
    remedy_id: UUID | None = None
    evidence_id: UUID | None = None


def credits_of(tx: Tx, assessment_id: UUID) -> Mapping[str, Replaced]:
    """Return the credits that findings put in the place of the answers' own, by question.

    That of a draft or an open finding; and of one that was closed by proof, what the proof shows, with the file.
    """
    found = {
        each.question_key: Replaced(
            each.question_key, each.credit, each.opened_by, f"{each.name}: {each.credit_reason}"
        )
        for each in of_assessment(tx, assessment_id)
        if each.credit is not None
    }
    settled = (
        sa.select(Finding.question_key, Finding.number, Remedy)
        .join(Remedy, Remedy.finding_id == Finding.id)
        .where(
            Finding.assessment_id == assessment_id,
            Finding.state == FindingState.CLOSED,
            Finding.remedy == RemedyAct.VERIFIED,
            Remedy.act == RemedyAct.VERIFIED,
        )
        .order_by(Remedy.at, Remedy.number)
    )
    for key, number, step in tx.session.execute(settled):
        if key not in found and step.by is not None and step.credit is not None:
            reason = f"F-{number} closed by proof"
            found[key] = Replaced(key, step.credit, step.by, reason, step.id, step.evidence_id)
    return found


@dataclass(frozen=True, slots=True)
class ProofLine:
    """A file that closed a finding, as the proof of the answer from then on."""

    remedy_id: UUID
    question_key: str
    evidence_id: UUID


def proofs_of(tx: Tx, assessment_id: UUID) -> Sequence[ProofLine]:
    """Return the files that closed findings of an assessment, by question."""
    newest = sa.select(sa.func.max(Remedy.number)).where(Remedy.finding_id == Finding.id).correlate(Finding)
    statement = (
        sa.select(Remedy.id, Finding.question_key, Remedy.evidence_id)
        .join(Finding, Finding.id == Remedy.finding_id)
        .where(
            Finding.assessment_id == assessment_id,
            Finding.state == FindingState.CLOSED,
            Remedy.act == RemedyAct.VERIFIED,
            Remedy.number == newest.scalar_subquery(),
        )
        .order_by(Finding.question_key, Remedy.id)
    )
    return [ProofLine(*row) for row in tx.session.execute(statement)]


@cache
def number_waiting() -> sa.Select[int]:
    """Count the findings that wait for the lab to look at their proof or their plan."""
    return sa.select(sa.func.count()).where(
        Finding.state == FindingState.OPEN, sa.or_(Finding.remedy == RemedyAct.SENT, Finding.plan == PlanState.SENT)
    )


class View(StrEnum):
    """One way to look at the findings of every vendor."""

    PROOF = "proof"
    PLAN = "plan"
    RISK = "risk"
    OVERDUE = "overdue"
    SOON = "soon"
    MINE = "mine"
    OPEN = "open"
    CLOSED = "closed"


SOON = timedelta(days=14)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its findings, and the place after which the next begins; None on the last."""

    lines: tuple[FindingLine, ...]
    after: tuple[date | None, UUID] | None


def _in_view(tx: Tx, view: View) -> sa.ColumnElement[bool]:
    today = tx.now.date()
    live = sa.and_(Finding.state == FindingState.OPEN, Finding.shared_at.is_not(None))
    match view:
        case View.PROOF:
            return sa.and_(live, Finding.remedy == RemedyAct.SENT)
        case View.PLAN:
            return sa.and_(live, Finding.plan == PlanState.SENT)
        case View.RISK:
            waits = sa.exists().where(
                RiskAcceptance.finding_id == Finding.id, RiskAcceptance.state == AcceptanceState.PROPOSED
            )
            return sa.and_(live, waits)
        case View.OVERDUE:
            return sa.and_(live, Finding.due_on < today)
        case View.SOON:
            return sa.and_(live, Finding.due_on.between(today, today + SOON))
        case View.MINE:
            return sa.and_(live, sa.func.coalesce(Finding.follower_id, Finding.opened_by) == tx.actor.id)
        case View.CLOSED:
            return sa.and_(Finding.state == FindingState.CLOSED, Finding.shared_at.is_not(None))
        case _:
            return live


def counts(tx: Tx, *, vendor_id: UUID | None = None, severity: Severity | None = None) -> Mapping[View, int]:
    """Return how many findings each view has, within a vendor or a severity if given."""
    statement = sa.select(*(sa.func.count().filter(_in_view(tx, view)).label(view.value) for view in View)).where(
        *_within(vendor_id, severity)
    )
    row = tx.session.execute(statement).one()
    return {view: row._mapping[view.value] for view in View}


def page(
    tx: Tx,
    *,
    view: View,
    vendor_id: UUID | None = None,
    severity: Severity | None = None,
    after: tuple[date | None, UUID] | None = None,
    limit: int = PAGE,
) -> Page:
    """Return one page of a view: the open ones by their day, those without one last; the closed ones newest first."""
    statement = sa.select(*_LINE).where(_in_view(tx, view), *_within(vendor_id, severity))
    if view is View.CLOSED:
        closed_on = sa.cast(sa.func.timezone("UTC", Finding.closed_at), sa.Date)
        statement = statement.order_by(closed_on.desc(), Finding.id.desc())
        if after is not None and after[0] is not None:
            statement = statement.where(sa.tuple_(closed_on, Finding.id) < sa.tuple_(*map(sa.literal, after)))
    else:
        statement = statement.order_by(Finding.due_on.asc().nulls_last(), Finding.id)
        if after is not None:
            day, last = after
            later = sa.and_(Finding.due_on.is_(None), Finding.id > last)
            if day is not None:
                same = sa.and_(Finding.due_on == day, Finding.id > last)
                later = sa.or_(Finding.due_on > day, same, Finding.due_on.is_(None))
            statement = statement.where(later)
    found = [_line(row) for row in tx.session.execute(statement.limit(limit + 1))]
    lines = tuple(found[:limit])
    if len(found) <= limit:
        return Page(lines, None)
    end = lines[-1]
    closed_at = end.closed_at.astimezone(UTC).date() if end.closed_at else None
    return Page(lines, (closed_at if view is View.CLOSED else end.due_on, end.id))


def _within(vendor_id: UUID | None, severity: Severity | None) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if vendor_id is not None:
        found.append(Finding.vendor_id == vendor_id)
    if severity is not None:
        found.append(Finding.severity == severity)
    return found


def vendors_with(tx: Tx, *, limit: int = 500) -> Sequence[UUID]:
    """Return the vendors that were ever told of a finding."""
    statement = (
        sa.select(Finding.vendor_id)
        .where(Finding.shared_at.is_not(None))
        .distinct()
        .order_by(Finding.vendor_id)
        .limit(limit)
    )
    return tx.session.execute(statement).scalars().all()
