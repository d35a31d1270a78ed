"""Passkeys on the web: the door, the panel in place, the step-up and the account speak to the browser in JSON.

Options are asked for when the person presses the button. Every refusal is a problem document in words, which
static/js/passkey.js shows beside the button; a password and a code are always there.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, current_app, flash, g, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from portal.identity import queries as people
from portal.identity import service as identity
from portal.kernel.errors import Conflict
from portal.policy import Action
from portal.sites.shared.auth.blueprint import DOOR, address, bp, counted, local
from portal.sites.shared.auth.panel import HOLDER, in_again
from portal.sites.shared.door import does
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import begin, house, ledger
from portal.sites.shared.sessions import come_in, holder_of, leave, visit
from portal.sites.shared.step_up import stepped_up
from portal.terms import Side

WAY = "way"
"""The cookie by which a browser remembers that a passkey is this person's way in."""
LARGEST = 50_000


def relying_party() -> identity.RelyingParty | None:
    """Return who we are to an authenticator, by GATEHOUSE_BASE_URL alone; None where no browser would agree.

    Browsers make passkeys for names over https, and for localhost; never for a bare address.
    """
    settings = house().settings
    parts = urlsplit(settings.base_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return None
    if not host or not (parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")):
        return None
    return identity.RelyingParty(host, f"{parts.scheme}://{parts.netloc}", f"Gatehouse {settings.lab_name}")


def _party() -> identity.RelyingParty:
    found = relying_party()
    if found is None:
        raise Conflict(_("Passkeys do not work at this address. Use your password and a code"))
    return found


def _bound() -> str:
    """Return what only this browser has, before anybody is known: the secret behind the tokens of its forms."""
    generate_csrf()
    return str(session["csrf_token"])


def problem(detail: str, status: int = 422, *, retry_after: int = 0) -> ResponseReturnValue:
    """Return a refusal that the script shows beside the button."""
    answer = jsonify(type="about:blank", title=_("That did not work"), status=status, detail=told(detail))
    answer.status_code = status
    answer.content_type = "application/problem+json"
    if retry_after:
        answer.headers["Retry-After"] = str(max(1, retry_after))
    return answer


def _sent() -> dict[str, Any]:
    if (request.content_length or 0) > LARGEST:
        return {}
    sent = request.get_json(silent=True)
    return sent if isinstance(sent, dict) else {}


def _credential(sent: dict[str, Any]) -> dict[str, Any]:
    found = sent.get("credential")
    return found if isinstance(found, dict) else {}


def _text(sent: dict[str, Any], name: str) -> str:
    found = sent.get(name)
    return found if isinstance(found, str) and "\x00" not in found else ""


# --- the door ---


@bp.post("/sign-in/passkey/options")
@does(Action.PUBLIC)
def sign_in_passkey_options() -> ResponseReturnValue:
    """Give a challenge for the door. It names no account, and is the same whoever asks."""
    rp = _party()
    with ledger().begin(DOOR) as tx:
        return jsonify(identity.sign_in_options(tx, bound_to=_bound(), rp=rp, keyring=house().keyring))


@bp.post("/sign-in/passkey")
@does(Action.PUBLIC)
def sign_in_passkey() -> ResponseReturnValue:
    """Let in who shows a passkey. At the panel of a page, only the person whose page it is."""
    rp = _party()
    sent = _sent()
    mark = _text(sent, HOLDER)
    only = holder_of(mark) if mark else None
    if mark and (only is None or g.actor.id not in {None, only}):
        return problem(_("Somebody else is signed in in this browser now. Reload the page"), 409)
    limits = identity.passkey_limits(address())
    if refusal := counted(limits):
        return problem(refusal.message, 429, retry_after=refusal.retry_after)
    bound = _bound()
    with ledger().begin(DOOR) as tx:
        new = identity.sign_in_by_passkey(
            tx,
            credential=_credential(sent),
            bound_to=bound,
            rp=rp,
            keyring=house().keyring,
            address=address(),
            user_agent=request.user_agent.string,
            only=only,
        )
        if isinstance(new, identity.NewSession):
            identity.give_back(tx, limits)
    if isinstance(new, identity.NoPasskey):
        return problem(new.message)
    if g.actor.id is not None:
        leave()
    come_in(new)
    if mark:
        return in_again()
    answer = jsonify(location=local(_text(sent, "next"), otherwise="/lab" if new.side is Side.LAB else "/"))
    return remembered(answer)


def remembered(answer: Response) -> Response:
    """Remember in this browser that a passkey is the way in, so that the page shows it first and the rest folded."""
    answer.set_cookie(WAY, "passkey", max_age=31_536_000, samesite="Lax", secure=house().settings.secure, httponly=True)
    return answer


# --- once more, for something serious ---


@bp.post("/step-up/passkey/options")
@does(Action.STEP_UP)
def step_up_passkey_options() -> ResponseReturnValue:
    """Give a challenge for an act, to be answered by one of the actor's own passkeys."""
    rp = _party()
    with begin() as tx:
        return jsonify(identity.step_up_options(tx, rp=rp, keyring=house().keyring))


@bp.post("/step-up/passkey")
@does(Action.STEP_UP)
def step_up_passkey() -> ResponseReturnValue:
    """Make the session fresh by a passkey; the form that asked is then sent as it stands."""
    rp = _party()
    sent = _sent()
    limits = identity.step_up_limits(g.actor.id)
    if refusal := counted(limits):
        return problem(refusal.message, 429, retry_after=refusal.retry_after)
    with begin() as tx:
        new = identity.step_up_by_passkey(
            tx, session_id=g.actor.session_id, credential=_credential(sent), rp=rp, keyring=house().keyring
        )
        if isinstance(new, identity.NewSession):
            identity.give_back(tx, limits)
    if isinstance(new, identity.NoPasskey):
        return problem(new.message)
    visit().renew(new)
    g.actor = replace(g.actor, fresh=True)
    return jsonify(location=local(_text(sent, "next"), otherwise=""))


# --- one's own ---


@bp.post("/account/passkeys/options")
@does(Action.ACCOUNT_MANAGE)
def new_passkey_options() -> ResponseReturnValue:
    """Give what the browser needs to make a passkey, once it was shown that it is the account's owner."""
    rp = _party()
    if refused := stepped_up(_text(_sent(), "code")):
        return problem(refused)
    try:
        with begin() as tx:
            return jsonify(identity.registration_options(tx, rp=rp, keyring=house().keyring))
    except Conflict as full:
        return problem(full.message, 409)


@bp.post("/account/passkeys")
@does(Action.ACCOUNT_MANAGE)
def add_passkey() -> ResponseReturnValue:
    """Keep the passkey that the browser made, under the name that was given to it."""
    from portal.sites.shared.auth.account import browser

    if not request.is_json:
        flash(_("Your browser made no passkey. Turn scripts on, or use another browser"), "error")
        return redirect(url_for("auth.account", _anchor="passkeys"), 303)
    rp = _party()
    sent = _sent()
    refused: identity.NoPasskey | None = None
    with begin() as tx:
        try:
            passkey = identity.add_passkey(
                tx,
                credential=_credential(sent),
                label=_text(sent, "label"),
                device=browser(request.user_agent.string),
                rp=rp,
                keyring=house().keyring,
            )
            label = passkey.label
        except identity.NoPasskey as refusal:
            refused = refusal  # the challenge stays spent
        except Conflict as full:
            return problem(full.message, 409)
    if refused is not None:
        return problem(refused.message)
    flash(_("The passkey “%(name)s” signs you in from now on.", name=label))
    answer = jsonify(location=local(_text(sent, "next"), otherwise=url_for("auth.account")))
    return remembered(answer)


@bp.post("/account/passkeys/<uuid:passkey_id>/remove")
@does(Action.ACCOUNT_MANAGE)
def remove_passkey(passkey_id: UUID) -> ResponseReturnValue:
    """Take a passkey away, once it was shown that it is the account's owner."""
    from portal.sites.shared.auth.account import account_page

    if refused := stepped_up(request.form.get("code")):
        return account_page(code_errors={f"passkey-{passkey_id}": [refused]}), 422
    try:
        with begin() as tx:
            label = identity.remove_passkey(tx, passkey_id=passkey_id)
    except Conflict as refusal:
        flash(told(refusal.message), "error")
        return redirect(url_for("auth.account", _anchor="passkeys"), 303)
    flash(_("The passkey “%(name)s” is removed. It does not sign you in any more.", name=label))
    return redirect(url_for("auth.account", _anchor="passkeys"), 303)


def passkey_ready() -> bool:
    """Return whether the person of this page could show once more that it is them by a passkey."""
    if g.actor.id is None or g.actor.fresh or relying_party() is None:
        return False
    if "passkey_ready" not in g:
        with begin() as tx:
            g.passkey_ready = people.has_passkey(tx)
    return bool(g.passkey_ready)


def passkey_first() -> bool:
    """Return whether this is the first button of the page, which brings the script along."""
    first = "passkey_shown" not in g
    g.passkey_shown = True
    return first


def passkeys_work() -> bool:
    """Return whether browsers make passkeys for the address of this installation."""
    return relying_party() is not None


def passkey_script() -> str:
    """Return where the script lies, for pages that fetch it only when their session has ended."""
    return str(current_app.jinja_env.globals["asset"]("js/passkey.js"))  # type: ignore[operator]


def _globals() -> dict[str, Any]:
    names = (passkey_ready, passkey_first, passkeys_work, passkey_script)
    return {each.__name__: each for each in names}


@bp.record_once
def register(state: Any) -> None:
    """Let templates ask whether a passkey can be used here."""
    app: Flask = state.app
    app.jinja_env.globals.update(_globals())
