"""Accepting several answers in one act after a preview, the rest at a glance, and letting the rules do theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import accepting
from portal.reviews import service as reviews
from portal.reviews.accepting import MOST, Item, Open
from portal.reviews.rules.acceptance import BECAUSE_WORDS
from portal.reviews.service import Changed, Workspace
from portal.scoring.rules import Evidence
from portal.sites.lab.workspace.reading import TAGS
from portal.sites.lab.workspace.wording import AnswerShown, answer_shown
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, ledger, page
from portal.terms import AssessmentState

bp = Blueprint("lab_bulk", __name__, url_prefix="/lab/reviews/<uuid:review_id>")

AT_A_GLANCE: Final = 20
"""How many answers stand on one page of the glance."""

EVIDENCE_TAGS: Final[Mapping[Evidence | None, tuple[str, str, str]]] = {
    None: ("Not scored", "t-plain", "minus"),
    Evidence.NONE: ("No evidence", "t-warn", "file-x"),
    Evidence.EXPIRED: ("Evidence ended", "t-bad", "clock-alert"),
    Evidence.ATTACHED: ("Attached", "t-info", "paperclip"),
    Evidence.VERIFIED: ("Verified", "t-ok", "shield-check"),
}
NONE_EXPECTED: Final = ("None expected", "t-plain", "minus")


@dataclass(frozen=True, slots=True)
class Head:
    """What the pages say of the review above everything else."""

    id: UUID
    vendor: str
    title: str
    tier: int
    revision: int
    may_judge: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One answer in words: how it changed, how good its proof is, and why no rule accepted it."""

    item: Item
    change: tuple[str, str, str]
    evidence: tuple[str, str, str]
    because: str
    answer: AnswerShown | None

    @property
    def key(self) -> str:
        """The question's key."""
        return self.item.key

    @property
    def said_already(self) -> tuple[str, ...]:
        """The warnings that a card says by itself: its tag and its checks."""
        return accepting.A_KNOCK_OUT, accepting.pointed_at(len(self.item.checks))


@bp.get("/bulk")
@does(Action.REVIEW_READ)
def choose(review_id: UUID) -> ResponseReturnValue:
    """List what nobody judged yet, to choose several; ``?pick=clean`` has those without a warning chosen."""
    pick = request.args.get("pick", "")
    return _list_page(review_id, pick=pick, act=request.args.get("act", ""))


@bp.get("/bulk/preview")
@does(Action.REVIEW_READ)
def preview(review_id: UUID) -> ResponseReturnValue:
    """Show exactly what would be accepted, each with its evidence and what warns of it."""
    keys = frozenset(request.args.getlist("key"))
    if problem := _problem(keys):
        return _list_page(review_id, chosen=keys, problem=problem), 422
    return _preview_page(review_id, keys)


@bp.post("/bulk")
@does(Action.REVIEW_JUDGE)
def accept(review_id: UUID) -> ResponseReturnValue:
    """Accept in one act what the preview showed."""
    keys = frozenset(request.form.getlist("key"))
    back = "glance" if request.form.get("back") == "glance" else "bulk"
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            act_id = accepting.accept_together(tx, review=review, keys=keys, seen=request.form.get("seen", ""))
    except Refused as refused:
        problem = (refused.problems.get("key") or [refused.message])[0]
        return _list_page(review_id, chosen=keys, problem=problem), 422
    except Conflict as conflict:
        if back == "glance":
            return _glance_page(review_id, changed=conflict.message), 409
        return _preview_page(review_id, keys, changed=conflict.message), 409
    if back == "glance":
        return redirect(url_for(".glance", review_id=review_id, act=act_id), 303)
    return redirect(url_for(".choose", review_id=review_id, act=act_id), 303)


@bp.post("/bulk/undo")
@does(Action.REVIEW_JUDGE)
def undo(review_id: UUID) -> ResponseReturnValue:
    """Take back what one act accepted, as far as nobody said otherwise since."""
    back = ".glance" if request.form.get("back") == "glance" else ".choose"
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            count = accepting.undo_together(tx, review=review, act_id=_uuid(request.form.get("act", "")))
    except Conflict as conflict:
        flash(f"{conflict.message} Nothing was changed.", "warning")
    else:
        flash("1 answer waits again." if count == 1 else f"{count} answers wait again.")
    return redirect(url_for(back, review_id=review_id), 303)


@bp.post("/bulk/rules")
@does(Action.REVIEW_JUDGE)
def apply_rules(review_id: UUID) -> ResponseReturnValue:
    """Let the rules in force accept what they accept, in nobody's name."""
    with begin() as tx:
        reviews.get(tx, review_id, Action.REVIEW_JUDGE)
    count = accepting.run(ledger(), review_id)
    if count:
        flash("A rule accepted 1 answer." if count == 1 else f"Rules accepted {count} answers.")
    else:
        flash("No rule accepts anything more here.", "info")
    return redirect(url_for(".choose", review_id=review_id), 303)


@bp.get("/glance")
@does(Action.REVIEW_READ)
def glance(review_id: UUID) -> ResponseReturnValue:
    """Go through the unchanged answers that no rule accepted: one page, each with its proof, one key."""
    return _glance_page(review_id, act=request.args.get("act", ""))


# --- pages


def _list_page(
    review_id: UUID, *, pick: str = "", chosen: Collection[str] = (), act: str = "", problem: str = ""
) -> str:
    with begin() as tx:
        now, head, done = _read(tx, review_id, act)
    items = now.items[:MOST]
    if pick == "clean":
        chosen = {each.key for each in items if not each.warnings and not each.cannot}
    elif pick == "unchanged":
        chosen = {each.key for each in items if each.desk.changed is Changed.UNCHANGED and not each.cannot}
    return page(
        "lab/bulk/choose.html",
        head=head,
        rows=[_row(each) for each in items],
        more=len(now.items) - len(items),
        chosen=frozenset(chosen),
        by_rule=now.by_rule,
        rules=now.force.rules.rules,
        version=now.force.version,
        glances=len(now.glances),
        whole=now.whole,
        done=done,
        act=act,
        problem=problem,
        errors=bool(problem),
    )


def _preview_page(review_id: UUID, keys: Collection[str], *, changed: str = "") -> str:
    with begin() as tx:
        now, head, _ = _read(tx, review_id, "")
    items = now.chosen(keys)
    taken = [each for each in items if not each.cannot]
    return page(
        "lab/bulk/preview.html",
        head=head,
        rows=[_row(each) for each in taken],
        alone=[_row(each) for each in items if each.cannot],
        gone=len(frozenset(keys)) - len(items),
        seen=accepting.digest_seen(taken),
        warned=sum(bool(each.warnings) for each in taken),
        changed=changed,
        errors=bool(changed),
    )


def _glance_page(review_id: UUID, *, act: str = "", changed: str = "") -> str:
    with begin() as tx:
        now, head, done = _read(tx, review_id, act)
    items = now.glances
    return page(
        "lab/bulk/glance.html",
        head=head,
        rows=[(_row(each), accepting.digest_seen((each,))) for each in items[:AT_A_GLANCE]],
        total=len(items),
        by_rule=now.by_rule,
        before=_before_words(now.space),
        done=done,
        act=act,
        changed=changed,
        errors=bool(changed),
    )


def _read(tx: Tx, review_id: UUID, act: str) -> tuple[Open, Head, int]:
    review = reviews.get(tx, review_id, Action.REVIEW_READ)
    now = accepting.open_answers(tx, review)
    space = now.space
    working = space.assessment.state is AssessmentState.IN_REVIEW and review.closed_at is None
    head = Head(
        id=review.id,
        vendor=space.vendor.name,
        title=space.assessment.title,
        tier=space.assessment.tier,
        revision=review.revision,
        may_judge=working and policy.may(g.actor, Action.REVIEW_JUDGE, review),
    )
    return now, head, accepting.left_of(tx, review, _uuid(act)) if act else 0


def _row(item: Item) -> Row:
    desk = item.desk
    expected = item.evidence is None or item.level > 0 or item.evidence is not Evidence.NONE
    return Row(
        item=item,
        change=TAGS[desk.changed],
        evidence=EVIDENCE_TAGS[item.evidence] if expected else NONE_EXPECTED,
        because=BECAUSE_WORDS[item.because] if item.because is not None else "",
        answer=answer_shown(desk.question, desk.answer),
    )


def _before_words(space: Workspace) -> str:
    signed = space.compared_with
    return f"{signed.signed_at.day} {signed.signed_at:%B %Y}" if signed is not None else ""


def _problem(keys: Collection[str]) -> str:
    if not keys:
        return "Choose at least one answer"
    return f"Choose at most {MOST} answers for one act" if len(keys) > MOST else ""


def _uuid(text: str) -> UUID:
    """Return an id as a form brings it; what is none is the id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
