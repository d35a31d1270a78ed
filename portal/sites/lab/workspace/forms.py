"""The forms of the workspace: a verdict with its finding, notes, messages, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # the stubs are behind
from wtforms.validators import Optional

from portal.findings.service import Wrong
from portal.sites.shared.forms import Form
from portal.terms import Severity, Verdict

SEVERITIES = [SelectChoice(each.value, each.value.capitalize()) for each in Severity]
VERDICTS = [SelectChoice(each.value, each.value.capitalize()) for each in Verdict]


class VerdictForm(Form):
    """What the reviewer says of one answer. Which of the texts counts follows from the verdict."""

    verdict = RadioField("Your verdict", choices=VERDICTS, validate_choice=False)
    remark = TextAreaField("Remark")
    note = TextAreaField("Your question, for the vendor to read")
    severity = SelectField("Severity", choices=SEVERITIES, default=Severity.MEDIUM.value, validate_choice=False)
    due_on = DateField("Due", [Optional()])
    what = TextAreaField("What is wrong, for the vendor to read")
    closes_when = TextAreaField("Closes when")
    blocks = SelectMultipleField("Blocks", choices=[], validate_choice=False)
    owner = SelectField("Owner at the vendor", choices=[], validate_choice=False)
    credit = IntegerField("Points instead", [Optional()])
    credit_reason = TextAreaField("Why these points, for the vendor to read")
    version = HiddenField()

    def wrong(self) -> Wrong:
        """Return the finding as typed; the room says what is wrong with it."""
        try:
            severity = Severity(self.severity.data or "")
        except ValueError:
            severity = Severity.MEDIUM
        return Wrong(
            severity=severity,
            what=self.what.data or "",
            closes_when=self.closes_when.data or "",
            due_on=self.due_on.data,
            credit=self.credit.data,
            # Left empty, what is wrong is why.
            credit_reason=(self.credit_reason.data or "").strip() or None,
            blocks=tuple(map(block_of, self.blocks.data or ())),
            owner_id=_person(self.owner.data),
        )


NO_BLOCK = (-1, None)
"""What no choice of the page says; the room refuses it."""


def block_name(data_class: int, mode: str | None) -> str:
    """Return what a finding blocks as a form says it: ``4:A3``, or ``4:`` for every way of access."""
    return f"{data_class}:{mode or ''}"


def block_of(name: str) -> tuple[int, str | None]:
    """Return what a form says is blocked."""
    level, colon, mode = name.partition(":")
    if not colon or not (level.isascii() and level.isdigit() and len(level) == 1):
        return NO_BLOCK
    return int(level), mode or None


def _person(text: str | None) -> UUID | None:
    """Return who was chosen; what is no person is one whom nobody knows, and the room refuses them."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


class TextForm(Form):
    """A note, a message, or a reason."""

    body = TextAreaField("Text")


class FileForm(Form):
    """What is said of a file."""

    note = StringField("What is wrong with the file, for the vendor to read")
    row_version = HiddenField()


class ReturnForm(Form):
    """That the questions go out."""

    row_version = HiddenField()


class FinishForm(Form):
    """What those who decide should know."""

    note = TextAreaField("Your words for those who decide", description="They read this first. The vendor does not")
    row_version = HiddenField()


class AssignForm(Form):
    """Whose review it becomes."""

    reviewer_id = SelectField("Reviewer", validate_choice=False)
    row_version = HiddenField()


def add_problems(form: Form, problems: Mapping[str, Sequence[str]], *, otherwise: str = "") -> None:
    """Put a refusal at its fields; what has no field of its own goes to the one named, or to the first."""
    for name, sentences in problems.items():
        field = form._fields.get(name) or form._fields.get(otherwise) or next(iter(form._fields.values()))
        field.errors = [*field.errors, *sentences]


def number(text: str | None) -> int:
    """Return a version as typed by nobody; what is no number is a version that never was."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1
