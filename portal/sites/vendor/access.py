"""What the lab's systems say of the vendor's access, read from the published card; it lapses when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from portal.assessments.queries import CardLine
from portal.terms import ClearanceAct, Outcome


@dataclass(frozen=True, slots=True)
class Access:
    """One engagement's access as pages say it.

    ``state`` is paused, lapsed, proofless, overdue, approved, revoked, refused or undecided; proofless: evidence has
    lapsed that the approval rests on; overdue: a condition that closes everything was not met in time. ``until`` is the
    last day of the access: of the approval or of its evidence, whichever is earlier; ``by_evidence`` says which.
    """

    project: str
    state: str
    until: date | None
    conditions: tuple[dict[str, Any], ...]
    by_evidence: bool = False


def access_of(card: CardLine, now: datetime) -> Access:
    """Return what a card says at this moment."""
    body = card.body
    approved, proven = _day(body.get("valid_until")), _day(body.get("evidence_until"))
    by_evidence = proven is not None and (approved is None or proven < approved)
    until = proven if by_evidence else approved
    act = body.get("act")
    if body.get("paused"):
        state = "paused"
    elif act in (Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS):
        ended = until is not None and now.date() > until
        lapsed = approved is not None and now.date() > approved
        state = "lapsed" if lapsed else "proofless" if ended else "approved"
    else:
        state = "undecided" if act is None else "revoked" if act == ClearanceAct.REVOKE else "refused"
    conditions = tuple(body.get("conditions") or ())
    if state == "approved" and any(_closes_all(each, now.date()) for each in conditions):
        state = "overdue"
    if state == "lapsed":
        until, by_evidence = approved, False
    return Access(card.project, state, until, conditions, by_evidence)


def _closes_all(condition: dict[str, Any], today: date) -> bool:
    """Whether a condition keeps everything closed on a day, as the gate does."""
    due, accepted = _day(condition.get("due_on")), _day(condition.get("accepted_until"))
    if due is None or today <= due or (accepted is not None and today <= accepted):
        return False
    names_something = any(condition.get(part) for part in ("closes_at", "access_mode", "data_class"))
    return condition.get("consequence") == "all" or not names_something


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
