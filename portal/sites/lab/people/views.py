"""Users and roles: invite, give and take roles with two people where it matters, end sessions, switch off."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.rules import InvitationState
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.reviews import service as reviews
from portal.sites.lab.people.conflicts import ConflictForm, form_for
from portal.sites.lab.people.forms import ROLE_SMALLS, InviteForm, RolesForm
from portal.sites.shared import does, house, page
from portal.sites.shared.auth.forms import add_problems
from portal.sites.shared.pages import begin
from portal.sites.shared.step_up import stepped_up
from portal.terms import ROLE_WORDS, Role, Side

bp = Blueprint("lab_people", __name__)

INVITED = "Invited. A link that works for 7 days is on its way to {email}."
WAITING = " {roles} waits until a second admin confirms."


@bp.get("/lab/admin/users")
@does(Action.LAB_PEOPLE_READ)
def users() -> ResponseReturnValue:
    """List the lab's people, the invitations on their way and the roles that wait for a second admin."""
    return _users()


def _users() -> str:
    with begin() as tx:
        everybody = people.lab_people(tx)
        invited = [each for each in people.invitations_of(tx, None) if each.state is not InvitationState.USED]
        waiting = people.role_requests(tx)
    open_to = {InvitationState.OPEN, InvitationState.EXPIRED}
    return page(
        "lab/people/users.html",
        people=everybody,
        invitations=[each for each in invited if each.state in open_to],
        waiting=waiting,
        words=ROLE_WORDS,
        manages=may_ever(g.actor, Action.LAB_PEOPLE_MANAGE),
        admins=sum(1 for each in everybody if each.is_active and Role.PROGRAM_ADMIN in each.roles),
    )


@bp.route("/lab/admin/users/invite", methods=["GET", "POST"])
@does(Action.LAB_PEOPLE_MANAGE)
def invite() -> ResponseReturnValue:
    """Invite a person to the lab's side."""
    form = InviteForm(request.form)
    if request.method == "GET":
        return _invite_page(InviteForm())
    if not form.validate():
        return _invite_page(form), 422
    if problem := stepped_up(request.form.get("code")):
        return _invite_page(form, code_errors=[problem]), 422
    try:
        with begin() as tx:
            invitation = identity.invite(
                tx,
                email=form.email.data or "",
                full_name=form.full_name.data or "",
                roles=[Role(role) for role in form.roles.data or []],
                side=Side.LAB,
                keyring=house().keyring,
            )
            told = {role.value for role in map(Role, form.roles.data or [])} - set(invitation.roles)
    except Refused as refused:
        add_problems(form, refused.problems)
        return _invite_page(form), 422
    flash(INVITED.format(email=invitation.email) + _waiting([Role(each) for each in sorted(told)]))
    return redirect(url_for("lab_people.users"), 303)


def _invite_page(form: InviteForm, *, code_errors: list[str] | None = None) -> str:
    return page(
        "lab/people/invite.html", form=form, smalls=ROLE_SMALLS, code_errors=code_errors or [], errors=bool(code_errors)
    )


def _waiting(roles: list[Role]) -> str:
    return WAITING.format(roles=" and ".join(ROLE_WORDS[role] for role in roles)) if roles else ""


@bp.get("/lab/admin/users/<uuid:user_id>")
@does(Action.LAB_PEOPLE_READ)
def user(user_id: UUID) -> ResponseReturnValue:
    """Show one person of the lab and what can be done."""
    return _user(user_id)


def _user(user_id: UUID, *, form: RolesForm | None = None, code_errors: dict[str, list[str]] | None = None) -> str:
    with begin() as tx:
        someone = people.person(tx, user_id)
        waiting = [each for each in people.role_requests(tx) if each.user_id == user_id]
        ties = reviews.conflicts(tx, user_id=user_id)
        tie_form = form_for(tx, ConflictForm(formdata=None))
    shown = form or RolesForm(roles=sorted(role.value for role in someone.roles))
    return page(
        "lab/people/user.html",
        someone=someone,
        waiting=waiting,
        ties=ties,
        tie_form=tie_form,
        form=shown,
        smalls=ROLE_SMALLS,
        words=ROLE_WORDS,
        manages=may_ever(g.actor, Action.LAB_PEOPLE_MANAGE) and someone.side is Side.LAB,
        oneself=someone.id == g.actor.id,
        code_errors=code_errors or {},
        errors=bool(code_errors),
    )


@bp.post("/lab/admin/users/<uuid:user_id>/roles")
@does(Action.LAB_PEOPLE_MANAGE)
def set_roles(user_id: UUID) -> ResponseReturnValue:
    """Give and take roles; those that need two people wait for the second."""
    form = RolesForm(request.form)
    if not form.validate():
        form.roles.errors = ["Choose roles from the list"]
        return _user(user_id, form=form), 422
    if problem := stepped_up(request.form.get("code")):
        return _user(user_id, form=form, code_errors={"roles": [problem]}), 422
    try:
        with begin() as tx:
            someone = identity.get_person(tx, user_id)
            asked = identity.set_roles(tx, user=someone, roles=[Role(role) for role in form.roles.data or []])
            waiting = [each.role for each in asked]
    except Refused as refused:
        add_problems(form, refused.problems)
        return _user(user_id, form=form), 422
    except Conflict as conflict:
        form.roles.errors = [conflict.message]
        return _user(user_id, form=form), 409
    flash(f"The roles of {someone.full_name} are changed.{_waiting(waiting)}")
    return redirect(url_for("lab_people.user", user_id=user_id), 303)


def _act(user_id: UUID, name: str, command: Callable[[Tx, UUID], str]) -> ResponseReturnValue:
    if problem := stepped_up(request.form.get("code")):
        return _user(user_id, code_errors={name: [problem]}), 422
    try:
        with begin() as tx:
            said = command(tx, user_id)
    except Conflict as conflict:
        flash(conflict.message, "error")
        return _user(user_id), 409
    flash(said)
    return redirect(url_for("lab_people.user", user_id=user_id), 303)


@bp.post("/lab/admin/users/<uuid:user_id>/end-sessions")
@does(Action.LAB_PEOPLE_MANAGE)
def end_sessions(user_id: UUID) -> ResponseReturnValue:
    """Sign a person out everywhere, now."""

    def command(tx: Tx, wanted: UUID) -> str:
        someone = identity.get_person(tx, wanted)
        count = identity.end_sessions_of(tx, user=someone)
        return f"{someone.full_name} is signed out everywhere ({count} {'session' if count == 1 else 'sessions'})."

    return _act(user_id, "sessions", command)


@bp.post("/lab/admin/users/<uuid:user_id>/reset-factors")
@does(Action.LAB_PEOPLE_MANAGE)
def reset_factors(user_id: UUID) -> ResponseReturnValue:
    """Let a person who lost everything enrol again."""

    def command(tx: Tx, wanted: UUID) -> str:
        someone = identity.get_person(tx, wanted)
        identity.reset_factors(tx, user=someone, keyring=house().keyring)
        return f"{someone.full_name} is signed out and has a new link to enrol again."

    return _act(user_id, "factors", command)


@bp.post("/lab/admin/users/<uuid:user_id>/deactivate")
@does(Action.LAB_PEOPLE_MANAGE)
def deactivate(user_id: UUID) -> ResponseReturnValue:
    """Switch a person off: sessions end in the same moment."""

    def command(tx: Tx, wanted: UUID) -> str:
        someone = identity.get_person(tx, wanted)
        identity.deactivate(tx, user=someone)
        return f"{someone.full_name} is switched off and signed out everywhere."

    return _act(user_id, "off", command)


def _list_act(command: Callable[[Tx], str]) -> ResponseReturnValue:
    """Act on one line of the list; the commands themselves ask for the fresh factor (StepUpRequired)."""
    try:
        with begin() as tx:
            said = command(tx)
    except (Conflict, Forbidden) as refusal:
        flash(refusal.message, "error")
        return _users(), 409 if isinstance(refusal, Conflict) else 403
    flash(said)
    return redirect(url_for("lab_people.users"), 303)


@bp.post("/lab/admin/users/requests/<uuid:request_id>/confirm")
@does(Action.LAB_PEOPLE_MANAGE)
def confirm_role(request_id: UUID) -> ResponseReturnValue:
    """Confirm a role that another admin asked for."""

    def command(tx: Tx) -> str:
        asked = identity.get_request(tx, request_id)
        identity.confirm_role(tx, request=asked)
        return (
            f"Confirmed: {people.person(tx, asked.user_id).full_name} is {ROLE_WORDS[asked.role].lower()} from now on."
        )

    return _list_act(command)


@bp.post("/lab/admin/users/requests/<uuid:request_id>/withdraw")
@does(Action.LAB_PEOPLE_MANAGE)
def withdraw_role(request_id: UUID) -> ResponseReturnValue:
    """Close a request for a role."""

    def command(tx: Tx) -> str:
        identity.withdraw_role_request(tx, request=identity.get_request(tx, request_id))
        return "Withdrawn. The role was not given."

    return _list_act(command)


@bp.post("/lab/admin/users/invitations/<uuid:invitation_id>/resend")
@does(Action.LAB_PEOPLE_MANAGE)
def resend(invitation_id: UUID) -> ResponseReturnValue:
    """Send a new link; the earlier one stays good for as long as it was."""

    def command(tx: Tx) -> str:
        found = identity.get_invitation(tx, invitation_id)
        if not identity.resend(tx, invitation=found, keyring=house().keyring):
            return f"A link left for {found.email} less than a minute ago. No second one was sent."
        return f"A new link is on its way to {found.email}."

    return _list_act(command)


@bp.post("/lab/admin/users/invitations/<uuid:invitation_id>/revoke")
@does(Action.LAB_PEOPLE_MANAGE)
def revoke(invitation_id: UUID) -> ResponseReturnValue:
    """Take an invitation back."""

    def command(tx: Tx) -> str:
        found = identity.get_invitation(tx, invitation_id)
        identity.revoke(tx, invitation=found)
        return f"The invitation of {found.full_name} is withdrawn."

    return _list_act(command)
