"""Conflicts of interest: one's own, declared from the account; those of others, by a program admin on their page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField

from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import service as reviews
from portal.sites.lab.workspace.forms import add_problems
from portal.sites.shared.door import does
from portal.sites.shared.forms import Form
from portal.sites.shared.pages import begin, page
from portal.vendors import queries as vendor_queries
from portal.vendors import service as vendors

bp = Blueprint("lab_conflicts", __name__)


class ConflictForm(Form):
    """Whom one keeps away from, and why."""

    vendor_id = SelectField("Vendor", validate_choice=False, choices=[])
    reason = StringField("What ties you to it")


def form_for(tx: Tx, form: ConflictForm) -> ConflictForm:
    """Fill in the vendors that there are."""
    form.vendor_id.choices = [("", "Choose a vendor"), *((str(key), name) for key, name in vendor_queries.names(tx))]
    return form


@bp.get("/account/conflicts")
@does(Action.CONFLICT_DECLARE)
def mine() -> ResponseReturnValue:
    """Show one's own conflicts of interest, and declare another."""
    return _mine(ConflictForm(formdata=None))


@bp.post("/account/conflicts")
@does(Action.CONFLICT_DECLARE)
def declare() -> ResponseReturnValue:
    """Declare a conflict of one's own: from now on one neither reviews nor decides this vendor."""
    form = ConflictForm()
    form.validate()
    try:
        with begin() as tx:
            vendor = _chosen(tx, form)
            reviews.declare_conflict(tx, vendor=vendor, reason=form.reason.data or "")
            name = vendor.name
    except Refused as refused:
        add_problems(form, refused.problems, otherwise="vendor_id")
        return _mine(form), 422
    flash(f"Declared. You review and decide nothing of {name}; your open reviews of it wait for somebody else.")
    return redirect(url_for(".mine"), 303)


@bp.post("/lab/admin/users/<uuid:user_id>/conflicts")
@does(Action.CONFLICT_DECLARE)
def declare_for(user_id: UUID) -> ResponseReturnValue:
    """Declare a conflict of somebody else, as a program admin."""
    form = ConflictForm()
    form.validate()
    try:
        with begin() as tx:
            vendor = _chosen(tx, form)
            reviews.declare_conflict(tx, vendor=vendor, reason=form.reason.data or "", user_id=user_id)
            name = vendor.name
    except Refused as refused:
        flash(refused.message, "error")
        return redirect(url_for("lab_people.user", user_id=user_id, _anchor="conflicts"), 303)
    flash(f"Declared. This person reviews and decides nothing of {name}.")
    return redirect(url_for("lab_people.user", user_id=user_id, _anchor="conflicts"), 303)


@bp.post("/lab/admin/conflicts/<uuid:conflict_id>/end")
@does(Action.CONFLICT_DECLARE)
def end(conflict_id: UUID) -> ResponseReturnValue:
    """Say that a conflict is over, as a program admin and not one's own."""
    with begin() as tx:
        try:
            user_id = reviews.end_conflict(tx, conflict_id=conflict_id)
            words, tone = "Ended. The person can review and decide this vendor again.", "message"
        except Conflict as conflict:
            user_id, words, tone = reviews.conflict_person(tx, conflict_id), conflict.message, "error"
    flash(words, tone)
    return redirect(url_for("lab_people.user", user_id=user_id, _anchor="conflicts"), 303)


def _mine(form: ConflictForm) -> str:
    with begin() as tx:
        lines = reviews.conflicts(tx, user_id=g.actor.id)
        form_for(tx, form)
    return page("lab/people/conflicts.html", lines=lines, form=form)


def _chosen(tx: Tx, form: ConflictForm) -> Any:
    try:
        return vendors.get(tx, UUID(form.vendor_id.data or ""), Action.VENDOR_READ)
    except ValueError:
        raise Refused(problems={"vendor_id": ["Choose the vendor"]}) from None
