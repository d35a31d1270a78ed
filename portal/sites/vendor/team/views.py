"""Who is on the team, with which sections; giving sections away, letting people in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.rules import LIFETIME
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action
from portal.sites.shared import does, house, page
from portal.sites.shared.language import _, ngettext, told
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.team import details, member
from portal.sites.vendor.team.blueprint import ROLE_HINTS, ROLES, SOMEBODY_NEW, Form, Place, bp, day_in, id_in, roles_in
from portal.sites.vendor.team.lines import open_assessments, team_beside
from portal.terms import ROLE_WORDS, Role, Side

__all__ = ["bp", "details", "member"]


@bp.get("/team")
@does(Action.TEAM_READ)
def show() -> ResponseReturnValue:
    """Show the team, and the forms to change it for who may."""
    return _page()


@bp.post("/team/sections")
@does(Action.SECTION_ASSIGN)
def give() -> ResponseReturnValue:
    """Give sections of an assessment to a colleague, or to somebody new, who is invited with them."""
    form = request.form
    chosen = id_in(form.get("assessment"))
    if chosen is None:
        raise NotFound
    wanted = [each for each in [*form.getlist("sections"), form.get("section", "")] if each]
    problems: dict[str, list[str]] = {}
    if not wanted:
        problems["sections"] = [_("Choose a section")]
    to = form.get("person", "")
    if to != SOMEBODY_NEW and id_in(to) is None:
        problems["person"] = [_("Choose somebody of your team, or somebody new")]
    try:
        due_on = day_in(form, "due_on")
        if problems:
            raise Refused(problems=problems)
        if to == SOMEBODY_NEW:
            said = _invited_with(form, chosen, wanted, due_on)
        else:
            said = _given(chosen, wanted, id_in(to), due_on)
    except Refused as refusal:
        found = {**problems, **refusal.problems}
        found["person"] = [*found.pop("user_id", ()), *found.get("person", ())]
        return _page({f"give-{name}": texts for name, texts in found.items() if texts}, 422)
    except Conflict as late:
        return _page({"": [late.message]}, 409)
    flash(said)
    return redirect(url_for(".show", assessment=chosen), 303)


def _given(chosen: UUID, wanted: list[str], to: UUID | None, due_on: date | None) -> str:
    with begin() as tx:
        row = assessments.get(tx, chosen, Action.SECTION_ASSIGN)
        assert to is not None  # noqa: S101 - the caller looked
        new = assessments.assign_sections(tx, assessment=row, sections=wanted, user_id=to, due_on=due_on)
        person = people.person(tx, to)
    if not new:
        return _("%(name)s had it already. Nothing was changed.", name=person.full_name)
    done = ngettext(
        "%(name)s has the section now, and is told by mail.",
        "%(name)s has %(num)s sections now, and is told by mail.",
        len(new),
        name=person.full_name,
    )
    if not person.is_active:
        done = _("%(name)s finds it on joining.", name=person.full_name)
    return done


def _invited_with(form: Form, chosen: UUID, wanted: list[str], due_on: date | None) -> str:
    with begin() as tx:
        row = assessments.get(tx, chosen, Action.SECTION_ASSIGN)
        if all(each.id != row.id for each in open_assessments(tx)):
            raise Conflict(_("This assessment is not open any more. Nobody was invited."))
        known = [each.key for each in attestations.progress(tx, row)]
        if not set(wanted) <= set(known):
            raise NotFound
        made = identity.invite(
            tx,
            email=form.get("email", ""),
            full_name=form.get("full_name", ""),
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=tx.actor.vendor_id,
            sections=[each for each in known if each in wanted],
            assessment_id=row.id,
            due_on=due_on,
            keyring=house().keyring,
        )
        name, address = made.full_name, made.email
    return _("%(name)s is invited. The mail to %(address)s leaves within a minute.", name=name, address=address)


@bp.post("/team/sections/take-back")
@does(Action.SECTION_ASSIGN)
def take_back() -> ResponseReturnValue:
    """Take a section back from a person; what they answered stays."""
    chosen, person = id_in(request.form.get("assessment")), id_in(request.form.get("person"))
    if chosen is None or person is None:
        raise NotFound
    with begin() as tx:
        row = assessments.get(tx, chosen, Action.SECTION_ASSIGN)
        assessments.unassign_section(tx, assessment=row, section=request.form.get("section", ""), user_id=person)
    flash(_("Taken back. The answers stay."))
    return redirect(url_for(".show", assessment=chosen), 303)


@bp.post("/team/invitations")
@does(Action.TEAM_MANAGE)
def invite() -> ResponseReturnValue:
    """Invite a colleague in roles; sections are given with the form beside."""
    form = request.form
    chosen = id_in(form.get("assessment"))
    try:
        with begin() as tx:
            row = assessments.get(tx, chosen, Action.ASSESSMENT_READ) if chosen else None
            known = {each.key for each in attestations.progress(tx, row)} if row is not None else set()
            sections = [each for each in form.getlist("sections") if each in known]
            made = identity.invite(
                tx,
                email=form.get("email", ""),
                full_name=form.get("full_name", ""),
                roles=roles_in(form),
                side=Side.VENDOR,
                vendor_id=tx.actor.vendor_id,
                sections=sections,
                assessment_id=row.id if row is not None and sections else None,
                keyring=house().keyring,
            )
            name, address = made.full_name, made.email
    except Refused as refusal:
        return _page({f"invite-{key}": texts for key, texts in refusal.problems.items()}, 422)
    except Conflict as late:
        return _page({"": [late.message]}, 409)
    flash(_("%(name)s is invited. The mail to %(address)s leaves within a minute.", name=name, address=address))
    return redirect(url_for(".show", assessment=chosen), 303)


@bp.post("/team/invitations/<uuid:invitation_id>/resend")
@does(Action.TEAM_MANAGE)
def resend(invitation_id: UUID) -> ResponseReturnValue:
    """Send a new link to the same address; the earlier one stays good as long as it was."""
    try:
        with begin() as tx:
            invitation = identity.get_invitation(tx, invitation_id)
            leaves = identity.resend(tx, invitation=invitation, keyring=house().keyring)
            address = invitation.email
    except Conflict as late:
        return _page({"": [late.message]}, 409)
    if leaves:
        flash(
            _(
                "A new link is on its way to %(address)s. Until it arrives, the earlier one goes on working.",
                address=address,
            )
        )
    else:
        flash(_("A link left for %(address)s less than a minute ago. No second one was sent.", address=address), "info")
    return redirect(url_for(".show"), 303)


@bp.post("/team/invitations/<uuid:invitation_id>/revoke")
@does(Action.TEAM_MANAGE)
def revoke(invitation_id: UUID) -> ResponseReturnValue:
    """Take an unused link back."""
    try:
        with begin() as tx:
            invitation = identity.get_invitation(tx, invitation_id)
            identity.revoke(tx, invitation=invitation)
            name = invitation.full_name
    except Conflict as late:
        return _page({"": [late.message]}, 409)
    flash(_("The invitation of %(name)s is withdrawn. None of its links works any more.", name=name))
    return redirect(url_for(".show"), 303)


def _page(problems: Mapping[str, list[str]] | None = None, status: int = 200) -> ResponseReturnValue:
    with begin() as tx:
        team, current, lines = team_beside(tx, id_in(request.values.get("assessment")))
        unseen = (
            assessments.unseen_sections(tx, assessments.get(tx, current.id, Action.ASSESSMENT_READ)) if current else ()
        )
        today = tx.now.date()
    place = Place(actor().vendor_id)
    typed = request.form if request.method == "POST" else Form()
    asked = request.args.get("section", "")
    told_of = problems or {}
    answer = page(
        "vendor/team/team.html",
        active="team",
        team=team,
        current=current,
        assessments=lines,
        unseen=unseen,
        today=today,
        may_manage=policy.may(actor(), Action.TEAM_MANAGE, place),
        may_assign=policy.may(actor(), Action.SECTION_ASSIGN, place),
        role_words=ROLE_WORDS,
        roles=ROLES,
        role_hints=ROLE_HINTS,
        days=LIFETIME["join"].days,
        typed=typed,
        asked=[each for each in [*typed.getlist("sections"), typed.get("section", ""), asked] if each],
        problems=told_of,
        errors=[(f"#{_anchor(key)}" if key else "", told(words)) for key, texts in told_of.items() for words in texts],
    )
    return answer, status


def _anchor(key: str) -> str:
    return f"{key}-0" if key.endswith(("roles", "sections", "person")) else key
