"""One's own account: password, recovery codes, and where one is signed in."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.identity import queries as people
from portal.identity import service as identity
from portal.kernel.errors import Refused
from portal.policy import Action
from portal.sites.shared.auth.blueprint import bp, counted, hasher
from portal.sites.shared.auth.forms import ChangePasswordForm, add_problems
from portal.sites.shared.door import does
from portal.sites.shared.language import _, ngettext, told
from portal.sites.shared.pages import begin, house, page
from portal.sites.shared.sessions import visit
from portal.sites.shared.step_up import stepped_up
from portal.terms import ROLE_WORDS, Role


@bp.get("/account")
@does(Action.ACCOUNT_MANAGE)
def account() -> ResponseReturnValue:
    """Show the account and where it is signed in."""
    return account_page()


def account_page(form: ChangePasswordForm | None = None, *, code_errors: dict[str, list[str]] | None = None) -> str:
    """Return the account, with what was wrong in one of its forms."""
    with begin() as tx:
        me = people.person(tx, g.actor.id)
        sessions = people.own_sessions(tx)
        passkeys = people.own_passkeys(tx)
    return page(
        "shared/auth/account.html",
        base="lab/base.html" if g.actor.is_lab else "vendor/base.html",
        me=me,
        roles=[told(ROLE_WORDS[Role(role)]) for role in sorted(me.roles)],
        sessions=[(line, browser(line.user_agent), line.id == g.actor.session_id) for line in sessions],
        passkeys=passkeys,
        form=form or ChangePasswordForm(),
        code_errors=code_errors or {},
        errors=bool(code_errors),
    )


def browser(user_agent: str) -> str:
    """Return a few words for a browser, such as "Firefox on Windows"."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    )
    name = next((word for mark, word in names if mark in user_agent), "") or _("A browser")
    place = next((word for mark, word in systems if mark in user_agent), "")
    return _("%(browser)s on %(system)s", browser=name, system=place) if place else name


@bp.post("/account/password")
@does(Action.ACCOUNT_MANAGE)
def change_password() -> ResponseReturnValue:
    """Change the password: the present one, the new one and a code; other browsers are signed out."""
    form = ChangePasswordForm(request.form)
    if not form.validate():
        return account_page(form), 422
    if problem := stepped_up(request.form.get("code")):
        return account_page(form, code_errors={"password": [problem]}), 422
    limits = identity.step_up_limits(f"password:{g.actor.id}")
    if refusal := counted(limits):
        form.current.errors = [told(refusal.message)]
        return account_page(form), 429
    try:
        with begin() as tx:
            ended = identity.change_password(
                tx,
                current=form.current.data or "",
                password=form.password.data or "",
                about=(house().settings.lab_name, _vendor_name()),
                hasher=hasher(),
            )
            identity.give_back(tx, limits)
            renewed = identity.rotate(tx, session_id=g.actor.session_id)
    except Refused as refused:
        add_problems(form, refused.problems)
        return account_page(form), 422
    visit().renew(renewed)
    also = ngettext("%(num)s other browser was signed out.", "%(num)s other browsers were signed out.", ended)
    flash(f"{_('Your password is changed.')} {also}" if ended else _("Your password is changed."))
    return redirect(url_for("auth.account"), 303)


def _vendor_name() -> str:
    live = visit().live
    return live.vendor_name if live else ""


@bp.post("/account/recovery-codes")
@does(Action.ACCOUNT_MANAGE)
def renew_recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them, this once."""
    if problem := stepped_up(request.form.get("code")):
        return account_page(code_errors={"codes": [problem]}), 422
    with begin() as tx:
        codes = identity.renew_recovery_codes(tx, hasher=hasher())
    return page("shared/auth/recovery_codes.html", codes=codes, onward=url_for("auth.account"), welcome=False)


@bp.post("/account/sessions/<uuid:session_id>/end")
@does(Action.ACCOUNT_MANAGE)
def end_session(session_id: UUID) -> ResponseReturnValue:
    """Sign one other browser out."""
    with begin() as tx:
        identity.end_session(tx, session_id=session_id)
    flash(_("That browser is signed out."))
    return redirect(url_for("auth.account"), 303)


@bp.post("/account/sessions/end-others")
@does(Action.ACCOUNT_MANAGE)
def end_other_sessions() -> ResponseReturnValue:
    """Sign every other browser out."""
    with begin() as tx:
        identity.end_own_sessions(tx)
    flash(_("All other browsers are signed out."))
    return redirect(url_for("auth.account"), 303)
