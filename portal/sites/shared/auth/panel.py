"""Signing in again in place: for a page whose session ended, and only for the person whose page it is.

A page carries the mark of its holder (sessions.holder_mark). The panel asks for that person's factors and nobody
else's, so that what waits on the page is never sent under another name.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from portal.identity import queries as people
from portal.identity import service as identity
from portal.kernel.errors import NotFound
from portal.policy import Action
from portal.sites.shared.auth.blueprint import DOOR, address, bp, by_password, counted
from portal.sites.shared.auth.forms import PanelForm
from portal.sites.shared.door import does
from portal.sites.shared.language import _
from portal.sites.shared.pages import house, ledger, page
from portal.sites.shared.sessions import COOKIE, come_in, cookie_name, holder_mark, holder_of, visit

HOLDER = "holder"


@bp.get("/session")
@does(Action.PUBLIC)
def session_left() -> ResponseReturnValue:
    """Say how many seconds this browser's session still has, without making it longer by the question."""
    live = visit().live
    if live is None:
        return jsonify(left=0, more=False, holder="")
    with ledger().begin(DOOR) as tx:
        left = int((live.ends_at - tx.now).total_seconds())
    return jsonify(left=max(0, left), more=live.can_go_on, holder=holder_mark(live.actor.id))


@bp.post("/session")
@does(Action.SIGN_OUT)
def stay() -> ResponseReturnValue:
    """Go on: the request itself is the use that keeps a session alive."""
    return "", 204


@bp.get("/sign-in/panel")
@does(Action.PUBLIC)
def panel() -> ResponseReturnValue:
    """Show the way back in for the person whose page asks; who is in already needs none."""
    who = _holder()
    if g.actor.id is not None and g.actor.id == who:
        return in_again()
    return _panel(PanelForm(), who)


@bp.post("/sign-in/panel")
@does(Action.PUBLIC)
def panel_now() -> ResponseReturnValue:
    """Sign the holder of the page in again; every refusal is the same one, as at the door."""
    who = _holder()
    form = PanelForm(request.form)
    if g.actor.id is not None and g.actor.id == who:
        return in_again()
    person = _person(who)
    if g.actor.id is not None or person is None:
        return _panel(form, who)
    if not form.validate():
        return _panel(form, who, 422)
    limits = identity.sign_in_limits(person.email, address())
    if refusal := counted(limits):
        form.code.errors = [refusal.message]
        answer = _panel(form, who, 429)
        answer.headers["Retry-After"] = str(max(1, refusal.retry_after))
        return answer
    new = by_password(email=person.email, password=form.password.data or "", code=form.code.data or "", limits=limits)
    if new is None:
        form.code.errors = [_("We could not sign you in. Check the password, and use the next code of your app")]
        return _panel(form, who, 422)
    come_in(new)
    return in_again()


def in_again() -> Response:
    """Say that the person is in, with the token that the page's forms need from now on."""
    g.pop("csrf_token", None)
    answer = make_response("", 204)
    answer.headers["X-CSRFToken"] = generate_csrf()
    return answer


def _holder() -> UUID | None:
    """Return whose page asks: by the page's mark, else by the session that this browser had last."""
    if mark := request.values.get(HOLDER):
        return holder_of(mark)
    if g.actor.id is not None:
        return g.actor.id  # type: ignore[no-any-return]
    token = request.cookies.get(cookie_name(COOKIE, secure=house().settings.secure), "")
    with ledger().begin(DOOR) as tx:
        return identity.last_holder(tx, token=token)


def _person(who: UUID | None) -> people.Person | None:
    if who is None:
        return None
    try:
        with ledger().begin(DOOR) as tx:
            return people.person(tx, who)
    except NotFound:
        return None


def _panel(form: PanelForm, who: UUID | None, status: int = 200) -> Response:
    person = _person(who)
    context: dict[str, Any] = {"form": form, "holder": "", "email": "", "name": "", "now_in": ""}
    if person is not None:
        context |= {"holder": holder_mark(person.id), "email": person.email, "name": person.full_name}
    if g.actor.id is not None:
        # Somebody else is in by now: this page stays what it was, and is not theirs.
        context["now_in"] = g.actor.name
        status = 409
    answer = make_response(page("shared/auth/panel.html", **context), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
