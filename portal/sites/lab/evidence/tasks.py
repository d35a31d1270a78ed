"""The controls that reports leave to the lab, as tasks: who has them, by when, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.evidence import queries, report, report_lines, rules
from portal.identity import queries as people
from portal.kernel.errors import Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.lab.evidence.structure import version_of
from portal.sites.shared import does, page
from portal.sites.shared.pages import actor, begin
from portal.terms import UserControlState
from portal.vendors import queries as vendor_queries
from portal.vendors import service as vendors

bp = Blueprint("lab_tasks", __name__)

PER_PAGE = 50
STATES: Mapping[str, tuple[str, tuple[UserControlState, ...]]] = {
    "open": ("Open", (UserControlState.OPEN,)),
    "settled": ("In place or not needed", (UserControlState.DONE, UserControlState.NOT_NEEDED)),
}
STATE_WORDS = {
    UserControlState.OPEN: "Still to do",
    UserControlState.DONE: "In place",
    UserControlState.NOT_NEEDED: "Not needed",
}


@bp.get("/lab/evidence/tasks")
@does(Action.EVIDENCE_READ)
def index() -> ResponseReturnValue:
    """List the controls that the reports in force leave to us, what is due first on top."""
    state = request.args.get("state", "open")
    state = state if state in STATES else "open"
    who, slug = request.args.get("who", ""), request.args.get("vendor", "")[:80]
    given = request.args.get("page", "1")
    number = min(1_000, max(1, int(given))) if given.isascii() and given.isdigit() and len(given) < 5 else 1
    with begin() as tx:
        staff = people.lab_people(tx, active_only=True)
        owner = next((each.id for each in staff if str(each.id) == who), None)
        offered = vendor_queries.vendors(tx, limit=200).lines
        chosen = next((each for each in offered if each.slug == slug), None)
        found = report_lines.tasks(
            tx,
            states=STATES[state][1],
            owner_id=owner,
            unowned=who == "nobody",
            vendor_id=chosen.id if chosen else None,
            offset=(number - 1) * PER_PAGE,
            limit=PER_PAGE,
        )
        names = vendor_queries.names_of(tx, [line.vendor_id for line in found.lines])
        owners = {key: each.full_name for key, each in people.people(tx, [t.owner_id for t in found.lines]).items()}
        today = tx.now.date()
    mine = actor().id
    return page(
        "lab/evidence/tasks.html",
        lines=found.lines,
        total=found.total,
        vendors=names,
        owners=owners,
        today=today,
        state=state,
        states={key: words for key, (words, _) in STATES.items()},
        words=STATE_WORDS,
        who=who if owner or who == "nobody" else "",
        who_options=[
            ("", "Everybody’s"),
            (str(mine), "Mine"),
            ("nobody", "Nobody’s yet"),
            *((str(each.id), each.full_name) for each in staff if each.id != mine),
        ],
        vendor=slug if chosen else "",
        vendor_options=[("", "All vendors"), *((each.slug, each.name) for each in offered)],
        first=(number - 1) * PER_PAGE + 1,
        number=number,
        per_page=PER_PAGE,
    )


@bp.route("/lab/evidence/tasks/<uuid:control_id>", methods=["GET", "POST"])
@does(Action.EVIDENCE_READ)
def show(control_id: UUID) -> ResponseReturnValue:
    """Show one control that is left to us; give it to somebody, or say what became of it."""
    problems: Mapping[str, Sequence[str]] = {}
    if request.method == "POST":
        try:
            with begin() as tx:
                _work_on(tx, control_id)
        except Refused as refusal:
            problems = refusal.problems
        else:
            flash("The task is saved.")
            return redirect(url_for(".show", control_id=control_id), 303)
    with begin() as tx:
        row = report.get_control(tx, control_id, Action.EVIDENCE_READ)
        task = report_lines.task(tx, control_id)
        vendor = vendors.get(tx, row.vendor_id, Action.EVIDENCE_READ).name
        staff = people.lab_people(tx, active_only=True)
        settled_by = people.people(tx, [task.settled_by])
        file = queries.line(tx, task.evidence_id)
        may_work = policy.may(actor(), Action.EVIDENCE_JUDGE, row)
    stored: dict[str, Any] = {
        "owner": str(task.owner_id or ""),
        "due_on": task.due_on.isoformat() if task.due_on else "",
        "state": task.state.value,
        "note": task.note,
        "row_version": task.row_version,
    }
    return page(
        "lab/evidence/task.html",
        task=task,
        file=file,
        vendor=vendor,
        settled_by=next((each.full_name for each in settled_by.values()), ""),
        owner=next((each.full_name for each in staff if each.id == task.owner_id), ""),
        words=STATE_WORDS,
        people=[("", "Nobody yet"), *((str(each.id), each.full_name) for each in staff)],
        state_options=[(each.value, words) for each, words in STATE_WORDS.items()],
        values={name: request.form.get(name, "") for name in stored} if problems else stored,
        may_work=may_work,
        problems=problems,
        errors=problems or None,
    ), (422 if problems else 200)


def _work_on(tx: Tx, control_id: UUID) -> None:
    row = report.get_control(tx, control_id, Action.EVIDENCE_JUDGE)
    problems: dict[str, list[str]] = {}
    state = request.form.get("state", "")
    if state not in {each.value for each in UserControlState}:
        problems["state"] = ["Choose how far the control has come"]
    due, given = None, rules.tidy(request.form.get("due_on", ""))
    if given and (due := rules.parse_day(given)) is None:
        problems["due_on"] = ["Enter the day it is due as a date, for example 30 September 2026"]
    owner = _owner(request.form.get("owner", ""), problems)
    if problems:
        raise Refused(problems=problems)
    report.work_on(
        tx,
        control=row,
        owner_id=owner,
        due_on=due,
        state=UserControlState(state),
        note=request.form.get("note", ""),
        row_version=version_of(request.form),
    )


def _owner(given: str, problems: dict[str, list[str]]) -> UUID | None:
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError:
        problems["owner"] = ["Choose somebody of the lab who can sign in"]
        return None
