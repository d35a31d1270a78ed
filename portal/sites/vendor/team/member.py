"""One person of the team: what they may be, what they see, what they have, and how they hand over and leave."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.identity import service as identity
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action
from portal.sites.shared import does, house, page
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.team.blueprint import ROLE_HINTS, ROLES, SOMEBODY_NEW, bp, day_in, id_in, roles_in
from portal.sites.vendor.team.lines import team_beside
from portal.terms import ROLE_WORDS, Role, Side


@bp.get("/team/<uuid:user_id>")
@does(Action.TEAM_MANAGE)
def member(user_id: UUID) -> ResponseReturnValue:
    """Show the forms for one person."""
    return _member(user_id)


@bp.post("/team/<uuid:user_id>/roles")
@does(Action.TEAM_MANAGE)
def roles(user_id: UUID) -> ResponseReturnValue:
    """Change what a person may be."""
    try:
        with begin() as tx:
            user = identity.get_person(tx, user_id)
            identity.set_roles(tx, user=user, roles=roles_in(request.form))
            name = user.full_name
    except Refused as refusal:
        return _member(user_id, refusal.problems, 422)
    except Conflict as late:
        return _member(user_id, {"roles": [late.message]}, 409)
    flash(_("The roles of %(name)s are changed.", name=name))
    return redirect(url_for(".show"), 303)


@bp.post("/team/<uuid:user_id>/reach")
@does(Action.TEAM_MANAGE)
def reach(user_id: UUID) -> ResponseReturnValue:
    """Have a person see every section, or the given ones only."""
    widen = request.form.get("sees") == "every"
    try:
        with begin() as tx:
            user = identity.get_person(tx, user_id)
            if widen:
                identity.see_every_section(tx, user=user)
            else:
                identity.keep_to_given(tx, user_id=user.id)
            name = user.full_name
    except Conflict as late:
        return _member(user_id, {"": [late.message]}, 409)
    if widen:
        flash(_("%(name)s sees every section now.", name=name))
    else:
        flash(_("%(name)s sees only the sections given to them now.", name=name))
    return redirect(url_for(".member", user_id=user_id), 303)


@bp.post("/team/<uuid:user_id>/due")
@does(Action.SECTION_ASSIGN)
def due(user_id: UUID) -> ResponseReturnValue:
    """Give a person another day to answer a section by."""
    chosen, section = id_in(request.form.get("assessment")), request.form.get("section", "")
    if chosen is None:
        raise NotFound
    try:
        due_on = day_in(request.form, "due_on")
        with begin() as tx:
            row = assessments.get(tx, chosen, Action.SECTION_ASSIGN)
            assessments.change_due(tx, assessment=row, section=section, user_id=user_id, due_on=due_on)
    except Refused as refusal:
        return _member(user_id, {f"due-{section}": refusal.problems["due_on"]}, 422)
    except Conflict as late:
        return _member(user_id, {"": [late.message]}, 409)
    flash(_("The day is changed. It stands on their page."))
    return redirect(url_for(".member", user_id=user_id), 303)


@bp.post("/team/<uuid:user_id>/deactivate")
@does(Action.TEAM_MANAGE)
def deactivate(user_id: UUID) -> ResponseReturnValue:
    """Switch a person off, with or without somebody who takes over; what they answered stays."""
    to = id_in(request.form.get("takes_over"))
    try:
        with begin() as tx:
            user = identity.get_person(tx, user_id)
            name, heir = user.full_name, ""
            if to is not None:
                follows = identity.get_person(tx, to)
                heir = follows.full_name
                identity.hand_over(tx, user=user, to=follows)
            else:
                identity.deactivate(tx, user=user)
    except Conflict as late:
        return _member(user_id, {"": [late.message]}, 409)
    if heir:
        flash(_("%(name)s is switched off. %(heir)s has their roles and sections now.", name=name, heir=heir))
    else:
        flash(_("%(name)s is switched off and signed out. Their answers stay.", name=name))
    return redirect(url_for(".show"), 303)


@bp.post("/team/hand-over")
@does(Action.TEAM_MANAGE)
def hand_over() -> ResponseReturnValue:
    """Hand the administration of the team to a colleague at once, or to somebody new from the day they join."""
    form = request.form
    me = actor().id
    if me is None:
        raise NotFound
    to = form.get("person", "")
    try:
        with begin() as tx:
            if to == SOMEBODY_NEW:
                made = identity.invite(
                    tx,
                    email=form.get("email", ""),
                    full_name=form.get("full_name", ""),
                    roles=[Role.VENDOR_ADMIN],
                    side=Side.VENDOR,
                    vendor_id=tx.actor.vendor_id,
                    takes_over=True,
                    keyring=house().keyring,
                )
                words = _("%(name)s is invited. You stay vendor admin until they join.", name=made.full_name)
            elif (chosen := id_in(to)) is not None:
                user = identity.get_person(tx, chosen)
                identity.hand_over_admin(tx, to=user)
                words = _("%(name)s is vendor admin now, and you are not any more.", name=user.full_name)
            else:
                raise Refused(problems={"person": [_("Choose somebody of your team, or somebody new")]})
    except Refused as refusal:
        return _member(me, {f"over-{name}": texts for name, texts in refusal.problems.items()}, 422)
    except Conflict as late:
        return _member(me, {"": [late.message]}, 409)
    flash(words)
    return redirect(url_for(".show"), 303)


def _member(user_id: UUID, problems: Mapping[str, list[str]] | None = None, status: int = 200) -> ResponseReturnValue:
    with begin() as tx:
        identity.get_person(tx, user_id)
        team, current, _lines = team_beside(tx, id_in(request.values.get("assessment")))
    this = next((each for each in (*team.members, *team.gone) if each.person.id == user_id), None)
    if this is None:
        raise NotFound
    told_of = problems or {}
    answer = page(
        "vendor/team/member.html",
        active="team",
        this=this,
        person=this.person,
        current=current,
        colleagues=[each for each in team.colleagues if each.person.id != user_id],
        last_admin=[each.person.id for each in team.admins] == [user_id],
        mine=user_id == actor().id,
        roles=ROLES,
        role_words=ROLE_WORDS,
        role_hints=ROLE_HINTS,
        typed=request.form,
        problems=told_of,
        errors=[(f"#{_anchor(key)}" if key else "", told(words)) for key, texts in told_of.items() for words in texts],
    )
    return answer, status


def _anchor(key: str) -> str:
    return f"{key}-0" if key in ("roles", "over-person") else key
