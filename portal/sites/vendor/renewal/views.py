"""Earlier answers to be confirmed as one list, and what is asked again, new, or not asked any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.service import CarriedLine, Plan
from portal.identity.queries import Person
from portal.kernel.errors import Conflict
from portal.policy import Action
from portal.questionnaires.rules import Question
from portal.sites.shared import does, house, page
from portal.sites.shared.language import _, ngettext
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.renewal.earlier import Earlier, Sources, minutes
from portal.sites.vendor.work import Work, load, next_question, slug

bp = Blueprint("vendor_renewal", __name__)
ROOT = "/assessments/<uuid:assessment_id>/renewal"
MOST = 1_000
"""More answers than any questionnaire has questions: what is posted beyond is not read."""


@dataclass(frozen=True, slots=True)
class Item:
    """One earlier answer beside the question as it is asked now."""

    question: Question
    earlier: Earlier
    slug: str
    writable: bool
    why_not: str
    ticked: bool
    left: str


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that are read together: a section, or those whose files have ended."""

    title: str
    items: Sequence[Item]
    words: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """An earlier answer to a question that is not asked any more, or not now."""

    title: str
    earlier: Earlier


@dataclass(frozen=True, slots=True)
class Result:
    """What confirming did: how many were confirmed, left with a reason, and not ticked."""

    done: int
    left: int
    unticked: int


@bp.get(ROOT)
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show the earlier answers beside the questions of today."""
    return _page(assessment_id)


@bp.post(ROOT)
@does(Action.ANSWER_WRITE)
def confirm(assessment_id: UUID) -> ResponseReturnValue:
    """Confirm those that are ticked, as the page showed them. What changed meanwhile is left, and says why."""
    keys = list(dict.fromkeys(request.form.getlist("keys")))[:MOST]
    shown = [name[len("seen.") :] for name in request.form if name.startswith("seen.")]
    seen = {key: request.form[f"seen.{key}"] for key in keys if f"seen.{key}" in request.form}
    unticked = len(set(shown) - set(keys))
    if not keys:
        words = _("Tick the answers that are still correct, then confirm them")
        return _page(assessment_id, elsewhere=[words], ticked=frozenset(), status=422)
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
            found = attestations.confirm(tx, assessment=row, keys=keys, seen=seen)
    except Conflict as late:
        return _page(assessment_id, elsewhere=[late.message], status=409)
    left = dict(found.left)
    if not left:
        words = ngettext("%(num)s answer is confirmed.", "%(num)s answers are confirmed.", len(found.done))
        rest = ngettext("%(num)s not ticked waits below.", "%(num)s not ticked wait below.", unticked)
        flash(f"{words} {rest}" if unticked else words)
        return redirect(url_for(".show", assessment_id=assessment_id), 303)
    return _page(
        assessment_id,
        left=left,
        result=Result(len(found.done), len(left), unticked),
        ticked=frozenset(keys),
        status=200 if found.done else 409,
    )


def _page(
    assessment_id: UUID,
    *,
    left: Mapping[str, str] | None = None,
    result: Result | None = None,
    elsewhere: Sequence[str] = (),
    ticked: frozenset[str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        work = load(tx, row, lab=house().settings.lab_name)
        plan = attestations.plan_of(tx, row, work.standing)
        lines = attestations.carried_of(tx, row)
        sources = Sources(tx, lines.values())
    told = left or {}
    waiting = [_item(work, lines[key], sources, told.get(key, ""), ticked) for key in work.seen(plan.to_confirm)]
    again = [_item(work, lines[key], sources, "", ticked) for key in work.seen(plan.re_attest)]
    following = next_question(work, actor()) if work.is_open else None
    # What was settled meanwhile has no row any more; its reason is said at the top.
    lost = [words for key, words in told.items() if key not in plan.to_confirm]
    answer = page(
        "vendor/renewal/list.html",
        active="assessment",
        work=work,
        total=len(waiting),
        count=sum(each.writable for each in waiting),
        takes=minutes(sum(each.writable for each in waiting)),
        groups=_groups(work, waiting),
        again=again,
        new=[work.questionnaire.question(key) for key in work.seen(plan.new)] if lines else [],
        archived=[_gone(lines[key], sources) for key in work.seen(plan.archived)],
        hidden=[_gone(each, sources) for each in _hidden(lines.values(), plan) if work.seen([each.key])],
        result=result,
        elsewhere=[*elsewhere, *lost],
        following=following,
        following_link=_link(work, following) if following else "",
    )
    return answer, status


def _item(work: Work, line: CarriedLine, sources: Sources, left: str, ticked: frozenset[str] | None) -> Item:
    question = work.questionnaire.question(line.key)
    closed = "" if work.standing.may_change(line.key) else _("It did not come back to you. It stays as it was signed")
    writable = work.is_open and not closed and work.writable(actor(), question.section)
    return Item(
        question=question,
        earlier=sources.earlier(line, question),
        slug=slug(question.key),
        writable=writable,
        why_not="" if writable or not work.is_open else closed or _why_not(work, question),
        ticked=ticked is None or line.key in ticked,
        left=left,
    )


def _why_not(work: Work, question: Question) -> str:
    owners = work.given_to(question.section)
    if owners:
        return _("This section belongs to %(names)s. You can read it", names=_names(owners))
    return _("A respondent or a vendor admin of your team confirms it. You can read it")


def _names(people: Sequence[Person]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    names = [each.full_name for each in people]
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def _groups(work: Work, items: Sequence[Item]) -> list[Group]:
    """Return the answers by section, then apart those with a file that has ended."""
    sound: dict[str, list[Item]] = {}
    for each in items:
        if not each.earlier.ended:
            sound.setdefault(each.question.section, []).append(each)
    found = []
    for key, own in sound.items():
        section = work.questionnaire.section(key)
        found.append(Group(f"{section.number}. {section.title}", own))
    if ended := [each for each in items if each.earlier.ended]:
        words = _(
            "The answer may still be correct, so you can confirm it. The file named at it is not attached again: "
            "attach a newer one in its section."
        )
        found.append(Group(_("The evidence has ended"), ended, words))
    return found


def _hidden(lines: Iterable[CarriedLine], plan: Plan) -> list[CarriedLine]:
    """Return the earlier answers to questions that are not put to this vendor now; they wait until they are."""
    shown = {*plan.to_confirm, *plan.re_attest, *plan.archived}
    return [each for each in lines if not each.is_settled and each.key not in shown]


def _gone(line: CarriedLine, sources: Sources) -> Gone:
    then = sources.question(line)
    return Gone(then.text if then else line.key, sources.earlier(line, None))


def _link(work: Work, question: Question) -> str:
    return f"{url_for('vendor_section.show', assessment_id=work.id, section=question.section)}#q-{slug(question.key)}"
