"""The task list of an assessment, its tracker once signed, and all questions to read ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import more_time
from portal.assessments import service as assessments
from portal.assessments.more_time import MoreTimeLine
from portal.assessments.queries import AssessmentLine
from portal.assessments.waits import WaitLine, before_working_days, usual_wait
from portal.attestations import service as attestations
from portal.attestations.pace import pace_of
from portal.attestations.rules.pace import Pace, time_left
from portal.attestations.service import MessageLine
from portal.identity import queries as people
from portal.identity.queries import InvitationLine
from portal.identity.rules import InvitationState
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.kernel.paper import render
from portal.kernel.sniff import display_name
from portal.policy import Action
from portal.questionnaires import queries as questionnaires
from portal.sites.shared import does, house, page
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import _, language
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.access import Access, access_of
from portal.sites.vendor.home.blocking import things_of
from portal.sites.vendor.home.missing import missing_of
from portal.sites.vendor.home.reading import answered_how, read_ahead
from portal.sites.vendor.home.tracker import tracked
from portal.sites.vendor.renewal.earlier import left_of
from portal.sites.vendor.work import Work, load, next_question, shown_sections, slug
from portal.terms import AssessmentState, Role, Side

bp = Blueprint("vendor_home", __name__)
STILL_NEWS = timedelta(days=14)
"""How long the home says what became of a request for more time."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The last move of this assessment to a newer version: to which, when, and how many answers it asks again."""

    version: int
    on: date
    again: int
    facts: int


@bp.get("/")
@does(Action.HOME_READ)
def home() -> ResponseReturnValue:
    """Show the vendor's current assessment, or a choice if several are open."""
    with begin() as tx:
        lines = _own(tx)
        today = tx.now.date()
        going = [each for each in lines if each.is_open]
        if len(going) == 1 or (len(lines) == 1 and not going):
            context = _context(tx, lines[0].id, lines)
        else:
            access = [each for _engagement, each in _access(tx)]
            context = {"open": going, "past": _past(lines), "access": access, "today": today}
    template = "home" if "work" in context else "choose"
    return page(f"vendor/home/{template}.html", active="assessment", **context)


@bp.get("/assessments/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show one assessment."""
    with begin() as tx:
        context = _context(tx, assessment_id, _own(tx))
    return page("vendor/home/home.html", active="assessment", **context)


@bp.get("/assessments/<uuid:assessment_id>/read")
@does(Action.ASSESSMENT_READ)
def read(assessment_id: UUID) -> ResponseReturnValue:
    """Show every question that is asked, on one page to print."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        work = load(tx, row, lab=house().settings.lab_name, everybody=False)
    return page("vendor/home/read.html", active="assessment", work=work, how=answered_how)


@bp.get("/assessments/<uuid:assessment_id>/read.pdf")
@does(Action.ASSESSMENT_READ)
def read_pdf(assessment_id: UUID) -> ResponseReturnValue:
    """Give every question of the questionnaire as a document, with those that are not asked now at its end."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        work = load(tx, row, lab=house().settings.lab_name, everybody=False)
        version = questionnaires.version_of(tx, row.questionnaire_id)
    body = render("questions", read_ahead(work, version, language()))
    answer = make_response(body)
    answer.content_type = "application/pdf"
    answer.headers["Content-Disposition"] = disposition(display_name(f"{row.title} {_('questions')}.pdf"))
    return answer


@bp.get("/s/<section>")
@does(Action.HOME_READ)
def to_section(section: str) -> ResponseReturnValue:
    """Lead to a section of the current assessment."""
    return redirect(url_for("vendor_section.show", assessment_id=_current(), section=section))


@bp.get("/check")
@does(Action.HOME_READ)
def to_check() -> ResponseReturnValue:
    """Lead to the check of the current assessment."""
    return redirect(url_for("vendor_check.show", assessment_id=_current()))


def _context(tx: Tx, assessment_id: UUID, lines: Sequence[AssessmentLine]) -> dict[str, Any]:
    row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
    work = load(tx, row, lab=house().settings.lab_name)
    today = tx.now.date()
    left = left_of(tx, work)
    threads = attestations.messages_of(tx, row)
    invitations = people.invitations_of(tx, row.vendor_id)
    access = _access(tx)
    lapsing = next((each for engagement, each in access if engagement == row.engagement_id), None)
    waits = usual_wait(tx)
    pace = pace_of(tx, row.vendor_id) if work.is_open else None
    returned = row.state is AssessmentState.CHANGES_REQUESTED
    things = things_of(work, left, threads) if work.is_open else []
    following = next_question(work, actor()) if work.is_open else None
    mine = following is not None and work.writable(actor(), following.section)
    return {
        "work": work,
        "version": questionnaires.version_of(tx, row.questionnaire_id),
        "left": left,
        "moved": _moved(tx, work),
        "things": [each for each in things if not (returned and each.kind == "reply")],
        "missing": missing_of(work, actor(), invitations),
        "sections": _by_group(work, returned),
        "following": following if mine else None,
        "following_link": _link(work, following.section, following.key) if following else "",
        "first_visit": row.state is AssessmentState.DRAFT and not work.carried and not work.answered,
        "returned": _returned(work, threads) if returned else (),
        "tracked": tracked(work, threads),
        "signed": attestations.latest(tx, row.id),
        "outcome": next(
            (each for each in assessments.outcomes_of(tx, row.vendor_id) if each.assessment_id == row.id), None
        ),
        "access": [each for _engagement, each in access],
        "lapsing": lapsing,
        "waits": waits,
        "sign_by": _sign_by(lapsing, waits, today) if work.is_open else None,
        "may_withdraw": policy.may(actor(), Action.ATTESTATION_WITHDRAW, row),
        "others": [each for each in lines if each.is_open and each.id != row.id],
        "invited": _invited(invitations),
        "overdue": work.is_open and row.due_on < today,
        "today": today,
        "more_time": _more_time(tx, work, today),
        "may_ask_more": work.is_open and policy.may(actor(), Action.MORE_TIME_ASK, row),
        "signatories": work.with_role(Role.SIGNATORY),
        "pace": pace,
        "time_left": _time_left(work, pace) if pace else "",
        "settled": not work.standing.unsettled,
        "may_settle": policy.may(actor(), Action.SCOPING_CONFIRM, row),
        "may_invite": policy.may(actor(), Action.TEAM_MANAGE, row),
        "sees_all": not work.unseen,
        "admins": work.with_role(Role.VENDOR_ADMIN),
    }


def _moved(tx: Tx, work: Work) -> Moved | None:
    """Return the last move of an assessment that can still be answered, if there was one."""
    last = next(iter(attestations.migrations_of(tx, work.row)), None) if work.is_open else None
    version = questionnaires.version_of(tx, last.to_questionnaire_id) if last else None
    if last is None or version is None:
        return None
    return Moved(
        version=version.version,
        on=last.moved_at.date(),
        again=len(last.mapping.get("re_attest", ())),
        facts=len(last.mapping.get("facts", ())),
    )


def _more_time(tx: Tx, work: Work, today: date) -> MoreTimeLine | None:
    """Return the newest request for more time, while it waits or its answer is news."""
    found = more_time.more_time_of(tx, work.row) if work.is_open else None
    if found is None or found.answered_at is None:
        return found
    return found if today - found.answered_at.date() <= STILL_NEWS else None


def _sign_by(access: Access | None, waits: WaitLine | None, today: date) -> date | None:
    """Return by when a signature most likely leaves no gap in an access that ends; nothing if that is past."""
    if access is None or waits is None or access.state != "approved" or access.until is None:
        return None
    latest = before_working_days(access.until, waits.most)
    return latest if latest >= today else None


def _own(tx: Tx) -> Sequence[AssessmentLine]:
    vendor_id = tx.actor.vendor_id
    return assessments.of_vendor(tx, vendor_id) if vendor_id is not None else ()


def _access(tx: Tx) -> list[tuple[UUID, Access]]:
    if tx.actor.vendor_id is None:
        return []
    return [(each.engagement_id, access_of(each, tx.now)) for each in assessments.cards_of(tx, tx.actor.vendor_id)]


def _current() -> UUID:
    with begin() as tx:
        lines = _own(tx)
    if not lines:
        raise NotFound
    return lines[0].id


def _past(lines: Sequence[AssessmentLine]) -> list[AssessmentLine]:
    return sorted((each for each in lines if not each.is_open), key=lambda each: each.requested_at, reverse=True)


def _link(work: Work, section: str, key: str) -> str:
    return f"{url_for('vendor_section.show', assessment_id=work.id, section=section)}#q-{slug(key)}"


def _by_group(work: Work, returned: bool) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = {}
    for each in shown_sections(work, returned):
        found.setdefault(each.group, []).append(each)
    return list(found.items())


def _returned(
    work: Work, threads: Mapping[str, Sequence[MessageLine]]
) -> list[tuple[str, str, str, str, MessageLine | None]]:
    """Return the questions that came back: number, label, link, state word, and what the lab asked about it last."""
    keys = work.standing.reopened or frozenset()
    asked = {key: [each for each in lines if each.side is Side.LAB] for key, lines in threads.items() if key in keys}
    return [
        (
            each.number,
            each.label,
            _link(work, each.section, each.key),
            work.word_of(each),
            next(reversed(asked.get(each.key, [])), None),
        )
        for each in work.questionnaire.questions
        if each.key in keys and work.sees(each.section)
    ]


def _time_left(work: Work, pace: Pace) -> str:
    """Return how long what is left takes, in words."""
    waiting = len(work.waiting)
    left = time_left(pace, to_answer=work.total - work.answered - waiting, to_confirm=waiting)
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    if not hours:
        return _("%(minutes)s minutes", minutes=minutes)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes) if minutes else _("%(hours)s h", hours=hours)


def _invited(invitations: Sequence[InvitationLine]) -> dict[str, str]:
    """Return who was invited for a section and has not come yet, by section."""
    found: dict[str, str] = {}
    for each in invitations:
        if each.state is InvitationState.OPEN:
            for section in each.sections:
                found.setdefault(section, each.full_name)
    return found
