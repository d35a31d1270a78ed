"""Reading everything before it is signed, the signature, its receipt, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.rules import Blocker, Change, Part
from portal.kernel.errors import Conflict, Refused
from portal.policy import Action
from portal.questionnaires.rules import Answer, Question, from_json
from portal.sites.shared import does, house, page
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.step_up import stepped_up
from portal.sites.vendor import wording
from portal.sites.vendor.renewal.earlier import Sources
from portal.sites.vendor.work import Work, link_of, load, slug, version_in
from portal.terms import AssessmentState, Role

bp = Blueprint("vendor_check", __name__)
ROOT = "/assessments/<uuid:assessment_id>/check"
GONE = "Not asked any more"


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One thing that differs from what was signed before."""

    name: str
    old: str
    new: str
    note: str
    by: str
    link: str
    act: str = "Change"


@bp.get(ROOT)
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show what would be signed, or the receipt of what was."""
    return _page(assessment_id)


@bp.post(ROOT)
@does(Action.ATTESTATION_SIGN)
def sign(assessment_id: UUID) -> ResponseReturnValue:
    """Sign what the page showed, or say what is in the way."""
    with begin() as tx:
        policy_row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
    if wrong := stepped_up(request.form.get("code")):
        return _page(assessment_id, {"code": [wrong]}, 422)
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
            attestations.sign(
                tx,
                assessment=row,
                full_name=request.form.get("full_name", ""),
                statements=request.form.getlist("statements"),
                row_version=version_in(request.form, "row_version"),
                digest_seen=request.form.get("digest_seen", ""),
                lab_name=house().settings.lab_name,
                address=actor().address,
                factor="totp",
            )
    except attestations.Incomplete as refusal:
        return _page(assessment_id, {}, 422, missing=refusal.blockers)
    except Refused as refusal:
        return _page(assessment_id, refusal.problems, 422)
    except Conflict as late:
        return _page(assessment_id, {"changed": [late.message]}, 409)
    flash(f"Signed and sent to {house().settings.lab_name}. A reviewer is told.")
    return redirect(url_for(".show", assessment_id=policy_row.id), 303)


@bp.get("/assessments/<uuid:assessment_id>/withdraw")
@does(Action.ATTESTATION_WITHDRAW)
def withdrawing(assessment_id: UUID) -> ResponseReturnValue:
    """Ask once more before a signature is taken back."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ATTESTATION_WITHDRAW)
    return page("vendor/check/withdraw.html", active="assessment", row=row, reason="", problems=[], changed="")


@bp.post("/assessments/<uuid:assessment_id>/withdraw")
@does(Action.ATTESTATION_WITHDRAW)
def withdraw(assessment_id: UUID) -> ResponseReturnValue:
    """Take what was signed back, with a reason, while nothing is decided."""
    reason = request.form.get("reason", "")
    problems: list[str] = []
    changed, status = "", 422
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ATTESTATION_WITHDRAW)
    try:
        with begin() as tx:
            mine = assessments.get(tx, assessment_id, Action.ATTESTATION_WITHDRAW)
            seen = version_in(request.form, "row_version")
            assessments.withdraw(tx, assessment=mine, reason=reason, row_version=seen)
    except Refused as refusal:
        problems = refusal.problems["reason"]
    except Conflict as late:
        changed, status = late.message, 409
    else:
        flash("Withdrawn. Your answers stay readable.")
        return redirect(url_for("vendor_home.show", assessment_id=assessment_id), 303)
    told = page(
        "vendor/check/withdraw.html", active="assessment", row=row, reason=reason, problems=problems, changed=changed
    )
    return told, status


def _page(
    assessment_id: UUID,
    problems: Mapping[str, Any] | None = None,
    status: int = 200,
    *,
    missing: tuple[Blocker, ...] = (),
) -> ResponseReturnValue:
    lab = house().settings.lab_name
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        work = load(tx, row, lab=lab)
        signed = attestations.latest(tx, row.id)
        receipt = attestations.attested(tx, signed.id) if signed else None
        preview = attestations.preview(tx, row, lab_name=lab) if work.is_open else None
        earlier = attestations.baseline(tx, row) if preview else None
        before = attestations.attested(tx, earlier.id) if earlier else None
        statements = attestations.statements_for(tx, row, lab_name=lab) if work.is_open else ()
        scoping = assessments.scoping_of(tx, row)
        files = attestations.citations_of(tx, row)
        sources = Sources(tx, work.carried.values())
    changes: list[ChangeLine] = []
    if preview and before:
        labels = {each.key: each.label for each in scoping}
        found = attestations.changes_since(before.snapshot, preview)
        # What nobody has confirmed or answered yet is no change; it is counted with what is to do first.
        changes = [_change(work, each, labels, sources) for each in found if not _is_open(work, each)]
    me = work.people.get(actor().id) if actor().id else None  # type: ignore[arg-type]
    errors = [
        (f"#{'statements-0' if name == 'statements' else name}", words)
        for name, texts in (problems or {}).items()
        if name != "changed"
        for words in texts
    ]
    errors += [(link_of(work, each), each.sentence) for each in missing]
    errors += [("", words) for words in (problems or {}).get("changed", ())]
    answer = page(
        "vendor/check/check.html",
        active="assessment",
        work=work,
        blockers=[(each, link_of(work, each)) for each in work.blockers] if work.is_open else [],
        preview=preview,
        before=before,
        changes=changes,
        statements=statements,
        sections=_answers(work),
        scoping=scoping,
        files=files,
        receipt=receipt,
        signatories=work.with_role(Role.SIGNATORY),
        may_sign=policy.may(actor(), Action.ATTESTATION_SIGN, row),
        me=me,
        fresh=actor().fresh,
        typed=request.form if request.method == "POST" else None,
        problems=problems or {},
        errors=errors,
        may_withdraw=row.state in (AssessmentState.SUBMITTED, AssessmentState.IN_REVIEW)
        and policy.may(actor(), Action.ATTESTATION_WITHDRAW, row),
    )
    return answer, status


def _answers(work: Work) -> list[tuple[Any, list[tuple[Question, wording.Said, str, str]]]]:
    """Return every section with its visible questions: what was answered, by whom, and where to change it."""
    found = []
    for section in work.sections:
        part = work.questionnaire.section(section.key)
        rows = []
        for question in part.questions:
            if question in work.visible:
                line = work.lines.get(question.key)
                words = wording.said(question, line.answer if line else None)
                rows.append((question, words, line.by if line else "", _link(work, question)))
        found.append((section, rows))
    return found


def _link(work: Work, question: Question) -> str:
    return f"{url_for('vendor_section.show', assessment_id=work.id, section=question.section)}#q-{slug(question.key)}"


def _is_open(work: Work, change: Change) -> bool:
    """Whether a change is only that its question has no answer here yet."""
    return change.part is Part.ANSWER and change.new is not None and change.key not in work.lines


def _change(work: Work, change: Change, labels: Mapping[str, str], sources: Sources) -> ChangeLine:
    earlier = work.carried.get(change.key)
    then = sources.question(earlier) if earlier else None
    if change.part is Part.ANSWER and change.key not in work.questionnaire:
        where = f"{url_for('vendor_renewal.show', assessment_id=work.id)}#archived"
        said = _words(then, change.old).line if then else ""
        return ChangeLine(then.label if then else change.key, said, GONE, "", "", where, "Read")
    if change.part is Part.SCOPING:
        where = f"{url_for('vendor_scoping.show', assessment_id=work.id)}#f-{slug(change.key)}"
        return ChangeLine(labels.get(change.key, change.key), "", "Stated anew", "", "", where)
    question = work.questionnaire.question(change.key)
    old, new = _words(then or question, change.old), _words(question, change.new)
    notes = [new.comment] if old.line != new.line and new.comment else []
    if old.line == new.line and _beside(old) != _beside(new):
        notes.append("The explanation changed")
    if {each.sha256 for each in change.old_files} != {each.sha256 for each in change.new_files}:
        notes.append("The evidence changed")
    line = work.lines.get(question.key)
    return ChangeLine(
        name=f"{question.number} {question.label}",
        old=old.line if old.line != new.line else "",
        new=new.line or (GONE if change.new is None else "Cleared"),
        note=". ".join(notes),
        by=line.by if line else "",
        link=_link(work, question),
    )


def _beside(said: wording.Said) -> tuple[object, ...]:
    return said.comment, said.details, said.instead


def _words(question: Question, content: Mapping[str, Any] | None) -> wording.Said:
    answer: Answer | None = from_json(content) if content else None
    return wording.said(question, answer)
