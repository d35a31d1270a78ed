"""What stands inside reports, as pages show it: to its vendor as entered, to the lab with what was made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal.evidence.models import Evidence, ReportCarveOut, ReportControl, ReportException
from portal.evidence.rules import KEPT
from portal.kernel.ledger import Tx
from portal.terms import CarveMethod, UserControlState


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """One exception as it was entered; ``questions`` are keys."""

    id: UUID
    control: str
    criterion: str
    text: str
    rate: str
    response: str
    questions: Sequence[str]


@dataclass(frozen=True, slots=True)
class CarveOutLine:
    """One organisation that the system leans on."""

    id: UUID
    organisation: str
    purpose: str
    method: CarveMethod


@dataclass(frozen=True, slots=True)
class ControlLine:
    """One control that is left to the report's users."""

    id: UUID
    text: str
    criterion: str


@dataclass(frozen=True, slots=True)
class ReportLines:
    """What was entered of a report."""

    exceptions: Sequence[ExceptionLine]
    carve_outs: Sequence[CarveOutLine]
    controls: Sequence[ControlLine]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered."""
        return not (self.exceptions or self.carve_outs or self.controls)

    def details(self) -> dict[str, Any]:
        """Return the rows as ``rules.form_values`` reads them."""
        return {
            "exception_rows": [
                {
                    "id": str(each.id),
                    "control": each.control,
                    "criterion": each.criterion,
                    "text": each.text,
                    "rate": each.rate,
                    "response": each.response,
                    "questions": ", ".join(each.questions),
                }
                for each in self.exceptions
            ],
            "carve_out_rows": [
                {
                    "id": str(each.id),
                    "organisation": each.organisation,
                    "purpose": each.purpose,
                    "method": each.method.value,
                }
                for each in self.carve_outs
            ],
            "user_control_rows": [
                {"id": str(each.id), "text": each.text, "criterion": each.criterion} for each in self.controls
            ],
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a reviewer made of an exception; ``acceptable`` is None while nobody did."""

    acceptable: bool | None
    note: str
    by: UUID | None
    at: datetime | None
    row_version: int


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One control left to us, as a task: whose, by when, how far."""

    id: UUID
    vendor_id: UUID
    evidence_id: UUID
    file_name: str
    text: str
    criterion: str
    state: UserControlState
    owner_id: UUID | None
    due_on: date | None
    note: str
    settled_by: UUID | None
    settled_at: datetime | None
    row_version: int


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of tasks; ``total`` counts all that match."""

    lines: Sequence[TaskLine]
    total: int


@dataclass(frozen=True, slots=True)
class StandsBehind:
    """One organisation behind a vendor, by its newest report that names it."""

    organisation: str
    purpose: str
    method: CarveMethod
    evidence_id: UUID
    file_name: str


def entered(tx: Tx, evidence_id: UUID) -> ReportLines:
    """Return what was entered of a report; nothing of what the lab made of it."""
    return ReportLines(
        [
            ExceptionLine(*row)
            for row in _rows(
                tx,
                evidence_id,
                ReportException,
                ("id", "control", "criterion", "text", "rate", "response", "questions"),
            )
        ],
        [
            CarveOutLine(*row)
            for row in _rows(tx, evidence_id, ReportCarveOut, ("id", "organisation", "purpose", "method"))
        ],
        [ControlLine(*row) for row in _rows(tx, evidence_id, ReportControl, ("id", "text", "criterion"))],
    )


def assessments(tx: Tx, evidence_id: UUID) -> Mapping[UUID, Assessment]:
    """Return what reviewers made of the exceptions of a report; for the lab only."""
    columns = ("id", "acceptable", "assessment", "assessed_by", "assessed_at", "row_version")
    return {row[0]: Assessment(*row[1:]) for row in _rows(tx, evidence_id, ReportException, columns)}


def _rows(tx: Tx, evidence_id: UUID, model: Any, names: Sequence[str]) -> Sequence[Any]:
    statement = (
        sa.select(*(getattr(model, name) for name in names))
        .where(model.evidence_id == evidence_id, model.removed_at.is_(None))
        .order_by(model.position, model.id)
    )
    return tx.session.execute(statement).all()


def _in_force() -> sa.ColumnElement[bool]:
    """That a file is in the library and no newer revision took its place."""
    newer = aliased(Evidence)
    replaced = sa.exists().where(
        newer.supersedes_id == Evidence.id,
        newer.vendor_id == Evidence.vendor_id,
        newer.removed_at.is_(None),
        newer.state.in_(list(KEPT)),
    )
    return sa.and_(Evidence.removed_at.is_(None), Evidence.state.in_(list(KEPT)), ~replaced)


def _tasks() -> sa.Select[Any]:
    names = [name for name in TaskLine.__dataclass_fields__ if name != "file_name"]
    return (
        sa.select(*(getattr(ReportControl, name) for name in names), Evidence.file_name)
        .join(
            Evidence,
            sa.and_(Evidence.id == ReportControl.evidence_id, Evidence.vendor_id == ReportControl.vendor_id),
        )
        .where(ReportControl.removed_at.is_(None))
    )


def tasks(
    tx: Tx,
    *,
    states: Sequence[UserControlState] = (UserControlState.OPEN,),
    owner_id: UUID | None = None,
    unowned: bool = False,
    vendor_id: UUID | None = None,
    offset: int = 0,
    limit: int = 50,
) -> TaskPage:
    """Return the controls that the reports in force leave to us, what is due first on top.

    :param owner_id: only this person's; with ``unowned`` only those that nobody has.
    """
    matching = _tasks().where(ReportControl.state.in_(list(states)), _in_force())
    if unowned:
        matching = matching.where(ReportControl.owner_id.is_(None))
    elif owner_id is not None:
        matching = matching.where(ReportControl.owner_id == owner_id)
    if vendor_id is not None:
        matching = matching.where(ReportControl.vendor_id == vendor_id)
    total = tx.session.execute(sa.select(sa.func.count()).select_from(matching.subquery())).scalar_one()
    ordered = matching.order_by(
        ReportControl.due_on.asc().nulls_last(), ReportControl.entered_at, ReportControl.position, ReportControl.id
    )
    found = tx.session.execute(ordered.offset(offset).limit(limit))
    return TaskPage([TaskLine(**row._mapping) for row in found], total)


def tasks_of(tx: Tx, evidence_id: UUID) -> Sequence[TaskLine]:
    """Return the controls that one report leaves to us, in its order; for the lab only."""
    statement = (
        _tasks().where(ReportControl.evidence_id == evidence_id).order_by(ReportControl.position, ReportControl.id)
    )
    return [TaskLine(**row._mapping) for row in tx.session.execute(statement)]


def task(tx: Tx, control_id: UUID) -> TaskLine:
    """Return one task; whoever asks has fetched it by ``report.get_control`` before."""
    return TaskLine(**tx.session.execute(_tasks().where(ReportControl.id == control_id)).one()._mapping)


def stands_behind(tx: Tx, vendor_id: UUID, *, limit: int = 200) -> Sequence[StandsBehind]:
    """Return the organisations that the reports in force of a vendor name, each once, by name."""
    newest = (
        sa.select(
            ReportCarveOut.organisation,
            ReportCarveOut.purpose,
            ReportCarveOut.method,
            ReportCarveOut.evidence_id,
            Evidence.file_name,
            ReportCarveOut.organisation_key,
        )
        .join(
            Evidence,
            sa.and_(Evidence.id == ReportCarveOut.evidence_id, Evidence.vendor_id == ReportCarveOut.vendor_id),
        )
        .where(ReportCarveOut.vendor_id == vendor_id, ReportCarveOut.removed_at.is_(None), _in_force())
        .ext(postgresql.distinct_on(ReportCarveOut.organisation_key))
        .order_by(ReportCarveOut.organisation_key, Evidence.created_at.desc(), ReportCarveOut.id.desc())
        .limit(limit)
    )
    return [StandsBehind(*row[:5]) for row in tx.session.execute(newest)]
