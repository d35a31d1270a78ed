"""Who is on the team, in which role, with which sections; letting people in, and letting them go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal import policy
from portal.assessments import service as assessments
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.queries import InvitationLine, Person
from portal.identity.rules import InvitationState
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Section
from portal.questionnaires.rules.text import date_from
from portal.sites.shared import does, house, page
from portal.sites.shared.pages import actor, begin
from portal.terms import ROLE_WORDS, VENDOR_ROLES, Role, Side

bp = Blueprint("vendor_team", __name__)
ROLES = (Role.RESPONDENT, Role.SIGNATORY, Role.VENDOR_ADMIN)
ROLE_HINTS = {
    Role.RESPONDENT: "Answers questions and uploads evidence",
    Role.SIGNATORY: "Signs for the company",
    Role.VENDOR_ADMIN: "Answers everything, divides the work, manages the team",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the team, with the sections they were given and the invitation that is under way."""

    person: Person
    sections: tuple[Section, ...]
    invitation: InvitationLine | None

    @property
    def word(self) -> str:
        """How far the person has come, as a word of the status vocabulary."""
        return self.person.state

    @property
    def invitation_ended(self) -> bool:
        """Whether the link is of no use any more and the person has not come."""
        return (
            self.person.enrolled_at is None
            and self.invitation is not None
            and self.invitation.state is InvitationState.EXPIRED
        )


class _Team:
    """The actor's own vendor, for the policy."""

    def __init__(self, vendor_id: UUID | None) -> None:
        self.vendor_id = vendor_id


@bp.get("/team")
@does(Action.TEAM_READ)
def show() -> ResponseReturnValue:
    """Show the team, and the forms to change it for who may."""
    return _page()


@bp.post("/team/invitations")
@does(Action.TEAM_MANAGE)
def invite() -> ResponseReturnValue:
    """Invite a colleague, in roles, with sections."""
    form = request.form
    chosen = _uuid(form.get("assessment"))
    try:
        with begin() as tx:
            row = assessments.get(tx, chosen, Action.ASSESSMENT_READ) if chosen else None
            known = _sections(tx, row)
            sections = [each for each in form.getlist("sections") if each in {part.key for part in known}]
            made = identity.invite(
                tx,
                email=form.get("email", ""),
                full_name=form.get("full_name", ""),
                roles=_roles(form),
                side=Side.VENDOR,
                vendor_id=tx.actor.vendor_id,
                sections=sections,
                assessment_id=row.id if row is not None and sections else None,
                keyring=house().keyring,
            )
            name, address = made.full_name, made.email
    except Refused as refusal:
        return _page({f"invite-{key}": texts for key, texts in refusal.problems.items()}, 422)
    flash(f"{name} is invited. The mail to {address} leaves within a minute.")
    return redirect(url_for(".show", assessment=chosen), 303)


@bp.post("/team/invitations/<uuid:invitation_id>/resend")
@does(Action.TEAM_MANAGE)
def resend(invitation_id: UUID) -> ResponseReturnValue:
    """Send a new link to the same address; the old one is dead."""
    try:
        with begin() as tx:
            invitation = identity.get_invitation(tx, invitation_id)
            identity.resend(tx, invitation=invitation, keyring=house().keyring)
            address = invitation.email
    except Conflict as late:
        return _page({"": [late.message]}, 409)
    flash(f"A new link is on its way to {address}. The old one does not work any more.")
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
    flash(f"The invitation of {name} is withdrawn.")
    return redirect(url_for(".show"), 303)


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
            identity.set_roles(tx, user=user, roles=_roles(request.form))
            name = user.full_name
    except Refused as refusal:
        return _member(user_id, refusal.problems, 422)
    except Conflict as late:
        return _member(user_id, {"roles": [late.message]}, 409)
    flash(f"The roles of {name} are changed.")
    return redirect(url_for(".show"), 303)


@bp.post("/team/<uuid:user_id>/deactivate")
@does(Action.TEAM_MANAGE)
def deactivate(user_id: UUID) -> ResponseReturnValue:
    """Switch a person off; what they answered stays."""
    try:
        with begin() as tx:
            user = identity.get_person(tx, user_id)
            identity.deactivate(tx, user=user)
            name = user.full_name
    except Conflict as late:
        return _member(user_id, {"": [late.message]}, 409)
    flash(f"{name} is switched off and signed out. Their answers stay.")
    return redirect(url_for(".show"), 303)


@bp.post("/team/sections")
@does(Action.SECTION_ASSIGN)
def give() -> ResponseReturnValue:
    """Give a section of an assessment to a person."""
    form = request.form
    chosen, to = _uuid(form.get("assessment")), _uuid(form.get("person"))
    problems: dict[str, list[str]] = {}
    due = date_from(form.get("due_on", "").strip()) if form.get("due_on", "").strip() else None
    if form.get("due_on", "").strip() and due is None:
        problems["give-due_on"] = ["Enter the date as year-month-day, for example 2026-12-31"]
    if to is None:
        problems["give-person"] = ["Choose somebody of your team"]
    if not form.get("section"):
        problems["give-section"] = ["Choose a section"]
    if chosen is None:
        raise NotFound
    if problems or to is None:
        return _page(problems, 422)
    try:
        with begin() as tx:
            row = assessments.get(tx, chosen, Action.SECTION_ASSIGN)
            assessments.assign_section(tx, assessment=row, section=form["section"], user_id=to, due_on=due)
            name = people.person(tx, to).full_name
    except Refused as refusal:
        return _page({"give-person": [text for texts in refusal.problems.values() for text in texts]}, 422)
    except Conflict as late:
        return _page({"": [late.message]}, 409)
    flash(f"{name} has the section now, and is told by mail.")
    return redirect(url_for(".show", assessment=chosen), 303)


@bp.post("/team/sections/take-back")
@does(Action.SECTION_ASSIGN)
def take_back() -> ResponseReturnValue:
    """Take a section back from a person; what they answered stays."""
    chosen, person = _uuid(request.form.get("assessment")), _uuid(request.form.get("person"))
    if chosen is None or person is None:
        raise NotFound
    with begin() as tx:
        row = assessments.get(tx, chosen, Action.SECTION_ASSIGN)
        assessments.unassign_section(tx, assessment=row, section=request.form.get("section", ""), user_id=person)
    flash("Taken back. The answers stay.")
    return redirect(url_for(".show", assessment=chosen), 303)


def _page(problems: Mapping[str, list[str]] | None = None, status: int = 200) -> ResponseReturnValue:
    wanted = _uuid(request.values.get("assessment"))
    with begin() as tx:
        vendor_id = tx.actor.vendor_id
        if vendor_id is None:
            raise NotFound
        lines = [each for each in assessments.of_vendor(tx, vendor_id) if each.is_open]
        current = next((each for each in lines if each.id == wanted), lines[0] if lines else None)
        row = assessments.get(tx, current.id, Action.ASSESSMENT_READ) if current else None
        sections = _sections(tx, row)
        given = assessments.assignees(tx, row) if row is not None else {}
        members = _members(tx, vendor_id, sections, given)
    typed: MultiDict[str, str] = request.form if request.method == "POST" else MultiDict()
    answer = page(
        "vendor/team/team.html",
        active="team",
        members=[each for each in members if each.person.deactivated_at is None],
        gone=[each for each in members if each.person.deactivated_at is not None],
        current=current,
        assessments=lines,
        sections=sections,
        given=given,
        may_manage=policy.may(actor(), Action.TEAM_MANAGE, _Team(vendor_id)),
        may_assign=policy.may(actor(), Action.SECTION_ASSIGN, _Team(vendor_id)),
        role_words=ROLE_WORDS,
        roles=ROLES,
        role_hints=ROLE_HINTS,
        typed=typed,
        section=request.values.get("section", ""),
        problems=problems or {},
        errors=[
            (f"#{_anchor(key)}" if key else "", words) for key, texts in (problems or {}).items() for words in texts
        ],
    )
    return answer, status


def _anchor(key: str) -> str:
    return f"{key}-0" if key.endswith("roles") else key


def _member(user_id: UUID, problems: Mapping[str, list[str]] | None = None, status: int = 200) -> ResponseReturnValue:
    with begin() as tx:
        identity.get_person(tx, user_id)
        person = people.person(tx, user_id)
        invitation = next(
            (each for each in people.invitations_of(tx, tx.actor.vendor_id) if each.user_id == user_id), None
        )
    answer = page(
        "vendor/team/member.html",
        active="team",
        person=person,
        invitation=invitation,
        roles=ROLES,
        role_words=ROLE_WORDS,
        role_hints=ROLE_HINTS,
        problems=problems or {},
        errors=[("#roles-0" if key else "", words) for key, texts in (problems or {}).items() for words in texts],
    )
    return answer, status


def _members(tx: Tx, vendor_id: UUID, sections: tuple[Section, ...], given: Mapping[str, list[UUID]]) -> list[Member]:
    newest: dict[UUID, InvitationLine] = {}
    for line in people.invitations_of(tx, vendor_id):
        if line.user_id is not None:
            newest.setdefault(line.user_id, line)
    return [
        Member(
            person=each,
            sections=tuple(part for part in sections if each.id in given.get(part.key, ())),
            invitation=newest.get(each.id),
        )
        for each in people.people_of_vendor(tx, vendor_id)
    ]


def _sections(tx: Tx, row: Any) -> tuple[Section, ...]:
    return questionnaires.compiled(tx, row.questionnaire_id).sections if row is not None else ()


def _roles(form: MultiDict[str, str]) -> list[Role]:
    """Return the roles that were ticked, of the vendor's side only.

    :raises Forbidden: for any other: the page does not offer it.
    """
    ticked = form.getlist("roles")
    if any(each not in VENDOR_ROLES for each in ticked):
        raise Forbidden("Your role cannot give that role.")
    return [Role(each) for each in ticked]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
