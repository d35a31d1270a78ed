"""The form of a decision: outcome, access by data, conditions, until when, why otherwise, the letter, who signs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID

from wtforms import DateField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # the stubs are behind
from wtforms.validators import Optional

from portal.reviews.rules import Condition
from portal.sites.shared.forms import Form
from portal.sites.shared.ui import day
from portal.terms import AccessMode, DataClass, Outcome

MOST_ROWS = 30
SPARE_ROWS = 1
ESCALATE = "escalate"
OUTCOMES = [SelectChoice(each, each) for each in (*(each.value for each in Outcome), ESCALATE)]
OPEN, UNTIL, CLOSED = "end", "date", "closed"
CONDITION_DAYS = timedelta(days=60)
KEPT = ("outcome", "valid_until", "reason", "letter", "asked", "escalation_reason", "escalation_due")
"""The fields that a draft keeps, beside the rows and the cells."""
MOST_BASIS = 200_000


class DecideForm(Form):
    """What is proposed. The conditions are rows of their own names, read by ``rows_of``; the table by ``cells_of``."""

    outcome = RadioField("Decision", choices=OUTCOMES, validate_choice=False)
    valid_until = DateField("Approval holds until", [Optional()])
    reason = TextAreaField("Why you decide otherwise than the policy suggests")
    letter = TextAreaField("Words that go above the findings")
    asked = StringField("Who signs next")
    to = StringField("Who answers")
    escalation_reason = TextAreaField("What you cannot decide, and what you need from them")
    escalation_due = DateField("Answer needed by", [Optional()])
    row_version = HiddenField()
    score_seen = HiddenField()
    basis_seen = HiddenField()
    draft_version = HiddenField()
    code = StringField("Code from your authenticator app")


class SignForm(Form):
    """That the document was read, and that it is you."""

    digest_seen = HiddenField()
    code = StringField("Code from your authenticator app")


class DeclineForm(Form):
    """Why it is not confirmed."""

    reason = TextAreaField("Why you do not confirm it")


class HandBackForm(Form):
    """What is said to whoever escalated it."""

    answer = TextAreaField("What you think")


@dataclass(frozen=True, slots=True)
class Row:
    """One condition as typed."""

    text: str = ""
    due_on: str = ""
    closes_at: str = ""
    access_mode: str = ""
    finding: str = ""
    consequence: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered, so that the row does not count."""
        return not (self.text.strip() or self.closes_at or self.access_mode)


@dataclass(frozen=True, slots=True)
class Cell:
    """One class and mode in the table as chosen: open until the end or a day, closed, or closed until F-n is."""

    data_class: int
    access_mode: str
    choice: str = OPEN
    until: str = ""

    @property
    def key(self) -> str:
        """The name of its fields."""
        return f"access.{DataClass(self.data_class).name}.{self.access_mode}"

    @property
    def name(self) -> str:
        """The class and the mode, in words."""
        return f"{DataClass(self.data_class).name}, {self.access_mode}"

    @property
    def finding(self) -> int | None:
        """The number of the finding that keeps it closed."""
        digits = self.choice.removeprefix("F-")
        return int(digits) if self.choice.startswith("F-") and digits.isascii() and digits.isdigit() else None


class Found(Protocol):
    """What a finding tells of itself here."""

    @property
    def number(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def closes_when(self) -> str: ...
    @property
    def due_on(self) -> date | None: ...


def rows_of(form: Mapping[str, str]) -> list[Row]:
    """Return the rows of conditions in a form, in their order."""
    rows = []
    for at in range(MOST_ROWS + SPARE_ROWS):
        parts = ("text", "due_on", "closes_at", "access_mode", "finding", "consequence")
        names = [f"condition.{at}.{part}" for part in parts]
        if any(name in form for name in names):
            rows.append(Row(*(form.get(name, "")[:1_000] for name in names)))
    return rows


def cells_of(form: Mapping[str, str], engagement: Any) -> list[Cell]:
    """Return the table of access in a form, for every class and mode of the engagement; what is not named is open."""
    found = []
    for data_class in sorted(engagement.data_classes):
        for mode in sorted(engagement.access_modes):
            key = Cell(data_class, mode).key
            found.append(Cell(data_class, mode, form.get(key, OPEN)[:20], form.get(f"{key}.until", "")[:20]))
    return found


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
        if row.consequence not in {"", "class", "all"}:
            problems.append(f"Choose what closes when condition {number} is overdue")
        if not problems:
            found.append(
                Condition(
                    row.text.strip(),
                    due,
                    DataClass[row.closes_at].value if row.closes_at else None,
                    row.access_mode or None,
                    _number(row.finding),
                    "all" if row.consequence == "all" else "class",
                )
            )
    return found, problems


def with_access(
    conditions: Sequence[Condition], cells: Sequence[Cell], findings: Iterable[Found], today: date
) -> tuple[list[Condition], list[str]]:
    """Return the conditions with those that the table of access asks for, and what of the table could not be read.

    What is closed until a finding is closed takes words, day and consequence from the row of that finding, if there
    is one; what is closed or ends on a day becomes a limit of the approval.
    """
    known = {each.number: each for each in findings}
    problems: list[str] = []
    waits: dict[int, list[Cell]] = {}
    limits: list[Condition] = []
    for cell in cells:
        if cell.finding is not None and cell.finding in known:
            waits.setdefault(cell.finding, []).append(cell)
        elif cell.choice == UNTIL:
            ends = _day(cell.until)
            if ends is None:
                problems.append(f"Enter until when {cell.name} stays open, as year-month-day")
            else:
                words = f"{cell.name} stays open until {day(ends)}"
                limits.append(Condition(words, ends, None, cell.access_mode, data_class=cell.data_class, limit=True))
        elif cell.choice == CLOSED:
            words = f"{cell.name} is not part of this approval"
            limits.append(
                Condition(words, None, cell.data_class, cell.access_mode, data_class=cell.data_class, limit=True)
            )
        elif cell.choice != OPEN:
            problems.append(f"Choose what becomes of {cell.name}")
    closing = [
        each
        for number, chosen in sorted(waits.items())
        for each in _closing(_base(known[number], conditions, today), chosen, cells)
    ]
    rest = [each for each in conditions if each.finding not in waits or each.closes_at is not None]
    return [*closing, *rest, *limits], problems


def _base(finding: Found, conditions: Sequence[Condition], today: date) -> Condition:
    for each in conditions:
        if each.finding == finding.number:
            return each
    return Condition(
        f"{finding.name}: {finding.closes_when}"[:500],
        finding.due_on or today + CONDITION_DAYS,
        finding=finding.number,
    )


def _closing(base: Condition, chosen: Sequence[Cell], cells: Sequence[Cell]) -> list[Condition]:
    """Return the conditions that close the chosen cells and no other, as few as say it."""
    classes = sorted({each.data_class for each in chosen})
    modes = sorted({each.access_mode for each in cells})
    whole = all({each.access_mode for each in chosen if each.data_class == level} == set(modes) for level in classes)
    if whole and classes == [each for each in sorted({each.data_class for each in cells}) if each >= classes[0]]:
        return [_like(base, classes[0], None, None)]
    found = []
    for level in classes:
        here = [each.access_mode for each in chosen if each.data_class == level]
        found += [_like(base, level, mode, level) for mode in ([None] if len(here) == len(modes) else here)]
    return found


def _like(base: Condition, closes_at: int, mode: str | None, only: int | None) -> Condition:
    return Condition(base.text, base.due_on, closes_at, mode, base.finding, base.consequence, only)


def kept_of(form: Mapping[str, str], to: Sequence[str]) -> dict[str, str]:
    """Return what a draft keeps of a form: its fields, rows and cells as typed."""
    wanted = {name: value for name, value in form.items() if name in KEPT or name.startswith(("condition.", "access."))}
    return {**wanted, "to": ",".join(to)}


def basis_in(text: str | None) -> dict[str, Any] | None:
    """Return what a page was made from, as its form carries it; None if that is not what a page writes."""
    try:
        value = json.loads(text or "") if len(text or "") <= MOST_BASIS else None
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("judged"), dict) else None


def ids_in(texts: Iterable[str]) -> list[UUID]:
    """Return the ids among some texts."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


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
        condition.consequence,
    )
