"""Findings of every vendor: whose proof waits, the evidence beside it at the page named, verified or returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.evidence import queries as evidence
from portal.evidence import service as files
from portal.findings import service as findings
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action, may_ever
from portal.reviews import remedies
from portal.sites.lab.workspace.forms import number
from portal.sites.shared.door import does
from portal.sites.shared.evidence import tag_of
from portal.sites.shared.pages import begin, page
from portal.sites.shared.step_up import stepped_up
from portal.sites.shared.viewer import Place, Viewer, viewer
from portal.terms import FindingState, RemedyAct
from portal.vendors import queries as vendors

bp = Blueprint("lab_findings", __name__, url_prefix="/lab/findings")


@bp.get("")
@does(Action.REVIEW_READ)
def index() -> ResponseReturnValue:
    """List the findings of every vendor, those whose proof waits first."""
    show = request.args.get("show", "waiting")
    with begin() as tx:
        lines = findings.all_shared(tx)
        names = vendors.names_of(tx, list({each.vendor_id for each in lines}))
        today = tx.now.date()
    kept = {
        "waiting": [each for each in lines if each.state is FindingState.OPEN and each.remedy is RemedyAct.SENT],
        "open": [each for each in lines if each.state is FindingState.OPEN],
        "closed": [each for each in lines if each.state is FindingState.CLOSED],
    }
    show = show if show in kept else "waiting"
    return page(
        "lab/findings/index.html",
        active="findings",
        show=show,
        counts={key: len(rows) for key, rows in kept.items()},
        rows=[(each, names.get(each.vendor_id, "")) for each in kept[show]],
        today=today,
    )


@bp.get("/<uuid:finding_id>")
@does(Action.REVIEW_READ)
def show(finding_id: UUID) -> ResponseReturnValue:
    """Show a finding with its proof beside it."""
    return _page(finding_id)


@bp.post("/<uuid:finding_id>/verify")
@does(Action.REMEDY_VERIFY)
def verify(finding_id: UUID) -> ResponseReturnValue:
    """Find the proof good: the finding is closed."""
    typed = request.form
    if problem := stepped_up(typed.get("code")):
        return _page(finding_id, typed=typed, problems={"code": [problem]}), 422
    try:
        with begin() as tx:
            finding = remedies.get(tx, finding_id, Action.REMEDY_VERIFY)
            remedies.verify(
                tx,
                finding=finding,
                remedy_id=_uuid(typed.get("remedy", "")),
                credit=number(typed.get("credit", "")) if typed.get("credit") else remedies.FULL,
                note=typed.get("note", ""),
                row_version=number(typed.get("row_version", "")),
            )
            name = f"F-{finding.number}"
    except Refused as refused:
        return _page(finding_id, typed=typed, problems=refused.problems), 422
    except Conflict as conflict:
        return _page(finding_id, typed=typed, changed=conflict.message), 409
    flash(f"{name} is closed. The score counts it, the gate follows, and the vendor is told.")
    return redirect(url_for(".show", finding_id=finding_id), 303)


@bp.post("/<uuid:finding_id>/return")
@does(Action.REMEDY_RETURN)
def give_back(finding_id: UUID) -> ResponseReturnValue:
    """Ask for more than the proof shows."""
    typed = request.form
    try:
        with begin() as tx:
            finding = remedies.get(tx, finding_id, Action.REMEDY_RETURN)
            remedies.give_back(
                tx,
                finding=finding,
                remedy_id=_uuid(typed.get("remedy", "")),
                note=typed.get("back", ""),
                row_version=number(typed.get("row_version", "")),
            )
            name = f"F-{finding.number}"
    except Refused as refused:
        problems = {"back": refused.problems.get("note", [refused.message])}
        return _page(finding_id, typed=typed, problems=problems), 422
    except Conflict as conflict:
        return _page(finding_id, typed=typed, changed=conflict.message), 409
    flash(f"The proof for {name} went back. The vendor reads why.")
    return redirect(url_for(".show", finding_id=finding_id), 303)


def _page(
    finding_id: UUID,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
    changed: str = "",
) -> str:
    with begin() as tx:
        row = remedies.get(tx, finding_id)
        question = remedies.question_of(tx, row)
        vendor = vendors.names_of(tx, [row.vendor_id]).get(row.vendor_id, "")
        steps = remedies.steps_of(tx, row)
        waiting = row.state is FindingState.OPEN and row.remedy is RemedyAct.SENT
        why_not = remedies.why_not(tx, row)
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
        worths = remedies.worths_of(row, question)
        today = tx.now.date()
        context: dict[str, Any] = {
            "number": row.number,
            "severity": row.severity.value.capitalize(),
            "what": row.what,
            "closes_when": row.closes_when,
            "due_on": row.due_on,
            "closed": row.state is FindingState.CLOSED,
            "row_version": row.row_version,
            "assessment_id": row.assessment_id,
            "word": findings.word_of(row.state, row.remedy),
        }
    may = may_ever(g.actor, Action.REMEDY_VERIFY)
    return page(
        "lab/findings/finding.html",
        active="findings",
        finding_id=finding_id,
        vendor=vendor,
        question=question,
        steps=steps,
        last=last,
        line=line,
        tag=tag_of(line, today) if line is not None else None,
        viewer=_viewer(finding_id, line, last.pages if last else "") if line is not None and line.can_open else None,
        waiting=waiting,
        problem=problem,
        attached=attached,
        why_not=why_not if may else "Your role reads findings. A reviewer or a lead approver judges the proof.",
        worths=worths,
        review_id=review.id if review is not None else None,
        today=today,
        typed=typed or {},
        problems=problems or {},
        changed=changed,
        errors=bool(problems) or None,
        **context,
    )


def _viewer(finding_id: UUID, line: evidence.LibraryLine, pages: str) -> Viewer:
    first = next(
        (int(part) for part in pages.replace("–", "-").replace(",", "-").split("-") if part.strip().isdigit()), 1
    )
    place = Place("lab_findings.show", {"finding_id": finding_id}, anchor="evidence", first=first)
    return viewer(line, place, picture="lab_evidence.picture", aside=False)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
