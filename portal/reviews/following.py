"""Following a finding for the lab: its plan agreed to or returned, its due date moved, its people named."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from portal import policy
from portal.findings import people, planning
from portal.findings.facts import FindingDueMoved, FindingFollowerNamed, PlanAgreed, PlanReturned
from portal.findings.models import Finding, FindingStep
from portal.findings.planning import FURTHEST
from portal.findings.remedies import MAX_NOTE, move
from portal.identity import queries as identity
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import duties, rules
from portal.terms import FindingAct, FindingState, PlanState
from portal.vendors.models import Vendor

ELSE = "Somebody else follows this finding."


def agree_plan(tx: Tx, *, finding: Finding, step_id: UUID, note: str = "", row_version: int) -> None:
    """Agree to the vendor's plan. The due date stays; move it by itself if the plan needs longer.

    :param step_id: the plan that the page showed.
    :raises Forbidden: if the actor may not follow findings, or is tied to the vendor (S3).
    :raises Refused: with the problem of note.
    :raises Conflict: if the finding is closed, another plan came, or it changed.
    """
    words = _start(tx, finding, note)
    _move(tx, finding, step_id, row_version, PlanState.AGREED)
    row = planning.add_step(tx, finding=finding, act=FindingAct.PLAN_AGREED, words=words)
    tx.record(PlanAgreed(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id))


def return_plan(tx: Tx, *, finding: Finding, step_id: UUID, note: str, row_version: int) -> None:
    """Ask for another plan, in words that the vendor reads.

    :raises Forbidden: if the actor may not follow findings, or is tied to the vendor (S3).
    :raises Refused: without words.
    :raises Conflict: if the finding is closed, another plan came, or it changed.
    """
    words = _start(tx, finding, note)
    if not words:
        raise Refused(problems={"note": ["Say what the plan lacks, so that the vendor can send a better one"]})
    _move(tx, finding, step_id, row_version, PlanState.RETURNED)
    row = planning.add_step(tx, finding=finding, act=FindingAct.PLAN_RETURNED, words=words)
    tx.record(PlanReturned(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id))


def move_due(tx: Tx, *, finding: Finding, due_on: date | None, reason: str, row_version: int) -> FindingStep:
    """Give a finding another due date, with a reason that the vendor reads.

    What people signed stays: a condition that names the finding keeps its own day at the gate. To keep access open for
    longer than was decided takes two people, who accept the risk.

    :raises Forbidden: if the actor may not follow findings, or is tied to the vendor (S3).
    :raises Refused: with the problems of due_on and note.
    :raises Conflict: if the finding is closed, or changed since the page was opened.
    """
    words = _start(tx, finding, reason)
    today = tx.now.date()
    problems: dict[str, list[str]] = {}
    if due_on is None:
        problems["due_on"] = ["Enter the new due date"]
    elif not today <= due_on <= today + FURTHEST:
        problems["due_on"] = ["Enter a day from today on, at most 400 days ahead"]
    elif due_on == finding.due_on:
        problems["due_on"] = ["This is the due date already"]
    if not words:
        problems["note"] = ["Say why the day moves, for the vendor to read"]
    if problems or due_on is None:
        raise Refused(problems=problems)
    was = finding.due_on
    move(
        tx,
        finding=finding,
        row_version=row_version,
        expect={"state": FindingState.OPEN},
        change={"due_on": due_on},
    )
    row = planning.add_step(tx, finding=finding, act=FindingAct.DUE_MOVED, words=words, day=due_on, was_day=was)
    tx.record(
        FindingDueMoved(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id, due_on, was)
    )
    return row


def name_follower(tx: Tx, *, finding: Finding, person_id: UUID, row_version: int) -> None:
    """Say who follows a finding at the lab.

    :raises Forbidden: if the actor may not follow findings, or either of the two is tied to the vendor (S3).
    :raises Refused: with the problem of follower, if they do not judge findings.
    :raises Conflict: if the finding is closed, or changed since the page was opened.
    """
    _start(tx, finding, "")
    if not people.is_follower(tx, person_id):
        raise Refused(problems={"follower": ["Choose a reviewer or a lead approver"]})
    vendor = tx.session.get_one(Vendor, finding.vendor_id)
    person = identity.person(tx, person_id)
    if bars := rules.interests(duties.candidate(tx, person, vendor), vendor.name, vendor.mail_domains):
        raise Refused(problems={"follower": [f"{person.full_name} {rules.sentence(bars)}. Choose somebody else"]})
    if person_id == finding.follower_id:
        return
    move(
        tx,
        finding=finding,
        row_version=row_version,
        expect={"state": FindingState.OPEN},
        change={"follower_id": person_id},
    )
    planning.add_step(
        tx, finding=finding, act=FindingAct.FOLLOWER_NAMED, person_id=person_id, person_name=person.full_name
    )
    tx.record(FindingFollowerNamed(finding.id, finding.vendor_id, finding.assessment_id, finding.number, person_id))


def name_owner(tx: Tx, *, finding: Finding, person_id: UUID | None, row_version: int) -> None:
    """Say for the lab who sees to a finding at the vendor; refusals as ``planning.name_owner``, and S3."""
    _start(tx, finding, "")
    planning.name_owner(tx, finding=finding, person_id=person_id, row_version=row_version, action=Action.FINDING_FOLLOW)


def _start(tx: Tx, finding: Finding, note: str) -> str:
    policy.check(tx.actor, Action.FINDING_FOLLOW, finding)
    duties.refuse_tied(tx, tx.session.get_one(Vendor, finding.vendor_id), ELSE)
    words = note.strip()
    if len(words) > MAX_NOTE:
        raise Refused(problems={"note": [f"Keep it under {MAX_NOTE:,} characters; this is {len(words):,}"]})
    return words


def _move(tx: Tx, finding: Finding, step_id: UUID, row_version: int, plan: PlanState) -> None:
    tx.session.refresh(finding, with_for_update=True)
    newest = planning.plan_of(planning.steps_of(tx, [finding.id]).get(finding.id, ()))
    if finding.state is FindingState.OPEN and (newest is None or newest.id != step_id):
        raise Conflict(
            "The plan changed since you opened the page. Look at it again, then repeat what you did.",
            current={"state": finding.state.value, "row_version": finding.row_version},
        )
    move(
        tx,
        finding=finding,
        row_version=row_version,
        expect={"state": FindingState.OPEN, "plan": PlanState.SENT},
        change={"plan": plan},
    )
