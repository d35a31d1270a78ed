"""What keeps this reader, or the whole team, from going on: a sentence that says what is missing and who mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal import policy
from portal.identity.queries import InvitationLine
from portal.identity.rules import InvitationState
from portal.kernel.actor import Actor
from portal.policy import Action
from portal.sites.shared.language import _
from portal.sites.vendor.work import Work
from portal.terms import Role


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing, and what mends it; ``team`` says that the team's page is where."""

    what: str
    mend: str
    team: bool = False


def missing_of(work: Work, actor: Actor, invited: Sequence[InvitationLine]) -> list[Missing]:
    """Return what keeps the team or the reader from going on. Nothing, where there is a next step to take."""
    if not work.is_open:
        return []
    found = []
    if work.standing.unsettled and not work.with_role(Role.VENDOR_ADMIN):
        found.append(
            Missing(
                _("Nobody of your team can settle the facts about the work: it has no vendor admin."),
                _coming(Role.VENDOR_ADMIN, invited) or _lab_mends(work),
            )
        )
    if not work.with_role(Role.SIGNATORY):
        found.append(
            Missing(
                _("Nobody of your team can sign yet: it has no signatory."),
                _coming(Role.SIGNATORY, invited) or _admin_mends_signatory(work, actor),
                team=policy.may(actor, Action.TEAM_MANAGE, work.row),
            )
        )
    own = _own(work, actor)
    return [*found, own] if own else found


def _own(work: Work, actor: Actor) -> Missing | None:
    """Return what keeps the reader from answering anything, while there is something to answer."""
    if policy.keeps_to_given(actor) and not work.sections:
        return Missing(_("No section was given to you yet."), _admins_give(work))
    open_sections = list(dict.fromkeys(each.section for each in work.blockers if each.section))
    if not open_sections or any(work.writable(actor, each) for each in open_sections):
        return None
    if Role.RESPONDENT in actor.roles:
        names = _names([person.full_name for each in open_sections for person in work.given_to(each)])
        if names:
            return Missing(_("What is left belongs to %(names)s. You can read it.", names=names), _admins_give(work))
        return Missing(_("What is left was not given to you. You can read it."), _admins_give(work))
    if not work.with_role(Role.RESPONDENT) and not work.with_role(Role.VENDOR_ADMIN):
        return Missing(_("Nobody of your team can answer: it has no respondent."), _lab_mends(work))
    answering = [*work.with_role(Role.RESPONDENT), *work.with_role(Role.VENDOR_ADMIN)]
    return Missing(
        _("You sign when everything is answered. You can read it until then."),
        _("%(names)s can answer.", names=_names([each.full_name for each in answering])),
    )


def _coming(role: Role, invited: Sequence[InvitationLine]) -> str:
    """Return that somebody with this role is invited; nothing if nobody is."""
    for each in invited:
        if role in each.roles and each.state is InvitationState.OPEN:
            return _("%(name)s is invited and has not joined yet.", name=each.full_name)
    return ""


def _lab_mends(work: Work) -> str:
    return _("%(lab)s can invite somebody: write to their vendor security team, at Help.", lab=work.lab)


def _admin_mends_signatory(work: Work, actor: Actor) -> str:
    if policy.may(actor, Action.TEAM_MANAGE, work.row):
        return _("Give somebody the role of signatory, or invite one.")
    admins = _names([each.full_name for each in work.with_role(Role.VENDOR_ADMIN)])
    return _("%(names)s can make somebody signatory.", names=admins) if admins else _lab_mends(work)


def _admins_give(work: Work) -> str:
    admins = _names([each.full_name for each in work.with_role(Role.VENDOR_ADMIN)])
    return _("%(names)s can give you a section.", names=admins) if admins else _lab_mends(work)


def _names(names: Sequence[str]) -> str:
    """Return "a", "a or b", "a, b or c", each name once."""
    each = list(dict.fromkeys(names))
    if len(each) < 2:
        return "".join(each)
    return _("%(names)s or %(last)s", names=", ".join(each[:-1]), last=each[-1])
