"""The task list of an assessment, its tracker once signed, and all questions to read ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.queries import AssessmentLine, CardLine
from portal.attestations import service as attestations
from portal.attestations.rules import Blocker, BlockerKind
from portal.identity import queries as people
from portal.identity.rules import InvitationState
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import queries as questionnaires
from portal.sites.shared import does, house, page
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.access import Access, access_of
from portal.sites.vendor.renewal.earlier import SECONDS_EACH, minutes, whose
from portal.sites.vendor.work import Work, link_of, load, next_question, shown_sections, slug
from portal.terms import AssessmentState, Role

bp = Blueprint("vendor_home", __name__)
SHOWN = 6
"""How many blockers of a kind are named one by one; more are counted by section. The check page names all."""


@dataclass(frozen=True, slots=True)
class Group:
    """Blockers of one kind: what to do, and where each is."""

    kind: str
    count: int
    first: str
    links: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of the earlier answers: how many wait for a word, are asked again, are new, are not asked any more.

    ``ended`` of those that wait name a file that cannot be attached again.
    """

    to_confirm: int
    ended: int
    whose: str
    takes: str
    again: int
    new: int
    archived: int


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
        access = _access(tx)
    going = [each for each in lines if each.is_open]
    if len(going) == 1 or (len(lines) == 1 and not going):
        return _home(lines[0].id)
    return page("vendor/home/choose.html", active="assessment", open=going, past=_past(lines), access=access)


@bp.get("/assessments/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show one assessment."""
    return _home(assessment_id)


@bp.get("/assessments/<uuid:assessment_id>/read")
@does(Action.ASSESSMENT_READ)
def read(assessment_id: UUID) -> ResponseReturnValue:
    """Show every question that is asked, on one page to print."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        work = load(tx, row, lab=house().settings.lab_name, everybody=False)
    return page("vendor/home/read.html", active="assessment", work=work)


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


def _home(assessment_id: UUID) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        work = load(tx, row, lab=house().settings.lab_name)
        version = questionnaires.version_of(tx, row.questionnaire_id)
        signed = attestations.latest(tx, row.id)
        outcome = next(
            (each for each in assessments.outcomes_of(tx, row.vendor_id) if each.assessment_id == row.id), None
        )
        access = _access(tx)
        others = [each for each in _own(tx) if each.is_open and each.id != row.id]
        invited = _invited(tx, work)
        renewal = _renewal(tx, work)
        moved = _moved(tx, work)
        today = tx.now.date()
    returned = row.state is AssessmentState.CHANGES_REQUESTED
    following = next_question(work, actor()) if work.is_open else None
    return page(
        "vendor/home/home.html",
        active="assessment",
        work=work,
        version=version,
        renewal=renewal,
        moved=moved,
        groups=[each for each in _groups(work) if not (returned and each.kind == "reply")] if work.is_open else [],
        sections=_by_group(work, returned),
        following=following,
        following_link=_link(work, following.section, following.key) if following else "",
        returned=_returned(work) if returned else (),
        signed=signed,
        outcome=outcome,
        access=access,
        others=others,
        invited=invited,
        overdue=work.is_open and row.due_on < today,
        signatories=work.with_role(Role.SIGNATORY),
        time_left=_time_left(work),
        settled=not work.standing.unsettled,
        may_settle=policy.may(actor(), Action.SCOPING_CONFIRM, row),
        may_invite=policy.may(actor(), Action.TEAM_MANAGE, row),
        admins=work.with_role(Role.VENDOR_ADMIN),
    )


def _renewal(tx: Tx, work: Work) -> Renewal | None:
    """Return what became of the earlier answers; nothing where there are none, or nothing can be answered now."""
    if not work.carried or not work.is_open:
        return None
    plan = attestations.plan_of(tx, work.row, work.standing)
    lines = [work.carried[key] for key in plan.to_confirm]
    return Renewal(
        to_confirm=len(lines),
        ended=sum(any(not file.usable for file in each.citations) for each in lines),
        whose=whose(lines, tx.now.year),
        takes=minutes(len(lines)),
        again=len(plan.re_attest),
        new=len(plan.new),
        archived=len(plan.archived),
    )


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


def _own(tx: Tx) -> Sequence[AssessmentLine]:
    vendor_id = tx.actor.vendor_id
    return assessments.of_vendor(tx, vendor_id) if vendor_id is not None else ()


def _access(tx: Tx) -> list[Access]:
    cards: Sequence[CardLine] = assessments.cards_of(tx, tx.actor.vendor_id) if tx.actor.vendor_id is not None else ()
    return [access_of(each, tx.now) for each in cards]


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


_KINDS = (
    ("scoping", (BlockerKind.SCOPING,)),
    ("confirm", (BlockerKind.CONFIRM,)),
    ("answer", (BlockerKind.ANSWER,)),
    ("rule", (BlockerKind.RULE,)),
    ("evidence", (BlockerKind.EVIDENCE, BlockerKind.EVIDENCE_REFUSED)),
    ("checking", (BlockerKind.EVIDENCE_CHECKING,)),
    ("reply", (BlockerKind.REPLY,)),
)


def _groups(work: Work) -> list[Group]:
    found = []
    for name, kinds in _KINDS:
        own = [each for each in work.blockers if each.kind in kinds]
        if own and name == "confirm":
            found.append(Group(name, len(work.waiting), link_of(work, own[0]), ()))
        elif own:
            found.append(Group(name, len(own), link_of(work, own[0]), _named(work, own)))
    return found


def _named(work: Work, blockers: Sequence[Blocker]) -> list[tuple[str, str]]:
    """Return a few blockers by name; of many, how many each section has; each with the way to the first."""
    if len(blockers) <= SHOWN or not all(each.section for each in blockers):
        return [(f"{each.number} {each.label}".strip(), link_of(work, each)) for each in blockers]
    by_section: dict[str, list[Blocker]] = {}
    for each in blockers:
        by_section.setdefault(each.section, []).append(each)
    named = [
        (f"{len(own)} in {work.questionnaire.section(section).title}", link_of(work, own[0]))
        for section, own in by_section.items()
    ]
    if len(named) <= SHOWN:
        return named
    rest = f"and {len(named) - SHOWN + 1} more sections"
    return [*named[: SHOWN - 1], (rest, f"{url_for('vendor_check.show', assessment_id=work.id)}#blockers")]


def _by_group(work: Work, returned: bool) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = {}
    for each in shown_sections(work, returned):
        found.setdefault(each.group, []).append(each)
    return list(found.items())


def _returned(work: Work) -> list[tuple[str, str, str, str]]:
    """Return the questions that came back: number, label, link and state word."""
    keys = work.standing.reopened or frozenset()
    return [
        (each.number, each.label, _link(work, each.section, each.key), work.word_of(each))
        for each in work.questionnaire.questions
        if each.key in keys
    ]


def _time_left(work: Work) -> str:
    """Return a rough time for what is left, to the next five minutes: two a question, less where a word is enough."""
    seconds = 120 * (work.total - work.answered - len(work.waiting)) + SECONDS_EACH * len(work.waiting)
    minutes = -(-seconds // 300) * 5
    if minutes < 60:
        return f"{minutes} minutes"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def _invited(tx: Tx, work: Work) -> dict[str, str]:
    """Return who was invited for a section and has not come yet, by section."""
    found: dict[str, str] = {}
    for each in people.invitations_of(tx, work.row.vendor_id):
        if each.state is InvitationState.OPEN:
            for section in each.sections:
                found.setdefault(section, each.full_name)
    return found
