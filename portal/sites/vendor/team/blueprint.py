"""The blueprint that the pages of the team share, and what their forms have in common."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint
from werkzeug.datastructures import MultiDict

from portal.kernel.errors import Forbidden, Refused
from portal.questionnaires.rules.text import date_from
from portal.sites.shared.language import _
from portal.terms import N_, VENDOR_ROLES, Role

bp = Blueprint("vendor_team", __name__)

ROLES = (Role.RESPONDENT, Role.SIGNATORY, Role.VENDOR_ADMIN)
ROLE_HINTS = {
    Role.RESPONDENT: N_("Answers questions and uploads evidence"),
    Role.SIGNATORY: N_("Signs for the company"),
    Role.VENDOR_ADMIN: N_("Answers everything, divides the work, manages the team"),
}

SOMEBODY_NEW = "new"
"""Said of whom to give something to, where no colleague is chosen."""

Form = MultiDict[str, str]


class Place:
    """The actor's own vendor, for the policy."""

    def __init__(self, vendor_id: UUID | None) -> None:
        self.vendor_id = vendor_id


def roles_in(form: Form) -> list[Role]:
    """Return the roles that were ticked, of the vendor's side only.

    :raises Forbidden: for any other: the page does not offer it.
    """
    ticked = form.getlist("roles")
    if any(each not in VENDOR_ROLES for each in ticked):
        raise Forbidden(_("Your role cannot give that role."))
    return [Role(each) for each in ticked]


def day_in(form: Form, name: str) -> date | None:
    """Return the day in a field, None for an empty one.

    :raises Refused: at that field, for what is no day.
    """
    text = form.get(name, "").strip()
    found = date_from(text) if text else None
    if text and found is None:
        raise Refused(problems={name: [_("Enter the date as year-month-day, for example 2026-12-31")]})
    return found


def id_in(text: Any) -> UUID | None:
    """Return the id in a field, None for what is none."""
    try:
        return UUID(str(text or ""))
    except ValueError:
        return None
