"""Publishing a draft: what it would do to whom, and the signatures of two people on the same text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import queries as assessments
from portal.identity import queries as people
from portal.identity.publishers import MAY_PUBLISH
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question
from portal.scoring.impact import Impact, VendorImpact, impact_of
from portal.sites.lab.questionnaires import reading
from portal.sites.lab.questionnaires.blueprint import bp
from portal.sites.lab.questionnaires.forms import SignForm
from portal.sites.lab.questionnaires.reading import Reading
from portal.sites.lab.workspace.forms import number
from portal.sites.shared.door import action_of, does
from portal.sites.shared.pages import begin, page
from portal.sites.shared.ui import plural, points
from portal.terms import AssessmentState, DraftState
from portal.vendors import queries as vendors

MOVE_PAGE = "lab_move.show"
MOST_NAMED = 4
MOST_VENDORS = 500
MOVABLE = frozenset({AssessmentState.DRAFT, AssessmentState.IN_PROGRESS})

SORTS: Mapping[str, tuple[str, Callable[[VendorImpact], Any]]] = {
    "vendor": ("Vendor", lambda each: (each.vendor.lower(), each.engagement)),
    "asked": ("To answer", lambda each: (-each.asked, each.vendor.lower())),
    "score": ("Score today", lambda each: (each.scores.now if each.scores else Fraction(-1), each.vendor.lower())),
    "low": ("Lowest", lambda each: (each.scores.low if each.scores else Fraction(-1), each.vendor.lower())),
    "rules": ("New weights", lambda each: (-abs(each.by_rules), each.vendor.lower())),
}
"""How the table can be sorted; vendors whose sorting value is the same stand in the order of their names."""


@dataclass(frozen=True, slots=True)
class Running:
    """An assessment that is still on an older version."""

    id: UUID
    vendor: str
    vendor_slug: str
    title: str
    word: str
    version: int
    can_move: bool


@dataclass(frozen=True, slots=True)
class Touched:
    """One question that publishing asks again, for the first time, or not any more, and of how many vendors."""

    word: str
    number: str
    label: str
    key: str
    vendors: int


@bp.get("/drafts/<uuid:draft_id>/publish")
@does(Action.QUESTIONNAIRE_READ)
def draft_publish(draft_id: UUID) -> ResponseReturnValue:
    """Show what publishing the draft would do, and who signed it."""
    return _publish_page(draft_id)


@bp.post("/drafts/<uuid:draft_id>/sign")
@does(Action.QUESTIONNAIRE_PUBLISH)
def draft_sign(draft_id: UUID) -> ResponseReturnValue:
    """Sign the text that the page showed; the second person's signature publishes it."""
    form = SignForm()
    form.validate()
    try:
        with begin() as tx:
            draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_PUBLISH)
            version = questionnaires.sign_draft(
                tx,
                draft=draft,
                digest_seen=form.digest_seen.data or "",
                row_version=number(form.row_version.data),
            )
            name = f"{draft.slug} v{draft.version}"
    except Conflict as conflict:
        return _publish_page(draft_id, changed=conflict.message), 409
    except Refused as refused:
        return _publish_page(draft_id, changed=refused.message), 422
    if version is None:
        flash(f"You signed {name}. Another person signs the same text to publish it.")
    return redirect(url_for(".draft_publish", draft_id=draft_id), 303)


def _publish_page(draft_id: UUID, *, changed: str = "") -> str:
    sort = request.args.get("sort", "vendor")
    sort = sort if sort in SORTS else "vendor"
    with begin() as tx:
        now = reading.read(tx, draft_id)
        previous = now.state.previous
        impact = impact_of(tx, now.state.questionnaire, previous) if previous and now.is_open else None
        running = _running(tx, now) if now.draft.state is DraftState.PUBLISHED else []
        others = [] if not now.is_open else _who_else(tx, now)
    return page(
        "lab/questionnaires/publish.html",
        now=now,
        tabs=now.tabs("publish"),
        impact=impact,
        sentences=sentences(impact) if impact else [],
        rows=sorted(impact.vendors, key=SORTS[sort][1]) if impact else [],
        sorts=[(name, words) for name, (words, _) in SORTS.items()],
        sort=sort,
        touched=touched(impact, now.state) if impact else [],
        running=running,
        others=others,
        has_move_page=action_of(current_app, MOVE_PAGE) is not None,
        move_page=MOVE_PAGE,
        changed=changed,
        errors=bool(changed),
    )


def sentences(impact: Impact) -> list[str]:
    """Return what publishing would do, in sentences of exact numbers."""
    if not impact.vendors:
        return ["Nobody signed an earlier version yet, so nobody is asked anything again."]
    first = (
        f"{plural(impact.carries, 'answer')} {_verb(impact.carries, 'carries', 'carry')} over, "
        f"{plural(len(impact.questions_again), 'question')} to answer again, {len(impact.questions_new) or 'none'} new."
    )
    low, _, high = impact.span
    if not impact.asked:
        second = "Nobody is asked anything: a renewal only confirms what was said."
    else:
        many = plural(high, "question") if low == high else f"{low} to {plural(high, 'question')}"
        second = f"{plural(impact.firms, 'vendor')} will be asked {many}."
    return [first, second, _score_sentence(impact.reweighed)]


def _score_sentence(reweighed: Sequence[VendorImpact]) -> str:
    if not reweighed:
        return "No score would differ by the new weights alone."
    named = [f"{each.vendor} {points(each.by_rules, signed=True)}" for each in reweighed[:MOST_NAMED]]
    rest = len(reweighed) - len(named)
    more = f", and {rest} more below" if rest else ""
    which = "This score" if len(reweighed) == 1 else f"These {len(reweighed)} scores"
    return f"{which} would differ by the new weights alone: {', '.join(named)}{more}."


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def touched(impact: Impact, state: questionnaires.Readiness) -> list[Touched]:
    """Return the questions that somebody answers again or for the first time, or that are not asked any more."""
    kinds: tuple[tuple[str, Callable[[VendorImpact], tuple[str, ...]]], ...] = (
        ("Again", lambda each: each.again),
        ("New", lambda each: each.new),
        ("Archived", lambda each: each.archived),
    )
    found = []
    for word, keys_of in kinds:
        vendors_of: dict[str, set[UUID]] = {}
        for each in impact.vendors:
            for key in keys_of(each):
                vendors_of.setdefault(key, set()).add(each.vendor_id)
        order = {question.key: place for place, question in enumerate(_questions(state))}
        for key in sorted(vendors_of, key=lambda key: order.get(key, len(order))):
            number, label = _named(key, state)
            found.append(Touched(word, number, label, key, len(vendors_of[key])))
    return found


def _questions(state: questionnaires.Readiness) -> tuple[Question, ...]:
    return (*state.questionnaire.questions, *(state.before.questions if state.before else ()))


def _named(key: str, state: questionnaires.Readiness) -> tuple[str, str]:
    """Return the number and the name of a question, in the draft or else before it; another's is known by its key."""
    if key in state.questionnaire:
        question = state.questionnaire.question(key)
        return question.number, question.label
    if state.before is not None and key in state.before:
        return "", state.before.question(key).label
    return "", "From another questionnaire"


def _who_else(tx: Tx, now: Reading) -> list[str]:
    """Return the names of those who can still sign this text."""
    signed = {each.signed_by for each in now.state.counting}
    found = [
        each
        for each in people.lab_people(tx, active_only=True)
        if each.roles & set(MAY_PUBLISH) and each.id not in signed
    ]
    return [each.full_name for each in found]


def _running(tx: Tx, now: Reading) -> list[Running]:
    """Return the assessments that are still on an older version of what was just published."""
    numbers = {line.id: line.version for line in queries.versions(tx) if line.slug == now.draft.slug}
    names = {each.id: each for each in vendors.vendors(tx, limit=MOST_VENDORS).lines}
    return [
        Running(
            id=each.id,
            vendor=names[each.vendor_id].name if each.vendor_id in names else "unknown",
            vendor_slug=names[each.vendor_id].slug if each.vendor_id in names else "",
            title=each.title,
            word=each.word,
            version=numbers[each.questionnaire_id],
            can_move=each.state in MOVABLE,
        )
        for each in assessments.unfinished_of(tx, now.draft.slug)
        if numbers.get(each.questionnaire_id, now.draft.version) < now.draft.version
    ]
