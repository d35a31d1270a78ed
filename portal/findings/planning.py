"""What is said and agreed about a finding beside its proof: the vendor's plan, the due date, who sees to it.

What the vendor says is here; who answers for the lab is the business of the reviews. Both write their steps here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.findings import people
from portal.findings.facts import FindingOwnerNamed, PlanSent
from portal.findings.models import Finding, FindingStep
from portal.findings.remedies import MAX_NOTE, move
from portal.identity import queries as identity
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import FindingAct, FindingState, PlanState, RemedyAct

FURTHEST = timedelta(days=400)
"""How far ahead a plan, or a due date, reaches at most: no approval runs longer."""


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step, as pages show it."""

    id: UUID
    finding_id: UUID
    number: int
    act: FindingAct
    words: str
    day: date | None
    was_day: date | None
    person_id: UUID | None
    person_name: str
    by: UUID
    by_name: str
    at: datetime


_LINE = (
    FindingStep.id,
    FindingStep.finding_id,
    FindingStep.number,
    FindingStep.act,
    FindingStep.words,
    FindingStep.day,
    FindingStep.was_day,
    FindingStep.person_id,
    FindingStep.person_name,
    FindingStep.by,
    FindingStep.by_name,
    FindingStep.at,
)


def steps_of(tx: Tx, finding_ids: Sequence[UUID]) -> dict[UUID, tuple[StepLine, ...]]:
    """Return the steps of these findings, each in their order. The caller checked who may read them."""
    statement = (
        sa.select(*_LINE)
        .where(FindingStep.finding_id.in_(list(finding_ids)))
        .order_by(FindingStep.finding_id, FindingStep.number)
    )
    found: dict[UUID, list[StepLine]] = {}
    for row in tx.session.execute(statement):
        found.setdefault(row.finding_id, []).append(StepLine(**row._mapping))
    return {finding_id: tuple(lines) for finding_id, lines in found.items()}


def plan_of(steps: Sequence[StepLine]) -> StepLine | None:
    """Return the newest plan among the steps of a finding, if the vendor sent one."""
    return next((each for each in reversed(steps) if each.act is FindingAct.PLAN_SENT), None)


def send_plan(tx: Tx, *, finding: Finding, words: str, by_day: date | None, row_version: int) -> FindingStep:
    """Say what the vendor will do about a finding, and by when. The due date stays what it is.

    :raises Forbidden: if the actor may not answer findings.
    :raises Refused: with the problems of words and by_day.
    :raises Conflict: if the finding is closed, its proof is being looked at, or it changed since the page was opened.
    """
    policy.check(tx.actor, Action.FINDING_ANSWER, finding)
    text = words.strip()
    problems: dict[str, list[str]] = {}
    if not text:
        problems["words"] = [said("Say what you will do about it")]
    elif len(text) > MAX_NOTE:
        problems["words"] = [
            said("Keep it under %(most)s characters; this is %(count)s", most=f"{MAX_NOTE:,}", count=f"{len(text):,}")
        ]
    if by_day is None:
        problems["by_day"] = [said("Enter the day by which it is done")]
    elif not tx.now.date() <= by_day <= tx.now.date() + FURTHEST:
        problems["by_day"] = [said("Enter a day from today on, at most 400 days ahead")]
    if problems:
        raise Refused(problems=problems)
    tx.session.refresh(finding, with_for_update=True)
    if finding.state is FindingState.OPEN and finding.remedy is RemedyAct.SENT:
        raise Conflict(
            said("Your proof for %(name)s is with us. A plan is not needed any more.", name=f"F-{finding.number}"),
            current={"state": finding.state.value, "row_version": finding.row_version},
        )
    move(
        tx,
        finding=finding,
        row_version=row_version,
        expect={"state": FindingState.OPEN},
        change={"plan": PlanState.SENT},
    )
    row = add_step(tx, finding=finding, act=FindingAct.PLAN_SENT, words=text, day=by_day)
    assert by_day is not None  # noqa: S101 - refused above
    tx.record(PlanSent(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id, by_day))
    return row


def name_owner(
    tx: Tx, *, finding: Finding, person_id: UUID | None, row_version: int, action: Action = Action.FINDING_ANSWER
) -> None:
    """Say who sees to a finding at the vendor; nobody for None.

    :param action: what the actor must be allowed: the lab says it as one who follows findings.
    :raises Refused: with the problem of owner, if they do not work at the vendor.
    :raises Conflict: if the finding is closed, or changed since the page was opened.
    """
    policy.check(tx.actor, action, finding)
    if not people.is_owner(tx, person_id, finding.vendor_id):
        raise Refused(problems={"owner": [said("Choose somebody who works here now")]})
    if person_id == finding.owner_id:
        return
    move(
        tx,
        finding=finding,
        row_version=row_version,
        expect={"state": FindingState.OPEN},
        change={"owner_id": person_id},
    )
    known = identity.people(tx, [person_id]).get(person_id) if person_id is not None else None
    add_step(
        tx,
        finding=finding,
        act=FindingAct.OWNER_NAMED,
        person_id=person_id,
        person_name=known.full_name if known is not None else "",
    )
    tx.record(FindingOwnerNamed(finding.id, finding.vendor_id, finding.assessment_id, finding.number, person_id))


def add_step(
    tx: Tx,
    *,
    finding: Finding,
    act: FindingAct,
    words: str = "",
    day: date | None = None,
    was_day: date | None = None,
    person_id: UUID | None = None,
    person_name: str = "",
) -> FindingStep:
    """Write a step down; the finding was moved by the caller, so that of two at once one is here."""
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    last = tx.session.execute(
        sa.select(sa.func.coalesce(sa.func.max(FindingStep.number), 0)).where(FindingStep.finding_id == finding.id)
    ).scalar_one()
    row = FindingStep(
        id=tx.new_id(),
        vendor_id=finding.vendor_id,
        finding_id=finding.id,
        number=last + 1,
        act=act,
        words=words,
        day=day,
        was_day=was_day,
        person_id=person_id,
        person_name=person_name,
        by=tx.actor.id,
        by_name=tx.actor.name,
        at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row
