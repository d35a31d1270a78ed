"""What is done from the queue: a review is set aside and back, a view gets a name, single keys are switched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import DateField, HiddenField, StringField, TextAreaField
from wtforms.validators import Optional

from portal.identity import reading as identity
from portal.kernel.errors import Conflict, Refused
from portal.kernel.words import in_zone
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.rules import KIND_WORDS, ME, NOBODY, SIGNAL_WORDS, SORT_WORDS, VIEW_WORDS, Wanted
from portal.reviews.snoozing import LONGEST, LONGEST_REASON
from portal.sites.lab.queue.views import address
from portal.sites.lab.workspace.forms import add_problems, number
from portal.sites.shared.door import does
from portal.sites.shared.forms import Form
from portal.sites.shared.pages import actor, begin, page
from portal.vendors import service as vendors

bp = Blueprint("lab_queue_acts", __name__, url_prefix="/lab")


class SnoozeForm(Form):
    """Until when a review can wait, and why."""

    until = DateField("Comes back on", [Optional()])
    reason = TextAreaField("Why it can wait", description="Your colleagues read this. The vendor does not")
    row_version = HiddenField()


class ViewForm(Form):
    """The name of a view."""

    name = StringField("Name of the view")


@bp.get("/reviews/<uuid:review_id>/snooze")
@does(Action.REVIEW_SNOOZE)
def snooze(review_id: UUID) -> ResponseReturnValue:
    """Show the form that sets a review aside."""
    return _snooze_page(review_id, SnoozeForm(formdata=None))


@bp.post("/reviews/<uuid:review_id>/snooze")
@does(Action.REVIEW_SNOOZE)
def set_aside(review_id: UUID) -> ResponseReturnValue:
    """Set a review aside until a day."""
    form = SnoozeForm()
    form.validate()
    version = form.row_version.data
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_SNOOZE)
            if form.until.errors:
                raise Refused(problems={"until": list(form.until.errors)})
            reviews.snooze(
                tx,
                review=review,
                until=form.until.data,
                reason=form.reason.data or "",
                row_version=number(version) if version else None,
            )
    except Refused as refused:
        form.until.errors = ()
        add_problems(form, refused.problems, otherwise="until")
        return _snooze_page(review_id, form), 422
    except Conflict as conflict:
        return _snooze_page(review_id, form, changed=conflict.message), 409
    flash("The review is snoozed. It comes back by itself.")
    return redirect(url_for("lab_queue.queue"), 303)


@bp.post("/reviews/<uuid:review_id>/wake")
@does(Action.REVIEW_SNOOZE)
def wake(review_id: UUID) -> ResponseReturnValue:
    """Bring a review back before its time."""
    try:
        with begin() as tx:
            reviews.wake(tx, review=reviews.get(tx, review_id, Action.REVIEW_SNOOZE))
    except Conflict as conflict:
        # It is back already: by the clock, or because somebody else pressed first.
        flash(conflict.message, "info")
    else:
        flash("The review is back in the queue.")
    return redirect(url_for("lab_queue.queue", show=review_id), 303)


def _snooze_page(review_id: UUID, form: SnoozeForm, *, changed: str = "") -> str:
    with begin() as tx:
        review = reviews.get(tx, review_id, Action.REVIEW_SNOOZE)
        vendor = vendors.get(tx, review.vendor_id, Action.VENDOR_READ).name
        form.row_version.data = str(review.row_version)
        today = in_zone(tx.now, actor().timezone).date()
        due_at = review.due_at
        now = reviews.snoozed(tx, review)
    return page(
        "lab/queue/snooze.html",
        review_id=review_id,
        vendor=vendor,
        due_at=due_at,
        snoozed=now,
        form=form,
        changed=changed,
        first=today + timedelta(days=1),
        last=today + LONGEST,
        longest=LONGEST_REASON,
    )


@bp.post("/keys")
@does(Action.ACCOUNT_MANAGE)
def keys() -> ResponseReturnValue:
    """Let single keys act on the reader's pages from now on, or not."""
    on = request.form.get("keys") == "on"
    with begin() as tx:
        identity.switch_keys(tx, on=on)
    flash("Single keys are switched on." if on else "Single keys are switched off.")
    return redirect("/account#keys-card", 303)


@bp.get("/queue/views")
@does(Action.VIEW_KEEP)
def views() -> ResponseReturnValue:
    """Show the reader's own views, and the form that gives the one asked for a name."""
    return _views_page(ViewForm(formdata=None))


@bp.post("/queue/views")
@does(Action.VIEW_KEEP)
def keep() -> ResponseReturnValue:
    """Give the view that the address asks for a name."""
    form = ViewForm()
    wanted = Wanted.read(request.args)
    try:
        with begin() as tx:
            reviews.save_view(tx, name=form.name.data or "", wanted=wanted)
    except Refused as refused:
        add_problems(form, refused.problems, otherwise="name")
        return _views_page(form), 422
    flash("The view is kept. Its address can be shared: it asks for the same list.")
    return redirect(address(wanted), 303)


@bp.post("/queue/views/<uuid:view_id>/remove")
@does(Action.VIEW_KEEP)
def remove(view_id: UUID) -> ResponseReturnValue:
    """Give up a view."""
    with begin() as tx:
        name = reviews.remove_view(tx, view_id=view_id)
    flash(f"The view {name} is removed. No review is.")
    return redirect(url_for(".views"), 303)


def _views_page(form: ViewForm) -> str:
    wanted = Wanted.read(MultiDict(request.args))
    with begin() as tx:
        own = reviews.own_views(tx)
    return page(
        "lab/queue/views.html",
        form=form,
        own=[(each.id, each.name, address(each.wanted), _described(each.wanted)) for each in own],
        wanted=wanted,
        described=_described(wanted),
        action=keeping(wanted),
        kept=next((each.name for each in own if each.wanted == wanted), ""),
        plain=replace(wanted, sort=Wanted().sort) in [Wanted(view=view) for view in VIEW_WORDS],
    )


def keeping(wanted: Wanted) -> str:
    """Return the address that gives a view a name."""
    return url_for("lab_queue_acts.keep") + (f"?{urlencode(wanted.written())}" if wanted.written() else "")


def _described(wanted: Wanted) -> str:
    """Return what a view asks for, in words."""
    said = [
        f"tier {wanted.tier}" if wanted.tier else "",
        f"kind {KIND_WORDS[wanted.kind].lower()}" if wanted.kind else "",
        {"": "", ME: "reviewer me", NOBODY: "nobody yet"}.get(wanted.who, "one reviewer"),
        f"signal {SIGNAL_WORDS[wanted.signal].lower()}" if wanted.signal else "",
        f"data class D{wanted.data_class}" if wanted.data_class is not None else "",
        f"sorted by {SORT_WORDS[wanted.sort]}" if wanted.sort is not Wanted().sort else "",
    ]
    return ", ".join([VIEW_WORDS[wanted.view], *filter(None, said)])
