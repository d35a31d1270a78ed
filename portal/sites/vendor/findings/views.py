"""One finding: what is wrong, what closes it, the proof that was sent, and the conversation about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO, cast
from uuid import UUID

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from portal.assessments import queries as assessment_queries
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.evidence import intake, rules, service
from portal.evidence import queries as evidence
from portal.evidence.queries import LibraryLine
from portal.findings import planning, remedies
from portal.findings import service as findings
from portal.findings.planning import StepLine
from portal.findings.remedies import RemedyLine
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action, may_ever
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question
from portal.sites.shared import does, house, ledger, page
from portal.sites.shared.lane import through_store
from portal.sites.shared.language import _
from portal.sites.shared.outcome import Finding, finding_of
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.evidence import uploads
from portal.sites.vendor.evidence.pages import kind_options
from portal.terms import EvidenceState, FindingAct, FindingState, RemedyAct

bp = Blueprint("vendor_findings", __name__)
MOST_FILES = 60


@bp.get("/findings/<uuid:finding_id>")
@does(Action.OUTCOME_READ)
def show(finding_id: UUID) -> ResponseReturnValue:
    """Show a finding with everything that was said and sent about it."""
    return _page(finding_id)


@bp.post("/findings/<uuid:finding_id>/proof")
@does(Action.FINDING_ANSWER)
@through_store(inward=True)
def send(finding_id: UUID) -> ResponseReturnValue:
    """Send a file of the library as proof; without scripts a new file comes with it."""
    typed = request.form
    try:
        chosen = _chosen(finding_id)
        with begin() as tx:
            finding = remedies.of_vendor(tx, finding_id, Action.FINDING_ANSWER)
            remedies.send_proof(
                tx,
                finding=finding,
                evidence=service.get(tx, chosen, Action.EVIDENCE_READ),
                pages=typed.get("pages", ""),
                note=typed.get("note", ""),
                row_version=_number(typed.get("row_version", "")),
            )
            name = f"F-{finding.number}"
    except Refused as refused:
        problems = dict(refused.problems)
        if not problems:
            problems = {"evidence": [refused.message]}
        return _page(finding_id, typed=typed, problems=problems), 422
    except Conflict as conflict:
        return _page(finding_id, typed=typed, changed=conflict.message), 409
    flash(_("Your proof for %(name)s is sent. We look at it and tell you by mail.", name=name))
    return redirect(url_for(".show", finding_id=finding_id), 303)


@bp.post("/findings/<uuid:finding_id>/plan")
@does(Action.FINDING_ANSWER)
def send_plan(finding_id: UUID) -> ResponseReturnValue:
    """Say what will be done about it, and by when."""
    typed = request.form
    try:
        with begin() as tx:
            finding = remedies.of_vendor(tx, finding_id, Action.FINDING_ANSWER)
            planning.send_plan(
                tx,
                finding=finding,
                words=typed.get("words", ""),
                by_day=_day(typed.get("by_day", "")),
                row_version=_number(typed.get("row_version", "")),
            )
            name = f"F-{finding.number}"
    except Refused as refused:
        return _page(finding_id, typed=typed, problems=refused.problems), 422
    except Conflict as conflict:
        return _page(finding_id, typed=typed, changed=conflict.message), 409
    flash(_("Your plan for %(name)s is sent. We agree to it or write back.", name=name))
    return redirect(f"{url_for('.show', finding_id=finding_id)}#plan", 303)


@bp.post("/findings/<uuid:finding_id>/owner")
@does(Action.FINDING_ANSWER)
def name_owner(finding_id: UUID) -> ResponseReturnValue:
    """Say who sees to it."""
    typed = request.form
    try:
        with begin() as tx:
            finding = remedies.of_vendor(tx, finding_id, Action.FINDING_ANSWER)
            planning.name_owner(
                tx,
                finding=finding,
                person_id=_person(typed.get("owner", "")),
                row_version=_number(typed.get("row_version", "")),
            )
    except Refused as refused:
        return _page(finding_id, typed=typed, problems=refused.problems), 422
    except Conflict as conflict:
        return _page(finding_id, typed=typed, changed=conflict.message), 409
    flash(_("Saved."))
    return redirect(url_for(".show", finding_id=finding_id), 303)


@bp.post("/findings/<uuid:finding_id>/say")
@does(Action.MESSAGE_SHARED)
def say(finding_id: UUID) -> ResponseReturnValue:
    """Write in the conversation about the finding's question."""
    body = request.form.get("body", "")
    try:
        with begin() as tx:
            finding = remedies.of_vendor(tx, finding_id)
            assessment = assessments.get(tx, finding.assessment_id, Action.ASSESSMENT_READ)
            attestations.post_message(tx, assessment=assessment, question_key=finding.question_key, body=body)
    except Refused as refused:
        problem = next((words for each in refused.problems.values() for words in each), refused.message)
        return _page(finding_id, reply=body, reply_problem=problem), 422
    except Conflict as conflict:
        return _page(finding_id, reply=body, reply_problem=conflict.message), 409
    flash(_("Your message is sent."))
    return redirect(f"{url_for('.show', finding_id=finding_id)}#conversation", 303)


@bp.post("/findings/<uuid:finding_id>/reserve")
@does(Action.EVIDENCE_UPLOAD)
def reserve(finding_id: UUID) -> ResponseReturnValue:
    """Reserve a place for a file that the browser will send, as the library does; it comes back as a choice here."""
    with begin() as tx:
        remedies.of_vendor(tx, finding_id, Action.FINDING_ANSWER)
    answer = make_response(uploads.reserve())
    if answer.status_code != 201:
        return answer
    told = answer.get_json()
    told["finalise_url"] = url_for(".arrived", finding_id=finding_id, evidence_id=told["id"])
    return jsonify(told), 201


@bp.post("/findings/<uuid:finding_id>/files/<uuid:evidence_id>/finalise")
@does(Action.EVIDENCE_UPLOAD)
def arrived(finding_id: UUID, evidence_id: UUID) -> ResponseReturnValue:
    """Check a file that was sent and return it as the choice among the proofs."""
    with begin() as tx:
        remedies.of_vendor(tx, finding_id, Action.FINDING_ANSWER)
    answer = make_response(uploads.finalise(evidence_id))
    if answer.status_code != 200:
        return answer
    told = answer.get_json()
    with begin() as tx:
        line = evidence.line(tx, evidence_id)
    html = render_template("vendor/findings/choice.html", file=line, checked=True, lacking=bool(line.missing))
    return jsonify({**told, "html": html})


def _page(
    finding_id: UUID,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
    changed: str = "",
    reply: str = "",
    reply_problem: str = "",
) -> str:
    with begin() as tx:
        row = remedies.of_vendor(tx, finding_id)
        assessment = assessments.get(tx, row.assessment_id, Action.ASSESSMENT_READ)
        question = questionnaires.compiled(tx, assessment.questionnaire_id).question(row.question_key)
        outcome = assessment_queries.outcome_of_revision(tx, row.assessment_id, row.revision)
        if outcome is None:
            outcome = next(
                (each for each in assessments.outcomes_of(tx, row.vendor_id) if each.assessment_id == assessment.id),
                None,
            )
        told = finding_of(assessments.standing_of(tx, outcome), f"F-{row.number}") if outcome else None
        shown = told or Finding(
            name=f"F-{row.number}",
            number=question.number,
            label=question.label,
            severity=row.severity.value.capitalize(),
            what=row.what,
            closes_when=row.closes_when,
            due_on=row.due_on,
            gain=None,
            id=str(row.id),
        )
        steps = remedies.steps_of(tx, [row.id]).get(row.id, ())
        said = planning.steps_of(tx, [row.id]).get(row.id, ())
        team = findings.owners(tx, row.vendor_id)
        files = [each for each in evidence.library(tx) if _can_prove(each)]
        unfinished = evidence.unfinished(tx)
        thread = attestations.messages_of(tx, assessment, row.question_key).get(row.question_key, ())
        today = tx.now.date()
        version, open_ = row.row_version, row.state is FindingState.OPEN
        replaced = (row.credit, row.credit_reason) if open_ and row.credit is not None else None
        owner_id = row.owner_id
    given: Mapping[str, str] = typed or {}
    return page(
        "vendor/findings/finding.html",
        active="results",
        finding=shown,
        finding_id=finding_id,
        outcome=outcome,
        question=question,
        history=_history(steps, said, {each.id for each in team}),
        owners=[("", _("Nobody yet")), *((str(each.id), each.full_name) for each in team)],
        owner_id=str(owner_id or ""),
        replaced=replaced,
        files=_fitting_first(files, question)[:MOST_FILES],
        unfinished=unfinished,
        kinds=kind_options(tuple(question.evidence.kinds) or ("SCR",)),
        thread=thread,
        today=today,
        row_version=given.get("row_version", version) if problems else version,
        typed=given,
        problems=problems or {},
        changed=changed,
        reply=reply,
        reply_problem=reply_problem,
        errors=bool(problems or reply_problem) or None,
        open=open_,
        may_answer=open_ and may_ever(actor(), Action.FINDING_ANSWER),
        may_upload=may_ever(actor(), Action.EVIDENCE_UPLOAD),
        max_bytes=rules.MAX_BYTES,
    )


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a finding; ``kind`` is what the page puts into words, ``by`` is empty for the lab."""

    kind: str
    at: datetime
    by: str
    words: str
    day: date | None = None
    was_day: date | None = None
    person: str = ""
    evidence_id: UUID | None = None
    file: str = ""
    pages: str = ""


def _history(steps: Sequence[RemedyLine], said: Sequence[StepLine], ours: Collection[UUID]) -> tuple[Event, ...]:
    """Return what happened to a finding, the newest first; of the lab only that it did, not who."""
    found = [
        Event(
            each.act.value,
            each.at,
            each.by_name if each.act is RemedyAct.SENT else "",
            each.note,
            evidence_id=each.evidence_id,
            file=each.file_name,
            pages=each.pages,
        )
        for each in steps
    ]
    found += [
        Event(
            each.act.value,
            each.at,
            each.by_name if each.act is FindingAct.PLAN_SENT or each.by in ours else "",
            each.words,
            each.day,
            each.was_day,
            each.person_name,
        )
        for each in said
        # Who follows it at the lab is the lab's own.
        if each.act is not FindingAct.FOLLOWER_NAMED
    ]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def _chosen(finding_id: UUID) -> UUID:
    """Return the file that was chosen: a new one that came with the form, or one of the library."""
    sent = next((each for each in request.files.getlist("file") if each.filename), None)
    if sent is not None:
        return _taken(finding_id, sent)
    try:
        return UUID(request.form.get("evidence", ""))
    except ValueError:
        with begin() as tx:
            remedies.of_vendor(tx, finding_id, Action.FINDING_ANSWER)
        raise Refused(problems={"evidence": [_("Choose the file that shows it, or upload one")]}) from None


def _taken(finding_id: UUID, sent: FileStorage) -> UUID:
    with begin() as tx:
        finding = remedies.of_vendor(tx, finding_id, Action.FINDING_ANSWER)
        if finding.state is not FindingState.OPEN:
            raise Conflict(_("%(name)s is closed. Nothing was changed.", name=f"F-{finding.number}"))
        if not may_ever(tx.actor, Action.EVIDENCE_UPLOAD):
            raise NotFound
    taken = intake.receive_form(
        ledger(),
        actor(),
        store=house().store,
        stream=cast("BinaryIO", sent.stream),
        file_name=sent.filename or "",
        kind=request.form.get("kind", ""),
        supersedes_id=None,
        scanner_url=house().settings.scanner,
    )
    return taken.id


def _can_prove(line: LibraryLine) -> bool:
    states = (EvidenceState.RECEIVED, EvidenceState.ATTACHED, EvidenceState.VERIFIED)
    return line.state in states and line.replaced_by is None


def _fitting_first(files: list[LibraryLine], question: Question) -> list[LibraryLine]:
    return sorted(files, key=lambda each: each.kind not in question.evidence.kinds)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _person(text: str) -> UUID | None:
    """Return who was chosen; None for nobody.

    :raises NotFound: for what no choice of the page says.
    """
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
