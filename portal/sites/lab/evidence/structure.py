"""Inside a report, for the reviewer: read it right, assess each exception, name what an opinion leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.evidence import queries, report, report_lines, rules, service
from portal.evidence.queries import LibraryLine
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.shared import does, page
from portal.sites.shared.evidence_form import (
    Typed,
    asked_of_report,
    is_rearranging,
    numbers_of,
    rows_shown,
    stored_values,
    summary,
    typed_values,
    with_keys,
)
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.structure import shared_panel
from portal.terms import EvidenceState, UserControlState

bp = Blueprint("lab_report", __name__)

SOC2 = rules.KINDS["SOC2"]


def panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what ``_structure.html`` shows."""
    may_read = policy.may(actor(), Action.EVIDENCE_JUDGE, line) and line.can_open
    waits = line.state is EvidenceState.ATTACHED and line.taken_up_at is None
    found = shared_panel(tx, line) | {"may_take_up": may_read and waits, "may_read": may_read}
    if line.kind != "SOC2":
        return found
    assessed = report_lines.assessments(tx, line.id)
    tasks = report_lines.tasks_of(tx, line.id)
    wanted = [each.by for each in assessed.values()] + [each.owner_id for each in tasks]
    names = {key: each.full_name for key, each in people.people(tx, wanted).items()}
    return found | {
        "assessed": assessed,
        "tasks": tasks,
        "open_tasks": sum(1 for each in tasks if each.state is UserControlState.OPEN),
        "names": names,
        "needs_criteria": rules.needs_criteria(line.kind, line.details),
    }


@bp.post("/lab/evidence/<uuid:evidence_id>/take-up")
@does(Action.EVIDENCE_JUDGE)
def take_up(evidence_id: UUID) -> ResponseReturnValue:
    """Say that one begins to check a file: its vendor sees that it is in review."""
    with begin() as tx:
        first = service.take_up(tx, evidence=service.get(tx, evidence_id, Action.EVIDENCE_JUDGE))
    flash("You are checking this file." if first else "Somebody is checking this file already.")
    return redirect(url_for("lab_evidence.show", evidence_id=evidence_id), 303)


@bp.route("/lab/evidence/<uuid:evidence_id>/report", methods=["GET", "POST"])
@does(Action.EVIDENCE_JUDGE)
def correct(evidence_id: UUID) -> ResponseReturnValue:
    """Correct what the vendor entered of a report, or add what is missing."""
    if request.method == "GET":
        return _rows_page(evidence_id)
    typed: Typed = request.form
    if is_rearranging(typed, SOC2):
        return _rows_page(evidence_id, typed)
    try:
        with begin() as tx:
            row = service.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
            raw = with_keys(typed, numbers_of(tx, row.vendor_id))
            report.correct(tx, evidence=row, raw=raw, row_version=version_of(typed))
    except Refused as refusal:
        return _rows_page(evidence_id, typed, refusal.problems), 422
    flash("What stands in the report is saved.")
    return redirect(url_for("lab_evidence.show", evidence_id=evidence_id, _anchor="exceptions"), 303)


def _rows_page(
    evidence_id: UUID, typed: Typed | None = None, problems: Mapping[str, Sequence[str]] | None = None
) -> str:
    with begin() as tx:
        service.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
        line = queries.line(tx, evidence_id)
        numbers = numbers_of(tx, line.vendor_id)
        entered = report_lines.entered(tx, evidence_id)
    if line.kind != "SOC2":
        raise Conflict("Only a SOC 2 report is read this way.")
    values = stored_values(SOC2, entered.details(), numbers) if typed is None else typed_values(SOC2, typed)
    add, drop = (typed.get("add", ""), typed.get("drop", "")) if typed is not None and not problems else ("", "")
    return page(
        "lab/evidence/report.html",
        line=line,
        fields=asked_of_report(SOC2),
        values=values,
        rows=rows_shown(SOC2, values, add=add, drop=drop),
        problems=problems or {},
        summary=summary(SOC2, problems or {}),
        errors=problems or None,
        row_version=line.row_version if typed is None else typed.get("row_version", ""),
    )


@bp.route("/lab/evidence/<uuid:evidence_id>/criteria", methods=["GET", "POST"])
@does(Action.EVIDENCE_JUDGE)
def criteria(evidence_id: UUID) -> ResponseReturnValue:
    """Name the criteria that a qualified opinion leaves out."""
    problems: Mapping[str, Sequence[str]] = {}
    typed = request.form.get("criteria", "")
    with begin() as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
        name, stored, version = row.file_name, row.criteria_hit, row.row_version
        if not rules.needs_criteria(row.kind, row.details):
            raise Conflict("The opinion of this file is not qualified, so there are no criteria to name.")
    if request.method == "POST":
        try:
            with begin() as tx:
                row = service.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
                report.name_criteria(tx, evidence=row, criteria=typed, row_version=version_of(request.form))
        except Refused as refusal:
            problems = refusal.problems
        else:
            flash("The criteria are named.")
            return redirect(url_for("lab_evidence.show", evidence_id=evidence_id), 303)
    return page(
        "lab/evidence/criteria.html",
        evidence_id=evidence_id,
        name=name,
        value=typed if problems else stored,
        row_version=request.form.get("row_version", "") if problems else version,
        problems=problems,
        errors=problems or None,
    ), (422 if problems else 200)


@bp.route("/lab/evidence/exceptions/<uuid:exception_id>", methods=["GET", "POST"])
@does(Action.EVIDENCE_JUDGE)
def exception(exception_id: UUID) -> ResponseReturnValue:
    """Say whether an exception is one that the lab can live with."""
    problems: Mapping[str, Sequence[str]] = {}
    verdict, note = request.form.get("verdict", ""), request.form.get("note", "")
    if request.method == "POST":
        try:
            if verdict not in {"yes", "no"}:
                raise Refused(problems={"verdict": ["Choose whether the exception is acceptable"]})
            with begin() as tx:
                row = report.get_exception(tx, exception_id, Action.EVIDENCE_JUDGE)
                evidence_id, version = row.evidence_id, version_of(request.form)
                report.assess(tx, exception=row, acceptable=verdict == "yes", note=note, row_version=version)
        except Refused as refusal:
            problems = refusal.problems
        else:
            flash("Your assessment is saved.")
            return redirect(url_for("lab_evidence.show", evidence_id=evidence_id, _anchor="exceptions"), 303)
    with begin() as tx:
        row = report.get_exception(tx, exception_id, Action.EVIDENCE_JUDGE)
        lines = report_lines.entered(tx, row.evidence_id).exceptions
        shown = next(each for each in lines if each.id == exception_id)
        was = report_lines.assessments(tx, row.evidence_id)[exception_id]
        file = queries.line(tx, row.evidence_id)
        named = numbers_of(tx, row.vendor_id).named(shown.questions)
    stored = "" if was.acceptable is None else "yes" if was.acceptable else "no"
    return page(
        "lab/evidence/exception.html",
        e=shown,
        file=file,
        named=named,
        verdict=verdict if problems else stored,
        note=note if problems else was.note,
        row_version=request.form.get("row_version", "") if problems else was.row_version,
        problems=problems,
        errors=problems or None,
    ), (422 if problems else 200)


def version_of(typed: Mapping[str, str]) -> int:
    """Return the version of the row that a form was made from, 0 if it says none."""
    text = typed.get("row_version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
