"""The workspace: the list, one answer with its proof, the verdict, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.attestations.service import CarriedLine
from portal.evidence import service as evidence
from portal.findings import service as findings
from portal.findings.people import owners
from portal.identity import queries as people
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import checking
from portal.reviews import service as reviews
from portal.reviews.checking import Check
from portal.reviews.service import CitedFile, Workspace
from portal.scoring import service as scoring
from portal.sites.lab.score_words import point_words, shown
from portal.sites.lab.workspace import reading as work
from portal.sites.lab.workspace import taking
from portal.sites.lab.workspace.blocking import BlockChoice, block_choices
from portal.sites.lab.workspace.blueprint import bp
from portal.sites.lab.workspace.forms import FileForm, TextForm, VerdictForm, add_problems, block_name, number
from portal.sites.lab.workspace.pane import File, file_of, pane
from portal.sites.lab.workspace.reading import AnswerPage, Reading
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page
from portal.terms import Acceptance, AssessmentState, Role, Severity, Verdict

__all__ = ["bp", "taking"]

DUE_IN = timedelta(days=30)


@bp.get("")
@does(Action.REVIEW_READ)
def show(review_id: UUID) -> ResponseReturnValue:
    """Show one answer of a review; ``?q=`` names it, without it the first that waits for a verdict.

    ``?with=`` names the revision to compare with, ``?diff=off`` leaves it out, ``?done=`` says what was judged last.
    """
    return _page(review_id, request.args.get("q", ""))


@bp.post("/answers/<key>/verdict")
@does(Action.REVIEW_JUDGE)
def judge(review_id: UUID, key: str) -> ResponseReturnValue:
    """Keep a verdict as a draft, and go on to the next answer without one.

    With script the next answer comes at once, and with it the way back to what was said before.
    """
    form = VerdictForm()
    if request.form.get("quick") == Verdict.ACCEPT.value:
        form.verdict.data = Verdict.ACCEPT.value
    if not form.validate():
        return _page(review_id, key, form=form), 422
    try:
        verdict = Verdict(form.verdict.data or "")
    except ValueError:
        add_problems(form, {"verdict": ["Choose whether you accept, flag or ask"]})
        return _page(review_id, key, form=form), 422
    stays = request.form.get("stay") == "1"
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            before = _said_before(tx, review_id, key)
            reviews.judge(
                tx,
                review=review,
                question_key=key,
                verdict=verdict,
                note=(form.note.data if verdict is Verdict.ASK else form.remark.data) or "",
                wrong=form.wrong() if verdict is Verdict.FLAG else None,
                version=number(form.version.data),
            )
            space = reviews.workspace(tx, review, compare_with=_with())
            onward = key if stays else space.after(key)
            seen = _seen(tx, space, onward, done=key, before=before) if _scripted() else None
    except Refused as refused:
        add_problems(form, refused.problems, otherwise="verdict")
        return _page(review_id, key, form=form), 422
    except Conflict as conflict:
        return _page(review_id, key, form=form, changed=conflict.message), 409
    if seen is not None:
        return _render(seen)
    return redirect(_here(review_id, onward, done=key), 303)


@bp.post("/answers/<key>/clear")
@does(Action.REVIEW_JUDGE)
def clear(review_id: UUID, key: str) -> ResponseReturnValue:
    """Take a verdict back, with its finding."""
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            reviews.clear_verdict(tx, review=review, question_key=key, version=number(request.form.get("version")))
            seen = _seen(tx, reviews.workspace(tx, review, compare_with=_with()), key, done=key)
    except Conflict as conflict:
        return _page(review_id, key, changed=conflict.message), 409
    return _render(seen) if _scripted() else redirect(_here(review_id, key, done=key), 303)


@bp.post("/answers/<key>/reopen")
@does(Action.REVIEW_JUDGE)
def reopen(review_id: UUID, key: str) -> ResponseReturnValue:
    """Judge an answer again that was accepted in the revision before."""
    form = TextForm(prefix="reopen")
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            reviews.reopen_verdict(tx, review=review, question_key=key, reason=form.body.data or "")
    except Refused as refused:
        return _page(review_id, key, said={"reopen": refused.problems.get("reason", [refused.message])}), 422
    except Conflict as conflict:
        return _page(review_id, key, changed=conflict.message), 409
    return redirect(_here(review_id, key), 303)


@bp.post("/answers/<key>/note")
@does(Action.NOTE_INTERNAL)
def note(review_id: UUID, key: str) -> ResponseReturnValue:
    """Write a note that only the lab sees."""
    form = TextForm(prefix="note")
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.NOTE_INTERNAL)
            reviews.note_internal(tx, review=review, question_key=key, body=form.body.data or "")
    except Refused as refused:
        problems = {"note-text": refused.problems.get("body", [refused.message])}
        return _page(review_id, key, said=problems, typed={"note": form.body.data or ""}), 422
    return redirect(_here(review_id, key) + "#notes", 303)


@bp.post("/answers/<key>/message")
@does(Action.MESSAGE_SHARED)
def message(review_id: UUID, key: str) -> ResponseReturnValue:
    """Write to the vendor at once, in the conversation about an answer."""
    form = TextForm(prefix="message")
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.MESSAGE_SHARED)
            asks = bool(request.form.get("asks"))
            reviews.post_message(tx, review=review, question_key=key, body=form.body.data or "", asks=asks)
    except Refused as refused:
        problems = {"message": refused.problems.get("body", [refused.message])}
        return _page(review_id, key, said=problems, typed={"message": form.body.data or ""}), 422
    except Conflict as conflict:
        return _page(review_id, key, changed=conflict.message, typed={"message": form.body.data or ""}), 409
    return redirect(_here(review_id, key) + "#conversation", 303)


@bp.post("/citations/<uuid:citation_id>")
@does(Action.REVIEW_JUDGE)
def judge_citation(review_id: UUID, citation_id: UUID) -> ResponseReturnValue:
    """Let a file prove this answer, or not."""
    key = request.args.get("q", "")
    try:
        acceptance = Acceptance(request.form.get("acceptance", ""))
    except ValueError:
        raise Refused("Choose whether the file proves the answer.") from None
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            reviews.judge_citation(tx, review=review, citation_id=citation_id, acceptance=acceptance)
    except Conflict as conflict:
        return _page(review_id, key, changed=conflict.message), 409
    return redirect(_here(review_id, key) + "#evidence", 303)


@bp.post("/citations/<uuid:citation_id>/recheck")
@does(Action.EVIDENCE_JUDGE)
def recheck(review_id: UUID, citation_id: UUID) -> ResponseReturnValue:
    """Say that the newer revision of a file proves this answer too, as the page named it."""
    key = request.args.get("q", "")
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            signed = reviews.attested_of(tx, review).snapshot.citations
            if all(each.citation_id != citation_id for each in signed):
                raise NotFound
            newer = evidence.get(tx, _id(request.form.get("seen", "")), Action.EVIDENCE_JUDGE)
            reviews.recheck(tx, citation_id=citation_id, evidence=newer)
    except Conflict as conflict:
        return _page(review_id, key, changed=conflict.message), 409
    return redirect(_here(review_id, key) + "#evidence", 303)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


@bp.post("/files/<uuid:evidence_id>")
@does(Action.EVIDENCE_JUDGE)
def judge_file(review_id: UUID, evidence_id: UUID) -> ResponseReturnValue:
    """Say that a file is what it says it is, or what is wrong with it."""
    key = request.args.get("q", "")
    form = FileForm(prefix="file")
    verifies = request.form.get("judgement") == "verify"
    words = form.note.data or ""
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_READ)
            cited = {each.evidence_id for each in reviews.attested_of(tx, review).snapshot.citations}
            if evidence_id not in cited:
                raise NotFound
            row = evidence.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
            version = number(form.row_version.data)
            if verifies:
                evidence.verify(tx, evidence=row, note=words, row_version=version)
            else:
                evidence.reject(tx, evidence=row, note=words, row_version=version)
    except Refused as refused:
        problems = {f"file-{evidence_id}": refused.problems.get("note", [refused.message])}
        return _page(review_id, key, said=problems, typed={f"file-{evidence_id}": words}), 422
    except Conflict as conflict:
        return _page(review_id, key, changed=conflict.message), 409
    return redirect(_here(review_id, key) + "#evidence", 303)


@bp.get("/score")
@does(Action.REVIEW_READ)
def score(review_id: UUID) -> ResponseReturnValue:
    """Show every point: what each question is worth, what it got and why, and whether the stored score replays."""
    with begin() as tx:
        reading = work.read(tx, review_id)
        space = reading.space
        stored = scoring.latest(tx, space.assessment.id)
        today = tx.now.date()
        kept = (
            {
                "id": stored.id,
                "made_at": stored.made_at,
                "cause": stored.cause,
                "digest": stored.result_digest,
                "replays": scoring.replays(stored),
                "same": stored.result_digest == space.live.digest,
            }
            if stored
            else None
        )
    marks, losses, papers = space.live.marks, space.live.losses, space.live.papers_by_key
    return page(
        "lab/workspace/score.html",
        reading=reading,
        head=reading.head,
        score=shown(space.live.score, space.live.inputs, space.questionnaire, space.live.papers),
        rows=[
            (
                question,
                marks[question.key],
                losses.get(question.key),
                point_words(marks[question.key], papers.get(question.key, ()), today),
            )
            for question in space.questionnaire.questions
            if question.key in marks
        ],
        stored=kept,
        live_digest=space.live.digest,
        sections={each.key: each for each in space.questionnaire.sections},
    )


def _scripted() -> bool:
    """Whether a script asks, which puts what comes into the page that is there."""
    return "HX-Request" in request.headers


def _with() -> UUID | None:
    """Return the revision that was chosen to compare with; what names none is the usual one."""
    try:
        return UUID(request.args.get("with", ""))
    except ValueError:
        return None


def _kept() -> dict[str, str]:
    """Return what the address says beside the answer, so that it stays from one to the next."""
    chosen, diff = _with(), request.args.get("diff", "")
    return ({"with": str(chosen)} if chosen else {}) | ({"diff": "off"} if diff == "off" else {})


def _here(review_id: UUID, key: str, *, done: str = "") -> str:
    named: dict[str, Any] = {"q": key or None, "done": done or None, **_kept()}
    return url_for("lab_workspace.show", review_id=review_id, **named)


@dataclass(frozen=True, slots=True)
class Done:
    """What was said of an answer last, and how to take that back: by saying again what was said before, or nothing."""

    key: str
    number: str
    label: str
    verdict: Verdict | None
    version: int
    again: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a page of the workspace takes from one transaction."""

    reading: Reading
    answer: AnswerPage | None
    confirmed: CarriedLine | None
    names: Mapping[UUID | None, str]
    done: Done | None
    blocks: tuple[BlockChoice, ...]
    owners: tuple[tuple[str, str], ...]
    checks: Mapping[str, tuple[Check, ...]]
    shown_file: CitedFile | None
    file: File | None
    today: date


def _seen(tx: Tx, space: Workspace, key: str, *, done: str = "", before: Mapping[str, Any] | None = None) -> Seen:
    """Return what the page of one answer shows; without a key, of the first that waits for a verdict."""
    found = checking.of_review(tx, space.review, space)
    reading = work.reading_of(space, pointed_at=found.keys())
    answer = work.answer_page(space, key or space.first()) if space.order else None
    judges = answer is not None and rights_of(reading)["judge"]
    people_there = owners(tx, space.vendor.id) if judges else ()
    shown_file = _shown_file(answer)
    return Seen(
        reading=reading,
        answer=answer,
        confirmed=work.confirmed_from(tx, space, answer) if answer else None,
        names=_names(tx, reading, answer),
        done=_done(space, done, before),
        blocks=block_choices(tx, space, answer.finding if answer else None) if judges else (),
        owners=tuple((str(each.id), each.full_name) for each in people_there),
        checks=found,
        shown_file=shown_file,
        file=file_of(tx, space.review.id, answer, shown_file, kept=_kept()) if answer else None,
        today=tx.now.date(),
    )


def _done(space: Workspace, key: str, before: Mapping[str, Any] | None) -> Done | None:
    desk = space.desk(key) if key else None
    if desk is None:
        return None
    said = desk.verdict
    return Done(key, desk.question.number, desk.question.label, said.verdict, said.version, before or {})


def _said_before(tx: Tx, review_id: UUID, key: str) -> dict[str, Any]:
    """Return the form that says of an answer what is said of it now; nothing if nothing is."""
    review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
    said = reviews.verdict_lines(tx, review).get(key)
    if said is None or said.verdict is None:
        return {}
    fields: dict[str, Any] = {"verdict": said.verdict.value}
    fields["note" if said.verdict is Verdict.ASK else "remark"] = said.note
    if said.verdict is Verdict.FLAG:
        found = next(
            (each for each in findings.of_assessment(tx, review.assessment_id) if each.id == said.finding_id), None
        )
        if found is None:
            return {}
        fields |= {
            "severity": found.severity.value,
            "due_on": found.due_on.isoformat() if found.due_on else "",
            "what": found.what,
            "closes_when": found.closes_when,
            "credit": "" if found.credit is None else str(found.credit),
            "credit_reason": found.credit_reason,
            "blocks": [block_name(data, mode) for data, mode in found.blocks],
            "owner": str(found.owner_id or ""),
        }
    return fields


def _page(
    review_id: UUID,
    key: str,
    *,
    form: VerdictForm | None = None,
    changed: str = "",
    said: dict[str, list[str]] | None = None,
    typed: dict[str, str] | None = None,
) -> str:
    with begin() as tx:
        review = reviews.get(tx, review_id, Action.REVIEW_READ)
        seen = _seen(tx, reviews.workspace(tx, review, compare_with=_with()), key, done=request.args.get("done", ""))
    return _render(seen, form=form, changed=changed, said=said, typed=typed)


def _render(
    seen: Seen,
    *,
    form: VerdictForm | None = None,
    changed: str = "",
    said: dict[str, list[str]] | None = None,
    typed: dict[str, str] | None = None,
) -> str:
    reading, answer, space = seen.reading, seen.answer, seen.reading.space
    fresh = form is None
    if form is None:
        form = VerdictForm(formdata=None)
    if answer is not None:
        if fresh:
            _fill(form, answer, seen.today)
        form.version.data = str(answer.verdict.version)
    kept = _kept()
    return page(
        "lab/workspace/_desk.html" if _scripted() else "lab/workspace/workspace.html",
        reading=reading,
        head=reading.head,
        answer=answer,
        confirmed=seen.confirmed,
        form=form,
        names=seen.names,
        changed=changed,
        said=said or {},
        typed=typed or {},
        errors=bool(said) or bool(form.errors),
        rights=rights_of(reading),
        reviewer=seen.names.get(reading.head.reviewer_id, "") if reading.head.reviewer_id else "",
        score=shown(space.live.score, space.live.inputs, space.questionnaire, space.live.papers),
        points=_points(space, answer, seen.today),
        shown_file=seen.shown_file,
        pane=pane(reading, seen.shown_file, seen.file),
        done=seen.done,
        blocks=seen.blocks,
        owners=seen.owners,
        glance=_glance(reading),
        answer_checks=seen.checks.get(answer.question.key, ()) if answer else (),
        whole_checks=seen.checks.get("", ()),
        kept=kept,
        tail="".join(f"&{name}={value}" for name, value in kept.items()),
    )


def _glance(reading: Reading) -> str:
    """Return where what no rule accepted is looked at quickly."""
    return f"/lab/reviews/{reading.head.id}/glance"


def rights_of(reading: Reading) -> dict[str, bool]:
    """Return what the actor can do here now: role, whose review it is, and where it stands, taken together."""
    actor, review = g.actor, reading.space.review
    working = reading.head.state is AssessmentState.IN_REVIEW and review.closed_at is None
    takeable = reading.head.state in {AssessmentState.SUBMITTED, AssessmentState.IN_REVIEW} and review.closed_at is None
    return {
        "judge": working and policy.may(actor, Action.REVIEW_JUDGE, review),
        "claim": takeable and review.reviewer_id is None and policy.may(actor, Action.REVIEW_CLAIM, review),
        "release": takeable and review.reviewer_id is not None and review.reviewer_id == actor.id,
        "assign": takeable and policy.may(actor, Action.REVIEW_ASSIGN, review),
        "note": policy.may(actor, Action.NOTE_INTERNAL, review),
        "message": policy.may(actor, Action.MESSAGE_SHARED, review),
        "file": working and policy.may(actor, Action.EVIDENCE_JUDGE, review),
        "send": working and policy.may(actor, Action.QUESTIONS_RETURN, review),
        "finish": working and policy.may(actor, Action.RECOMMEND, review),
        "decide": reading.head.state is AssessmentState.RECOMMENDED
        and review.closed_at is None
        and policy.may(actor, Action.DECISION_PROPOSE, review),
        "back": reading.head.state is AssessmentState.RECOMMENDED
        and review.closed_at is None
        and Role.LEAD_APPROVER in actor.roles,
    }


def _names(tx: Tx, reading: Reading, answer: Any) -> dict[UUID | None, str]:
    wanted = [reading.head.reviewer_id]
    if answer is not None:
        wanted += [answer.prepared_by, answer.verdict.given_by]
    return {each.id: each.full_name for each in people.people(tx, wanted).values()}


def _fill(form: VerdictForm, answer: Any, today: Any) -> None:
    verdict, finding = answer.verdict, answer.finding
    form.verdict.data = verdict.verdict.value if verdict.verdict else None
    form.note.data = verdict.note if verdict.verdict is Verdict.ASK else ""
    form.remark.data = verdict.note if verdict.verdict is not Verdict.ASK else ""
    form.severity.data = (finding.severity if finding else Severity.MEDIUM).value
    form.due_on.data = finding.due_on if finding else today + DUE_IN
    form.blocks.data, form.owner.data = [], ""
    if finding:
        form.what.data, form.closes_when.data, form.credit.data = finding.what, finding.closes_when, finding.credit
        form.credit_reason.data = finding.credit_reason if finding.credit_reason != finding.what else ""
        form.blocks.data = [block_name(data, mode) for data, mode in finding.blocks]
        form.owner.data = str(finding.owner_id or "")


def _points(space: Workspace, answer: AnswerPage | None, today: date) -> str:
    if answer is None or answer.mark is None:
        return ""
    return point_words(answer.mark, space.live.papers_by_key.get(answer.question.key, ()), today)


def _shown_file(answer: AnswerPage | None) -> CitedFile | None:
    if answer is None or not answer.files:
        return None
    wanted = request.args.get("file", "")
    return next((each for each in answer.files if str(each.citation_id) == wanted), answer.files[0])
