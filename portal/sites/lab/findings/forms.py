"""What is typed on the page of a finding, and the address of one page of the list."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from portal.findings.queries import View
from portal.kernel.errors import NotFound
from portal.terms import Severity

VIEW_WORDS = {
    View.MINE: "Mine",
    View.OVERDUE: "Overdue",
    View.PROOF: "Proof to check",
    View.PLAN: "Plan to check",
    View.RISK: "Risk to confirm",
    View.SOON: "Due in 14 days",
    View.OPEN: "All open",
    View.CLOSED: "Closed",
}
EMPTY_WORDS = {
    View.MINE: ("You follow no open finding", "Who writes a finding follows it, until somebody else is named."),
    View.OVERDUE: ("No finding is overdue", "What is overdue acts at the gate by itself, as it was decided."),
    View.PROOF: ("No proof waits", "A vendor's proof appears here as soon as it is sent."),
    View.PLAN: ("No plan waits", "What a vendor says it will do appears here, for you to agree to or return."),
    View.RISK: ("No risk waits for a second person", "Who proposes to accept a risk does not confirm it."),
    View.SOON: ("No finding is due within 14 days", "Each stands here from two weeks before its day."),
    View.OPEN: ("No finding is open", "Findings become tasks of a vendor with a decision."),
    View.CLOSED: ("No finding was closed by proof yet", "A finding closes when a reviewer verifies its proof."),
}


def view_of(text: str) -> View:
    """Return the view that an address names; what waits for the lab where it names none."""
    if text == "waiting":
        return View.PROOF
    return View(text) if text in set(View) else View.PROOF


def severity_of(text: str) -> Severity | None:
    """Return the severity that an address names, if it does."""
    return Severity(text) if text in set(Severity) else None


def place_of(text: str) -> tuple[date | None, UUID] | None:
    """Return the place in the list that an address names; None for the beginning, also for what no list wrote."""
    day, mark, last = text.partition("~")
    if not mark:
        return None
    try:
        return (date.fromisoformat(day) if day else None), UUID(last)
    except ValueError:
        return None


def place_words(place: tuple[date | None, UUID]) -> str:
    """Return a place in the list as an address says it."""
    day, last = place
    return f"{day.isoformat() if day else ''}~{last}"


def id_of(text: str) -> UUID:
    """Return the id that a form of ours carries.

    :raises NotFound: for anything else.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def person_of(text: str) -> UUID | None:
    """Return who was chosen; None for nobody, also for what is no id."""
    try:
        return UUID(text)
    except ValueError:
        return None


def day_of(text: str) -> date | None:
    """Return the day that was typed; None where it is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
