"""A forgotten password: one answer for every address, a link that works once, and the second factor stays."""

from __future__ import annotations

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.identity import service as identity
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action
from portal.sites.shared.auth.blueprint import DOOR, address, bp, counted, hasher
from portal.sites.shared.auth.forms import NewPasswordForm, ResetForm, add_problems
from portal.sites.shared.door import does
from portal.sites.shared.language import _
from portal.sites.shared.pages import house, ledger, page

LINK = "reset"


@bp.route("/reset", methods=["GET", "POST"])
@does(Action.PUBLIC)
def reset() -> ResponseReturnValue:
    """Ask for a link to a new password."""
    form = ResetForm(request.form)
    if request.method == "GET":
        return page("shared/auth/reset.html", form=ResetForm(), sent=False)
    if not form.validate():
        return page("shared/auth/reset.html", form=form, sent=False), 422
    email = form.email.data or ""
    if refusal := counted(identity.mail_limits(email, address())):
        raise refusal
    with ledger().begin(DOOR) as tx:
        identity.ask_reset(tx, email=email, keyring=house().keyring, hasher=hasher())
    return page("shared/auth/reset.html", form=form, sent=True)


@bp.get("/reset/<token>")
@does(Action.PUBLIC)
def take_reset(token: str) -> ResponseReturnValue:
    """Take the token out of the address at once (ASVS 14.2.1)."""
    session[LINK] = token[:100]
    return redirect(url_for("auth.new_password"), 303)


@bp.route("/new-password", methods=["GET", "POST"])
@does(Action.PUBLIC)
def new_password() -> ResponseReturnValue:
    """Set a new password by the link and the second factor; every session ends and nobody is signed in."""
    form = NewPasswordForm(request.form)
    try:
        with ledger().begin(DOOR) as tx:
            found = identity.find_reset(tx, token=session.get(LINK, ""))
        if request.method == "GET":
            return page("shared/auth/new_password.html", form=NewPasswordForm(), email=found.email)
        if not form.validate():
            return page("shared/auth/new_password.html", form=form, email=found.email), 422
        limits = identity.step_up_limits(found.user_id)
        if refusal := counted([*limits, *identity.link_limits(address())]):
            raise refusal
        with ledger().begin(DOOR) as tx:
            identity.reset_password(
                tx,
                reset=identity.find_reset(tx, token=session[LINK]),
                password=form.password.data or "",
                code=form.code.data or "",
                keyring=house().keyring,
                about=(house().settings.lab_name,),
                hasher=hasher(),
            )
            identity.give_back(tx, limits)
    except Refused as refused:
        add_problems(form, refused.problems)
        return page("shared/auth/new_password.html", form=form, email=found.email), 422
    except (NotFound, Conflict):
        return page("shared/auth/no_reset.html"), 410
    session.pop(LINK, None)
    flash(_("Your password is changed and you are signed out everywhere. Sign in with the new one."))
    return redirect(url_for("auth.sign_in"), 303)
