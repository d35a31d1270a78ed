"""Reading a section, saving one answer of it, talking about a question, saying that the section is finished."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.library import uses_of
from portal.attestations.rules import Use, use_of
from portal.evidence import queries as evidence_queries
from portal.evidence import service as evidence
from portal.evidence.rules import KINDS
from portal.exchange import external
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Section
from portal.sites.shared import does, house, page
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor import wording
from portal.sites.vendor.renewal.earlier import Sources
from portal.sites.vendor.section.cards import Card, Clash, Said, card, missing_of, to_change
from portal.sites.vendor.section.picker import Picker, picker
from portal.sites.vendor.work import Work, load, slug, version_in

bp = Blueprint("vendor_section", __name__)
ROOT = "/assessments/<uuid:assessment_id>/s/<section>"


@bp.get(ROOT)
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID, section: str) -> ResponseReturnValue:
    """Show a section: every visible question as a card; ``change`` names an earlier answer to be changed."""
    return _section(assessment_id, section, changing=request.args.get("change", ""))


@bp.post(ROOT)
@does(Action.ANSWER_WRITE)
def finish(assessment_id: UUID, section: str) -> ResponseReturnValue:
    """Go on to the next section or home; who says that this one is complete is told what is still missing."""
    with begin() as tx:
        row, part = _row(tx, assessment_id, section)
        work = load(tx, row, lab=house().settings.lab_name, everybody=False)
    if request.form.get("done") == "yes" and (work.blockers_of(section) or work.waiting_in(section)):
        return _section(assessment_id, section, finishing=True)
    following = _following(work, part)
    if request.form.get("then") == "next" and following:
        return redirect(url_for(".show", assessment_id=assessment_id, section=following.key), 303)
    return redirect(url_for("vendor_home.show", assessment_id=assessment_id), 303)


@bp.get(f"{ROOT}/<key>")
@does(Action.ASSESSMENT_READ)
def one(assessment_id: UUID, section: str, key: str) -> ResponseReturnValue:
    """Return one card's form as it is stored, for a page that lost to a colleague; else lead to the card."""
    with begin() as tx:
        row, part = _row(tx, assessment_id, section)
        question = _question(part, key)
        work = load(tx, row, lab=house().settings.lab_name, everybody=False)
        around = _around(tx, row, work, [question])
    if "HX-Request" not in request.headers:
        return redirect(_to_card(assessment_id, section, key), 303)
    return _fragment(work, part, [card(work, around, question, actor())], ())


@bp.post(f"{ROOT}/<key>")
@does(Action.ANSWER_WRITE)
def save(assessment_id: UUID, section: str, key: str) -> ResponseReturnValue:
    """Save one answer. With script the card comes back, and those that appear or disappear because of it."""
    raw = {name: request.form.getlist(name) for name in request.form}
    try:
        with begin() as tx:
            row, part = _row(tx, assessment_id, section)
            question = _question(part, key)
            before = attestations.answers_of(tx, row)
            seen = {each.key for each in attestations.standing(tx, row, lines=before).visible()}
            line = attestations.save_answer(
                tx, assessment=row, question_key=key, raw=raw, version=version_in(request.form)
            )
            if "HX-Request" not in request.headers:
                return redirect(_to_card(assessment_id, section, key), 303)
            work = load(tx, row, lab=house().settings.lab_name, lines={**before, key: line}, everybody=False)
            now = {each.key for each in work.visible}
            moved = [each for each in part.questions if (each.key in seen) != (each.key in now)]
            around = _around(tx, row, work, [question, *moved])
    except Refused as refusal:
        problems = {name: texts[0] for name, texts in refusal.problems.items()}
        return _again(assessment_id, section, key, raw, 422, problems=problems)
    except Conflict as late:
        return _again(assessment_id, section, key, raw, 409, late=late)
    return _fragment(work, part, [card(work, around, question, actor())], _moved(work, around, moved))


@bp.post(f"{ROOT}/<key>/confirm")
@does(Action.ANSWER_WRITE)
def confirm(assessment_id: UUID, section: str, key: str) -> ResponseReturnValue:
    """Say that the earlier answer to one question is still correct, as the page showed it."""
    try:
        with begin() as tx:
            row, part = _row(tx, assessment_id, section)
            _question(part, key)
            seen = {key: request.form.get("seen", "")}
            left = dict(attestations.confirm(tx, assessment=row, keys=[key], seen=seen).left)
    except Conflict as late:
        left = {key: late.message}
    if left:
        return _section(assessment_id, section, changed={key: {"refusal": left[key]}}, status=409)
    return redirect(_to_card(assessment_id, section, key), 303)


@bp.post(f"{ROOT}/<key>/messages")
@does(Action.MESSAGE_SHARED)
def say(assessment_id: UUID, section: str, key: str) -> ResponseReturnValue:
    """Write in the conversation about a question."""
    body = request.form.get("body", "")
    try:
        with begin() as tx:
            row, part = _row(tx, assessment_id, section)
            _question(part, key)
            attestations.post_message(tx, assessment=row, question_key=key, body=body)
    except Refused as refusal:
        told = {"reply": body, "reply_problem": refusal.problems["body"][0]}
        return _section(assessment_id, section, changed={key: told}, status=422)
    except Conflict as over:
        told = {"reply": body, "reply_problem": over.message}
        return _section(assessment_id, section, changed={key: told}, status=409)
    return redirect(f"{_to_section(assessment_id, section)}#talk-{slug(key)}", 303)


@bp.post(f"{ROOT}/<key>/evidence")
@does(Action.ANSWER_WRITE)
def cite(assessment_id: UUID, section: str, key: str) -> ResponseReturnValue:
    """Attach a file of the library to an answer, at named pages and with a passage of it."""
    typed = {name: request.form.get(name, "") for name in ("evidence", "other", "pages", "quote")}
    try:
        with begin() as tx:
            row, part = _row(tx, assessment_id, section)
            _question(part, key)
            if typed["evidence"] and typed["other"] and typed["evidence"] != typed["other"]:
                raise Refused(problems={"evidence": ["You chose two files. Attach one, then the other"]})
            chosen = _uuid(typed["evidence"] or typed["other"])
            if chosen is None:
                raise Refused(problems={"evidence": ["Choose a file of your library"]})
            file = evidence.get(tx, chosen, Action.EVIDENCE_READ)
            attestations.cite(
                tx, assessment=row, question_key=key, evidence=file, pages=typed["pages"], quote=typed["quote"]
            )
    except Refused as refusal:
        problems = {name: texts[0] for name, texts in refusal.problems.items()}
        told = {"file_problems": problems, "file_form": typed}
        return _section(assessment_id, section, changed={key: told}, status=422)
    except Conflict as late:
        told = {"file_problems": {"evidence": late.message}, "file_form": typed}
        return _section(assessment_id, section, changed={key: told}, status=409)
    return redirect(f"{_to_section(assessment_id, section)}#ev-{slug(key)}", 303)


@bp.post(f"{ROOT}/<key>/evidence/<uuid:citation_id>/remove")
@does(Action.ANSWER_WRITE)
def uncite(assessment_id: UUID, section: str, key: str, citation_id: UUID) -> ResponseReturnValue:
    """Take a file from an answer; it stays in the library."""
    try:
        with begin() as tx:
            row, part = _row(tx, assessment_id, section)
            _question(part, key)
            if all(each.id != citation_id for each in attestations.citations_of(tx, row).get(key, ())):
                raise NotFound
            attestations.uncite(tx, assessment=row, citation_id=citation_id)
    except Conflict as late:
        told = {"file_problems": {"evidence": late.message}}
        return _section(assessment_id, section, changed={key: told}, status=409)
    return redirect(f"{_to_section(assessment_id, section)}#ev-{slug(key)}", 303)


def with_filled_form(assessment_id: UUID, section: str, key: str, form: wording.Fields) -> ResponseReturnValue:
    """Return the page of a section with one form filled in; nothing is saved by it."""
    return _section(assessment_id, section, changed={key: {"form": form}}, prefilled=key)


def _section(
    assessment_id: UUID,
    section: str,
    *,
    changed: dict[str, dict[str, Any]] | None = None,
    finishing: bool = False,
    changing: str = "",
    status: int = 200,
    prefilled: str = "",
) -> ResponseReturnValue:
    """Return the page of a section. ``changed`` overrides what single cards show.

    :param prefilled: the question whose form was filled from elsewhere and is not saved.
    """
    with begin() as tx:
        row, part = _row(tx, assessment_id, section)
        work = load(tx, row, lab=house().settings.lab_name)
        shown = [each for each in part.questions if each in work.visible]
        around = _around(tx, row, work, shown)
        picks = _picks(tx, work, shown, around) if work.writable(actor(), section) and work.is_open else {}
        suggestions = external.suggestions(tx, work.questionnaire, shown) if work.is_open else {}
    cards = {each.key: card(work, around, each, actor()) for each in shown}
    for key, told in (changed or {}).items():
        if key in cards:
            # What stands in a form is shown as a form, also where an earlier answer waits.
            cards[key] = replace(cards[key], changing="form" in told, **told)
    if changing in cards:
        cards[changing] = to_change(cards[changing])
    if finishing:
        cards = {key: replace(each, missing=missing_of(work, each.question)) for key, each in cards.items()}
    errors = [line for each in cards.values() for line in each.summary]
    answer = page(
        "vendor/section/section.html",
        active="assessment",
        work=work,
        part=part,
        progress=next((each for each in work.sections if each.key == section), None),
        cards=cards,
        errors=errors,
        following=_following(work, part),
        writable=work.writable(actor(), section),
        owners=work.given_to(section),
        saved_at=None if changed else max((each.at for each in cards.values() if each.at), default=None),
        picks=picks,
        suggestions=suggestions,
        prefilled=prefilled,
        finishing=finishing,
        may_assign=policy.may(actor(), Action.SECTION_ASSIGN, work.row),
        kinds=KINDS,
    )
    return answer, 422 if finishing else status


def _again(
    assessment_id: UUID,
    section: str,
    key: str,
    raw: wording.Fields,
    status: int,
    *,
    problems: dict[str, str] | None = None,
    late: Conflict | None = None,
) -> ResponseReturnValue:
    """Return what was typed with what is wrong with it, or beside what a colleague wrote meanwhile."""
    with begin() as tx:
        row, part = _row(tx, assessment_id, section)
        question = _question(part, key)
        work = load(tx, row, lab=house().settings.lab_name, everybody=False)
        around = _around(tx, row, work, [question])
        now = tx.now
    told: dict[str, Any] = {
        "form": raw,
        "version": version_in(request.form),
        "problems": problems or {},
    }
    theirs = late.current.get("theirs") if late else None
    if isinstance(theirs, attestations.AnswerLine):
        words = wording.said(question, theirs.answer, around.offered.get(key, {}))
        told["clash"] = Clash(theirs.by, theirs.at, wording.ago(theirs.at, now), words, theirs.version)
        told["version"] = theirs.version
    elif late:
        told["refusal"] = late.message
    if "HX-Request" not in request.headers:
        return _section(assessment_id, section, changed={key: told}, status=status)
    one_card = replace(card(work, around, question, actor()), changing=True, **told)
    if late:
        return page("vendor/section/clash.html", work=work, part=part, card=one_card), status
    return _fragment(work, part, [one_card], (), status)


def _fragment(
    work: Work, part: Section, cards: list[Card], moved: tuple[tuple[str, Card | None], ...], status: int = 200
) -> ResponseReturnValue:
    """Return the pieces of the page that a save changes; each takes the place of its namesake."""
    answer = page(
        "vendor/section/fragment.html",
        work=work,
        part=part,
        progress=next((each for each in work.sections if each.key == part.key), None),
        saved=cards,
        moved=moved,
        picks={},
        kinds=KINDS,
        words={each.key: work.word_of(each) for each in work.visible if each.section == part.key},
    )
    return answer, status


def _moved(work: Work, around: Said, moved: list[Question]) -> tuple[tuple[str, Card | None], ...]:
    return tuple(
        (slug(each.key), card(work, around, each, actor()) if each in work.visible else None) for each in moved
    )


def _around(tx: Tx, row: Any, work: Work, shown: list[Question]) -> Said:
    signed = attestations.latest(tx, row.id)
    files = attestations.citations_of(tx, row)
    return Said(
        files=files,
        threads=attestations.messages_of(tx, row),
        signed=attestations.attested(tx, signed.id).snapshot if signed else None,
        offered={
            each.key: {key: _label(work, key) for key in sorted(attestations.offered(tx, row, each))}
            for each in shown
            if each.options_from
        },
        sources=Sources(tx, work.carried.values()),
        checking=frozenset(attestations.check_again_of(tx, [each.id for lines in files.values() for each in lines])),
    )


def _picks(tx: Tx, work: Work, shown: list[Question], around: Said) -> dict[str, Picker]:
    """Return what each answer can be backed with: the files that can be attached now, in its own order."""
    library = [
        each
        for each in evidence_queries.library(tx)
        if use_of(each.state, each.scan, removed=False) is not Use.REFUSED and each.replaced_by is None
    ]
    uses = uses_of(tx, work.row.vendor_id)
    return {
        each.key: picker(
            each,
            library,
            uses,
            assessment_id=work.id,
            there={line.evidence_id for line in around.files.get(each.key, ())},
            today=tx.now.date(),
        )
        for each in shown
    }


def _label(work: Work, key: str) -> str:
    if key in work.questionnaire:
        question = work.questionnaire.question(key)
        return f"{question.number} {question.label}"
    return key


def _row(tx: Tx, assessment_id: UUID, section: str) -> tuple[Any, Section]:
    row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
    try:
        return row, questionnaires.compiled(tx, row.questionnaire_id).section(section)
    except KeyError:
        raise NotFound from None


def _question(part: Section, key: str) -> Question:
    for each in part.questions:
        if each.key == key:
            return each
    raise NotFound


def _following(work: Work, part: Section) -> Any:
    return next((each for each in work.sections if each.number > part.number), None)


def _to_section(assessment_id: UUID, section: str) -> str:
    return url_for(".show", assessment_id=assessment_id, section=section)


def _to_card(assessment_id: UUID, section: str, key: str) -> str:
    return f"{_to_section(assessment_id, section)}#q-{slug(key)}"


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
