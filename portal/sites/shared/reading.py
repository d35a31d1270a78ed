"""How a person reads: the language of the pages, for everybody; language and time zone on the account."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from portal.identity import reading
from portal.identity import service as identity
from portal.policy import Action
from portal.sites.shared.door import does
from portal.sites.shared.language import COOKIE, _, read_as
from portal.sites.shared.pages import begin, house
from portal.terms import LANGUAGES

bp = Blueprint("reading", __name__)

YEAR = 31_536_000


@bp.post("/language")
@does(Action.PUBLIC)
def language() -> ResponseReturnValue:
    """Speak another language from now on and go back: to the person who is signed in, else in this browser."""
    wanted = request.form.get("language", "")
    answer = redirect(_back(request.form.get("next", "/")), 303)
    if wanted not in LANGUAGES:
        return answer
    if g.actor.id is not None:
        with begin() as tx:
            identity.read_in(tx, language=wanted)
    # The cookie too, so that the sign-in page goes on in it.
    answer.set_cookie(COOKIE, wanted, max_age=YEAR, samesite="Lax", secure=house().settings.secure, httponly=True)
    return answer


def _back(path: str) -> str:
    """Return a path of our own to go back to; anything that could lead away is the home page."""
    leads_away = not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(each) < 32 for each in path)
    return "/" if leads_away or urlsplit(path).netloc else path


@bp.post("/account/reading")
@does(Action.ACCOUNT_MANAGE)
def account() -> ResponseReturnValue:
    """Keep the language and the time zone chosen on the account page."""
    with begin() as tx:
        identity.read_in(tx, language=request.form.get("language"), timezone=request.form.get("timezone"))
        chosen = request.form.get("language") or g.actor.language
    read_as(chosen, request.form.get("timezone") or g.actor.timezone)
    flash(_("Saved. Pages and mails are in this language and time zone now."))
    return redirect("/account#reading", 303)


@bp.app_context_processor
def names() -> dict[str, object]:
    """Give the templates the time zones there are."""
    return {"time_zones": reading.zones}
