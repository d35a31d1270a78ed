"""The forms of drafts: a file or a text, a word on a change, a signature."""

from __future__ import annotations

from flask_wtf.file import FileField, MultipleFileField
from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # the stubs are behind

from portal.questionnaires.importing import Format
from portal.questionnaires.rules import Claim
from portal.sites.lab.questionnaires.wording import CLAIM_WORDS
from portal.sites.shared.forms import Form


class NewDraftForm(Form):
    """A questionnaire file from somebody's disk."""

    file = FileField("Questionnaire file")


class SourceForm(Form):
    """The text of a draft."""

    source = TextAreaField("Text of the draft")
    row_version = HiddenField()


class DecideForm(Form):
    """What the author says of one change. Which claims are on offer depends on the change."""

    key = HiddenField()
    part = HiddenField()
    of = HiddenField()
    row_version = HiddenField()
    claim = RadioField(
        "What it does to the claim",
        choices=[SelectChoice(each.value, CLAIM_WORDS[each]) for each in Claim],
        validate_choice=False,
    )
    note = StringField("Note")


class VersionForm(Form):
    """An act on the draft as it was read."""

    row_version = HiddenField()


class SignForm(Form):
    """That the text with this fingerprint is to be published."""

    digest_seen = HiddenField()
    row_version = HiddenField()


class ImportForm(Form):
    """Another system's questionnaire, and what it is to be called here."""

    format = SelectField(
        "Format",
        choices=[
            SelectChoice(Format.VSAQ.value, "VSAQ template or extension"),
            SelectChoice(Format.OSCAL.value, "OSCAL catalogue"),
            SelectChoice(Format.MVSP.value, "MVSP, bundled"),
            SelectChoice(Format.TABLE.value, "Table (CSV or XLSX)"),
            SelectChoice(Format.FOLDER.value, "Folder of YAML questions"),
            SelectChoice(Format.OVERLAY.value, "Overlays on a version"),
        ],
    )
    file = MultipleFileField("File")
    slug = StringField("Short name")
    version = IntegerField("Version", default=1)
    title = StringField("Title")
    base = FileField("Base")
    mapping = FileField("Mapping")
