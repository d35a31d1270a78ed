"""What the lab's systems say of the vendor's access, read from the published card; it lapses when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from portal.assessments.queries import CardLine
from portal.terms import ClearanceAct, Outcome


@dataclass(frozen=True, slots=True)
class Access:
    """One engagement's access as pages say it. ``state`` is paused, lapsed, approved, revoked, refused or undecided.

    ``until`` is the last day of the approval.
    """

    project: str
    state: str
    until: date | None
    conditions: tuple[dict[str, Any], ...]


def access_of(card: CardLine, now: datetime) -> Access:
    """Return what a card says at this moment."""
    body = card.body
    until = date.fromisoformat(body["valid_until"]) if body.get("valid_until") else None
    act = body.get("act")
    if body.get("paused"):
        state = "paused"
    elif act in (Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS):
        state = "lapsed" if until is not None and now.date() > until else "approved"
    else:
        state = "undecided" if act is None else "revoked" if act == ClearanceAct.REVOKE else "refused"
    return Access(card.project, state, until, tuple(body.get("conditions") or ()))
