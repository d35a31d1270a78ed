"""Reading a section, saving one answer of it, talking about a question, saying that the section is finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.library import uses_of
from portal.attestations.queries import CitationLine
from portal.attestations.rules import Use, use_of
from portal.evidence import queries as evidence_queries
from portal.evidence import service as evidence
from portal.exchange import external
from portal.identity import queries as people_queries
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Section
from portal.sites.shared import does, house, page
from portal.sites.shared.errors import refusal_page
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.sessions import holder_of
from portal.sites.vendor import wording
from portal.sites.vendor.evidence.limits import upload_limits
from portal.sites.vendor.renewal.earlier import Sources
from portal.sites.vendor.section.cards import Card, Said, card, clash_of, missing_of, to_change
from portal.sites.vendor.section.drawn import Sheet
from portal.sites.vendor.section.past import past_of
from portal.sites.vendor.section.picker import Picker, picker
from portal.sites.vendor.work import Work, load, slug, version_in

bp = Blueprint("vendor_section", __name__)
ROOT = "/assessments/<uuid:assessment_id>/s/<section>"
OVERLAP: Final = timedelta(seconds=10)
"""How far a look at the news reaches back before the last one: an answer is dated when its writing began."""
LOOKS_BACK: Final = timedelta(days=1)
MOST_EDITS: Final = 100
"""Versions of an answer on one page of its history."""


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
    if not _is_page_of_actor():
        return refusal_page(401)
    raw = {name: request.form.getlist(name) for name in request.form}
    scripted = "HX-Request" in request.headers
    try:
        with begin() as tx:
            row, part = _row(tx, assessment_id, section)
            question = _question(part, key)
            lines = attestations.answers_of(tx, row)
            before = attestations.standing(tx, row, lines=lines)
            line = attestations.save_answer(
                tx,
                assessment=row,
                question_key=key,
                raw=raw,
                version=version_in(request.form),
                questionnaire=before.questionnaire,
                turn=_turn(),
                now=before,
                lines=lines,
            )
            if scripted:
                old = lines.get(key)
                written = line.version != (old.version if old else 0)
                after = attestations.standing_after(before, line, written=written)
                work = load(
                    tx,
                    row,
                    lab=house().settings.lab_name,
                    lines={**lines, key: line},
                    everybody=False,
                    standing=after,
                )
                shown = {each.key for each in before.visible()}, {each.key for each in work.visible}
                moved = [each for each in part.questions if (each.key in shown[0]) != (each.key in shown[1])]
                around = _around(tx, row, work, [question, *moved], whole=bool(moved))
                limits = upload_limits(tx) if moved else ""
    except Refused as refusal:
        problems = {name: told(texts[0]) for name, texts in refusal.problems.items()}
        return _again(assessment_id, section, key, raw, 422, problems=problems)
    except Conflict as late:
        return _again(assessment_id, section, key, raw, 409, late=late)
    if not scripted:
        return redirect(_to_card(assessment_id, section, key), 303)
    saved = card(work, around, question, actor())
    return _fragment(work, part, [saved], _moved(work, around, moved), limits=limits)


@bp.get("/news/<uuid:assessment_id>/<section>")
@does(Action.ASSESSMENT_READ)
def news(assessment_id: UUID, section: str) -> ResponseReturnValue:
    """Tell an open page which answers colleagues have just changed; 204 if none. ``X-Since`` is for the next look.

    It changes nothing on the page but the notices, and asking is no use of the session.
    """
    with begin() as tx:
        row, part = _row(tx, assessment_id, section)
        since = max(_moment(request.args.get("since", "")) or tx.now, tx.now - LOOKS_BACK) - OVERLAP
        found = attestations.news(tx, row.id, [each.key for each in part.questions], since=since)
        now = tx.now
    body = (
        page(
            "vendor/section/news.html",
            assessment_id=assessment_id,
            section=section,
            news=[(slug(each.question_key), each, wording.ago(each.at, now)) for each in found],
        )
        if found
        else ""
    )
    answer = make_response(body, 200 if found else 204)
    answer.headers["X-Since"] = now.isoformat()
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get(f"{ROOT}/<key>/history")
@does(Action.ASSESSMENT_READ)
def history(assessment_id: UUID, section: str, key: str) -> ResponseReturnValue:
    """Show every version of an answer, the newest first: who, when, what changed; any of them can be restored."""
    return _history(assessment_id, section, key)


@bp.post(f"{ROOT}/<key>/history")
@does(Action.ANSWER_WRITE)
def restore(assessment_id: UUID, section: str, key: str) -> ResponseReturnValue:
    """Bring an earlier version back as the newest one."""
    to = _number(request.form.get("restore", ""))
    try:
        with begin() as tx:
            row, part = _row(tx, assessment_id, section)
            _question(part, key)
            attestations.restore(tx, assessment=row, question_key=key, to=to, version=version_in(request.form))
    except Refused as refusal:
        return _history(assessment_id, section, key, refusal=told(refusal.message), status=422)
    except Conflict as late:
        theirs = late.current.get("theirs")
        if isinstance(theirs, attestations.AnswerLine):
            return _history(assessment_id, section, key, late=theirs, wanted=to, status=409)
        return _history(assessment_id, section, key, refusal=told(late.message), status=409)
    flash(_("Version %(number)s is the answer again. What stood there before is kept below.", number=to))
    return redirect(url_for(".history", assessment_id=assessment_id, section=section, key=key), 303)


def _history(
    assessment_id: UUID,
    section: str,
    key: str,
    *,
    refusal: str = "",
    late: attestations.AnswerLine | None = None,
    wanted: int = 0,
    status: int = 200,
) -> ResponseReturnValue:
    """Return the page of an answer's history.

    :param late: what a colleague wrote while this page was open; ``wanted`` is the version that was to be restored.
    """
    with begin() as tx:
        row, part = _row(tx, assessment_id, section)
        question = _question(part, key)
        if row.tier not in question.tiers:
            raise NotFound
        work = load(tx, row, lab=house().settings.lab_name, everybody=False)
        before = _number(request.args.get("before", "")) or None
        edits = attestations.history(tx, row, key, before=before, limit=MOST_EDITS + 1)
        around = _around(tx, row, work, [question])
        now = tx.now
    one_card = card(work, around, question, actor())
    answer = page(
        "vendor/section/history.html",
        active="assessment",
        work=work,
        part=part,
        card=one_card,
        asked_now=question in work.visible,
        past=past_of(question, edits, around.offered.get(key, {}), most=MOST_EDITS, now=now),
        older=edits[MOST_EDITS - 1].version if len(edits) > MOST_EDITS else None,
        newest=before is None,
        refusal=refusal,
        late=late,
        late_ago=wording.ago(late.at, now) if late else "",
        wanted=wanted,
    )
    return answer, status


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
        return _section(assessment_id, section, changed={key: {"refusal": told(left[key])}}, status=409)
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
        shown = {"reply": body, "reply_problem": told(refusal.problems["body"][0])}
        return _section(assessment_id, section, changed={key: shown}, status=422)
    except Conflict as over:
        shown = {"reply": body, "reply_problem": told(over.message)}
        return _section(assessment_id, section, changed={key: shown}, status=409)
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
                raise Refused(problems={"evidence": [_("You chose two files. Attach one, then the other")]})
            chosen = _uuid(typed["evidence"] or typed["other"])
            if chosen is None:
                raise Refused(problems={"evidence": [_("Choose a file of your library")]})
            file = evidence.get(tx, chosen, Action.EVIDENCE_READ)
            attestations.cite(
                tx, assessment=row, question_key=key, evidence=file, pages=typed["pages"], quote=typed["quote"]
            )
    except Refused as refusal:
        problems = {name: told(texts[0]) for name, texts in refusal.problems.items()}
        shown: dict[str, Any] = {"file_problems": problems, "file_form": typed}
        return _section(assessment_id, section, changed={key: shown}, status=422)
    except Conflict as late:
        shown = {"file_problems": {"evidence": told(late.message)}, "file_form": typed}
        return _section(assessment_id, section, changed={key: shown}, status=409)
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
        shown = {"file_problems": {"evidence": told(late.message)}}
        return _section(assessment_id, section, changed={key: shown}, status=409)
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
        files = attestations.citations_of(tx, row)
        work = load(tx, row, lab=house().settings.lab_name, everybody=False, files=files)
        asked = {each.key for each in work.visible}
        shown = [each for each in part.questions if each.key in asked]
        around = _around(tx, row, work, shown, files=files)
        owners = people_queries.people_of_vendor(tx, row.vendor_id) if work.assignees.get(section) else ()
        mine = work.writable(actor(), section)
        picks = _picks(tx, work, shown, around) if mine and work.is_open else {}
        limits = upload_limits(tx) if mine and work.is_open else ""
        suggestions = external.suggestions(tx, work.questionnaire, shown) if work.is_open else {}
        now = tx.now
    cards = {each.key: card(work, around, each, actor()) for each in shown}
    for key, shows in (changed or {}).items():
        if key in cards:
            # What stands in a form is shown as a form, also where an earlier answer waits.
            cards[key] = replace(cards[key], changing="form" in shows, **shows)
    if changing in cards:
        cards[changing] = to_change(cards[changing])
    if finishing:
        cards = {key: replace(each, missing=missing_of(work, each.question)) for key, each in cards.items()}
    errors = [line for each in cards.values() for line in each.summary]
    sheet = _sheet(work, part, limits)
    answer = page(
        "vendor/section/section.html",
        active="assessment",
        work=work,
        part=part,
        progress=next((each for each in work.sections if each.key == section), None),
        cards=cards,
        errors=errors,
        following=_following(work, part),
        writable=mine,
        owners=replace(work, people={each.id: each for each in owners}).given_to(section),
        saved_at=None if changed else max((each.at for each in cards.values() if each.at), default=None),
        sheet=replace(sheet, picks=picks, suggestions=suggestions, prefilled=prefilled),
        finishing=finishing,
        may_assign=sheet.may_assign,
        since=now.isoformat(),
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
    shows: dict[str, Any] = {
        "form": raw,
        "version": version_in(request.form),
        "problems": problems or {},
    }
    theirs = late.current.get("theirs") if late else None
    if isinstance(theirs, attestations.AnswerLine):
        offered = around.offered.get(key, {})
        shows["clash"] = clash_of(question, theirs, raw, offered, actor_id=actor().id, ago=wording.ago(theirs.at, now))
        shows["version"] = theirs.version
    elif late:
        shows["refusal"] = told(late.message)
    if "HX-Request" not in request.headers:
        return _section(assessment_id, section, changed={key: shows}, status=status)
    one_card = replace(card(work, around, question, actor()), changing=True, **shows)
    if late:
        return page("vendor/section/clash.html", sheet=_sheet(work, part), card=one_card), status
    return _fragment(work, part, [one_card], (), status)


def _fragment(
    work: Work,
    part: Section,
    cards: list[Card],
    moved: tuple[tuple[str, Card | None], ...],
    status: int = 200,
    *,
    limits: str = "",
) -> ResponseReturnValue:
    """Return the pieces of the page that a save changes; each takes the place of its namesake."""
    answer = page(
        "vendor/section/fragment.html",
        work=work,
        part=part,
        progress=next((each for each in work.sections if each.key == part.key), None),
        saved=cards,
        moved=moved,
        sheet=_sheet(work, part, limits),
        words={each.key: work.word_of(each) for each in work.visible if each.section == part.key},
    )
    return answer, status


def _sheet(work: Work, part: Section, limits: str = "") -> Sheet:
    """Return what the cards of this page have in common.

    :param limits: what is said next to every upload button, if there is one.
    """
    return Sheet(
        work=work,
        part=part,
        at=_to_section(work.id, part.key),
        lab=house().settings.lab_name,
        token=generate_csrf(),
        name=actor().name,
        may_assign=policy.may(actor(), Action.SECTION_ASSIGN, work.row),
        limits=limits,
    )


def _moved(work: Work, around: Said, moved: list[Question]) -> tuple[tuple[str, Card | None], ...]:
    return tuple(
        (slug(each.key), card(work, around, each, actor()) if each in work.visible else None) for each in moved
    )


def _around(
    tx: Tx,
    row: Any,
    work: Work,
    shown: list[Question],
    *,
    whole: bool = True,
    files: Mapping[str, Sequence[CitationLine]] | None = None,
) -> Said:
    """Return what surrounds the answers that are shown.

    :param whole: whether files and conversations are shown too, or only the forms.
    :param files: what the answers cite, if the caller has it at hand.
    """
    signed = attestations.latest(tx, row.id) if work.was_signed else None
    if files is None:
        files = attestations.citations_of(tx, row) if whole else {}
    cited = [each.id for key in (question.key for question in shown) for each in files.get(key, ())]
    return Said(
        files=files,
        threads=attestations.messages_of(tx, row) if whole else {},
        signed=attestations.attested(tx, signed.id).snapshot if signed else None,
        offered={
            each.key: {key: _label(work, key) for key in sorted(attestations.offered(tx, row, each))}
            for each in shown
            if each.options_from
        },
        sources=Sources(tx, work.carried.values()),
        checking=frozenset(attestations.check_again_of(tx, cited)) if cited else frozenset(),
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
        part = questionnaires.compiled(tx, row.questionnaire_id).section(section)
    except KeyError:
        raise NotFound from None
    if policy.keeps_to_given(tx.actor):
        assessments.check_seen(tx, row, section)
    return row, part


def _question(part: Section, key: str) -> Question:
    for each in part.questions:
        if each.key == key:
            return each
    raise NotFound


def _following(work: Work, part: Section) -> Any:
    return next((each for each in work.sections if each.number > part.number), None)


def _to_section(assessment_id: UUID, section: str) -> str:
    return url_for("vendor_section.show", assessment_id=assessment_id, section=section)


def _to_card(assessment_id: UUID, section: str, key: str) -> str:
    return f"{_to_section(assessment_id, section)}#q-{slug(key)}"


def _is_page_of_actor() -> bool:
    """Whether the page that writes was drawn for who is signed in now; a plain form is, by its token."""
    mark = request.headers.get("X-Holder", "")
    return not mark or holder_of(mark) == actor().id


def _turn() -> attestations.Turn | None:
    """Return which open page writes and its how-manieth write it is; a plain form says neither."""
    page_id = _uuid(request.headers.get("X-Page"))
    number = _number(request.headers.get("X-Turn", ""))
    return attestations.Turn(page_id, number) if page_id and number else None


def _number(text: str) -> int:
    """Return a count as a form or an address says it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _moment(text: str) -> datetime | None:
    """Return a moment as ``X-Since`` said it; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
