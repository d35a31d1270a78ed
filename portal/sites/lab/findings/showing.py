"""The page of one finding: what is wrong, where it stands, what it does at the gate, and all that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import g

from portal.evidence import queries as evidence
from portal.evidence import service as files
from portal.findings import planning, risks
from portal.findings import service as findings
from portal.findings.planning import StepLine
from portal.findings.remedies import RemedyLine
from portal.findings.risks import AcceptedRisk
from portal.gate import holding
from portal.identity import queries as people
from portal.kernel.errors import Forbidden, NotFound
from portal.policy import Action, may_ever
from portal.reviews import acceptances, remedies
from portal.sites.shared.evidence import tag_of
from portal.sites.shared.pages import begin, page
from portal.sites.shared.viewer import Place, Viewer, viewer
from portal.terms import AcceptanceState, FindingAct, FindingState, PlanState, RemedyAct
from portal.vendors import queries as vendors

PLAN_WORDS = {PlanState.SENT: "Plan sent", PlanState.AGREED: "Plan agreed", PlanState.RETURNED: "Plan returned"}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a finding: who did what, when, with the words and the file."""

    at: datetime
    title: str
    words: str = ""
    evidence_id: UUID | None = None
    file: str = ""


def finding_page(
    finding_id: UUID,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
    changed: str = "",
) -> str:
    """Return the page of a finding, with what was typed and what stood in the way."""
    with begin() as tx:
        row = remedies.get(tx, finding_id)
        question = remedies.question_of(tx, row)
        vendor = vendors.names_of(tx, [row.vendor_id]).get(row.vendor_id, "")
        steps = remedies.steps_of(tx, row)
        said = planning.steps_of(tx, [row.id]).get(row.id, ())
        accepted = risks.of_finding(tx, row.id)
        open_ = row.state is FindingState.OPEN
        waiting = open_ and row.remedy is RemedyAct.SENT
        why_not = remedies.why_not(tx, row) if _judges() else ""
        review = remedies.review_of(tx, row)
        last = steps[-1] if steps else None
        line, problem, attached = None, "", ""
        if last is not None:
            try:
                file = files.get(tx, last.evidence_id, Action.EVIDENCE_READ)
                line = evidence.line(tx, file.id)
                problem = remedies.file_problem(tx, file) if waiting else ""
                attached = remedies.unverifiable(file)
            except (NotFound, Forbidden):
                problem = "The file is not there any more. Return the proof and ask for another one."
        today = tx.now.date()
        proposed = next((each for each in accepted if each.state is AcceptanceState.PROPOSED), None)
        known = people.people(tx, [row.opened_by, row.owner_id, row.follower_id])
        context: dict[str, Any] = {
            "number": row.number,
            "severity": row.severity.value.capitalize(),
            "what": row.what,
            "closes_when": row.closes_when,
            "due_on": row.due_on,
            "open": open_,
            "closed": row.state is FindingState.CLOSED,
            "row_version": row.row_version,
            "assessment_id": row.assessment_id,
            "word": findings.word_of(row.state, row.remedy),
            "plan_word": PLAN_WORDS[row.plan] if open_ and row.plan is not None and not waiting else "",
            "plan": planning.plan_of(said),
            "plan_waits": open_ and row.plan is PlanState.SENT and not waiting,
            "credit": row.credit,
            "credit_reason": row.credit_reason,
            "author": _name(known, row.opened_by),
            "owner": _name(known, row.owner_id),
            "owner_id": str(row.owner_id or ""),
            "follower": _name(known, row.follower_id or row.opened_by),
            "follower_id": str(row.follower_id or row.opened_by),
            "opened_at": row.opened_at,
            "shared_at": row.shared_at,
            "held": holding.held_by(tx, vendor_id=row.vendor_id, number=row.number) if open_ else (),
            "in_force": next((each for each in accepted if each.in_force(today) and open_), None),
            "proposed": proposed,
            "mine": proposed is not None and proposed.proposed_by == tx.actor.id,
            "why_not_confirm": acceptances.why_not_confirm(tx, row, proposed.id) if proposed is not None else "",
            "prospect": acceptances.prospect(tx, row) if open_ and _judges() else None,
            "risk_owners": [("", "Choose"), *_choices(acceptances.owners(tx))],
            "owners": [
                ("", "Nobody"),
                *((str(each.id), each.full_name) for each in findings.owners(tx, row.vendor_id)),
            ],
            "followers": _choices(findings.followers(tx)),
            "history": history_of(steps, said, accepted),
        }
        worths = remedies.worths_of(row, question)
    found = dict(problems or {})
    return page(
        "lab/findings/finding.html",
        active="findings",
        finding_id=finding_id,
        vendor=vendor,
        question=question,
        last=last,
        line=line,
        tag=tag_of(line, today) if line is not None else None,
        viewer=_viewer(finding_id, line, last.pages if last else "") if line is not None and line.can_open else None,
        waiting=waiting,
        problem=problem,
        attached=attached,
        why_not=why_not if _judges() else "Your role reads findings. A reviewer or a lead approver judges the proof.",
        follows=may_ever(g.actor, Action.FINDING_FOLLOW) and not why_not,
        worths=worths,
        review_id=review.id if review is not None else None,
        today=today,
        typed=typed or {},
        problems=found,
        changed=changed,
        errors=bool(found) or None,
        **context,
    )


def history_of(
    steps: Sequence[RemedyLine], said: Sequence[StepLine], accepted: Sequence[AcceptedRisk]
) -> tuple[Event, ...]:
    """Return all that happened to a finding since it was shared, the newest first."""
    found = [*map(_of_remedy, steps), *map(_of_step, said)]
    for each in accepted:
        found.extend(_of_risk(each))
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def _of_remedy(step: RemedyLine) -> Event:
    title = {
        RemedyAct.SENT: f"{step.by_name} sent proof",
        RemedyAct.VERIFIED: f"{step.by_name} verified it and closed the finding: {step.credit} points",
        RemedyAct.RETURNED: f"{step.by_name} returned the proof",
        RemedyAct.UNDONE: "The proof counts no more",
    }[step.act]
    where = f"{step.file_name}, page {step.pages}" if step.pages else step.file_name
    return Event(step.at, title, step.note, step.evidence_id, where)


def _of_step(step: StepLine) -> Event:
    day = f"{step.day.day} {step.day:%B %Y}" if step.day else ""
    was = f"{step.was_day.day} {step.was_day:%B %Y}" if step.was_day else "no day"
    title = {
        FindingAct.PLAN_SENT: f"{step.by_name} sent a plan, done by {day}",
        FindingAct.PLAN_AGREED: f"{step.by_name} agreed to the plan",
        FindingAct.PLAN_RETURNED: f"{step.by_name} returned the plan",
        FindingAct.DUE_MOVED: f"{step.by_name} moved the due date from {was} to {day}",
        FindingAct.OWNER_NAMED: f"{step.by_name} named {step.person_name or 'nobody'} to see to it",
        FindingAct.FOLLOWER_NAMED: f"{step.by_name} named {step.person_name} to follow it",
    }[step.act]
    return Event(step.at, title, step.words)


def _of_risk(risk: AcceptedRisk) -> list[Event]:
    until = f"{risk.until.day} {risk.until:%B %Y}"
    found = [Event(risk.proposed_at, f"{risk.proposer} proposed to accept the risk until {until}", risk.reason)]
    if risk.confirmed_at is not None:
        found.append(Event(risk.confirmed_at, f"{risk.confirmer} confirmed it: the risk is accepted until {until}"))
    if risk.ended_at is not None:
        fell = risk.state is AcceptanceState.FALLEN
        by = f"{risk.ender} let the proposal fall" if risk.ender else "The proposal fell"
        title = by if fell else f"{risk.ender} revoked the acceptance"
        found.append(Event(risk.ended_at, title, risk.ended_why))
    return found


def _name(known: Mapping[UUID, people.Person], person_id: UUID | None) -> str:
    found = known.get(person_id) if person_id is not None else None
    return found.full_name if found is not None else ""


def _choices(persons: Sequence[people.Person]) -> list[tuple[str, str]]:
    return [(str(each.id), each.full_name) for each in persons]


def _judges() -> bool:
    return may_ever(g.actor, Action.REMEDY_VERIFY)


def _viewer(finding_id: UUID, line: evidence.LibraryLine, pages: str) -> Viewer:
    first = next(
        (int(part) for part in pages.replace("–", "-").replace(",", "-").split("-") if part.strip().isdigit()), 1
    )
    place = Place("lab_findings.show", {"finding_id": finding_id}, anchor="evidence", first=first)
    return viewer(line, place, picture="lab_evidence.picture", aside=False)
