"""A person's name, title and address: changed by themselves or by an admin, the address by a link to the new one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.identity import service as identity
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action
from portal.sites.shared import does, house, ledger, page
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.step_up import stepped_up
from portal.sites.vendor.team.blueprint import bp

LINK = "address_link"
DOOR = system("the door")


@bp.get("/team/<uuid:user_id>/details")
@does(Action.ACCOUNT_MANAGE)
def details(user_id: UUID) -> ResponseReturnValue:
    """Show the forms for somebody's name, title and address: one's own, or a colleague's for an admin."""
    return _details(user_id)


@bp.post("/team/<uuid:user_id>/details")
@does(Action.ACCOUNT_MANAGE)
def rename(user_id: UUID) -> ResponseReturnValue:
    """Change name and title."""
    try:
        with begin() as tx:
            user = identity.get_person_or_self(tx, user_id)
            full_name, title = request.form.get("full_name", ""), request.form.get("title", "")
            identity.rename(tx, user=user, full_name=full_name, title=title)
    except Refused as refusal:
        return _details(user_id, refusal.problems, 422)
    flash(_("Name and title are changed. What was signed keeps the name it was signed with."))
    return redirect(url_for(".details", user_id=user_id), 303)


@bp.post("/team/<uuid:user_id>/address")
@does(Action.ACCOUNT_MANAGE)
def change_address(user_id: UUID) -> ResponseReturnValue:
    """Have a link sent to a new address; nothing changes before it is followed."""
    with begin() as tx:
        identity.get_person_or_self(tx, user_id)
    if wrong := stepped_up(request.form.get("code")):
        return _details(user_id, {"code": [wrong]}, 422)
    email = request.form.get("email", "")
    try:
        with begin() as tx:
            user = identity.get_person_or_self(tx, user_id)
            again = request.form.get("again", "")
            identity.ask_address(tx, user=user, email=email, again=again, keyring=house().keyring)
            name = user.full_name
    except Refused as refusal:
        return _details(user_id, refusal.problems, 422)
    except Conflict as late:
        return _details(user_id, {"": [late.message]}, 409)
    flash(
        _(
            "If %(address)s is free, a link is on its way to it. Until it is followed, %(name)s signs in as before.",
            address=email.strip(),
            name=name,
        )
    )
    return redirect(url_for(".details", user_id=user_id), 303)


@bp.get("/team/address/<token>")
@does(Action.PUBLIC)
def take_address(token: str) -> ResponseReturnValue:
    """Take the token out of the address at once, so that it stays in no history and no log (ASVS 14.2.1)."""
    session[LINK] = token[:100]
    return redirect(url_for(".address"), 303)


@bp.get("/team/address")
@does(Action.PUBLIC)
def address() -> ResponseReturnValue:
    """Ask once more before the new address takes the place of the old one."""
    return _address()


@bp.post("/team/address")
@does(Action.PUBLIC)
def confirm_address() -> ResponseReturnValue:
    """Take the new address; every session ends, and the next sign-in is with it."""
    try:
        with ledger().begin(DOOR) as tx:
            asked = identity.find_address(tx, token=session.get(LINK, ""))
            identity.confirm_address(tx, asked=asked)
            email = asked.email
    except NotFound:
        return _address()
    except Conflict as late:
        return _address(late.message)
    session.pop(LINK, None)
    flash(_("Confirmed. Sign in with %(address)s from now on.", address=email))
    return redirect(url_for("auth.sign_in"), 303)


def _address(refused: str = "") -> ResponseReturnValue:
    asked = None
    try:
        with ledger().begin(DOOR) as tx:
            asked = identity.find_address(tx, token=session.get(LINK, ""))
            email, was = asked.email, asked.was_email
    except NotFound:
        return page("vendor/team/address.html", email="", was="", refused=""), 404
    except Conflict as late:
        return page("vendor/team/address.html", email="", was="", refused=told(refused or late.message)), 410
    answer = page("vendor/team/address.html", email=email, was=was, refused=told(refused))
    return answer, 409 if refused else 200


def _details(user_id: UUID, problems: Mapping[str, list[str]] | None = None, status: int = 200) -> ResponseReturnValue:
    with begin() as tx:
        user = identity.get_person_or_self(tx, user_id)
        person = {"id": user.id, "full_name": user.full_name, "title": user.title, "email": user.email}
        here = user.enrolled_at is not None and user.deactivated_at is None
    told_of = problems or {}
    answer = page(
        "vendor/team/details.html",
        active="team",
        person=person,
        mine=user_id == actor().id,
        here=here,
        fresh=actor().fresh,
        typed=request.form,
        problems=told_of,
        errors=[(f"#{key}" if key else "", told(words)) for key, texts in told_of.items() for words in texts],
    )
    return answer, status
