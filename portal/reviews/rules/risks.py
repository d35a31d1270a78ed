"""Accepting a risk for a while: for how long, and who may sign first and second. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from portal.reviews.rules.eligibility import Bar, Candidate, Duty, interests
from portal.terms import LAB_ROLES, Role

FORMAT: Final = "gatehouse risk acceptance 1"
"""Names the shape of the document, so that a digest says how it is recomputed."""

LONGEST: Final = timedelta(days=400)
LONGEST_KNOCK_OUT: Final = timedelta(days=90)
MAX_REASON: Final = 2_000


def latest_until(today: date, *, knock_out: bool) -> date:
    """Return the last day to which a risk may be accepted: 90 days for a knock-out, 400 otherwise (scoring.md)."""
    return today + (LONGEST_KNOCK_OUT if knock_out else LONGEST)


def problems_of(reason: str, until: date | None, today: date, *, knock_out: bool) -> dict[str, list[str]]:
    """Return what is wrong with a proposal, by field; nothing if it can be signed."""
    problems: dict[str, list[str]] = {}
    if not reason:
        problems["reason"] = ["Say why the lab can live with it, and what is watched meanwhile"]
    elif len(reason) > MAX_REASON:
        problems["reason"] = [f"Keep it under {MAX_REASON:,} characters; this is {len(reason):,}"]
    last = latest_until(today, knock_out=knock_out)
    if until is None:
        problems["until"] = ["Enter the last day"]
    elif until < today:
        problems["until"] = ["The last day must be today or later"]
    elif until > last:
        what = "The risk of a knock-out question is accepted" if knock_out else "A risk is accepted"
        problems["until"] = [f"{what} for {(last - today).days} days at most. Enter {_day(last)} or earlier"]
    return problems


def bars_to_accept(
    person: Candidate,
    *,
    vendor: str,
    domains: Collection[str],
    tier: int,
    judges: Collection[UUID],
    proposer: Candidate | None = None,
) -> tuple[Bar, ...]:
    """Return every reason why a person does not sign that a risk is accepted; nothing if they may.

    The first proposes, the second confirms (S4). What a decision closed is opened by nobody who could not have signed
    the decision: the second is a lead approver who did not judge the answers (tiers 1 and 2, S1), and in tier 1 so is
    the first (S2).

    :param judges: who judged the answers that the finding is about.
    :param proposer: who proposed it; None while it is being proposed.
    """
    if not person.is_person or person.id is None or not person.roles <= LAB_ROLES:
        return (Bar(Duty.MACHINE, "is not a person of the lab, and only people accept risks"),)
    found: list[Bar] = []
    signs_as_lead = proposer is not None or tier == 1
    if not person.is_active:
        found.append(Bar(Duty.LOST_ROLE, "no longer works here"))
    elif Role.LEAD_APPROVER not in person.roles and (signs_as_lead or Role.REVIEWER not in person.roles):
        found.append(
            Bar(Duty.ROLE, "is not a lead approver" if signs_as_lead else "is neither a reviewer nor a lead approver")
        )
    if signs_as_lead and tier < 3 and person.id in judges:
        found.append(Bar(Duty.REVIEWER, "reviewed these answers"))
    if proposer is not None:
        if person.id == proposer.id:
            found.append(Bar(Duty.PROPOSER, "proposed this, and somebody else confirms it"))
        elif proposer.id in person.made_approver_by:
            found.append(Bar(Duty.GRANTER, f"was made lead approver by {proposer.name} less than 24 hours ago"))
        elif person.id in proposer.made_approver_by:
            found.append(Bar(Duty.GRANTER, f"made {proposer.name} lead approver less than 24 hours ago"))
    found.extend(interests(person, vendor, domains))
    return tuple(found)


_PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {"finding": "the finding", "opens": "what it keeps closed", "knock_out": "how long it may last"}
)


def changed_parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which parts of a document differ, in words."""
    return tuple(
        dict.fromkeys(
            _PARTS.get(key, "the document")
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        )
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
