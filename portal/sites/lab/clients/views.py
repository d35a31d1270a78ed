"""Service clients: made with a step-up, the token shown once, switched off at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import Form, IntegerField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from portal.identity import queries as people
from portal.identity import service as identity
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.sites.shared import does, page
from portal.sites.shared.auth.forms import add_problems
from portal.sites.shared.pages import begin
from portal.sites.shared.step_up import stepped_up
from portal.terms import Scope
from portal.vendors import queries as vendor_list

bp = Blueprint("lab_clients", __name__)

SCOPE_WORDS = {Scope.GATE_READ.value: ("Ask the gate", "Can ask whether a vendor may; cannot read answers or evidence")}
EVERY = "every"
LONGEST_DAYS = 400
MOST_VENDORS = 500


class ClientForm(Form):
    """A machine, what it may do, for whom and for how long."""

    name = StringField(
        "Name of the system",
        [InputRequired("Enter a name that says which system it is"), Length(max=1000)],
        description="For example: Data platform, production",
    )
    scopes = SelectMultipleField(
        "What it may do",
        choices=[(key, words[0]) for key, words in SCOPE_WORDS.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    vendors = SelectMultipleField(
        "Which vendors it may ask about",
        choices=[],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    days = IntegerField(
        "Ends after, in days",
        [
            InputRequired("Enter for how many days the token works"),
            NumberRange(1, LONGEST_DAYS, "Choose 1 to 400 days"),
        ],
        default=365,
    )


def _form(tx: Tx, data: MultiDict[str, str] | None = None) -> ClientForm:
    form = ClientForm(data)
    form.vendors.choices = [(EVERY, "Every vendor, also future ones")] + [
        (str(each.id), each.name) for each in vendor_list.vendors(tx, limit=MOST_VENDORS).lines
    ]
    return form


@bp.get("/lab/admin/clients")
@does(Action.CLIENTS_READ)
def clients() -> ResponseReturnValue:
    """List the service clients."""
    return _clients()


def _clients() -> str:
    with begin() as tx:
        lines = people.clients(tx)
        names = {each.id: each.name for each in vendor_list.vendors(tx, limit=MOST_VENDORS).lines}
        now = tx.now
    return page(
        "lab/clients/clients.html",
        clients=lines,
        names=names,
        scope_words=SCOPE_WORDS,
        now=now,
        manages=may_ever(g.actor, Action.CLIENTS_MANAGE),
    )


@bp.route("/lab/admin/clients/new", methods=["GET", "POST"])
@does(Action.CLIENTS_MANAGE)
def new_client() -> ResponseReturnValue:
    """Make a service client and show its token, this once."""
    with begin() as tx:
        form = _form(tx, request.form if request.method == "POST" else None)
    if request.method == "GET":
        return _new_page(form)
    if not form.validate():
        return _new_page(form), 422
    if problem := stepped_up(request.form.get("code")):
        return _new_page(form, code_errors=[problem]), 422
    chosen = form.vendors.data or []
    try:
        with begin() as tx:
            client, token = identity.create_client(
                tx,
                name=form.name.data or "",
                scopes=form.scopes.data or [],
                vendor_ids=None if EVERY in chosen else [UUID(each) for each in chosen],
                expires_at=tx.now + timedelta(days=form.days.data or 0),
            )
    except Refused as refused:
        add_problems(form, refused.problems)
        return _new_page(form), 422
    return page("lab/clients/token.html", client=client, token=token)


def _new_page(form: ClientForm, *, code_errors: list[str] | None = None) -> str:
    return page(
        "lab/clients/new.html",
        form=form,
        smalls={key: words[1] for key, words in SCOPE_WORDS.items()},
        code_errors=code_errors or [],
        errors=bool(code_errors),
    )


@bp.post("/lab/admin/clients/<uuid:client_id>/disable")
@does(Action.CLIENTS_MANAGE)
def disable(client_id: UUID) -> ResponseReturnValue:
    """Make a token worthless, now."""
    try:
        with begin() as tx:
            client = identity.get_client(tx, client_id)
            identity.disable_client(tx, client=client)
    except Conflict as conflict:
        flash(conflict.message, "error")
        return _clients(), 409
    flash(f"{client.name} is disabled. Its next call is refused.")
    return redirect(url_for("lab_clients.clients"), 303)
