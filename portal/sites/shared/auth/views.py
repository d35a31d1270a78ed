"""Signing in, signing out, and showing once more that it is you."""

from __future__ import annotations

from flask import flash, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from portal.identity import service as identity
from portal.kernel.errors import TooMany
from portal.policy import Action
from portal.sites.shared.auth import account, invitation, panel, passkeys, reset
from portal.sites.shared.auth.blueprint import address, bp, by_password, counted, home, local
from portal.sites.shared.auth.forms import SignInForm
from portal.sites.shared.auth.invitation import asked_here
from portal.sites.shared.door import does
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import page
from portal.sites.shared.sessions import come_in, leave
from portal.sites.shared.step_up import stepped_up
from portal.terms import N_, Side

__all__ = ["account", "bp", "invitation", "panel", "passkeys", "reset"]

REFUSED = N_("We could not sign you in. Check the e-mail and the password, and use the next code of your app")


def _door(form: SignInForm, onward: str, *, refused: str = "", errors: bool = False) -> str:
    """Return the way in: who asked is said first, and where a passkey is the way the rest is folded."""
    asked = asked_here()
    if asked is not None and not form.email.data:
        form.email.data = asked.email
    folded = passkeys.relying_party() is not None and request.cookies.get(passkeys.WAY) == "passkey"
    return page(
        "shared/auth/sign_in.html",
        form=form,
        next=onward,
        asked=asked,
        refused=refused,
        folded=folded and not form.errors and not refused,
        errors=errors,
    )


@bp.get("/sign-in")
@does(Action.PUBLIC)
def sign_in() -> ResponseReturnValue:
    """Show the way in; who is in already goes on."""
    if g.actor.id is not None:
        return redirect(local(request.args.get("next"), otherwise=home()), 303)
    return _door(SignInForm(), local(request.args.get("next"), otherwise=""))


@bp.post("/sign-in")
@does(Action.PUBLIC)
def sign_in_now() -> ResponseReturnValue:
    """Sign in with password and code in one go. Every refusal is the same one."""
    form = SignInForm(request.form)
    onward = local(request.form.get("next"), otherwise="")
    if not form.validate():
        return _door(form, onward), 422
    limits = identity.sign_in_limits(form.email.data or "", address())
    if refusal := counted(limits):
        form.code.errors = [locked(refusal)]
        answer = make_response(_door(form, onward), 429)
        answer.headers["Retry-After"] = str(max(1, refusal.retry_after))
        return answer
    new = by_password(
        email=form.email.data or "", password=form.password.data or "", code=form.code.data or "", limits=limits
    )
    if new is None:
        return _door(form, onward, refused=told(REFUSED), errors=True), 422
    if g.actor.id is not None:
        leave()
    come_in(new)
    return redirect(onward or ("/lab" if new.side is Side.LAB else "/"), 303)


def locked(refusal: TooMany) -> str:
    """Say until when it is locked, and that a passkey still opens where passkeys work."""
    words = told(refusal.message)
    return f"{words} {_('Your passkey still works.')}" if passkeys.relying_party() is not None else words


@bp.post("/sign-out")
@does(Action.SIGN_OUT)
def sign_out() -> ResponseReturnValue:
    """End the session on the server (AU-01) and clear what the browser kept (ASVS 14.3.1)."""
    leave()
    flash(_("You are signed out."), "info")
    answer = make_response(redirect("/sign-in", 303))
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


@bp.route("/step-up", methods=["GET", "POST"])
@does(Action.STEP_UP)
def step_up() -> ResponseReturnValue:
    """Take a code given now, and go back to the act that needs it."""
    onward = local(request.values.get("next"), otherwise=home())
    if request.method == "GET":
        return page("shared/auth/step_up.html", next=onward, code_errors=[])
    if problem := stepped_up(request.form.get("code")):
        return page("shared/auth/step_up.html", next=onward, code_errors=[problem], errors=True), 422
    flash(_("Thank you. For the next 5 minutes you are not asked again."), "info")
    return redirect(onward, 303)
