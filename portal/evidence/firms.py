"""The audit firms that reviewers looked up in a public register, and what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.evidence import rules
from portal.evidence.facts import FirmChecked
from portal.evidence.models import CheckedFirm
from portal.evidence.rules.companies import company_key
from portal.evidence.rules.flags import Firm
from portal.kernel.errors import Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action

LICENSED, NOT_FOUND = "licensed", "not_found"
OUTCOMES = {LICENSED: "Found, with a licence in force", NOT_FOUND: "Not found as a licensed firm"}
MOST_FIRMS = 1_000
MAX_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class FirmLine:
    """The newest look-up of one firm."""

    id: UUID
    name: str
    licence: str
    jurisdiction: str
    outcome: str
    source: str
    note: str
    checked_on: date
    checked_by_name: str

    @property
    def licensed(self) -> bool:
        """Whether it was found as a licensed firm."""
        return self.outcome == LICENSED


def firms(tx: Tx, *, limit: int = MOST_FIRMS) -> Sequence[FirmLine]:
    """Return the firms that were looked up, by name, each with its newest look-up.

    :raises Forbidden: if the actor may not see what the lab thinks of reports.
    """
    policy.check_ever(tx.actor, Action.FLAGS_READ)
    columns = [getattr(CheckedFirm, name) for name in FirmLine.__dataclass_fields__]
    statement = (
        sa.select(*columns)
        .ext(postgresql.distinct_on(CheckedFirm.name_key))
        .order_by(CheckedFirm.name_key, CheckedFirm.checked_at.desc(), CheckedFirm.id.desc())
        .limit(limit)
    )
    return [FirmLine(*row) for row in tx.session.execute(statement)]


def as_rules_know_them(lines: Sequence[FirmLine]) -> tuple[Firm, ...]:
    """Return look-ups as the flags take them."""
    return tuple(Firm(line.name, line.licence, line.licensed, line.checked_on, line.source) for line in lines)


def check_firm(
    tx: Tx,
    *,
    name: str,
    licence: str = "",
    jurisdiction: str = "",
    outcome: str,
    source: str,
    note: str = "",
    checked_on: str,
) -> UUID:
    """Write down that an audit firm was looked up, where, when and with what outcome. Nothing is ever overwritten.

    :raises Forbidden: if the actor may not.
    :raises Refused: with the problems of the fields.
    """
    policy.check_ever(tx.actor, Action.FIRM_CHECK)
    if tx.actor.id is None:
        raise Forbidden("Only people look firms up.")
    day = rules.parse_day(checked_on.strip())
    given = {
        "name": rules.tidy(name),
        "licence": rules.tidy(licence),
        "jurisdiction": rules.tidy(jurisdiction),
        "source": rules.tidy(source),
    }
    problems = {
        field: [f"Use at most {rules.MAX_TITLE} characters"]
        for field, text in given.items()
        if len(text) > rules.MAX_TITLE
    }
    if not company_key(given["name"]):
        problems["name"] = ["Enter the name of the firm"]
    if outcome not in OUTCOMES:
        problems["outcome"] = ["Choose what you found"]
    elif outcome == LICENSED and not given["licence"]:
        problems["licence"] = ["Enter the licence number that the register shows"]
    if not given["source"]:
        problems["source"] = ["Enter the register that you looked in"]
    if day is None:
        problems["checked_on"] = ["Enter the day of the look-up as a date, for example 30 September 2026"]
    elif day > tx.now.date():
        problems["checked_on"] = [f"The day must not be after today, {rules.day_words(tx.now.date())}"]
    if len(note) > MAX_NOTE:
        problems["note"] = [f"Use at most {MAX_NOTE:,} characters"]
    if problems or day is None:
        raise Refused(problems=problems)
    row = CheckedFirm(
        id=tx.new_id(),
        name_key=company_key(given["name"]),
        outcome=outcome,
        note=note.strip(),
        checked_on=day,
        checked_by=tx.actor.id,
        checked_by_name=tx.actor.name,
        checked_at=tx.now,
        **given,
    )
    tx.session.add(row)
    tx.record(FirmChecked(check_id=row.id, name=row.name, outcome=outcome, source=row.source))
    return row.id
