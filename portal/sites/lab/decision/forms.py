"""The form of a decision: outcome, conditions as rows, until when, why otherwise, the letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from wtforms import DateField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # the stubs are behind
from wtforms.validators import Optional

from portal.reviews.rules import Condition
from portal.sites.shared.forms import Form
from portal.terms import AccessMode, DataClass, Outcome

MOST_ROWS = 30
SPARE_ROWS = 2
OUTCOMES = [SelectChoice(each.value, each.value) for each in Outcome]


class DecideForm(Form):
    """What is proposed. The conditions are rows of their own names, read by ``rows_of``."""

    outcome = RadioField("Decision", choices=OUTCOMES, validate_choice=False)
    valid_until = DateField("Approval holds until", [Optional()])
    reason = TextAreaField("Why you decide otherwise than the policy suggests")
    letter = TextAreaField("Words that go above the findings")
    row_version = HiddenField()
    score_seen = HiddenField()
    code = StringField("Code from your authenticator app")


class SignForm(Form):
    """That the document was read, and that it is you."""

    digest_seen = HiddenField()
    code = StringField("Code from your authenticator app")


class DeclineForm(Form):
    """Why it is not confirmed."""

    reason = TextAreaField("Why you do not confirm it")


@dataclass(frozen=True, slots=True)
class Row:
    """One condition as typed."""

    text: str = ""
    due_on: str = ""
    closes_at: str = ""
    access_mode: str = ""
    finding: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered, so that the row does not count."""
        return not (self.text.strip() or self.closes_at or self.access_mode)


def rows_of(form: Mapping[str, str]) -> list[Row]:
    """Return the rows of conditions in a form, in their order."""
    rows = []
    for at in range(MOST_ROWS + SPARE_ROWS):
        names = [f"condition.{at}.{part}" for part in ("text", "due_on", "closes_at", "access_mode", "finding")]
        if any(name in form for name in names):
            rows.append(Row(*(form.get(name, "")[:1_000] for name in names)))
    return rows


def conditions_of(rows: Sequence[Row]) -> tuple[list[Condition], list[str]]:
    """Return the conditions that rows say, and what of them could not be read."""
    found: list[Condition] = []
    problems: list[str] = []
    for number, row in enumerate((each for each in rows if not each.is_empty), 1):
        due = _day(row.due_on)
        if row.due_on.strip() and due is None:
            problems.append(f"Enter the date of condition {number} as year-month-day, for example 2027-01-15")
        if row.closes_at and row.closes_at not in DataClass.__members__:
            problems.append(f"Choose the data class that condition {number} keeps closed")
        if row.access_mode and row.access_mode not in AccessMode.__members__:
            problems.append(f"Choose the way of access that condition {number} is about")
        if not problems:
            found.append(
                Condition(
                    row.text.strip(),
                    due,
                    DataClass[row.closes_at].value if row.closes_at else None,
                    row.access_mode or None,
                    int(row.finding)
                    if row.finding.isascii() and row.finding.isdigit() and len(row.finding) < 6
                    else None,
                )
            )
    return found, problems


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def typed(condition: Condition) -> Row:
    """Return a condition as the row that says it."""
    return Row(
        condition.text,
        condition.due_on.isoformat() if condition.due_on else "",
        DataClass(condition.closes_at).name if condition.closes_at is not None else "",
        condition.access_mode or "",
        str(condition.finding) if condition.finding is not None else "",
    )
