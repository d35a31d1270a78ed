"""Stop a vendor with one person; let it in again with two."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, StringField, TextAreaField

from portal.gate import service as gate
from portal.gate.sealing import records_of
from portal.kernel.errors import Conflict, Refused
from portal.policy import Action, may_ever
from portal.sites.lab.pause.panel import gate_panel, pauses_of, who_can_resume
from portal.sites.lab.workspace.forms import add_problems, number
from portal.sites.shared.door import does
from portal.sites.shared.forms import Form
from portal.sites.shared.pages import begin, house, page
from portal.sites.shared.step_up import factor_shown, stepped_up
from portal.vendors import service as vendors

bp = Blueprint("lab_pause", __name__, url_prefix="/lab/vendors/<slug>")


class PauseForm(Form):
    """Why the vendor is stopped, and that it is you."""

    reason = TextAreaField("Why you pause", description="The vendor's team is told that access is paused, not why")
    code = StringField("Code from your authenticator app")


class ResumeForm(Form):
    """What was fixed, and that it is you."""

    plan = TextAreaField("The plan", description="What was fixed, and what is watched from now on")
    row_version = HiddenField()
    code = StringField("Code from your authenticator app")


class ConfirmForm(Form):
    """That the plan was read, and that it is you."""

    row_version = HiddenField()
    code = StringField("Code from your authenticator app")


@bp.get("/pause")
@does(Action.PAUSE)
def ask(slug: str) -> ResponseReturnValue:
    """Show what a pause changes, before it is made."""
    return _pause_page(slug, PauseForm(formdata=None))


@bp.post("/pause")
@does(Action.PAUSE)
def pause(slug: str) -> ResponseReturnValue:
    """Pause the vendor: from the commit on, the gate denies."""
    form = PauseForm()
    if not form.validate():
        return _pause_page(slug, form), 422
    if not (form.reason.data or "").strip():
        add_problems(form, {"reason": ["Enter why you pause, for example: breach reported by the vendor at 08:40"]})
    if problem := stepped_up(form.code.data):
        add_problems(form, {"code": [problem]})
    if form.errors:
        return _pause_page(slug, form), 422
    try:
        with begin() as tx:
            vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
            gate.pause(
                tx,
                vendor=vendor,
                reason=form.reason.data or "",
                sealer=house().signer,
                factor=factor_shown(tx),
            )
            name = vendor.name
    except Refused as refused:
        add_problems(form, refused.problems)
        return _pause_page(slug, form), 422
    except Conflict:
        return _pause_page(slug, form, changed="Somebody else paused it while this page was open."), 409
    flash(f"{name} is paused. The gate denies every question about it from now on.")
    return redirect(url_for(".resume_page", slug=slug), 303)


@bp.get("/resume")
@does(Action.VENDOR_READ)
def resume_page(slug: str) -> ResponseReturnValue:
    """Show the pause, who asked to end it and with which plan."""
    return _resume_page(slug)


@bp.post("/resume")
@does(Action.RESUME)
def ask_resume(slug: str) -> ResponseReturnValue:
    """Ask for the pause to end: the first of two people."""
    form = ResumeForm()
    if not form.validate():
        return _resume_page(slug, form), 422
    if not (form.plan.data or "").strip():
        add_problems(form, {"plan": ["Enter the plan: what was fixed, and what is watched from now on"]})
    if problem := stepped_up(form.code.data):
        add_problems(form, {"code": [problem]})
    if form.errors:
        return _resume_page(slug, form), 422
    try:
        with begin() as tx:
            row = gate.get_pause(tx, _live(tx, slug), Action.RESUME)
            gate.ask_resume(
                tx,
                pause=row,
                plan=form.plan.data or "",
                row_version=number(form.row_version.data),
                factor=factor_shown(tx),
            )
    except Refused as refused:
        add_problems(form, {"plan": refused.problems.get("reason", [refused.message])})
        return _resume_page(slug, form), 422
    except Conflict as conflict:
        return _resume_page(slug, form, changed=conflict.message), 409
    flash("You asked to end the pause. A second lead approver confirms it; until then the gate denies.")
    return redirect(url_for(".resume_page", slug=slug), 303)


@bp.post("/resume/confirm")
@does(Action.RESUME)
def confirm_resume(slug: str) -> ResponseReturnValue:
    """End the pause: the second of two people."""
    form = ConfirmForm()
    if not form.validate():
        return _resume_page(slug, confirm=form), 422
    if problem := stepped_up(form.code.data):
        add_problems(form, {"code": [problem]})
        return _resume_page(slug, confirm=form), 422
    try:
        with begin() as tx:
            row = gate.get_pause(tx, _live(tx, slug), Action.RESUME)
            gate.confirm_resume(
                tx,
                pause=row,
                row_version=number(form.row_version.data),
                sealer=house().signer,
                factor=factor_shown(tx),
            )
    except Conflict as conflict:
        return _resume_page(slug, confirm=form, changed=conflict.message), 409
    flash("The pause is over. What was decided before holds again.")
    return redirect(url_for(".resume_page", slug=slug), 303)


def _pause_page(slug: str, form: PauseForm, *, changed: str = "") -> str:
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
        panel = gate_panel(tx, vendor.id)
        name = vendor.name
    return page("lab/pause/pause.html", slug=slug, name=name, gate=panel, form=form, changed=changed)


def _resume_page(
    slug: str, form: ResumeForm | None = None, *, confirm: ConfirmForm | None = None, changed: str = ""
) -> str:
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
        panel = gate_panel(tx, vendor.id)
        own = next((each for each in panel["pauses"] if not each.everywhere), None)
        seconds = who_can_resume(tx, tx.actor, own.resume_asked_by_id) if own else []
        records = records_of(tx, vendor.id)
        name = vendor.name
    if form is None:
        form = ResumeForm(formdata=None)
    confirm = confirm or ConfirmForm(formdata=None)
    if own is not None:
        # What the reader sees is what they answer: the version of this very page, also after a refusal.
        form.row_version.data = confirm.row_version.data = str(own.row_version)
    return page(
        "lab/pause/resume.html",
        slug=slug,
        name=name,
        gate=panel,
        own=own,
        seconds=seconds,
        form=form,
        confirm=confirm,
        records=records,
        changed=changed,
        may_resume=may_ever(g.actor, Action.RESUME),
        asked_by_me=own is not None and own.resume_asked_by_id == g.actor.id,
    )


def _live(tx: Any, slug: str) -> UUID:
    vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
    own = next((each for each in pauses_of(tx, vendor.id) if not each.everywhere), None)
    if own is None:
        raise Conflict("This vendor is not paused any more.", current={"state": "ended"})
    return own.id
