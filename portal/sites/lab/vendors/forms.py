"""The forms of the vendor pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import (
    DateField,
    EmailField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # the stubs are behind
from wtforms.validators import InputRequired, Optional

from portal.kernel.errors import Refused
from portal.sites.shared.forms import Form
from portal.terms import (
    ACCESS_MODE_WORDS,
    DATA_CLASS_WORDS,
    ROLE_WORDS,
    SERVICE_WORDS,
    Role,
)
from portal.vendors.rules import DEVICE_WORDS, PERSONS_WORDS, WORKFORCE_WORDS
from portal.vendors.service import Engagement

VENDOR_ROLES = (Role.VENDOR_ADMIN, Role.SIGNATORY, Role.RESPONDENT)
ROLE_HINTS = {
    Role.VENDOR_ADMIN.value: "Runs the vendor's team, divides the work, confirms the scoping",
    Role.SIGNATORY.value: "Signs the attestation for the company",
    Role.RESPONDENT.value: "Answers the sections given to them",
}
DATA_CLASS_HINTS = {
    "D0": "Nothing of ours is in it",
    "D1": "Public data to be labelled",
    "D2": "Guidelines, rubrics, project names",
    "D3": "Unreleased prompts and outputs, preference data, ordinary personal data",
    "D4": "Fine-tuning sets, held-out evaluations, unreleased models, user conversations, special-category data",
    "D5": "Weights, training code, architecture or roadmap, dangerous-capability findings",
}


def boxes(label: str, choices: Iterable[tuple[str, str]]) -> SelectMultipleField:
    """Return a field of any number of choices, drawn as check boxes."""
    return SelectMultipleField(
        label,
        choices=offered(choices),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )


def offered(choices: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Return choices as the fields take them."""
    return [SelectChoice(value, words) for value, words in choices]


class VersionField(IntegerField):
    """The row version the form was made from."""

    widget = widgets.HiddenInput()

    @property
    def seen(self) -> int:
        """The version as sent; 0, which no row has, if it was left out or is no number."""
        return self.data if isinstance(self.data, int) and 0 <= self.data < 2**31 else 0


class VendorForm(Form):
    """A new vendor."""

    name = StringField("Name")
    legal_name = StringField(
        "Legal name", description="As it stands in the contract. Empty means the same as the name."
    )
    mail_domains = TextAreaField(
        "Mail domains", description="One a line, for example quillmark.example. People are invited at these only."
    )
    slug = StringField(
        "Short name",
        description="What other systems call the vendor when they ask the gate. Empty means made of the name.",
    )


class EngagementForm(Form):
    """What a vendor does for us, with which data, by which access, with whom."""

    project = StringField("Project")
    purpose = StringField("Purpose", description="One sentence: what the work is for.")
    services = boxes("Services", [(each.value, words) for each, words in SERVICE_WORDS.items()])
    data_classes = boxes(
        "Data classes", [(each.name, f"{each.name} {words}") for each, words in DATA_CLASS_WORDS.items()]
    )
    access_modes = boxes(
        "Access modes", [(each.value, f"{each.value} {words}") for each, words in ACCESS_MODE_WORDS.items()]
    )
    persons = boxes("Personal data and AI tools", list(PERSONS_WORDS.items()))
    people = IntegerField("People with access at the busiest time", description="An estimate is fine, for example 250.")
    workforce = boxes("Workforce", list(WORKFORCE_WORDS.items()))
    devices = boxes("Devices", list(DEVICE_WORDS.items()))
    starts_on = DateField("Starts on", [Optional()])
    ends_on = DateField("Ends on", [Optional()])
    row_version = VersionField()

    def fill(self, engagement: Engagement) -> None:
        """Show an engagement as it stands."""
        for name, value in stated(engagement).items():
            self[name].data = value
        self.row_version.data = engagement.row_version

    def given(self) -> dict[str, Any]:
        """Return what was stated, as the vendors room takes it."""
        values = {field.name: field.data for field in self if field.name not in {"csrf_token", "row_version"}}
        values["data_classes"] = [int(each[1:]) for each in values["data_classes"] or () if each in DATA_CLASS_HINTS]
        for name in ("services", "access_modes", "persons", "workforce", "devices"):
            values[name] = values[name] or []
        return values


def stated(engagement: Engagement) -> dict[str, Any]:
    """Return an engagement as the form's fields hold it."""
    plain = ("project", "purpose", "services", "access_modes", "persons", "people", "workforce", "devices")
    values = {name: getattr(engagement, name) for name in (*plain, "starts_on", "ends_on")}
    return {**values, "data_classes": [f"D{each}" for each in engagement.data_classes]}


class TierForm(Form):
    """A stricter tier, and why."""

    tier = RadioField("Tier", choices=[], validate_choice=False)
    reason = TextAreaField("Why", description="What the facts do not show, for example: sole vendor for this data.")
    row_version = VersionField()


class AssessmentForm(Form):
    """What we ask, and by when."""

    questionnaire = SelectField("Questionnaire", choices=[])
    due_on = DateField("Due on", [InputRequired("Enter the day it is due, for example 2026-12-18")])
    title = StringField("Title", description="Empty means the questionnaire's own.")
    row_version = VersionField()


class MoreTimeForm(Form):
    """The answer to a vendor that asks for more time. ``asked`` is the request that the page showed."""

    until = DateField("New due date", [Optional()])
    words = TextAreaField("What you say to it", description="The vendor reads this. Needed when you decline.")
    asked = HiddenField()


class ReasonForm(Form):
    """A reason, for what cannot be taken back."""

    reason = TextAreaField("Reason", description="The vendor reads this.")
    row_version = VersionField()


class InviteForm(Form):
    """A person of the vendor."""

    full_name = StringField("Full name")
    email = EmailField("Work e-mail")
    roles = boxes("Roles", [(each.value, ROLE_WORDS[each]) for each in VENDOR_ROLES])


def put_problems(form: Form, refusal: Refused) -> list[str]:
    """Put what a room refused at the fields it is about; return what belongs to no field of the form."""
    if not refusal.problems:
        return [refusal.message]
    left: list[str] = []
    for name, sentences in refusal.problems.items():
        if name in form:
            form[name].errors = [*form[name].errors, *sentences]
        else:
            left.extend(sentences)
    return left


def shown(field: Any, value: object) -> str:
    """Return a value of a field in the words of its choices."""
    words: Mapping[str, str] = {each.value: each.label for each in getattr(field, "choices", None) or ()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(words.get(each, str(each)) for each in value) or "none"
    return "none" if value is None or value == "" else str(value)
