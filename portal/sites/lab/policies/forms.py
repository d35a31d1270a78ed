"""The forms of policies: a text, an act on a draft, a signature."""

from __future__ import annotations

from wtforms import HiddenField, TextAreaField

from portal.sites.shared.forms import Form


class TextForm(Form):
    """The text of a draft."""

    text = TextAreaField("Text of the policy")
    row_version = HiddenField()


class VersionForm(Form):
    """An act on the draft as it was read."""

    row_version = HiddenField()


class SignForm(Form):
    """That the text with this fingerprint is to be in force."""

    digest_seen = HiddenField()
    row_version = HiddenField()
