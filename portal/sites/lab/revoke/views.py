"""Take an approval back: asked by one lead approver, confirmed by another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, RadioField, StringField, TextAreaField

from portal.gate import revoking, sealing
from portal.gate.revoking import Revocable
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.reviews import duties
from portal.sites.lab.pause.panel import who_can_resume
from portal.sites.lab.workspace.forms import add_problems, number
from portal.sites.shared.door import does
from portal.sites.shared.evidence import disposition
from portal.sites.shared.forms import Form
from portal.sites.shared.pages import begin, house, page
from portal.sites.shared.step_up import factor_shown, stepped_up
from portal.vendors import service as vendors

bp = Blueprint("lab_revoke", __name__, url_prefix="/lab/vendors/<slug>")


class AskForm(Form):
    """Which approval, why, and that it is you."""

    approval = RadioField("Which approval", validate_choice=False)
    reason = TextAreaField("Why you revoke", description="A second lead approver reads it. The vendor's team does not")
    ticket = StringField("Ticket, if there is one")
    code = StringField("Code from your authenticator app")


class ConfirmForm(Form):
    """That the reason was read, and that it is you."""

    row_version = HiddenField()
    code = StringField("Code from your authenticator app")


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval that somebody asked to take back, with the names that its card shows."""

    approval: Revocable
    asked_by: str
    mine: bool
    seconds: list[str]


@bp.get("/revoke")
@does(Action.VENDOR_READ)
def show(slug: str) -> ResponseReturnValue:
    """Show the approvals in force, who asked to take one back and why."""
    return _page(slug)


@bp.post("/revoke")
@does(Action.REVOKE)
def ask(slug: str) -> ResponseReturnValue:
    """Ask for an approval to be taken back: the first of two people."""
    form = AskForm()
    form.validate()
    chosen = _id(form.approval.data)
    if chosen is None:
        add_problems(form, {"approval": ["Choose which approval you revoke"]})
    if not (form.reason.data or "").strip():
        add_problems(form, {"reason": ["Enter why you take it back, for example: the auditor withdrew the report"]})
    if not form.errors and (problem := stepped_up(form.code.data)):
        add_problems(form, {"code": [problem]})
    if form.errors or chosen is None:
        return _page(slug, form), 422
    try:
        with begin() as tx:
            revoking.ask(
                tx,
                vendor=vendors.by_slug(tx, slug, Action.VENDOR_READ),
                clearance_id=chosen,
                reason=form.reason.data or "",
                ticket=form.ticket.data or "",
                factor=factor_shown(tx),
            )
    except Refused as refused:
        add_problems(form, refused.problems)
        return _page(slug, form), 422
    except Conflict as conflict:
        return _page(slug, form, changed=conflict.message), 409
    flash(
        "You asked to revoke the approval. A second lead approver confirms it; until then the gate answers as before."
    )
    return redirect(url_for(".show", slug=slug), 303)


@bp.post("/revoke/<uuid:revocation_id>/confirm")
@does(Action.REVOKE)
def confirm(slug: str, revocation_id: UUID) -> ResponseReturnValue:
    """Take the approval back: the second of two people."""
    form = ConfirmForm()
    form.validate()
    if problem := stepped_up(form.code.data):
        add_problems(form, {"code": [problem]})
        return _page(slug, confirm_form=form), 422
    try:
        with begin() as tx:
            vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
            row = revoking.get(tx, vendor.id, revocation_id, Action.REVOKE)
            revoking.confirm(
                tx,
                revocation=row,
                row_version=number(form.row_version.data),
                sealer=house().signer,
                factor=factor_shown(tx),
            )
    except Conflict as conflict:
        return _page(slug, changed=conflict.message), 409
    flash("The approval is revoked. The gate denies from now on, and the vendor's team is told.")
    return redirect(url_for(".show", slug=slug), 303)


@bp.post("/revoke/<uuid:revocation_id>/take-back")
@does(Action.REVOKE)
def take_back(slug: str, revocation_id: UUID) -> ResponseReturnValue:
    """Let the approval be."""
    form = ConfirmForm()
    form.validate()
    try:
        with begin() as tx:
            vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
            row = revoking.get(tx, vendor.id, revocation_id, Action.VENDOR_READ)
            revoking.take_back(tx, revocation=row, row_version=number(form.row_version.data))
    except Conflict as conflict:
        return _page(slug, changed=conflict.message), 409
    flash("You took it back. The approval stays as it was.")
    return redirect(url_for(".show", slug=slug), 303)


@bp.get("/access-records/<uuid:record_id>.json")
@does(Action.VENDOR_READ)
def record(slug: str, record_id: UUID) -> ResponseReturnValue:
    """Give a sealed record, the very bytes that were stored."""
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
        text, kind = sealing.envelope_of(tx, vendor.id, record_id)
    answer = make_response(text)
    answer.content_type = "application/json"
    answer.headers["Content-Disposition"] = disposition(f"{slug}-{kind.value}-{record_id}.json")
    return answer


def _page(slug: str, form: AskForm | None = None, *, confirm_form: ConfirmForm | None = None, changed: str = "") -> str:
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
        found = revoking.revocable(tx, vendor.id)
        asked = [_asked(tx, each, each.asked.asked_by) for each in found if each.asked is not None]
        free = [each for each in found if each.asked is None]
        tied = _tied(tx, vendor)
        records, name = sealing.records_of(tx, vendor.id), vendor.name
    form = form or AskForm(formdata=None)
    form.approval.choices = [(str(each.clearance_id), f"{each.project}, sequence {each.sequence}") for each in free]
    if len(free) == 1 and not form.approval.data:
        form.approval.data = str(free[0].clearance_id)
    return page(
        "lab/revoke/revoke.html",
        slug=slug,
        name=name,
        asked=asked,
        free=free,
        form=form,
        confirm=confirm_form or ConfirmForm(formdata=None),
        records=records,
        changed=changed,
        tied=tied,
        may_revoke=may_ever(g.actor, Action.REVOKE),
    )


def _asked(tx: Tx, approval: Revocable, by: UUID) -> Asked:
    known = people.people(tx, [by]).get(by)
    return Asked(
        approval=approval,
        asked_by=known.full_name if known is not None else "",
        mine=by == tx.actor.id,
        seconds=who_can_resume(tx, tx.actor, by),
    )


def _tied(tx: Tx, vendor: Any) -> str:
    """Return why the reader may not act here, in words; empty for nobody who may act anyway."""
    if not may_ever(tx.actor, Action.REVOKE):
        return ""
    try:
        duties.refuse_tied(tx, vendor, "Another lead approver does this.")
    except Forbidden as forbidden:
        return forbidden.message
    return ""


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
