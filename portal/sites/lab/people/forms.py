"""The forms of the people pages."""

from __future__ import annotations

from wtforms import EmailField, Form, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.terms import LAB_ROLES, ROLE_WORDS

ROLE_CHOICES = [(role.value, ROLE_WORDS[role]) for role in sorted(LAB_ROLES)]
ROLE_SMALLS = {
    "reviewer": "Reads answers and evidence, judges, recommends; decides tier 3",
    "lead_approver": "Decides, confirms, pauses and resumes. A second admin confirms this role",
    "program_admin": "Manages people, vendors and service clients; decides nothing. A second admin confirms this role",
    "auditor": "Reads everything, changes nothing",
}


class RolesForm(Form):
    """Which roles a person of the lab holds."""

    roles = SelectMultipleField(
        "Roles", choices=ROLE_CHOICES, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )


class InviteForm(RolesForm):
    """Whom to invite, as what."""

    email = EmailField("Work e-mail", [InputRequired("Enter a work e-mail address"), Length(max=254)])
    full_name = StringField("Full name", [InputRequired("Enter the person's full name"), Length(max=1000)])
