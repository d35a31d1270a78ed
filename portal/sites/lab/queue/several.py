"""Several reviews at once: what would become of each is shown first, and each is done or refused by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import in_zone
from portal.policy import Action
from portal.reviews import duties
from portal.reviews import service as reviews
from portal.reviews.rules import Stage
from portal.reviews.service import ReviewLine
from portal.reviews.snoozing import LONGEST, LONGEST_REASON
from portal.sites.lab.queue.acts import SnoozeForm
from portal.sites.lab.workspace.forms import add_problems
from portal.sites.shared.door import does
from portal.sites.shared.pages import actor, begin, page
from portal.vendors import service as vendors

bp = Blueprint("lab_queue_several", __name__, url_prefix="/lab/queue/several")

MOST = 25
"""Reviews at once: as many as a page of the queue has."""


@dataclass(frozen=True, slots=True)
class Picked:
    """One review that was selected, and why it is not claimed or not snoozed; empty where it would be."""

    line: ReviewLine
    not_claimed: str
    not_snoozed: str


@bp.get("")
@does(Action.REVIEW_READ)
def show() -> ResponseReturnValue:
    """Show what would become of each review that was selected."""
    return _page(_ids(request.args.getlist("review")), SnoozeForm(formdata=None))


@bp.post("/claim")
@does(Action.REVIEW_CLAIM)
def claim() -> ResponseReturnValue:
    """Take every one of them that nobody has."""

    def one(tx: Tx, review_id: UUID) -> None:
        reviews.claim(tx, review=reviews.get(tx, review_id, Action.REVIEW_CLAIM))

    done, refused = _each(_ids(request.form.getlist("review")), one)
    _say(done, "is yours now", "are yours now", refused)
    return redirect(url_for("lab_queue.mine" if done else "lab_queue.queue"), 303)


@bp.post("/snooze")
@does(Action.REVIEW_SNOOZE)
def snooze() -> ResponseReturnValue:
    """Set every one of them aside until a day."""
    ids = _ids(request.form.getlist("review"))
    form = SnoozeForm()
    form.validate()
    if form.until.errors:
        return _page(ids, form), 422
    wrong: dict[str, list[str]] = {}

    def one(tx: Tx, review_id: UUID) -> None:
        try:
            reviews.snooze(
                tx,
                review=reviews.get(tx, review_id, Action.REVIEW_SNOOZE),
                until=form.until.data,
                reason=form.reason.data or "",
                row_version=None,
            )
        except Refused as refusal:
            wrong.update(refusal.problems)
            raise

    done, refused = _each(ids, one)
    if wrong and not done:
        # What was typed is wrong for all of them alike, so nothing happened to any.
        add_problems(form, wrong, otherwise="until")
        return _page(ids, form), 422
    _say(done, "is snoozed. It comes back by itself", "are snoozed. They come back by themselves", refused)
    return redirect(url_for("lab_queue.queue"), 303)


def _each(ids: Sequence[UUID], act: Callable[[Tx, UUID], None]) -> tuple[int, list[str]]:
    """Do it to each in a transaction of its own; return how many it was done to, and why not to the others."""
    done, refused = 0, []
    for review_id in ids:
        try:
            with begin() as tx:
                act(tx, review_id)
        except NotFound:
            refused.append("A review is not there any more.")
        except (Conflict, Forbidden, Refused) as refusal:
            refused.append(f"{_vendor_of(review_id)}: {refusal.message}")
        else:
            done += 1
    return done, refused


def _say(done: int, one: str, more: str, refused: Sequence[str]) -> None:
    if done:
        flash(f"1 review {one}." if done == 1 else f"{done} reviews {more}.")
    for words in refused:
        flash(words, "info")
    if not done and not refused:
        flash("Nothing was selected.", "info")


def _page(ids: Sequence[UUID], form: SnoozeForm) -> str:
    with begin() as tx:
        picked = _picked(tx, ids)
        now = tx.now
    today = in_zone(now, actor().timezone).date()
    return page(
        "lab/queue/several.html",
        now=now,
        picked=picked,
        claimed=[each for each in picked if not each.not_claimed],
        snoozed=[each for each in picked if not each.not_snoozed],
        form=form,
        may_claim=policy.may_ever(actor(), Action.REVIEW_CLAIM),
        may_snooze=policy.may_ever(actor(), Action.REVIEW_SNOOZE),
        first=today + timedelta(days=1),
        last=today + LONGEST,
        longest=LONGEST_REASON,
        most=MOST,
    )


def _picked(tx: Tx, ids: Sequence[UUID]) -> list[Picked]:
    rows = []
    for review_id in ids:
        try:
            rows.append(reviews.get(tx, review_id, Action.REVIEW_READ))
        except NotFound:
            continue
    lines = {each.id: each for each in reviews.lines(tx, [row.assessment_id for row in rows])}
    return [_fate(tx, row, lines[row.id]) for row in rows if row.id in lines]


def _fate(tx: Tx, review: Any, line: ReviewLine) -> Picked:
    working = line.stage in {Stage.NEW, Stage.REVIEWING}
    not_claimed = not_snoozed = "" if working else "It is not being reviewed now"
    if not not_claimed and line.reviewer_id is not None:
        not_claimed = "It is yours already" if line.reviewer_id == actor().id else f"{line.reviewer} has it"
    if not not_claimed:
        bars = duties.bars_for(tx, tx.actor, vendors.get(tx, review.vendor_id, Action.VENDOR_READ))
        not_claimed = f"You may not: {bars[0].words}" if bars else ""
    if not not_snoozed and not policy.may(tx.actor, Action.REVIEW_SNOOZE, review):
        not_snoozed = "Who reviews it, or a lead, snoozes it"
    return Picked(line, not_claimed, not_snoozed)


def _vendor_of(review_id: UUID) -> str:
    with begin() as tx:
        review = reviews.get(tx, review_id, Action.REVIEW_READ)
        return vendors.get(tx, review.vendor_id, Action.VENDOR_READ).name


def _ids(given: Sequence[str]) -> list[UUID]:
    found: dict[UUID, None] = {}
    for text in given:
        try:
            found[UUID(text)] = None
        except ValueError:
            continue
    return list(found)[:MOST]
