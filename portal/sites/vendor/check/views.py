"""Reading everything before it is signed, the signature, its receipt, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.rules import Blocker, Change, Part, Use
from portal.audit import queries as audit
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import moment
from portal.policy import Action
from portal.questionnaires.rules import Answer, Question, credit, from_json
from portal.sites.shared import does, house, page
from portal.sites.shared.language import _, language, reader
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.step_up import stepped_up
from portal.sites.vendor import wording
from portal.sites.vendor.renewal.earlier import Sources
from portal.sites.vendor.work import Work, link_of, load, slug, version_in
from portal.terms import N_, AssessmentState, Role

bp = Blueprint("vendor_check", __name__)
ROOT = "/assessments/<uuid:assessment_id>/check"
GONE = N_("Not asked any more")
SOME_FACTOR = "second_factor"
LEEWAY = timedelta(seconds=10)
"""Transactions that were open when the page was read may carry a moment before it."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One thing that differs from what was signed before. ``less`` says that it claims less than then."""

    name: str
    old: str
    new: str
    notes: Sequence[str]
    by: str
    link: str
    act: str = N_("Change")
    less: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Unproven:
    """A claim that no file proves today: none is attached, or the last one has ended."""

    name: str
    why: str
    comment: str
    link: str
    ended: date | None = None


@bp.get(ROOT)
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show what would be signed, or the receipt of what was."""
    return check_page(assessment_id)


@bp.post(ROOT)
@does(Action.ATTESTATION_SIGN)
def sign(assessment_id: UUID) -> ResponseReturnValue:
    """Sign what the page showed, or say what is in the way."""
    with begin() as tx:
        policy_row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
    if wrong := stepped_up(request.form.get("code")):
        return check_page(assessment_id, {"code": [wrong]}, 422)
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
                factor=_factor(tx),
            )
    except attestations.Incomplete as refusal:
        return check_page(assessment_id, {}, 422, missing=refusal.blockers)
    except Refused as refusal:
        return check_page(assessment_id, refusal.problems, 422)
    except Conflict as late:
        return check_page(assessment_id, {"changed": [late.message]}, 409)
    flash(_("Signed and sent to %(lab)s. A reviewer is told.", lab=house().settings.lab_name))
    return redirect(url_for(".show", assessment_id=policy_row.id), 303)


def _factor(tx: Tx) -> str:
    """Return by which kind of factor the signatory proved to be present in this session."""
    session_id = actor().session_id
    return (audit.factor_of(tx, session_id) if session_id else "") or SOME_FACTOR


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
        flash(_("Withdrawn. Your answers stay readable."))
        return redirect(url_for("vendor_home.show", assessment_id=assessment_id), 303)
    told = page(
        "vendor/check/withdraw.html", active="assessment", row=row, reason=reason, problems=problems, changed=changed
    )
    return told, status


def check_page(
    assessment_id: UUID,
    problems: Mapping[str, Any] | None = None,
    status: int = 200,
    *,
    missing: tuple[Blocker, ...] = (),
) -> ResponseReturnValue:
    """Return the page as it stands, with what was refused."""
    lab = house().settings.lab_name
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        work = load(tx, row, lab=lab)
        signed = attestations.latest(tx, row.id)
        receipt = attestations.attested(tx, signed.id) if signed else None
        preview = (
            attestations.preview(tx, row, lab_name=lab, lines=work.lines, now=work.standing) if work.is_open else None
        )
        earlier = attestations.baseline(tx, row) if preview else None
        before = attestations.attested(tx, earlier.id) if earlier else None
        statements = attestations.statements_for(tx, row, lab_name=lab) if work.is_open else ()
        scoping = assessments.scoping_of(tx, row)
        files = attestations.citations_of(tx, row)
        sources = Sources(tx, work.carried.values())
        asked = attestations.asked_for(tx, row) if work.is_open else None
        since = _since(request.form.get("shown_at", "")) if problems and "changed" in problems else None
        touched = attestations.touched(tx, row.id, since=since) if since else ()
        now = tx.now
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
        if name not in ("changed", "ask")
        for words in texts
    ]
    errors += [(link_of(work, each), each.sentence) for each in missing]
    errors += [("", words) for name in ("changed", "ask") for words in (problems or {}).get(name, ())]
    errors += _news(work, touched)
    answer = page(
        "vendor/check/check.html",
        active="assessment",
        work=work,
        blockers=[(each, link_of(work, each)) for each in work.blockers] if work.is_open else [],
        preview=preview,
        before=before,
        changes=changes,
        less=[each for each in changes if each.less],
        unproven=_unproven(work, files, now.date()) if preview else [],
        statements=statements,
        sections=_answers(work),
        scoping=scoping,
        files=files,
        receipt=receipt,
        asked=asked,
        signatories=work.with_role(Role.SIGNATORY),
        may_sign=policy.may(actor(), Action.ATTESTATION_SIGN, row),
        may_send_back=policy.may(actor(), Action.SEND_BACK, row),
        may_ask=policy.may(actor(), Action.SIGNATURE_ASK, row),
        me=me,
        fresh=actor().fresh,
        shown_at=now.isoformat(),
        typed=request.form if request.method == "POST" else None,
        problems=problems or {},
        errors=errors,
        may_withdraw=row.state in (AssessmentState.SUBMITTED, AssessmentState.IN_REVIEW)
        and policy.may(actor(), Action.ATTESTATION_WITHDRAW, row),
    )
    return answer, status


def _since(text: str) -> datetime | None:
    """Return when the page was read that was signed; it only decides what is told of the changes since."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at - LEEWAY if at.tzinfo is not None and at.year > 2000 else None


def _news(work: Work, touched: Sequence[attestations.News]) -> list[tuple[str, str]]:
    """Return what changed since the page was read, each with its link."""
    found = []
    for each in touched:
        if each.question_key not in work.questionnaire:
            continue
        question = work.questionnaire.question(each.question_key)
        who = each.by or _("Somebody")
        name = f"{question.number} {question.label}"
        at = moment(each.at, language(), reader().zone, short=True)
        words = (
            _("%(name)s changed %(question)s on %(at)s", name=who, question=name, at=at)
            if each.version
            else _("%(name)s changed the files of %(question)s on %(at)s", name=who, question=name, at=at)
        )
        found.append((_link(work, question), words))
    return found


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


def _unproven(work: Work, files: Mapping[str, Sequence[attestations.CitationLine]], today: date) -> list[Unproven]:
    """Return the claims that count for more with a file, and that no file proves today."""
    found = []
    for question in work.visible:
        answer = work.standing.answers.get(question.key)
        if not work.questionnaire.evidence_level(question.key, work.row.tier) or not credit(question, answer):
            continue
        usable = [each for each in files.get(question.key, ()) if each.use is not Use.REFUSED]
        ends = [each.valid_until for each in usable]
        if any(end is None or end >= today for end in ends):
            continue
        last = max((end for end in ends if end is not None), default=None)
        found.append(
            Unproven(
                name=f"{question.number} {question.label}",
                why=N_("No file is attached.") if last is None else "",
                comment=answer.comment if answer is not None and last is None else "",
                link=f"{url_for('vendor_section.show', assessment_id=work.id, section=question.section)}"
                f"#ev-{slug(question.key)}",
                ended=last,
            )
        )
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
        return ChangeLine(then.label if then else change.key, said, GONE, (), "", where, N_("Read"))
    if change.part is Part.SCOPING:
        where = f"{url_for('vendor_scoping.show', assessment_id=work.id)}#f-{slug(change.key)}"
        return ChangeLine(labels.get(change.key, change.key), "", N_("Stated anew"), (), "", where)
    question = work.questionnaire.question(change.key)
    old, new = _words(then or question, change.old), _words(question, change.new)
    notes = [new.comment] if old.line != new.line and new.comment else []
    if old.line == new.line and _beside(old) != _beside(new):
        notes.append(N_("The explanation changed"))
    if {each.sha256 for each in change.old_files} != {each.sha256 for each in change.new_files}:
        notes.append(N_("The evidence changed"))
    line = work.lines.get(question.key)
    mine = work.writable(actor(), question.section)
    return ChangeLine(
        name=f"{question.number} {question.label}",
        old=old.line if old.line != new.line else "",
        new=new.line or (GONE if change.new is None else N_("Cleared")),
        notes=notes,
        by=line.by if line else "",
        link=_link(work, question),
        act=N_("Change") if mine else N_("Read"),
        less=_less(then or question, change.old, question, change.new),
        key=question.key,
    )


def _less(then: Question, old: Mapping[str, Any] | None, now: Question, new: Mapping[str, Any] | None) -> bool:
    """Whether an answer claims less than it did."""
    if not old or not new:
        return False
    was, is_now = credit(then, from_json(old)), credit(now, from_json(new))
    return was is not None and is_now is not None and is_now < was


def _beside(said: wording.Said) -> tuple[object, ...]:
    return said.comment, said.details, said.instead


def _words(question: Question, content: Mapping[str, Any] | None) -> wording.Said:
    answer: Answer | None = from_json(content) if content else None
    return wording.said(question, answer)
